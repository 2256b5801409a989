"""What several printers need: ages, labels, containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from notebook_mux.ages import human_duration, parse_time

Json = Mapping[str, Any]

NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"


def since(stamp: str | None, now: float) -> str:
    """The time since, as kubectl prints ages; ``<unknown>`` for none."""
    then = parse_time(stamp)
    return UNKNOWN if then is None else human_duration(now - then)


def age(obj: Json, now: float) -> str:
    """How long ago an object was created."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def name(obj: Json) -> str:
    """An object's name; empty in bookmarks."""
    return str(obj["metadata"].get("name", ""))


def containers(template: Json | None) -> list[str]:
    """The two cells of a pod template: containers' names and images."""
    found: Sequence[Json] = ((template or {}).get("spec") or {}).get("containers") or ()
    return [",".join(one.get("name", "") for one in found), ",".join(one.get("image", "") for one in found)]


def label_map(found: Json | None) -> str:
    """A map of labels, sorted; ``<none>`` if empty."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or NONE


def selector_text(selector: Json | None) -> str:
    """A label selector as text, empty if it is (labels.Selector.String: by key)."""
    if not selector:
        return ""
    parts = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, operator = one["key"], one["operator"]
        values = ",".join(sorted(one.get("values") or ()))
        text = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }[operator]
        parts.append((key, text))
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0]))


def selector_cell(selector: Json | None) -> str:
    """metav1.FormatLabelSelector: ``<none>`` for an empty one."""
    return selector_text(selector) or NONE


def spec(obj: Json) -> Json:
    """An object's spec, or nothing."""
    return obj.get("spec") or {}


def status(obj: Json) -> Json:
    """An object's status, or nothing."""
    return obj.get("status") or {}


def number(value: Any) -> int:
    """A count that is left out when it is zero."""
    return int(value or 0)


def is_true(conditions: Iterable[Json] | None, kind: str) -> bool:
    """Whether a condition is there and True."""
    return any(one.get("type") == kind and one.get("status") == "True" for one in conditions or ())


def with_more(found: Sequence[str], limit: int, empty: str) -> str:
    """At most some, then how many more there are."""
    if len(found) > limit:
        return f"{','.join(found[:limit])} + {len(found) - limit} more..."
    return ",".join(found) or empty


def addresses(balancer: Json | None) -> list[str]:
    """A load balancer's addresses, sorted, each once."""
    ingress = (balancer or {}).get("ingress") or ()
    return sorted({one.get("ip") or one.get("hostname") or "" for one in ingress} - {""})
