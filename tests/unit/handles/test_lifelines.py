from __future__ import annotations

from typing import Any

import msgspec
import pytest

from notebook_mux.handles.lifelines import KEPT, Lifeline, read
from tests.unit.fake_core import stamp
from tests.unit.handles.happenings import record

NOW = 1_800_000_000.0


def pod(status: dict[str, Any], **metadata: Any) -> bytes:
    return msgspec.json.encode({"metadata": {"creationTimestamp": stamp(NOW - 100)} | metadata, "status": status})


def condition(kind: str, status: bool, ago: float, reason: str = "") -> dict[str, Any]:
    return {"type": kind, "status": str(status), "lastTransitionTime": stamp(NOW - ago), "reason": reason}


def container(restarts: int = 0, state: dict[str, Any] | None = None, last: dict[str, Any] | None = None) -> Any:
    return {"name": "main", "restartCount": restarts, "state": state or {}, "lastState": last or {}}


def running(ago: float) -> dict[str, Any]:
    return {"running": {"startedAt": stamp(NOW - ago)}}


def ended(start: float, end: float, code: int = 1, reason: str = "Error") -> dict[str, Any]:
    times = {"startedAt": stamp(NOW - start), "finishedAt": stamp(NOW - end)}
    return {"terminated": {"exitCode": code, "reason": reason, **times}}


def line(*pods: tuple[bytes, float]) -> Lifeline:
    made = Lifeline("u")
    for data, at in pods:
        made.see(data, at)
    return made


def states(made: Lifeline) -> list[tuple[str, float]]:
    return [(one.state, NOW - one.since) for one in made.stretches]


def test_the_first_look_has_what_the_status_remembers() -> None:
    status = {
        "phase": "Running",
        "conditions": [condition("PodScheduled", True, 99), condition("Ready", True, 80)],
        "containerStatuses": [container(state=running(90))],
    }
    made = line((pod(status), NOW))
    assert states(made) == [("pending", 100), ("started", 90), ("ready", 80)]
    assert made.marks == []


def test_a_life_that_was_seen() -> None:
    scheduled = condition("PodScheduled", True, 99)
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    begun = {"phase": "Pending", "conditions": [scheduled], "containerStatuses": [container(state=waiting)]}
    started = {
        "phase": "Running", "containerStatuses": [container(state=running(90))],
        "conditions": [scheduled, condition("Ready", False, 99, "ContainersNotReady")],
    }  # fmt: skip
    ready = started | {"conditions": [scheduled, condition("Ready", True, 80)]}
    unready = started | {"conditions": [scheduled, condition("Ready", False, 50, "ContainersNotReady")]}
    crashed = unready | {
        "containerStatuses": [
            container(1, {"waiting": {"reason": "CrashLoopBackOff"}}, ended(90, 40, 137, "OOMKilled"))
        ]
    }
    back = ready | {
        "conditions": [condition("Ready", True, 10)],
        "containerStatuses": [container(1, running(20), ended(90, 40, 137, "OOMKilled"))],
    }
    made = line(*((pod(one), NOW - at) for one, at in ((begun, 95), (started, 89), (ready, 79), (unready, 49))))
    made.see(pod(crashed), NOW - 39)
    made.see(pod(back), NOW - 9)
    assert states(made) == [
        ("pending", 100), ("started", 90), ("ready", 80), ("unready", 50), ("failing", 40), ("ready", 10),
    ]  # fmt: skip
    assert [(NOW - mark.at, mark.what, mark.words) for mark in made.marks] == [
        (40, "killed", "main ended (OOMKilled, exit code 137)")
    ]
    gone = {"deletionTimestamp": stamp(NOW + 25), "deletionGracePeriodSeconds": 30}
    made.see(pod(back, **gone), NOW - 4)
    made.gone(NOW - 1)
    made.gone(NOW)
    assert states(made)[-1] == ("ending", 5)
    assert made.end == NOW - 1
    assert [mark.what for mark in made.marks] == ["killed", "gone"]


def test_the_same_look_says_nothing_new() -> None:
    status = {
        "phase": "Running",
        "conditions": [condition("Ready", True, 80)],
        "containerStatuses": [container(state=running(90))],
    }
    made = Lifeline("u")
    assert made.see(pod(status), NOW)
    assert not made.see(pod(status), NOW + 5)
    assert not made.see(b"{", NOW + 6)


@pytest.mark.parametrize(
    ("phase", "code", "state", "what"),
    [("Succeeded", 0, "done", "done"), ("Failed", 2, "failed", "failed"), ("Failed", 143, "failed", "killed")],
)
def test_ends(phase: str, code: int, state: str, what: str) -> None:
    status = {"phase": phase, "containerStatuses": [container(state=ended(90, 30, code))]}
    made = line((pod(status), NOW))
    assert states(made) == [("pending", 100), ("started", 90), (state, 30)]
    assert [mark.what for mark in made.marks] == [what]


def test_why_it_is_pending() -> None:
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", False, 99, "Unschedulable")]}
    made = line((pod(status), NOW))
    assert made.stretches[-1].words == "Unschedulable"


def test_another_pod_of_the_same_name() -> None:
    status = {
        "phase": "Running",
        "conditions": [condition("Ready", True, 80)],
        "containerStatuses": [container(state=running(90))],
    }
    first = record("web-0", {"metadata": {"creationTimestamp": stamp(NOW - 100)}, "status": status}, uid="one")
    second = record(
        "web-0", {"metadata": {"creationTimestamp": stamp(NOW - 20)}, "status": {"phase": "Pending"}}, uid="two"
    )
    made = read(first, None, NOW - 70)
    made.gone(NOW - 30)
    assert read(second, made, NOW - 19) is made
    assert states(made) == [("pending", 100), ("started", 90), ("ready", 80), ("away", 30), ("pending", 20)]
    assert made.end is None
    assert [mark.what for mark in made.marks] == ["gone"]


def test_it_is_bounded() -> None:
    made = Lifeline("u")
    for number in range(3 * KEPT):
        ready = bool(number % 2)
        at = NOW + 10 * number
        status = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": stamp(at)}],
            "containerStatuses": [container(number, running(90), ended(90, -10 * number))],
        }
        made.see(pod(status), at)
    assert len(made.stretches) == KEPT
    assert len(made.marks) == KEPT
    assert [one.since for one in made.stretches] == sorted(one.since for one in made.stretches)


def test_what_is_odd_is_no_harm() -> None:
    for data in (
        b"{}",
        b'{"status":null}',
        b'{"status":{"conditions":7}}',
        b'{"metadata":{"creationTimestamp":"never"}}',
    ):
        line((data, NOW))
