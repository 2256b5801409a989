"""Logs of a real API server, whose kubelet reads real files: targets, containers, what comes later, every end."""

from __future__ import annotations

import importlib
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux import aio
from notebook_mux.kernel import holder
from tests import waiting
from tests.api import Api
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create, user
from tests.testbed.control_plane import ControlPlane
from tests.testbed.logged import Logged, create_pod

WAIT_SECONDS = 40.0
NANOSECONDS = 1_000_000_000

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)

Write = Callable[..., None]


def stamp(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NANOSECONDS, UTC):%Y-%m-%dT%H:%M:%S}.{ns % NANOSECONDS:09d}Z"


@pytest.fixture
def write(control_plane: ControlPlane, namespace: str) -> Iterator[Write]:
    """Gives what appends lines to a container's log, as a runtime does."""
    last = [0]

    def append(pod: str, *texts: str, container: str = "main", ns: int | None = None) -> None:
        path = control_plane.folder / "logs" / f"{namespace}_{pod}_{container}.log"
        with path.open("a", encoding="utf-8") as file:
            for text in texts:
                last[0] = max(last[0] + 1, time.time_ns()) if ns is None else ns
                file.write(f"{stamp(last[0])} stdout F {text}\n")

    yield append
    for path in (control_plane.folder / "logs").glob(f"{namespace}_*.log"):
        path.unlink()


def running(plane: ControlPlane, namespace: str, *names: str) -> None:
    plane.kubectl("wait", "--for=condition=Ready", *(f"pod/{name}" for name in names), "-n", namespace, "--timeout=60s")


@pytest.fixture
def web(control_plane: ControlPlane, namespace: str, write: Write) -> Iterator[str]:
    """A running pod of two containers that have logged, and a manager that may only look."""
    for container in ("main", "side", "setup"):
        write("web-0", *(f"{container} {number}" for number in range(3)), container=container)
    init = [{"name": "setup", "image": "x"}]
    create(control_plane, pod("web-0", namespace, initContainers=init))
    running(control_plane, namespace, "web-0")
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    yield "web-0"
    nm.close()


def deployment(name: str, namespace: str, replicas: int = 2, gates: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [{"name": "main", "image": "x"}],
                    "schedulingGates": [{"name": gate} for gate in gates],
                },
            },
        },
    }


def texts(logs: nm.Logs) -> list[str]:
    return [line.text for line in logs.lines if not line.mark]


def have(logs: nm.Logs, *wanted: str) -> None:
    """These lines come, and no others: the first of them are there at once, the rest a moment later."""
    eventually(lambda: texts(logs) == list(wanted), lambda: f"{wanted}, and not {texts(logs)}")


def test_a_pod(web: str, write: Write, namespace: str) -> None:
    logs = nm.logs(web)
    wanted = [f"{container} {number}" for container in ("main", "side") for number in range(3)]
    eventually(lambda: sorted(texts(logs)) == wanted)
    assert [line.ns for line in logs.lines] == sorted(line.ns for line in logs.lines)
    assert logs.title == f"pod web-0 in {namespace}"
    assert logs.state == "live"
    assert {(one.pod, one.container, one.kind, one.state) for one in logs.sources} == {
        ("web-0", "main", "container", "live"),
        ("web-0", "side", "container", "live"),
    }
    write(web, "ready to serve")
    found = logs.wait("ready", timeout=WAIT_SECONDS)
    assert (found.text, found.pod, found.container, found.namespace) == ("ready to serve", "web-0", "main", namespace)
    assert found.time - datetime.now(UTC) < timedelta(seconds=5)


def test_the_same_again(web: str) -> None:
    logs = nm.logs(web)
    assert nm.logs(f"pod/{web}") is logs
    assert nm.logs(nm.get("pods", web)) is logs
    assert nm.logs(nm.get("pods").rows[0]) is logs
    assert nm.logs(web, tail=1) is not logs
    logs.close()
    assert nm.logs(web) is not logs


@pytest.mark.parametrize(
    ("container", "names"),
    [
        ("main", {"main"}),
        ("setup", {"setup"}),
        (".*", {"main", "side", "setup"}),
        (re.compile("^s"), {"side", "setup"}),
    ],
)
def test_containers(web: str, container: Any, names: set[str]) -> None:
    logs = nm.logs(web, container=container)
    assert {one.container for one in logs.sources} == names
    eventually(lambda: {line.container for line in logs.lines if not line.mark} == names)


