"""What a stream costs, from the core's counts: rates of the minute, who holds it, figures for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RATE_SECONDS = 3
"""Of which a rate is the mean: one second alone jumps, for changes come in batches."""

NOTHING: dict[str, list[Any]] = {"changes": [], "bytes": [], "lag": []}
"""The minute of a core that was started by an older version, which keeps none."""

_NAMED = "|"
_HOLDERS = {
    "view": "view",
    "callback": "callback",
    "python": "Python",
    "iterator": "async for",
    "wait": "wait",
    "kin": "owners",
    "plug": "plug",
}
"""What the kinds of `handles.held.Held.hold` are called."""

_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def costs(stream: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of one stream that are no plain counts of the core's.

    Returns:
        ``minute`` (of each second ``changes``, ``bytes``, and the longest ``lag`` in seconds), ``change_rate`` and
        ``byte_rate`` (a second, of the last three), ``memory`` (bytes that its objects take in the kernel), ``cpu``
        (seconds of the kernel's thread), ``held`` (who holds it, in words).
    """
    minute = stream.get("minute") or NOTHING
    return {
        "minute": minute,
        "change_rate": rate(minute["changes"]),
        "byte_rate": rate(minute["bytes"]),
        "memory": stream.get("memory", 0),
        "cpu": stream.get("seconds", 0.0),
        "held": held(stream.get("held", ())),
    }


def rate(seconds: Sequence[float]) -> float:
    """The mean of the last seconds."""
    last = seconds[-RATE_SECONDS:]
    return sum(last) / len(last) if last else 0.0


def held(holders: Iterable[str]) -> list[str]:
    """Who holds a stream, such as ``["table web", "callback on_pod", "Python × 2"]``."""
    counted = Counter(_words(holder) for holder in holders)
    return [words if number == 1 else f"{words} × {number}" for words, number in sorted(counted.items())]


def _words(holder: str) -> str:
    name, _, what = holder.partition(_NAMED)
    kind = name.partition("-")[0]
    if kind not in _HOLDERS:
        return "logs"  # in the core itself: of the pods whose lines they are
    return what if kind == "view" and what else f"{_HOLDERS[kind]} {what}".strip()


def size(count: float) -> str:
    """Bytes for people: ``12.3 MB``."""
    for unit, name in _SIZES:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count:.0f} B"


def lag(seconds: float) -> str:
    """A lag for people: ``12 ms``."""
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"
