"""Which life of a container a log is of, and the kubelet's words (kubelet_pods.go: validateContainerLogStatus)."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground.logs import runs
from notebook_mux.playground.logs.options import LogOptions
from notebook_mux.playground.status import ApiError
from tests.unit.playground.logged import pod

Json = dict[str, Any]

ENDED = {"exitCode": 1, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:09Z",
         "containerID": "containerd://1"}  # fmt: skip
RUNNING = {"running": {"startedAt": "2026-01-01T00:01:00Z"}}


def with_status(state: Json, last: Json | None = None, restarts: int = 0, **spec: Any) -> Json:
    made = pod("p", restart="Always", nodeName="node-1", **spec)
    made["metadata"] |= {"uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    status = {"name": "main", "state": state, "lastState": last or {}, "restartCount": restarts}
    made["status"] = {"containerStatuses": [status]}
    return made


def refused(obj: Json, **options: Any) -> str:
    with pytest.raises(ApiError) as caught:
        runs.choose(obj, LogOptions(**options))
    assert (caught.value.code, caught.value.reason) == (400, "BadRequest")
    return caught.value.message


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"waiting": {"reason": "ContainerCreating"}}, "is waiting to start: ContainerCreating"),
        ({"waiting": {"reason": "PodInitializing"}}, "is waiting to start: PodInitializing"),
        ({"waiting": {"reason": "ErrImagePull"}}, "is waiting to start: image can't be pulled"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, "is waiting to start: trying and failing to pull image"),
        ({}, "is waiting to start - no logs yet"),
    ],
)
def test_a_container_that_waits(state: Json, words: str):
    assert refused(with_status(state)) == f'container "main" in pod "p" {words}'


def test_previous():
    none = 'previous terminated container "main" in pod "p" not found'
    assert refused(with_status(RUNNING), previous=True) == none
    assert refused(with_status({"terminated": ENDED}), previous=True) == none
    again = runs.choose(with_status(RUNNING, {"terminated": ENDED}, 3), LogOptions(previous=True))
    assert again is not None
    assert again.end is not None
    assert (again.number, again.end.code, again.end.at - again.started) == (2, 1, 9)
    now = runs.choose(with_status(RUNNING, {"terminated": ENDED}, 3), LogOptions())
    assert now is not None
    assert (now.number, now.end) == (3, None)


def test_between_two_lives_both_are_the_last():
    waits = with_status({"waiting": {"reason": "CrashLoopBackOff"}}, {"terminated": ENDED}, 3)
    found = [runs.choose(waits, LogOptions(previous=previous)) for previous in (False, True)]
    assert found[0] == found[1]
    assert found[0] is not None
    assert found[0].number == 3


def test_a_run_is_known_again():
    before = runs.choose(with_status(RUNNING), LogOptions())
    assert before is not None
    assert runs.again(with_status(RUNNING), before) == before
    ended = runs.again(with_status({"terminated": ENDED}), before)
    assert ended is not None
    assert ended.end is not None
    later = runs.again(with_status(RUNNING, {"terminated": ENDED}, 1), before)
    assert later is not None
    assert later.end == ended.end
    assert runs.again(with_status(RUNNING, {"terminated": ENDED}, 2), before) is None


def test_a_pod_without_a_node_has_an_empty_log():
    assert runs.choose(pod("p"), LogOptions()) is None


def test_which_container():
    init = [{"name": "setup", "image": "x"}]
    obj = with_status(RUNNING, initContainers=init)
    assert runs.container_of(obj, "")["name"] == "main"
    assert runs.container_of(obj, "setup") == init[0]
    obj["spec"]["containers"].append({"name": "side", "image": "x"})
    obj["spec"]["ephemeralContainers"] = [{"name": "debugger", "image": "x"}]
    assert refused(obj) == (
        "a container name must be specified for pod p, choose one of: [setup main side debugger]"
    )  # fmt: skip
    assert refused(obj, container="nope") == "container nope is not valid for pod p"
    assert refused(obj, container="side") == 'container "side" in pod "p" is not available'
