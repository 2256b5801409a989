"""Priority: a pod's priority is that of its class."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.admission.base import UPDATE, Request

Json = dict[str, Any]

CLASSES = "priorityclasses.scheduling.k8s.io"
SYSTEM = (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000))
"""The two classes that every cluster has."""
_SYSTEM_SAID = {
    "system-cluster-critical": "Used for system critical pods that must run in the cluster, but can be moved to "
    "another node if necessary.",
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
}
COMPUTED = "must not be provided in pod spec; priority admission controller computed"


def resolve(request: Request) -> None:
    """Give a new pod the number and the policy of its class, or of the default class.

    Raises:
        ApiError: 403; no such class, or another number than the class's.
    """
    spec = request.obj.get("spec")
    if request.changes("pods") and request.old is not None and isinstance(spec, dict):
        for field in ("priority", "preemptionPolicy"):
            if field in request.old["spec"]:
                spec.setdefault(field, request.old["spec"][field])
    if not request.is_new("pods") or not isinstance(spec, dict):
        return
    name = spec.get("priorityClassName") or ""
    found = request.cluster.get(CLASSES, "", name) if name else _default(request)
    if name and found is None:
        raise request.refusal(f"no PriorityClass with name {name} was found")
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    value = int((found or {}).get("value", 0))
    if spec.get("priority", value) != value:
        said = (
            f"the integer value of priority ({spec['priority']}) {COMPUTED} {value} from the given PriorityClass name"
        )
        raise request.refusal(said)
    policy = (found or {}).get("preemptionPolicy", "PreemptLowerPriority")
    if spec.get("preemptionPolicy", policy) != policy:
        said = f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) {COMPUTED} {policy} from the given "
        raise request.refusal(f"{said}PriorityClass name")
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _default(request: Request) -> Json | None:
    """The class of pods that name none: of several the least."""
    classes = [one.decode() for one in request.cluster.store.items(CLASSES)]
    return min((one for one in classes if one.get("globalDefault")), key=lambda one: int(one["value"]), default=None)


def check_default(request: Request) -> None:
    """Refuse a second default class.

    Raises:
        ApiError: 403.
    """
    if request.kind.resource != CLASSES or not request.obj.get("globalDefault"):
        return
    there = _default(request)
    if there is None:
        return
    name = there["metadata"]["name"]
    if request.operation == UPDATE and name == request.name:
        return
    raise request.refusal(f"PriorityClass {name} is already marked as default. Only one default can exist")


def system_classes() -> list[Json]:
    """The classes that a cluster has from its beginning."""
    return [
        {
            "kind": "PriorityClass",
            "apiVersion": "scheduling.k8s.io/v1",
            "metadata": {"name": name},
            "value": value,
            "description": _SYSTEM_SAID[name],
            "preemptionPolicy": "PreemptLowerPriority",
        }
        for name, value in SYSTEM
    ]
