"""Devices that pods claim (resource.k8s.io)."""

from __future__ import annotations

from typing import Any

from notebook_mux.printers.common import Json, age, name, since, spec, status


def print_aged(obj: Json, now: float) -> list[Any]:
    """printers.go:3256 and 3316."""
    return [name(obj), age(obj, now)]


def print_claim(obj: Json, now: float) -> list[Any]:
    """printers.go:3277."""
    state, deleted = status(obj), obj["metadata"].get("deletionTimestamp") is not None
    words = ["deleted"] if deleted else []
    if state.get("allocation") is None:
        words += [] if deleted else ["pending"]
    else:
        words += ["allocated", "reserved"] if state.get("reservedFor") else ["allocated"]
    return [name(obj), ",".join(words), age(obj, now)]


def print_slice(obj: Json, now: float) -> list[Any]:
    """printers.go:3337."""
    wanted = spec(obj)
    pool = (wanted.get("pool") or {}).get("name", "")
    return [name(obj), wanted.get("nodeName", ""), wanted.get("driver", ""), pool, age(obj, now)]


def print_taint_rule(obj: Json, now: float) -> list[Any]:
    """printers.go:3447."""
    taint = spec(obj).get("taint") or {}
    added = since(taint["timeAdded"], now) if taint.get("timeAdded") else ""
    return [name(obj), *(taint.get(part, "") for part in ("key", "value", "effect")), added, age(obj, now)]


PRINTERS = {
    "deviceclasses.resource.k8s.io": print_aged,
    "resourceclaimtemplates.resource.k8s.io": print_aged,
    "resourceclaims.resource.k8s.io": print_claim,
    "resourceslices.resource.k8s.io": print_slice,
    "devicetaintrules.resource.k8s.io": print_taint_rule,
}
