"""A user's functions of objects, called on a thread of their own: one that waits, or never ends, stops no table.

A row whose functions are not through yet is sent with what they gave before, and again when they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from notebook_mux.widgets.values import Value, failure, object_of, value_of

Function = Callable[[Any], Any]

SLOW_SECONDS = 0.05
"""Of one call, on the whole: 1,000 rows take a minute then, and their user should know why."""

STUCK_SECONDS = 2.0
"""Of one call that has not come back: it is told."""

TOLD_AFTER = 5
"""Calls before their time is told: the first one may import something."""

IDLE_SECONDS = 30.0
"""The thread ends after so long without anything to do; the next row starts another."""

PENDING = Value("…")
"""A cell whose function has not come back yet."""


GONE = object()
"""In the place of a row that went while its functions ran."""


class Job(NamedTuple):
    """One row to be made cells of."""

    cluster: str
    record: Any
    resource: Mapping[str, Any] | None


class Computing:
    """Calls functions for rows, the newest state of each, in the order in which they came. Any thread may call.

    Args:
        functions: Title to function.
        poke: Called on the thread when there are values that nobody waited for.
        clock: Monotonic seconds.
    """

    def __init__(
        self, functions: Mapping[str, Function], poke: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.functions = dict(functions)
        self._poke = poke
        self._clock = clock
        self._changed = threading.Condition()
        self._jobs: dict[Hashable, Job] = {}
        self._current: Hashable = None
        self._calling: tuple[str, str, float] | None = None
        self._known: dict[Hashable, tuple[Any, tuple[Value, ...]]] = {}
        self._failed: dict[str, dict[Hashable, str]] = {title: {} for title in self.functions}
        self._late: dict[Hashable, None] = {}
        self._waited_for: set[Hashable] = set()
        self._calls = dict.fromkeys(self.functions, 0)
        self._spent = dict.fromkeys(self.functions, 0.0)
        self._thread: threading.Thread | None = None
        self._stopped = False

    def prepare(self, jobs: Iterable[tuple[Hashable, Job]], seconds: float) -> None:
        """Have rows' cells made, and wait for them, for so long at most."""
        with self._changed:
            wanted = set()
            for key, job in jobs:
                known = self._known.get(key)
                if known is None or known[0] is not job.record:
                    self._jobs.pop(key, None)
                    self._jobs[key] = job
                    wanted.add(key)
            if not self._jobs or self._stopped:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notebook_mux columns", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            if self._is_slow():
                return
            self._waited_for = wanted
            try:
                self._changed.wait_for(lambda: not self._jobs and self._current is None, seconds)
            finally:
                self._waited_for = set()

    def values(self, key: Hashable) -> Sequence[Value]:
        """The cells of a row, the latest there are."""
        known = self._known.get(key)
        return known[1] if known is not None else (PENDING,) * len(self.functions)

    def known(self, key: Hashable, record: Any) -> Sequence[Value] | None:
        """The cells of a row as it is now; None while they are not there."""
        known = self._known.get(key)
        return known[1] if known is not None and known[0] is record else None

    def late(self) -> list[Hashable]:
        """The rows with new values since this was asked last, other than those that were waited for."""
        with self._changed:
            keys = list(self._late)
            self._late.clear()
        return keys

    @property
    def busy(self) -> bool:
        """Whether there are rows to come."""
        return self._current is not None or bool(self._jobs)

    def forget(self, key: Hashable) -> None:
        """The row has gone."""
        with self._changed:
            self._jobs.pop(key, None)
            self._known.pop(key, None)
            self._late.pop(key, None)
            for failed in self._failed.values():
                failed.pop(key, None)
            if key == self._current:
                self._current = GONE

    def notes(self) -> list[str]:
        """What to tell of functions that fail, or take their time."""
        with self._changed:
            found = []
            for title, failed in self._failed.items():
                if failed:
                    words = next(reversed(failed.values()))
                    found.append(f"the column {title}: {words}{f', in {len(failed)} rows' if len(failed) > 1 else ''}")
            calling = self._calling
            if calling is not None and self._clock() - calling[2] > STUCK_SECONDS:
                title, name, _ = calling
                found.append(f"the column {title}: its function has not come back for {name}; its other cells wait")
            else:
                found += [
                    f"the column {title}: its function takes {seconds} a row, so its cells come late"
                    for title in self.functions
                    if (seconds := self._slowness(title))
                ]
        return found

    def stop(self) -> None:
        """Call no more; what runs cannot be ended and is waited for by nobody."""
        with self._changed:
            self._stopped = True
            self._jobs.clear()
            self._changed.notify_all()

    def _is_slow(self) -> bool:
        """Whether waiting would not help."""
        calling = self._calling
        return any(map(self._slowness, self.functions)) or (
            calling is not None and self._clock() - calling[2] > SLOW_SECONDS
        )

    def _slowness(self, title: str) -> str:
        """The time of a call in words, if it is one to tell."""
        calls = self._calls[title]
        each = self._spent[title] / calls if calls >= TOLD_AFTER else 0.0
        if each < SLOW_SECONDS:
            return ""
        return f"{each:.0f} s" if each >= 1 else f"{each:.1f} s" if each >= 0.1 else f"{each * 1000:.0f} ms"

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._jobs:
                    self._changed.wait(IDLE_SECONDS)
                if not self._jobs or self._stopped:
                    self._thread = None
                    return
                key, job = next(iter(self._jobs.items()))
                del self._jobs[key]
                self._current = key
            values = self._made(job)
            with self._changed:
                gone = self._current is GONE
                self._current = self._calling = None
                if not gone:
                    self._keep(key, job.record, values)
                told = gone or key in self._waited_for
                if not told:
                    self._late[key] = None
                if not self._jobs:
                    self._changed.notify_all()
            if not told:
                self._poke()

    def _made(self, job: Job) -> tuple[Value, ...]:
        made = []
        for title, function in self.functions.items():
            began = self._clock()
            self._calling = (title, job.record.name, began)
            try:
                value = value_of(function(object_of(job.record, job.cluster, job.resource)), time.time())
            except BaseException as error:  # noqa: BLE001 - a user's own: sys.exit() is no end of ours either
                value = failure(error)
            self._calls[title] += 1
            self._spent[title] += self._clock() - began
            made.append(value)
        return tuple(made)

    def _keep(self, key: Hashable, record: Any, values: tuple[Value, ...]) -> None:
        self._known[key] = (record, values)
        for failed, value in zip(self._failed.values(), values, strict=True):
            failed.pop(key, None)
            if value.failed:
                failed[key] = value.failed
