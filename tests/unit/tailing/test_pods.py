from __future__ import annotations

import json
from typing import Any

import pytest

from notebook_mux.tailing.lines import NS
from notebook_mux.tailing.pods import Instance, read_pod

STARTED = 1_795_980_605 * NS
META = {"name": "web-0", "namespace": "default", "uid": "u", "resourceVersion": "7"}
RUNNING = {"running": {"startedAt": "2026-11-29T19:30:05Z"}}


def instance(status: dict[str, Any] | None, *, phase: str = "Running", policy: str = "Always", **more: Any) -> Instance:
    statuses = [] if status is None else [{"name": "main", **status}]
    content = {
        "metadata": META,
        "spec": {"containers": [{"name": "main"}], "restartPolicy": policy},
        "status": {"phase": phase, "containerStatuses": statuses, **more},
    }
    pod = read_pod(json.dumps(content).encode())
    assert pod is not None
    return pod.instances["main"]


def test_containers_of_all_kinds() -> None:
    spec = {
        "containers": [{"name": "main"}, {"name": "side"}],
        "initContainers": [{"name": "prepare"}, {"name": "proxy", "restartPolicy": "Always"}],
        "ephemeralContainers": [{"name": "debugger"}],
    }
    pod = read_pod(json.dumps({"metadata": META, "spec": spec}).encode())
    assert pod is not None
    assert (pod.namespace, pod.name, pod.uid) == ("default", "web-0", "u")
    assert pod.containers == (
        ("main", "container"),
        ("side", "container"),
        ("prepare", "init"),
        ("proxy", "init"),
        ("debugger", "ephemeral"),
    )
    assert all(one.state == "waiting" and not one.ran for one in pod.instances.values())


def test_one_that_runs() -> None:
    at = instance({"containerID": "c://1", "restartCount": 2, "state": RUNNING})
    assert at == Instance("c://1", 2, "running", started=STARTED, ran=True)
    assert at.key == "c://1"


def test_one_in_a_crash_loop_has_a_log() -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "containerID": "c://2"}}
    at = instance({"restartCount": 2, "state": waiting, "lastState": last})
    assert (at.id, at.state, at.reason, at.ran, at.over) == ("c://2", "waiting", "CrashLoopBackOff", True, False)
    assert at.ending == "exit code 137"


@pytest.mark.parametrize(
    ("policy", "code", "over"),
    [("Always", 0, False), ("Never", 1, True), ("OnFailure", 1, False), ("OnFailure", 0, True)],
)
def test_whether_another_follows(policy: str, code: int, over: bool) -> None:
    ended = {"terminated": {"exitCode": code, "reason": "OOMKilled", "containerID": "c://1"}}
    at = instance({"state": ended}, policy=policy)
    assert (at.over, at.ran, at.ending) == (over, True, f"exit code {code}, OOMKilled")


def test_why_one_is_not_there_yet() -> None:
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    at = instance(None, phase="Pending", conditions=[unscheduled])
    assert (at.state, at.reason, at.message, at.ran) == ("waiting", "Unschedulable", "0/3 nodes", False)
    assert instance(None, phase="Failed", reason="Evicted", message="low on memory").over
    creating = instance({"state": {"waiting": {"reason": "ContainerCreating"}}}, phase="Pending")
    assert (creating.reason, creating.ran) == ("ContainerCreating", False)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"metadata":5}', b"\xff"])
def test_what_is_no_pod(content: bytes) -> None:
    assert read_pod(content) is None
