"""Pods: the kind with the most rules (printers.go:967)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.ages import human_duration, parse_time
from notebook_mux.printers.common import NONE, Json, age, is_true, name, number, spec, status

FINISHED = ("Succeeded", "Failed")

CONDITIONS: dict[str, list[dict[str, str]]] = {
    "Succeeded": [
        {
            "type": "Completed",
            "status": "True",
            "reason": "Succeeded",
            "message": "The pod has completed successfully.",
        }
    ],
    "Failed": [{"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}],
}
"""A row's own conditions, by the pod's phase; kubectl dims such rows."""


class _Count:
    """Restarts, and when the last one was."""

    def __init__(self) -> None:
        self.restarts = 0
        self.last = 0.0

    def add(self, container: Json) -> None:
        self.restarts += number(container.get("restartCount"))
        ended = (container.get("lastState") or {}).get("terminated") or {}
        self.last = max(self.last, parse_time(ended.get("finishedAt")) or 0.0)

    def text(self, now: float) -> str:
        if self.restarts and self.last:
            return f"{self.restarts} ({human_duration(now - self.last)} ago)"
        return str(self.restarts)


def _ended(terminated: Json) -> str:
    if reason := terminated.get("reason"):
        return str(reason)
    if signal := terminated.get("signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{number(terminated.get('exitCode'))}"


def print_pod(pod: Json, now: float) -> list[Any]:
    """A pod's cells."""
    wanted, state = spec(pod), status(pod)
    phase = state.get("phase", "")
    reason = state.get("reason") or phase
    conditions = state.get("conditions") or ()
    if any(one.get("type") == "PodScheduled" and one.get("reason") == "SchedulingGated" for one in conditions):
        reason = "SchedulingGated"

    init = {one["name"]: one for one in wanted.get("initContainers") or ()}
    sidecars = {key for key, one in init.items() if one.get("restartPolicy") == "Always"}
    total = len(wanted.get("containers") or ()) + len(sidecars)
    ready = 0
    count, of_sidecars = _Count(), _Count()
    held_up = ""
    for index, container in enumerate(state.get("initContainerStatuses") or ()):
        count.add(container)
        sidecar = container.get("name") in sidecars
        if sidecar:
            of_sidecars.add(container)
        now_in = container.get("state") or {}
        terminated, waiting = now_in.get("terminated"), now_in.get("waiting") or {}
        if terminated is not None and not number(terminated.get("exitCode")):
            continue
        if sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        if terminated is not None:
            held_up = f"Init:{_ended(terminated)}"
        elif waiting.get("reason") and waiting["reason"] != "PodInitializing":
            held_up = f"Init:{waiting['reason']}"
        else:
            held_up = f"Init:{index}/{len(init)}"
        break

    if held_up:
        reason = held_up
    if not held_up or is_true(conditions, "Initialized"):
        count = of_sidecars
        reason, more = _of_containers(state, reason, count)
        ready += more

    if pod["metadata"].get("deletionTimestamp"):
        if state.get("reason") == "NodeLost":
            reason = "Unknown"
        elif phase not in FINISHED:
            reason = "Terminating"
    ips = state.get("podIPs") or ()
    return [
        name(pod),
        f"{ready}/{total}",
        reason,
        count.text(now),
        age(pod, now),
        (ips[0].get("ip") if ips else "") or NONE,
        wanted.get("nodeName") or NONE,
        state.get("nominatedNodeName") or NONE,
        _gates(wanted, conditions),
    ]


def _of_containers(state: Json, reason: str, count: _Count) -> tuple[str, int]:
    """The reason and the number that are ready, of a pod that is past its init containers."""
    ready = 0
    running = False
    failed = ""
    for container in reversed(state.get("containerStatuses") or ()):
        count.add(container)
        now_in = container.get("state") or {}
        waiting, terminated = now_in.get("waiting") or {}, now_in.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif terminated is not None:
            reason = _ended(terminated)
            if number(terminated.get("exitCode")):
                failed = reason
        elif container.get("ready") and now_in.get("running") is not None:
            running = True
            ready += 1
    if reason == "Completed":
        if running and is_true(state.get("conditions"), "Ready"):
            reason = "Running"
        elif failed:
            reason = failed
        elif running:
            reason = "NotReady"
    return reason, ready


def _gates(wanted: Json, conditions: Any) -> str:
    gates = wanted.get("readinessGates") or ()
    if not gates:
        return NONE
    first: dict[str, Mapping[str, Any]] = {}
    for one in conditions:
        first.setdefault(one.get("type", ""), one)
    passed = sum(first.get(gate.get("conditionType", ""), {}).get("status") == "True" for gate in gates)
    return f"{passed}/{len(gates)}"


PRINTERS = {"pods": print_pod}
