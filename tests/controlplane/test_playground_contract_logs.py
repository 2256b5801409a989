"""Logs: the same questions to the playground and a real API server, and the same answers.

The test bed's kubelet has the real log reader. What a kubelet says of containers that have no log is in its source
alone (kubelet_pods.go: validateContainerLogStatus): the bed's kubelet is told these words by the test, and what is
compared is what the API server makes of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api import Api
from tests.controlplane.sides import Json
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.testbed.logged import Logged
from tests.unit.playground.client import Client
from tests.unit.playground.objects import container, pod
from tests.waiting import eventually

NANOSECONDS = 1_000_000_000
WAIT_S = 90.0
STAMPED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line \d+")


def said(answer: Any) -> tuple[Any, ...]:
    """What a client goes by in a failure; a bed's kubelet ends its words with a line's end."""
    body = answer.json()
    return answer.status, body["kind"], body.get("reason"), body["message"].rstrip("\n"), body.get("details")


@pytest.fixture
def three(side: Client, place: str) -> str:
    """The log of a pod of three containers that no node has."""
    made = pod("three", container("main"), container("side"), initContainers=[container("setup")])
    assert side.ask("POST", f"{place}/pods", made).status == 201
    return f"{place}/pods/three/log"


LINES = "at most one of `sinceTime` or `sinceSeconds` may be specified"
NOW = "2026-01-01T00:00:00Z"

INVALID: list[tuple[Json, list[tuple[str, str, str]]]] = [
    ({"tailLines": "-1"},
     [("FieldValueInvalid", "tailLines", "Invalid value: -1: must be greater than or equal to 0")]),
    ({"limitBytes": "0"}, [("FieldValueInvalid", "limitBytes", "Invalid value: 0: must be greater than 0")]),
    ({"sinceSeconds": "0"}, [("FieldValueInvalid", "sinceSeconds", "Invalid value: 0: must be greater than 0")]),
    ({"sinceSeconds": "1", "sinceTime": NOW}, [("FieldValueForbidden", "[]", f"Forbidden: {LINES}")]),
    ({"sinceSeconds": "0", "sinceTime": NOW}, [("FieldValueForbidden", "[]", f"Forbidden: {LINES}")]),
    ({"stream": "Stdout"}, [("FieldValueForbidden", "stream", "Forbidden: may not be specified")]),
    ({"tailLines": "-2", "limitBytes": "-3"},
     [("FieldValueInvalid", "tailLines", "Invalid value: -2: must be greater than or equal to 0"),
      ("FieldValueInvalid", "limitBytes", "Invalid value: -3: must be greater than 0")]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "causes"), INVALID)
def test_what_cannot_be(side: Client, three: str, query: Json, causes: list[tuple[str, str, str]]):
    texts = [f"{field}: {message}" for _, field, message in causes]
    words = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    assert said(side.get(three, container="main", **query)) == (
        422, "Status", "Invalid", f'PodLogOptions "three" is invalid: {words}',
        {"name": "three", "kind": "PodLogOptions",
         "causes": [{"reason": reason, "message": message, "field": field} for reason, field, message in causes]},
    )  # fmt: skip


LAYOUT = '" as "2006-01-02T15:04:05Z07:00": cannot parse '

UNREADABLE: list[tuple[Json, str]] = [
    ({"tailLines": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
    ({"tailLines": ""}, 'strconv.ParseInt: parsing "": invalid syntax'),
    ({"limitBytes": "1.5"}, 'strconv.ParseInt: parsing "1.5": invalid syntax'),
    ({"sinceSeconds": "9" * 20}, f'strconv.ParseInt: parsing "{"9" * 20}": value out of range'),
    ({"sinceTime": "yesterday"}, f'parsing time "yesterday{LAYOUT}"yesterday" as "2006"'),
    ({"sinceTime": "2026-13-01T00:00:00Z"}, 'parsing time "2026-13-01T00:00:00Z": month out of range'),
    ({"sinceTime": "2026-02-30T00:00:00Z"}, 'parsing time "2026-02-30T00:00:00Z": day out of range'),
    ({"sinceTime": "2026-01-01T00:00:00"}, f'parsing time "2026-01-01T00:00:00{LAYOUT}"" as "Z07:00"'),
    ({"tailLines": "y", "sinceSeconds": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
]


@pytest.mark.parametrize(("query", "words"), UNREADABLE)
def test_what_cannot_be_read(side: Client, three: str, query: Json, words: str):
    assert said(side.get(three, container="main", **query)) == (400, "Status", "BadRequest", words, None)


def test_which_container(side: Client, three: str, place: str):
    assert said(side.get(three)) == (
        400, "Status", "BadRequest",
        "a container name must be specified for pod three, choose one of: [setup main side]", None,
    )  # fmt: skip
    assert said(side.get(three, container="nope")) == (
        400, "Status", "BadRequest", "container nope is not valid for pod three", None,
    )  # fmt: skip
    assert said(side.get(f"{place}/pods/nope/log")) == (
        404, "Status", "NotFound", 'pods "nope" not found', {"name": "nope", "kind": "pods"},
    )  # fmt: skip
    assert said(side.get(f"{place}/pods/nope/log", tailLines="-1"))[0] == 422  # before the pod is looked for
    for name in ("main", "setup"):
        empty = side.get(three, container=name, follow="true", previous="true")
        assert (empty.status, empty.body) == (204, b"")  # no node has it


def test_verbs(side: Client, three: str):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = side.ask(method, three, {})
        assert said(answer)[:3] == (405, "Status", "MethodNotAllowed"), method


def test_who_may_not(side: Client, three: str, place: str, request: pytest.FixtureRequest):
    if "playground" in request.node.callspec.id:
        request.getfixturevalue("playground").forbid(resource="pods/log", user="jane")
    answer = side.get(three, headers={"Impersonate-User": "jane"})
    where = f'in API group "" in the namespace "{place.rpartition("/")[2]}"'
    assert said(answer) == (
        403, "Status", "Forbidden",
        f'pods "three" is forbidden: User "jane" cannot get resource "pods/log" {where}',
        {"name": "three", "kind": "pods"},
    )  # fmt: skip


# ----------------------------------------------------------------------------------------- what is written


@dataclass
class Written:
    """A container that has written ``line 1`` to ``line 5`` within one second.

    On `more` it writes another, on `end` it ends; the playground's does both by itself, after some seconds.
    """

    path: str
    client: Client
    more: Callable[[], None]
    end: Callable[[], None]

    def get(self, **query: Any) -> bytes:
        answer = self.client.get(self.path, **query)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain"), answer.body
        return answer.body


def running(client: Client, path: str) -> bool:
    status = client.get(path).json()["status"]
    return any("running" in one["state"] for one in status.get("containerStatuses", ()))


SCRIPT = "for i in 1 2 3 4 5; do echo line $i; done"
GOES_ON = f"{SCRIPT}; sleep 3; echo line 6; sleep 2"


@pytest.fixture
def log(side: Client, place: str, request: pytest.FixtureRequest) -> Iterator[Written]:
    yield from written(side, place, request, f"{SCRIPT}; sleep infinity")


@pytest.fixture
def ending(side: Client, place: str, request: pytest.FixtureRequest) -> Iterator[Written]:
    yield from written(side, place, request, GOES_ON)


def written(side: Client, place: str, request: pytest.FixtureRequest, script: str) -> Iterator[Written]:
    namespace = place.rpartition("/")[2]
    made = pod("one", container("main", "busybox", command=["sh", "-c", script]))
    del made["spec"]["schedulerName"]
    made["spec"]["restartPolicy"] = "Never"
    assert side.ask("POST", f"{place}/pods", made).status == 201
    path = f"{place}/pods/one"
    eventually(lambda: running(side, path), "the pod runs", seconds=WAIT_S, pause=0.05)
    if "playground" in request.node.callspec.id:
        yield Written(f"{path}/log", side, lambda: None, lambda: None)  # it says the rest by itself
        return
    plane: ControlPlane = request.getfixturevalue("control_plane")
    file = Logged(plane, Api(plane.kubeconfig), namespace, "one")
    second = time.time_ns() // NANOSECONDS * NANOSECONDS
    for number in range(1, 6):
        file.write(f"line {number}".encode(), moment=second + number * 1_000_000)
    yield Written(f"{path}/log", side, lambda: file.write(b"line 6"), lambda: file.stop(tell=False))
    for left in (plane.folder / "logs").glob(f"{namespace}_*"):
        left.unlink()


def lines(*numbers: int) -> bytes:
    return b"".join(f"line {number}\n".encode() for number in numbers)


def test_how_much(log: Written):
    whole = log.get()
    assert whole == lines(1, 2, 3, 4, 5)
    assert log.get(tailLines="2") == lines(4, 5)
    assert log.get(tailLines="0") == b""
    assert log.get(tailLines="100") == whole
    assert log.get(limitBytes="10") == b"line 1\nlin"
    assert log.get(limitBytes="10", tailLines="1") == b"line 5\n"
    assert log.get(follow="0", previous="false", timestamps="False") == whole
    assert log.get(container="main", sinceSeconds="600") == whole


def test_timestamps_and_times(log: Written):
    stamped = log.get(timestamps="true").splitlines()
    assert all(STAMPED.fullmatch(line) for line in stamped), stamped
    assert log.get(timestamps="", limitBytes="33").startswith(stamped[0][:30])
    assert len(log.get(timestamps="", limitBytes="33")) == 33
    at = datetime.fromisoformat(stamped[0].split()[0].decode()[:19]).replace(tzinfo=UTC).timestamp()

    def when(seconds: int, fraction: str = "") -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at + seconds)) + f"{fraction}Z"

    assert log.get(sinceTime=when(0, ".999999999")) == lines(1, 2, 3, 4, 5)  # cut to the second
    assert log.get(sinceTime=when(1)) == b""
    assert log.get(sinceTime=when(1), tailLines="2") == b""  # counted before
    assert log.get(sinceTime=when(0), tailLines="2") == lines(4, 5)
    assert log.get(sinceTime="") == log.get(sinceTime="null") == lines(1, 2, 3, 4, 5)


def test_a_follower_gets_what_comes_until_the_container_ends(ending: Written):
    with ending.client.opened(ending.path, follow="true") as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert b"".join(answer.readline() for _ in range(5)) == lines(1, 2, 3, 4, 5)
        ending.more()
        assert answer.readline() == lines(6)
        ending.end()
        assert answer.read() == b""  # a clean end


def test_a_follower_with_a_limit_ends_there(ending: Written):
    with ending.client.opened(ending.path, follow="true", limitBytes="38") as answer:
        ending.more()
        assert answer.read() == lines(1, 2, 3, 4, 5) + b"lin"


# ------------------------------------------------------------------------------- what a kubelet says instead

WAITING = 'container "main" in pod "one" is waiting to start: trying and failing to pull image'
PREVIOUS = 'previous terminated container "main" in pod "one" not found'


def test_a_container_that_waits(side: Client, place: str, request: pytest.FixtureRequest):
    made = pod("one", container("main"))
    del made["spec"]["schedulerName"]
    made["metadata"]["annotations"] = {"playground.notebook-mux/behaviour": "no-image"}
    waits = None
    if "playground" not in request.node.callspec.id:
        plane: ControlPlane = request.getfixturevalue("control_plane")
        waits = plane.folder / "logs" / f"{place.rpartition('/')[2]}_one_main.waiting"
        waits.write_text("trying and failing to pull image")
    assert side.ask("POST", f"{place}/pods", made).status == 201
    found = (400, "Status", "BadRequest", WAITING, None)
    eventually(lambda: (answer := side.get(f"{place}/pods/one/log")).status == 400 and said(answer) == found,
               "it is said that the image cannot be pulled", seconds=WAIT_S, pause=0.05)  # fmt: skip
    if waits is not None:
        waits.unlink()


def test_previous_without_one(log: Written):
    assert said(log.client.get(log.path, previous="true")) == (400, "Status", "BadRequest", PREVIOUS, None)


def test_discovery_in_the_old_form(playground: RunningPlayground, control_plane: ControlPlane):
    ours, real = (
        next(one for one in Client(at).get("/api/v1").json()["resources"] if one["name"] == "pods/log")
        for at in (playground.kubeconfig, control_plane.kubeconfig)
    )
    assert ours == real
