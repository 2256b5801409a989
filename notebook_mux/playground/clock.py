"""A cluster's time and its agenda: what is to happen when.

All that moves in a cluster is an entry here, run in the order of its time on the loop, or by a test step by step
with a time of its own.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

log = logging.getLogger(__name__)

IDLE_S = 3600.0
"""How long the agenda sleeps when nothing is on it; an entry wakes it."""

BURST = 200
"""Entries run before the loop gets its turn: requests must not wait for a storm of changes."""


def rfc3339(seconds: float) -> str:
    """A time as most fields have it: whole seconds, UTC."""
    return _of_second(int(seconds))


@lru_cache(maxsize=16)
def _of_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def since_epoch(stamp: str) -> float:
    """Seconds since the epoch of a time as it stands in an object."""
    return datetime.fromisoformat(stamp).timestamp()


def rfc3339_micro(seconds: float) -> str:
    """A MicroTime, as leases and newer events have it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Entry:
    """Something on the agenda."""

    __slots__ = ("action", "due")

    def __init__(self, due: float, action: Callable[[], object] | None):
        self.due = due
        self.action = action

    def cancel(self) -> None:
        """Take it off."""
        self.action = None


class Agenda:
    """What is to happen when. For one thread.

    Args:
        now: The clock, Unix seconds.
    """

    def __init__(self, now: Callable[[], float] = time.time):
        self._clock = now
        self._frozen: float | None = None
        self._heap: list[tuple[float, int, Entry]] = []
        self._numbers = itertools.count()
        self._wake: asyncio.Event | None = None

    def now(self) -> float:
        """Unix seconds; in a stepped agenda the time of the entry that runs."""
        return self._clock() if self._frozen is None else self._frozen

    def stamp(self) -> str:
        """Now, as most fields have it."""
        return rfc3339(self.now())

    def after(self, seconds: float, action: Callable[[], object]) -> Entry:
        """Do something later."""
        entry = Entry(self.now() + max(0.0, seconds), action)
        heapq.heappush(self._heap, (entry.due, next(self._numbers), entry))
        if self._wake is not None:
            self._wake.set()
        return entry

    def every(self, seconds: float, action: Callable[[], object], first: float | None = None) -> None:
        """Do something again and again."""

        def again() -> None:
            self.after(seconds, again)
            action()

        self.after(seconds if first is None else first, again)

    def step(self, seconds: float) -> None:
        """Let time pass at once: run all that is due within it, in order. Without `run`, for tests and beginnings."""
        until = self.now() + seconds
        self._frozen = self.now()
        while (entry := self._next(until)) is not None:
            self._frozen = max(self._frozen, entry.due)
            self._do(entry)
        self._frozen = until

    def jump(self, to: float) -> None:
        """Go to another time without what lies between; what is due then runs once, at the next step."""
        self._frozen = to

    def release(self) -> None:
        """Go on with the clock's own time after steps."""
        self._frozen = None

    async def run(self) -> None:
        """Run the agenda by the clock until cancelled."""
        self._wake = asyncio.Event()
        while True:
            for _ in range(BURST):
                entry = self._next(self.now())
                if entry is None:
                    break
                self._do(entry)
            self._wake.clear()
            wait = min(IDLE_S, self._heap[0][0] - self.now()) if self._heap else IDLE_S
            if wait <= 0:
                await asyncio.sleep(0)
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                pass

    def _next(self, until: float) -> Entry | None:
        while self._heap and self._heap[0][0] <= until:
            entry = heapq.heappop(self._heap)[2]
            if entry.action is not None:
                return entry
        return None

    def _do(self, entry: Entry) -> None:
        action, entry.action = entry.action, None
        if action is None:
            return
        try:
            action()
        except Exception:  # one controller's fault must not stop the cluster
            log.exception("an entry of the agenda failed")
