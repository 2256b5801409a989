"""The conditions in a definition's status."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"


def condition(crd: Json, of_type: str, status: str, reason: str, message: str, stamp: str) -> None:
    """Set a condition; the time of its last change stays while its status does."""
    state = crd.setdefault("status", {})
    conditions = state["conditions"] = list(state.get("conditions") or ())
    new = {"type": of_type, "status": status, "lastTransitionTime": stamp, "reason": reason, "message": message}
    for index, old in enumerate(conditions):
        if old.get("type") == of_type:
            if old.get("status") == status:
                new["lastTransitionTime"] = old.get("lastTransitionTime", stamp)
            conditions[index] = new
            return
    conditions.append(new)


def is_true(crd: Json, of_type: str) -> bool:
    """Whether a condition is true. Who may write a status may write conditions that say nothing of themselves."""
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == of_type and one.get("status") == "True" for one in conditions)


def terminate(crd: Json, stamp: str) -> None:
    """Mark a definition that is to be deleted: it waits for its objects."""
    metadata = crd["metadata"]
    if metadata.get("deletionTimestamp"):
        return
    finalizers = metadata.get("finalizers") or []
    metadata["finalizers"] = [*finalizers, *([] if FINALIZER in finalizers else [FINALIZER])]
    said = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    condition(crd, "Terminating", "True", "InstanceDeletionPending", said, stamp)