def test_how_much_of_it(web: str, write: Write) -> None:
    have(nm.logs(web, container="main", tail=1), "main 2")
    assert texts(nm.logs(web, container="main", tail=0)) == []
    have(nm.logs(web, container="main", tail=None, since="1h"), "main 0", "main 1", "main 2")
    have(nm.logs(web, container="main", include="[12]", exclude=re.compile("2")), "main 1")
    write("web-0", "long ago", container="side", ns=NANOSECONDS)
    assert "long ago" not in texts(nm.logs(web, container="side", since=timedelta(hours=1), tail=None))


def test_what_is_not_there(web: str, namespace: str) -> None:
    with pytest.raises(nm.NotFound, match="there is no pod 'web-1'") as missing:
        nm.logs("web-1")
    assert "web-0" in (missing.value.todo or "")
    with pytest.raises(nm.InvalidArgument, match=f"no container 'mian' in pod {namespace}/web-0") as caught:
        nm.logs(web, container="mian")
    assert caught.value.todo == "one of: main, side, setup (init)"
    with pytest.raises(nm.InvalidArgument, match="no container 'mian'") as caught:
        nm.logs("app=web-0", container="mian")
    assert caught.value.todo == "one of: main, side, setup (init)"
    with pytest.raises(nm.NotFound, match="there are no pods"):
        nm.logs("app=nothing", follow=False)
    with pytest.raises(nm.BadSelector):
        nm.logs(None, selector="app in")


def test_pods_that_come_later_join(web: str, control_plane: ControlPlane, namespace: str, write: Write) -> None:
    logs = nm.logs(re.compile("web-"), container="main")
    have(logs, *(f"main {number}" for number in range(3)))
    assert {line.pod for line in logs.lines} == {"web-0"}
    write("web-1", "hello from web-1")
    create(control_plane, pod("web-1", namespace))
    assert logs.wait("hello from", timeout=WAIT_SECONDS).pod == "web-1"
    assert any(line.mark == "joined" for line in logs.lines)
    control_plane.kubectl("delete", "pod", "web-0", "-n", namespace, "--now")
    control_plane.kubectl("wait", "--for=delete", "pod/web-0", "-n", namespace, "--timeout=60s")
    assert "main 0" in texts(logs)  # those that have ended stay
    assert len(logs.sources) == 2
    assert logs.state == "live"


def test_a_deployment_from_nothing_to_two(control_plane: ControlPlane, namespace: str, write: Write, web: str) -> None:
    # The test bed's kubelet reads a file of its own for a container without one: none may run before its log is there.
    create(control_plane, deployment("api", namespace, replicas=0, gates=["tests/has-a-log"]))
    logs = nm.logs("deploy/api")
    assert (logs.state, logs.reason, len(logs)) == ("waiting", "no pods yet", 0)
    control_plane.kubectl("scale", "deployment/api", "-n", namespace, "--replicas=2")
    eventually(lambda: len(logs.sources) == 2)
    for one in logs.sources:
        write(one.pod, f"I am {one.pod}")
        ungate = '[{"op": "remove", "path": "/spec/schedulingGates"}]'
        control_plane.kubectl("patch", "pod", one.pod, "-n", namespace, "--type=json", "-p", ungate)
    for one in logs.sources:
        assert logs.wait(f"I am {one.pod}$", timeout=WAIT_SECONDS).pod == one.pod
    assert nm.logs("deployment/api") is logs
    assert logs.title == f"deployment api in {namespace}"


@pytest.fixture
def logged(control_plane: ControlPlane, namespace: str, web: str) -> Iterator[Logged]:
    """A container that can be restarted, of the running pod "crashing"."""
    api = Api(control_plane.kubeconfig)
    made = Logged(control_plane, api, namespace, "crashing")
    create_pod(api, namespace, "crashing")
    running(control_plane, namespace, "crashing")
    yield made
    api.close()


