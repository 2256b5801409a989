"""The few fields of a pod that change (``ValidatePodUpdate``)."""

from __future__ import annotations

import copy
from typing import Any

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.strategies.metadata import forbidden, set_once

Json = dict[str, Any]

LISTS = {"containers": "containers", "initContainers": "init containers"}
FIELDS = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
ADDED = "existing toleration can not be modified except its tolerationSeconds"


def check(kind: Kind, old: Json, new: Json) -> list[Json]:
    """What of a pod's change cannot be."""
    if kind.resource != "pods":
        return []
    before, after = old.get("spec") or {}, copy.deepcopy(new.get("spec") or {})
    causes = [
        forbidden(f"spec.{name}", f"pod updates may not add or remove {called}")
        for name, called in LISTS.items()
        if len(before.get(name) or ()) != len(after.get(name) or ())
    ]
    if causes:
        return causes
    for name in LISTS:
        for mine, theirs in zip(after.get(name) or (), before.get(name) or (), strict=True):
            if not mine.get("image"):
                causes.append({"reason": "FieldValueRequired", "message": "Required value",
                               "field": f"spec.{name}[{(after.get(name) or []).index(mine)}].image"})  # fmt: skip
            mine["image"] = theirs.get("image")
    causes += _deadline(before, after)
    causes += _tolerations(before, after)
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and after.get("terminationGracePeriodSeconds") == 1:
        after["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    after["tolerations"] = before.get("tolerations")
    if after["tolerations"] is None:
        del after["tolerations"]
    if _gates(before) and not before.get("nodeName"):
        _gated(before, after)
    if after != before and not causes:
        causes.append(forbidden("spec", FIELDS))
    return causes


def _deadline(before: Json, after: Json) -> list[Json]:
    """A deadline can be set, and moved closer."""
    mine, theirs = after.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if mine is None:
        return [] if theirs is None else [
            set_once("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
        ]  # fmt: skip
    if theirs is not None and mine > theirs:
        said = "must be less than or equal to previous value"
        return [set_once("spec.activeDeadlineSeconds", mine, said)]
    if theirs is None:
        after.pop("activeDeadlineSeconds")
    else:
        after["activeDeadlineSeconds"] = theirs
    return []


def _tolerations(before: Json, after: Json) -> list[Json]:
    """Tolerations can be added, and how long they hold can change."""
    mine = [_timeless(one) for one in after.get("tolerations") or ()]
    if all(_timeless(one) in mine for one in before.get("tolerations") or ()):
        return []
    return [forbidden("spec.tolerations", ADDED)]


def _timeless(toleration: Json) -> Json:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds" and value not in (None, "")}


def _gates(spec: Json) -> list[Json]:
    return spec.get("schedulingGates") or []


def _gated(before: Json, after: Json) -> None:
    """A pod that waits behind gates can lose some, and be bound more narrowly."""
    if all(gate in _gates(before) for gate in _gates(after)):
        after["schedulingGates"] = before["schedulingGates"]
    selector = before.get("nodeSelector") or {}
    if (after.get("nodeSelector") or {}).items() >= selector.items():
        after.pop("nodeSelector", None)
        if "nodeSelector" in before:
            after["nodeSelector"] = before["nodeSelector"]
