"""Events."""

from __future__ import annotations

from typing import Any

from notebook_mux.printers.common import UNKNOWN, Json, name, number, since


def print_event(obj: Json, now: float) -> list[Any]:
    """printers.go:2227."""
    first = since(obj.get("firstTimestamp"), now)
    if first == UNKNOWN:
        first = since(obj.get("eventTime"), now)
    last = since(obj.get("lastTimestamp"), now)
    if last == UNKNOWN:
        last = first
    count = number(obj.get("count")) or 1
    if (series := obj.get("series")) is not None:
        last = since(series.get("lastObservedTime"), now)
        count = number(series.get("count"))
    about = obj.get("involvedObject") or {}
    target = about.get("kind", "").lower()
    if about.get("name"):
        target += f"/{about['name']}"
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        target,
        about.get("fieldPath", ""),
        _source(obj),
        obj.get("message", "").strip(),
        first,
        count,
        name(obj),
    ]


def _source(obj: Json) -> str:
    source = obj.get("source") or {}
    parts = [source.get("component") or obj.get("reportingComponent", "")]
    if host := source.get("host") or obj.get("reportingInstance", ""):
        parts.append(host)
    return ", ".join(parts)


def print_new_event(obj: Json, now: float) -> list[Any]:
    """The same of events.k8s.io, whose fields the server converts (apis/events/v1/conversion.go)."""
    names = {"note": "message", "regarding": "involvedObject", "reportingController": "reportingComponent"}
    old = {key.removeprefix("deprecated"): value for key, value in obj.items()}
    for new, before in (*names.items(), *((key, key[:1].lower() + key[1:]) for key in DEPRECATED)):
        if new in old:
            old[before] = old.pop(new)
    return print_event(old, now)


DEPRECATED = ("Source", "FirstTimestamp", "LastTimestamp", "Count")

PRINTERS = {"events": print_event, "events.events.k8s.io": print_new_event}
