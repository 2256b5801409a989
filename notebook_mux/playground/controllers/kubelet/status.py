"""How a pod's state reads in its status: phase and conditions, in the kubelet's words (kubelet/status/generate.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

ALWAYS = "Always"
FINISHED = frozenset({"Succeeded", "Failed"})
OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
"""In the order in which a kubelet writes them; others' conditions stand behind."""


def is_sidecar(container: Json) -> bool:
    """Whether an init container goes on beside the others."""
    return bool(container.get("restartPolicy") == ALWAYS)


def is_initialised(container: Json, found: Json | None) -> bool:
    """Whether an init container holds its pod up no more: it has ended well, or is a sidecar that has started."""
    if found is None:
        return False
    if is_sidecar(container):
        return "running" in found["state"] and bool(found.get("started"))
    ended = found["state"].get("terminated") or {}
    return bool(ended.get("exitCode", 1) == 0)


def statuses(pod: Json, kind: str = "containers") -> dict[str, Json]:
    """The statuses of a kind of container, by name."""
    field = {"containers": "containerStatuses", "initContainers": "initContainerStatuses"}.get(
        kind, "ephemeralContainerStatuses"
    )
    return {one["name"]: one for one in (pod.get("status") or {}).get(field) or ()}


def restarts(pod: Json, container: Json, code: int, *, init: bool = False) -> bool:
    """Whether a container that has ended is started again.

    A container's own rules come before its policy, and that before its pod's (KEP-5307).
    """
    for rule in container.get("restartPolicyRules") or ():
        wanted = rule.get("exitCodes") or {}
        inside = code in (wanted.get("values") or ())
        if inside == (wanted.get("operator") == "In"):
            return True
    policy = container.get("restartPolicy") or pod["spec"].get("restartPolicy", ALWAYS)
    if init and policy == ALWAYS and not is_sidecar(container):
        return code != 0
    return policy == ALWAYS or (policy == "OnFailure" and code != 0)


def has_begun(pod: Json) -> bool:
    """Whether any of its containers has ever run, so that it counts as initialised."""
    return any(one.get("containerID") for one in statuses(pod).values())


def phase(pod: Json, *, terminal: bool = False) -> str:
    """The phase that the states of a pod's containers mean.

    Args:
        terminal: Whether nothing is started again, whatever its policy.
    """
    spec = pod["spec"]
    if (pod.get("status") or {}).get("phase") in FINISHED:
        return str(pod["status"]["phase"])
    pending = False
    found = statuses(pod, "initContainers")
    begun = has_begun(pod)
    running = 0
    for container in spec.get("initContainers") or ():
        state = (found.get(container["name"]) or {}).get("state") or {}
        last = (found.get(container["name"]) or {}).get("lastState") or {}
        if is_sidecar(container):
            if "running" in state:
                running += 1
                pending = pending or not (found[container["name"]].get("started") or begun)
            elif "terminated" not in state and "terminated" not in last:
                pending = pending or not begun
            continue
        ended = state.get("terminated") or ("waiting" in state and last.get("terminated"))
        if not ended:
            pending = True
        elif ended["exitCode"] and not restarts(pod, container, ended["exitCode"], init=True):
            return "Failed"
        elif ended["exitCode"]:
            pending = True
    return _phase_of_containers(pod, pending=pending, running=running, terminal=terminal)


def _phase_of_containers(pod: Json, *, pending: bool, running: int, terminal: bool) -> str:
    found = statuses(pod)
    ends: list[tuple[int, bool]] = []
    for container in pod["spec"]["containers"]:
        status = found.get(container["name"]) or {}
        state, last = status.get("state") or {}, status.get("lastState") or {}
        if "running" in state:
            running += 1
        elif ended := state.get("terminated") or last.get("terminated"):
            again = not terminal and restarts(pod, container, ended["exitCode"])
            ends.append((ended["exitCode"] if "terminated" in state else 1, again))
        else:
            pending = True
    if pending and not (terminal and ends):
        return "Pending"
    if running and not terminal:
        return "Running"
    if not ends or any(again for _, again in ends):
        return "Running"
    return "Succeeded" if not any(code for code, _ in ends) else "Failed"


def conditions(pod: Json, stamp: str, *, sandbox: bool) -> list[Json]:
    """All conditions of a pod: the kubelet's from the containers' states, and others' as they are.

    Args:
        pod: With its phase.
        stamp: Now.
        sandbox: Whether it has one, with an address.
    """
    before = {one["type"]: one for one in pod["status"].get("conditions") or ()}
    generation = pod["metadata"].get("generation", 1)
    why_not = _containers_ready(pod)
    ready = why_not or _gates(pod, before)
    ours = {
        "PodReadyToStartContainers": {} if sandbox else {"status": "False"},
        "Initialized": _initialised(pod),
        "Ready": ready,
        "ContainersReady": why_not,
        "PodScheduled": {},
    }
    found = []
    for kind in OURS:
        new = {"type": kind, "status": "True", "observedGeneration": generation, "lastProbeTime": None, **ours[kind]}
        old = before.pop(kind, {})
        new["lastTransitionTime"] = old["lastTransitionTime"] if old.get("status") == new["status"] else stamp
        found.append(new)
    return [*found, *before.values()]


def _unready(pod: Json) -> Iterator[str]:
    found = statuses(pod)
    beside = statuses(pod, "initContainers")
    for one in pod["spec"].get("initContainers") or ():
        if is_sidecar(one) and not (beside.get(one["name"]) or {}).get("ready"):
            yield one["name"]
    for one in pod["spec"]["containers"]:
        if not (found.get(one["name"]) or {}).get("ready"):
            yield one["name"]


def _containers_ready(pod: Json) -> Json:
    """Why not all containers are ready; nothing if they are."""
    now = pod["status"].get("phase")
    if now == "Succeeded":
        return {"status": "False", "reason": "PodCompleted"}
    if now == "Failed":
        return {"status": "False", "reason": "PodFailed"}
    if not pod["status"].get("containerStatuses"):
        return {"status": "False", "reason": "UnknownContainerStatuses"}
    if names := list(_unready(pod)):
        said = f"containers with unready status: [{' '.join(names)}]"
        return {"status": "False", "reason": "ContainersNotReady", "message": said}
    return {}


def _gates(pod: Json, before: dict[str, Json]) -> Json:
    """Which readiness gates are still closed."""
    said = []
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in before:
            said.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif before[kind]["status"] != "True":
            said.append(f'the status of pod readiness gate "{kind}" is not "True", but {before[kind]["status"]}')
    return {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(said)} if said else {}


def _initialised(pod: Json) -> Json:
    if pod["status"].get("phase") == "Succeeded":
        return {"reason": "PodCompleted"}
    if has_begun(pod):
        return {}
    found = statuses(pod, "initContainers")
    init = pod["spec"].get("initContainers") or ()
    names = [one["name"] for one in init if not is_initialised(one, found.get(one["name"]))]
    if not names:
        return {}
    said = f"containers with incomplete status: [{' '.join(names)}]"
    return {"status": "False", "reason": "ContainersNotInitialized", "message": said}
