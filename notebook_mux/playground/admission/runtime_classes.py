"""RuntimeClass: what pods of a class need beside themselves, and where they can run (KEP-688, KEP-585)."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.admission.base import Request
from notebook_mux.playground.quantities import amounts

Json = dict[str, Any]

CLASSES = "runtimeclasses.node.k8s.io"


def resolve(request: Request) -> None:
    """Give a new pod the overhead, the node selector and the tolerations of its class.

    Raises:
        ApiError: 403; no such class, or the pod says something else.
    """
    spec = request.obj.get("spec")
    if not request.is_new("pods") or not isinstance(spec, dict):
        return
    name = spec.get("runtimeClassName") or ""
    found = request.cluster.get(CLASSES, "", name) if name else {}
    if found is None:
        raise request.refusal(f'pod rejected: RuntimeClass "{name}" not found')
    _place(request, spec, found.get("scheduling") or {})
    fixed = (found.get("overhead") or {}).get("podFixed")
    if not fixed:
        if spec.get("overhead"):
            raise request.refusal("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
        return
    if spec.get("overhead") and amounts(spec["overhead"]) != amounts(fixed):
        raise request.refusal("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    spec["overhead"] = dict(fixed)


def _place(request: Request, spec: Json, scheduling: Json) -> None:
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        own = spec.setdefault("nodeSelector", {}).setdefault(key, value)
        if own != value:
            raise request.refusal(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}"
            )
    for one in scheduling.get("tolerations") or ():
        tolerated = spec.setdefault("tolerations", [])
        if one not in tolerated:
            tolerated.append(one)