def test_a_restarted_container(logged: Logged) -> None:
    logged.write(b"first")
    logs = nm.logs("crashing")
    logged.write(b"last words")
    logged.stop()
    logged.start()
    logged.write(b"back again")
    logs.wait("back again", timeout=WAIT_SECONDS)
    assert texts(logs) == ["first", "last words", "back again"]
    assert [line.mark for line in logs.lines if line.mark] == ["restarted"]
    assert logs.sources[0].restarts == 1
    assert logs.df(marks=True)["mark"].tolist() == ["", "", "restarted", ""]
    previous = nm.logs("crashing", previous=True)
    assert texts(previous) == ["first", "last words"]
    assert previous.title.endswith(", previous")
    assert previous.state == "ended"
    with pytest.raises(nm.NotFound, match="no more will come"):
        previous.wait("back again")


def test_a_pod_that_goes(logged: Logged, control_plane: ControlPlane, namespace: str) -> None:
    logged.write(b"first")
    logs = nm.logs("crashing")
    control_plane.kubectl("delete", "pod", "crashing", "-n", namespace, "--now")
    eventually(lambda: logs.sources[0].state == "gone")
    assert logs.state == "ended"
    assert texts(logs) == ["first"]
    assert nm.logs("crashing") is logs  # what it said can still be read
    logs.close()
    with pytest.raises(nm.NotFound):
        nm.logs("crashing")


def test_a_bound_on_pods(control_plane: ControlPlane, namespace: str, web: str) -> None:
    create(control_plane, deployment("api", namespace, replicas=3))
    control_plane.kubectl("rollout", "status", "deployment/api", "-n", namespace, "--timeout=60s")
    logs = nm.logs("app=api", max_pods=2)
    eventually(lambda: len(logs.left_out) == 1)
    assert len({one.pod for one in logs.sources}) == 2
    assert "1 more pod left out" in repr(logs)


def test_a_container_that_waits(control_plane: ControlPlane, namespace: str, web: str) -> None:
    containers = [{"name": "main", "image": "x"}, {"name": "bad", "image": "missing.example/none"}]
    create(control_plane, pod("stuck", namespace, containers=containers))
    eventually(lambda: "ErrImagePull" in control_plane.kubectl("get", "pod", "stuck", "-n", namespace, "-o", "json"))
    logs = nm.logs("stuck", container="bad")
    (one,) = logs.sources
    assert (one.state, one.reason) == ("waiting", "ErrImagePull")
    assert logs.state == "waiting"
    assert "waiting (ErrImagePull)" in logs.reason
    (mark,) = logs.lines
    assert (mark.mark, mark.container) == ("waiting", "bad")
    assert "ErrImagePull" in mark.text


def test_a_frame_and_fields(web: str, write: Write) -> None:
    logs = nm.logs(web, container="side")
    write(web, '{"level":"error","status":500,"msg":"bad"}', "level=warn status=404", container="side")
    logs.wait("404", timeout=WAIT_SECONDS)
    frame = logs.df(fields=True)
    assert frame["status"].dropna().tolist() == [500, 404]
    assert frame["level"].dropna().tolist() == ["error", "warning"]
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]"
    assert [stamp.value for stamp in frame["time"]] == [line.ns for line in logs.lines if not line.mark]


def test_a_wait_that_takes_too_long(web: str) -> None:
    logs = nm.logs(web, container="main")
    have(logs, *(f"main {number}" for number in range(3)))
    with pytest.raises(nm.TimedOut, match=r"3 lines looked at, 1 container: 1 live") as caught:
        logs.wait("never", timeout=0.2)
    assert caught.value.said is not None
    assert caught.value.said.endswith("of web-0: main 2")


def test_all_of_it_and_no_more(web: str, tmp_path: Path) -> None:
    logs = nm.logs(web, container="main", follow=False, tail=None)
    assert [line.text for line in logs.follow() if not line.mark] == ["main 0", "main 1", "main 2"]
    assert logs.state == "ended"
    with pytest.raises(nm.NotFound, match="3 lines looked at, and no more will come"):
        logs.wait("main 3")
    saved = logs.save(tmp_path / "main.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in saved] == texts(logs)


async def test_following_on_a_loop(control_plane: ControlPlane, web: str, write: Write) -> None:
    logs = await aio.logs(web, container="main")
    seen: list[str] = []
    write(web, *(f"more {number}" for number in range(500)))
    async for line in logs:
        if not line.mark:
            seen.append(line.text)
        if line.text == "more 499":
            break
    assert seen == [f"main {number}" for number in range(3)] + [f"more {number}" for number in range(500)]
    assert (await aio.wait(logs, "more 4[0-9]+$", timeout=WAIT_SECONDS)).text == "more 40"


def test_following_in_a_thread(web: str, write: Write) -> None:
    logs = nm.logs(web, container="main", tail=0)
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.extend(line.text for line in logs.follow() if not line.mark))
    thread.start()
    write(web, *(f"more {number}" for number in range(100)))
    eventually(lambda: len(seen) == 100)
    logs.close()
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
    assert seen == [f"more {number}" for number in range(100)]


