"""Lines are made from the pod and the clock: the same each time, from any side, and never many at once."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

import pytest

from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.logs.written import KEPT_PIECES, NS, PIECE_LINES, Written, stamp
from notebook_mux.playground.scenarios import Settings, apps, build
from tests.unit.playground.logged import lines, offsets, pod, run_of, texts
from tests.unit.playground.worlds import NOW, pods, world


@pytest.fixture(scope="module")
def first_look() -> Cluster:
    cluster = Cluster("demo", 0, Agenda(lambda: NOW))
    build("first-look", cluster, Settings(still=True))
    return cluster


def named(cluster: Cluster, app: str, namespace: str = "default") -> str:
    return str(pods(cluster, app, namespace)[0]["metadata"]["name"])


PLACES = [("web", "default"), ("api", "default"), ("worker", "default"), ("storefront", "shop"), ("checkout", "shop"),
          ("cart", "shop"), ("db", "shop"), ("prometheus", "monitoring"), ("grafana", "monitoring"),
          ("node-exporter", "monitoring"), ("coredns", "kube-system"), ("kube-proxy", "kube-system"),
          ("metrics-server", "kube-system")]  # fmt: skip


@pytest.mark.parametrize(("app", "namespace"), PLACES)
def test_every_program_of_the_scenario_tells_in_order_and_again_the_same(first_look: Cluster, app: str, namespace: str):
    name = named(first_look, app, namespace)
    found = lines(first_look, name, namespace)
    assert 3 <= len(found) <= (KEPT_PIECES + 2) * PIECE_LINES * 1.2
    assert [line.ns for line in found] == sorted({line.ns for line in found})
    assert found[-1].ns <= first_look.agenda.now() * NS
    assert lines(first_look, name, namespace) == found
    assert "\n" not in "".join(line.text for line in found)
    assert lines(first_look, name, namespace, tailLines="7") == found[-7:]
    assert lines(first_look, name, namespace, tailLines="250") == found[-250:]
    assert lines(first_look, name, namespace, tailLines="0") == []
    assert lines(first_look, name, namespace, tailLines=str(2**62)) == found
    hour = int(first_look.agenda.now()) - 3600
    assert lines(first_look, name, namespace, sinceSeconds="3600") == [one for one in found if one.ns >= hour * NS]


def test_two_pods_of_a_kind_say_different_things(first_look: Cluster):
    one, other = (one["metadata"]["name"] for one in pods(first_look, "web")[:2])
    assert set(texts(first_look, one, tailLines="50")).isdisjoint(texts(first_look, other, tailLines="50"))


def test_who_follows_from_any_line_on_gets_what_is_read_later(first_look: Cluster):
    name, now = named(first_look, "api"), first_look.agenda.now()
    written = Written(run_of(first_look, name))
    whole = list(written.until(now + 300))
    for cut in range(0, len(whole) - 1, 9):
        followed = list(islice(written.after(whole[cut].ns), 40))
        assert followed[: len(whole) - cut - 1] == whole[cut + 1 : cut + 41]


def test_levels_json_and_traces_are_there(first_look: Cluster):
    said = texts(first_look, named(first_look, "checkout", "shop"), "shop")
    assert {json.loads(one)["level"] for one in said} == {"info", "warn", "error"}
    coming = Written(run_of(first_look, named(first_look, "api"))).after(0)
    api = "\n".join(line.text for line in islice(coming, 3000))
    assert re.search(r"ERROR .*\nTraceback \(most recent call last\):\n  File", api)
    assert " WARNING " in api
    assert re.search(r'"GET /\S* HTTP/1.1" 200', "\n".join(texts(first_look, named(first_look, "web"))))


def crashed(code: int) -> Cluster:
    """A world in which a service has crashed with a code."""
    cluster = world()
    apps.deployment(cluster, "flaky", "default", "ghcr.io/example/flaky:1", 1, behaviour="crash 9")
    for _ in range(2000):
        cluster.agenda.step(1)
        state = pods(cluster, "flaky")[0]["status"].get("containerStatuses", [{}])[0]
        if ((state.get("lastState") or {}).get("terminated") or {}).get("exitCode") == code:
            return cluster
    raise AssertionError(f"it never ended with {code}")


@pytest.mark.parametrize(
    ("code", "last"),
    [(1, r"FATAL cache: giving up"), (2, r"exit status 2"), (137, r"heap=2\d\dMiB")],
)
def test_a_crash_has_last_words_that_fit_its_code_and_a_kill_has_none(code: int, last: str):
    cluster = crashed(code)
    run = run_of(cluster, named(cluster, "flaky"), previous="true")
    assert run.end is not None
    found = lines(cluster, named(cluster, "flaky"), previous="true")
    assert re.search(last, found[-1].text)
    assert ("goroutine 34 [running]:" in [line.text for line in found]) == (code == 2)
    assert found[0].ns // NS == run.started
    assert found[-1].ns // NS <= run.end.at
    assert f"attempt {run.number + 1}" in found[0].text


def test_what_was_followed_before_a_crash_is_what_is_read_after_it():
    cluster = world()
    apps.deployment(cluster, "flaky", "default", "ghcr.io/example/flaky:1", 1, behaviour="crash 9")
    followed = list[Any]()
    for _ in range(800):
        cluster.agenda.step(0.1)
        state = pods(cluster, "flaky")[0]["status"].get("containerStatuses", [{}])[0].get("state", {})
        if "running" in state:
            followed = lines(cluster, named(cluster, "flaky"))
        elif "terminated" in state:
            break
    after = lines(cluster, named(cluster, "flaky"))
    assert len(followed) > 8
    assert after[: len(followed)] == followed
    end = run_of(cluster, named(cluster, "flaky")).end
    assert end is not None
    assert all(one.ns >= end.at * NS for one in after[len(followed) :])


def test_a_job_tells_how_far_it_is_and_how_it_went():
    cluster = world()
    apps.job(cluster, "import", "default", "ghcr.io/example/import:1", "complete 8")
    apps.job(cluster, "report", "default", "ghcr.io/example/report:1", "fail 8")
    cluster.agenda.step(30)
    said = texts(cluster, named(cluster, "import"))
    percents = [int(found[1]) for one in said if (found := re.search(r"\((\d+) %\)", one))]
    assert percents == sorted(percents)
    assert len(percents) == 10
    assert said[-1].endswith("done: all rows imported, committed")
    assert json.loads(texts(cluster, named(cluster, "report"))[-1])["level"] == "fatal"


def test_a_command_is_told_by_the_clock_and_ends_its_pod():
    cluster = world()
    cluster.create(pod("hi", "sh", "-c", "echo a; sleep 5; echo b; exit 3"))
    cluster.agenda.step(6)
    assert texts(cluster, "hi") == ["a"]
    cluster.agenda.step(6)
    run = run_of(cluster, "hi")
    assert run.end is not None
    assert (run.end.code, run.end.at - run.started) == (3, 5)
    assert offsets(lines(cluster, "hi"), run.started) == [0.0, 5.0]
    obj = cluster.get("pods", "default", "hi")
    assert obj is not None
    assert obj["status"]["phase"] == "Failed"


def test_a_command_that_ends_and_is_started_again_has_a_log_for_each_time():
    cluster = world()
    cluster.create(pod("again", "sh", "-c", "date; sleep 1", restart="Always"))
    cluster.agenda.step(25)
    now, before = texts(cluster, "again"), texts(cluster, "again", previous="true")
    assert run_of(cluster, "again").number > run_of(cluster, "again", previous="true").number - 1
    assert len(now) == len(before) == 1
    obj = cluster.get("pods", "default", "again")
    assert obj is not None
    assert obj["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] == "Completed"


def test_beside_a_crash_loop_another_container_goes_on():
    cluster = world()
    made = pod("two", "sh", "-c", "sleep 1; exit 1", restart="Always")
    beside = {"name": "side", "image": "busybox", "command": ["sh", "-c", "while true; do date +%s; sleep 1; done"]}
    made["spec"]["containers"].append(beside)
    cluster.create(made)
    cluster.agenda.step(30)
    assert run_of(cluster, "two", container="main").number >= 1
    assert run_of(cluster, "two", container="side").number == 0
    seconds = [int(text) for text in texts(cluster, "two", container="side")]
    assert seconds == list(range(seconds[0], seconds[0] + len(seconds)))
    assert len(seconds) > 20


def test_an_image_without_a_story_says_so_once():
    cluster = world()
    cluster.create(pod("strange", image="example.com/strange:1", restart="Always"))
    cluster.agenda.step(3600)
    (said,) = texts(cluster, "strange")
    assert "runs no images" in said


def test_init_containers_come_one_after_the_other_with_logs_of_their_own():
    cluster = world()
    init = [{"name": "first", "image": "busybox", "command": ["sh", "-c", "echo one; sleep 2"]},
            {"name": "side", "image": "busybox", "command": ["sh", "-c", "echo side; sleep infinity"],
             "restartPolicy": "Always"},
            {"name": "last", "image": "busybox", "command": ["echo", "three"]}]  # fmt: skip
    cluster.create(pod("staged", "sh", "-c", "echo main; sleep infinity", restart="Always", initContainers=init))
    cluster.agenda.step(12)
    found = {name: lines(cluster, "staged", container=name) for name in ("first", "side", "last", "main")}
    assert [[one.text for one in found[name]] for name in found] == [["one"], ["side"], ["three"], ["main"]]
    obj = cluster.get("pods", "default", "staged")
    assert obj is not None
    statuses = obj["status"]["initContainerStatuses"]
    assert [next(iter(one["state"])) for one in statuses] == ["terminated", "running", "terminated"]
    assert {one["type"]: one["status"] for one in obj["status"]["conditions"]}["Initialized"] == "True"
    ended = statuses[0]["state"]["terminated"]
    assert ended["exitCode"] == 0
    assert obj["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] > ended["finishedAt"]


def test_an_init_container_that_fails_is_started_again_and_holds_the_pod_up():
    cluster = world()
    init = [{"name": "first", "image": "busybox", "command": ["sh", "-c", "echo no database; exit 4"]}]
    cluster.create(pod("held", "echo", "main", restart="Always", initContainers=init))
    cluster.agenda.step(8)
    obj = cluster.get("pods", "default", "held")
    assert obj is not None
    status = obj["status"]["initContainerStatuses"][0]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    conditions = {one["type"]: one for one in obj["status"]["conditions"]}
    assert conditions["Initialized"]["message"] == "containers with incomplete status: [first]"
    assert texts(cluster, "held", container="first") == ["no database"]
    cluster.agenda.step(10)
    obj = cluster.get("pods", "default", "held")
    assert obj is not None
    assert obj["status"]["initContainerStatuses"][0]["restartCount"] == 2  # at once, then after 10 s
    assert obj["status"]["phase"] == "Pending"


def test_times_have_nine_digits():
    assert stamp(1_760_000_000_600_000_000) == "2025-10-09T08:53:20.600000000Z"
    assert stamp(1_760_000_000_000_000_007) == "2025-10-09T08:53:20.000000007Z"
