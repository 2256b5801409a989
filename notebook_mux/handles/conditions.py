"""What `Stream.wait` waits for: kubectl's ``wait --for`` texts, or a function of the object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from notebook_mux import jsonpath
from notebook_mux.errors import InvalidArgument

EXAMPLES = "write 'condition=Ready', 'jsonpath={.status.phase}=Running', 'delete', or give a function of the object"


@dataclass(frozen=True)
class Condition:
    """A condition on one object.

    Args:
        words: How it is shown.
        met: Whether an object meets it.
        gone: Whether it is met by being deleted.
    """

    words: str
    met: Callable[[Any], bool]
    gone: bool = False


def parse(until: str | Callable[[Any], Any]) -> Condition:
    """The condition that a text or a function means.

    Args:
        until: ``condition=TYPE`` or ``condition=TYPE=STATUS`` (status True if none is said),
            ``jsonpath={...}=VALUE`` or ``jsonpath={...}`` (there, not empty), ``create``, ``delete``, or a function.

    Raises:
        InvalidArgument: It is none of these.
    """
    if callable(until):
        function = until
        name = getattr(function, "__name__", type(function).__name__)
        return Condition("a condition of yours" if name == "<lambda>" else f"{name}()", lambda obj: bool(function(obj)))
    if not isinstance(until, str):
        raise InvalidArgument(f"nothing can be waited for with {until!r}", todo=EXAMPLES)
    kind, equals, rest = until.strip().partition("=")
    if until.strip() == "delete":
        return Condition("delete", lambda obj: False, gone=True)
    if until.strip() == "create":
        return Condition("create", lambda obj: True)
    if kind == "condition" and equals and rest:
        type_, _, status = rest.partition("=")
        return Condition(until.strip(), _of_status(type_.strip(), status.strip() or "True"))
    if kind == "jsonpath" and equals and rest:
        return Condition(until.strip(), _of_path(rest))
    raise InvalidArgument(f"nothing can be waited for with {until!r}", todo=EXAMPLES)


def _of_status(type_: str, status: str) -> Callable[[Any], bool]:
    """As kubectl's wait: names in any case, and not a status that is older than the object's generation."""

    def met(obj: Any) -> bool:
        generation = obj.get("metadata", {}).get("generation")
        for condition in (obj.get("status") or {}).get("conditions") or ():
            if not isinstance(condition, Mapping) or str(condition.get("type", "")).lower() != type_.lower():
                continue
            observed = condition.get("observedGeneration")
            if isinstance(observed, int) and isinstance(generation, int) and 0 < observed < generation:
                return False
            return str(condition.get("status", "")).lower() == status.lower()
        return False

    return met


def _of_path(text: str) -> Callable[[Any], bool]:
    path, value = _split_path(text.strip())
    found = jsonpath.compiled(path)
    if value is None:
        return lambda obj: any(item not in (None, "", [], {}) for item in found(obj))
    return lambda obj: any(jsonpath.same(item, value) for item in found(obj))


def _split_path(text: str) -> tuple[str, str | None]:
    """``{.a[?(@.b=="c")]}=value`` → path, value: the equals sign behind the closing brace, not one in a filter."""
    end = text.rfind("}")
    head, tail = (text[: end + 1], text[end + 1 :]) if end >= 0 else ("", text)
    if end < 0:
        head, equals, value = text.partition("=")
        return head, value.strip("'\"") if equals else None
    if not tail:
        return head, None
    if not tail.startswith("=") or len(tail) == 1:
        raise InvalidArgument(f"the JSONPath condition {text!r} cannot be read", todo=EXAMPLES)
    return head, tail[1:].strip("'\"")
