"""TaintNodesByCondition: nothing is scheduled to a node before it has said that it is ready."""

from __future__ import annotations

from notebook_mux.playground.admission.base import Request

NOT_READY = "node.kubernetes.io/not-ready"


def taint_new(request: Request) -> None:
    """Taint a new node."""
    if not request.is_new("nodes"):
        return
    spec = request.obj.setdefault("spec", {})
    taints = spec.get("taints") or []
    if not any(one.get("key") == NOT_READY and one.get("effect") == "NoSchedule" for one in taints):
        spec["taints"] = [*taints, {"key": NOT_READY, "effect": "NoSchedule"}]