def test_a_cut_loses_nothing_and_repeats_nothing(web: str, write: Write) -> None:
    logs = nm.logs(web, container="main")
    expected = [f"main {number}" for number in range(3)]
    for cut in range(5):
        more = [*(f"{cut} {number % 7}" for number in range(49)), f"{cut} last"]  # equal lines, many in one second
        write(web, *more[:25])
        holder.core().cut(connection())
        write(web, *more[25:])
        expected += more
        logs.wait(f"^{cut} last$", timeout=WAIT_SECONDS)
    assert texts(logs) == expected


def connection() -> str:
    (one,) = holder.core().status()["connections"]
    return str(one["id"])


def test_a_fresh_import_finds_them_again(web: str, write: Write) -> None:
    logs = nm.logs(web, container="main", since="1h")
    have(logs, *(f"main {number}" for number in range(3)))
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "notebook_mux"}
    try:
        for name in before:
            del sys.modules[name]
        fresh = importlib.import_module("notebook_mux")
        again = fresh.logs(web, container="main", since="1h")
        assert type(again) is not type(logs)
        assert [line.number for line in again.lines] == [line.number for line in logs.lines]
        write(web, "after it")
        assert again.wait("after it", timeout=WAIT_SECONDS).text == "after it"
        eventually(lambda: "after it" in texts(logs))
        again.close()
        eventually(lambda: logs.state == "closed")
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "notebook_mux"]:
            del sys.modules[name]
        sys.modules.update(before)
        for name, module in before.items():
            package, _, last = name.rpartition(".")
            if package in before:
                setattr(before[package], last, module)


def test_what_is_forbidden(control_plane: ControlPlane, namespace: str, web: str, tmp_path: Path, write: Write) -> None:
    config = user(control_plane, tmp_path / "config", "lister", namespace, "get,list,watch pods")
    with nm.connect(kubeconfig=config, namespace=namespace).logs(web, container="main") as logs:
        (one,) = logs.sources
        assert one.state == "failed"
        assert "pods/log" in one.said
        assert logs.state == "failed"
    nobody = nm.connect(kubeconfig=config, namespace="kube-system")
    with pytest.raises(nm.Forbidden, match="pods"):
        nobody.logs("app=web")
    nobody.close()


def test_a_pod_that_may_be_read_and_not_listed(
    control_plane: ControlPlane, namespace: str, web: str, tmp_path: Path, write: Write
) -> None:
    config = user(control_plane, tmp_path / "config", "getter", namespace, "get pods,pods/log")
    with nm.connect(kubeconfig=config, namespace=namespace).logs(f"pod/{web}", container="main") as logs:
        have(logs, *(f"main {number}" for number in range(3)))
        assert logs.state == "live"
        assert "pod web-0 may be read and not watched, so it is looked at every 5 s" in logs.reason
        write(web, "what came later")
        assert logs.wait("later", timeout=WAIT_SECONDS).text == "what came later"
        control_plane.kubectl("delete", "pod", web, "-n", namespace, "--now")
        eventually(lambda: logs.sources[0].state == "gone")
        assert texts(logs)[-1] == "what came later"


def test_a_close_ends_the_requests(web: str) -> None:
    logs = nm.logs(web)
    logs.close()
    logs.close()
    with pytest.raises(nm.Closed):
        logs.lines  # noqa: B018
    assert repr(logs).endswith("closed>")


def test_the_managers_close_ends_them(web: str) -> None:
    logs = nm.logs(web)
    following = logs.follow()
    nm.close()
    assert logs.closed
    assert list(following) == []
