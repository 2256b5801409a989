"""A cluster's clock and its agenda: what is to happen when.

All that moves in a cluster is an entry here, run in the order of its time on the loop by the cluster's own clock, or at
once, step by step. The clock goes as the wall's does, until somebody makes it go faster, stops it or moves it on. What
is of the server and not of the cluster, such as tokens, certificates and the ends of watches, keeps to the wall's.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

log = logging.getLogger(__name__)

IDLE_S = 3600.0
"""How long the agenda sleeps when nothing is on it; an entry wakes it."""

LATE_S = 2.0
"""Of the wall's time: an entry that is later than this has the time that it is by then, as after a laptop's sleep."""

BURST = 200
"""Entries run before the loop gets its turn: requests must not wait for a storm of changes."""


TURNS = 3
"""Of the loop after a program's sleep was over in a step: so that it goes on at that time, and not after the step."""


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


class Clock:
    """A cluster's time. For one thread.

    Args:
        wall: The wall's clock, Unix seconds.

    Attributes:
        speed: Seconds of the cluster in one of the wall's.
        paused: Whether it stands.
        changed: Called after each change but the passing of time.
    """

    def __init__(self, wall: Callable[[], float] = time.time):
        self.wall = wall
        self.speed = 1.0
        self.paused = False
        self.changed: Callable[[], object] = lambda: None
        self._at = self._since = 0.0

    @property
    def rate(self) -> float:
        """How fast it goes now: 0 while it stands."""
        return 0.0 if self.paused else self.speed

    def now(self) -> float:
        """Unix seconds."""
        return self._at + (self.wall() - self._since) * self.rate

    def set(self, *, at: float | None = None, speed: float | None = None, paused: bool | None = None) -> None:
        """Move it, or change how it goes; what is not given stays."""
        now, wall = self.now(), self.wall()
        self._at, self._since = (now if at is None else at), wall
        self.speed = self.speed if speed is None else speed
        self.paused = self.paused if paused is None else paused
        self.changed()

    def wait(self, seconds: float) -> float:
        """How long the wall's clock takes for so many seconds of this one; infinite while it stands."""
        return seconds / self.rate if self.rate else math.inf

    def kept(self) -> dict[str, float | bool]:
        """Of which `restore` makes a clock that has gone on meanwhile."""
        return {"at": self._at, "since": self._since, "speed": self.speed, "paused": self.paused}

    def restore(self, kept: Mapping[str, float | bool]) -> None:
        """Go on as one that was kept."""
        self._at, self._since = float(kept["at"]), float(kept["since"])
        self.speed, self.paused = float(kept["speed"]), bool(kept["paused"])


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
        wall: The wall's clock, Unix seconds.

    Attributes:
        clock: The cluster's.
    """

    def __init__(self, wall: Callable[[], float] = time.time):
        self.clock = Clock(wall)
        self.clock.changed = self.wake
        self._frozen: float | None = None
        self._stepping = False
        self._woken = False
        self._heap: list[tuple[float, int, Entry]] = []
        self._numbers = itertools.count()
        self._wake: asyncio.Event | None = None

    def now(self) -> float:
        """Unix seconds; in a stepped agenda the time of the entry that runs."""
        return self.clock.now() if self._frozen is None else self._frozen

    def stamp(self) -> str:
        """Now, as most fields have it."""
        return rfc3339(self.now())

    def after(self, seconds: float, action: Callable[[], object]) -> Entry:
        """Do something later."""
        entry = Entry(self.now() + max(0.0, seconds), action)
        heapq.heappush(self._heap, (entry.due, next(self._numbers), entry))
        self.wake()
        return entry

    def wake(self) -> None:
        """Look anew at what is due: something was added, or the clock goes in another way."""
        if self._wake is not None:
            self._wake.set()

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

    async def pass_by(self, seconds: float) -> None:
        """Let time pass at once while the loop goes on: `step` for a cluster that is served. One at a time.

        Programs that sleep by `sleep` go on in between, each at its time.
        """
        until = self.now() + seconds
        self._stepping, self._frozen, count = True, self.now(), 0
        try:
            while (entry := self._next(until)) is not None:
                self._frozen = max(self._frozen, entry.due)
                self._do(entry)
                count += 1
                if self._woken or count % BURST == 0:
                    self._woken = False
                    for _ in range(TURNS):
                        await asyncio.sleep(0)
            self._frozen = until
        finally:
            at, self._frozen, self._stepping = self._frozen, None, False
            self.clock.set(at=at)
            self.wake()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of the cluster's time; of the wall's where nothing runs the agenda."""
        if self._wake is None:
            await asyncio.sleep(seconds)
            return
        done = asyncio.get_running_loop().create_future()

        def end() -> None:
            self._woken = True
            if not done.done():
                done.set_result(None)

        entry = self.after(seconds, end)
        try:
            await done
        finally:
            entry.cancel()

    @contextlib.asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        """As `asyncio.timeout`, of the cluster's time; infinite is no limit.

        Raises:
            TimeoutError: It took longer.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as limit:
            entry: Entry | None = None
            if self._wake is None:
                limit.reschedule(None if seconds == math.inf else loop.time() + seconds)
            elif seconds != math.inf:
                entry = self.after(seconds, lambda: limit.reschedule(loop.time()))
            try:
                yield
            finally:
                if entry is not None:
                    entry.cancel()

    def jump(self, to: float) -> None:
        """Go to another time without what lies between; what is due then runs once, at the next step."""
        self._frozen = to

    def settle(self) -> None:
        """Begin on a whole second, where it is not stepped: objects have no smaller ones, and fractions would show."""
        if self._frozen is None:
            self.clock.set(at=float(int(self.clock.now())))

    def release(self) -> None:
        """Go on with the clock's own time after steps."""
        self._frozen = None

    async def run(self) -> None:
        """Run the agenda by the clock until cancelled."""
        self._wake = asyncio.Event()
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(0 if self._stepping else BURST):
                entry = self._next(self.now())
                if entry is None:
                    break
                # At its own time, not that of the loop's turn: the same seed gives the same events, also live.
                self._frozen = entry.due if self.now() - entry.due <= LATE_S * self.clock.rate else None
                self._do(entry)
                self._frozen = None
            self._wake.clear()
            wait = IDLE_S
            if self._heap and not self._stepping:
                left = self._heap[0][0] - self.now()
                wait = min(IDLE_S, self.clock.wait(left)) if left > 0 else 0.0
            if wait <= 0:
                await asyncio.sleep(0)
                continue
            alarm = loop.call_later(wait, self._wake.set)  # a third of what `wait_for` costs, and there are many
            try:
                await self._wake.wait()
            finally:
                alarm.cancel()

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
