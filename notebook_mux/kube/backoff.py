"""Waiting longer each time, with jitter, and forgetting it after a while: client-go's back-off for reflectors."""

from __future__ import annotations

import random as _random
import time
from collections.abc import Callable

FIRST = 0.8
MOST = 30.0
RESET = 120.0
"""Seconds; client-go/tools/cache/reflector.go:54-68."""


class Backoff:
    """Seconds to wait, doubling from `first` to `most`, each times 1 to 2 at random.

    Args:
        first: Seconds of the first wait, before jitter.
        most: Seconds of the longest, before jitter.
        reset: Begin anew when the last call was this long ago, in seconds.
        clock: Monotonic seconds.
        random: 0 to 1.
    """

    def __init__(
        self,
        first: float = FIRST,
        most: float = MOST,
        reset: float = RESET,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._first = first
        self._most = most
        self._reset = max(reset, 2 * most)  # a wait of `most` must not count as a while without trouble
        self._clock = clock
        self._random = random
        self._next = first
        self._last = -float("inf")

    def next(self) -> float:
        """The seconds to wait now."""
        now = self._clock()
        if now - self._last > self._reset:
            self._next = self._first
        self._last = now
        wait = self._next * (1 + self._random())
        self._next = min(self._next * 2, self._most)
        return wait

    def clear(self) -> None:
        """Begin anew."""
        self._next = self._first
