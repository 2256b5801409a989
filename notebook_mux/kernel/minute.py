"""A minute of what came over one subscription, or over all: changes, bytes and lag of each second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SECONDS = 60


Seconds = dict[str, list[Any]]
"""``changes``, ``bytes`` and ``lag`` of each second, the oldest first."""


class Minute:
    """A ring of seconds. Written on the loop's thread; whoever reads meanwhile sees one second a moment early or late.

    Times are seconds of any clock that does not go back.
    """

    def __init__(self) -> None:
        self._changes = [0] * SECONDS
        self._bytes = [0] * SECONDS
        self._lag = [0.0] * SECONDS
        self._now = 0

    def add(self, now: float, changes: int, size: int, lag: float) -> None:
        """So many changes and bytes have come, the last one `lag` seconds after it was printed."""
        second = int(now)
        if second != self._now:
            self._go_on(second)
        at = second % SECONDS
        self._changes[at] += changes
        self._bytes[at] += size
        if lag > self._lag[at]:
            self._lag[at] = lag

    def _go_on(self, second: int) -> None:
        """Empty what is older than a minute."""
        for passed in range(max(self._now, second - SECONDS) + 1, second + 1):
            at = passed % SECONDS
            self._changes[at], self._bytes[at], self._lag[at] = 0, 0, 0.0
        self._now = max(self._now, second)

    def read(self, now: float) -> Seconds:
        """The seconds that are over, the oldest first: ``changes`` and ``bytes`` of each, and its longest ``lag``."""
        second = int(now)
        last = self._now
        seconds = range(second - SECONDS + 1, second)
        kept = [each % SECONDS if last - SECONDS < each <= last else None for each in seconds]
        return {
            "changes": [0 if at is None else self._changes[at] for at in kept],
            "bytes": [0 if at is None else self._bytes[at] for at in kept],
            "lag": [0.0 if at is None else round(self._lag[at], 4) for at in kept],
        }


def together(minutes: Sequence[Seconds]) -> Seconds:
    """Several as one: the sums of changes and bytes, and the longest lag."""
    if not minutes:
        return Minute().read(0.0)
    changes, sizes, lags = ([minute[name] for minute in minutes] for name in ("changes", "bytes", "lag"))
    return {
        "changes": [sum(second) for second in zip(*changes, strict=True)],
        "bytes": [sum(second) for second in zip(*sizes, strict=True)],
        "lag": [max(second) for second in zip(*lags, strict=True)],
    }
