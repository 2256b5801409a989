"""The lines of logs one after another as they come, for ``async for`` on any loop and for ``for`` in any thread."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import deque
from typing import Any, Self

from notebook_mux.errors import MuxError
from notebook_mux.handles.log_lines import MOST, NANOSECONDS, Line, by_time, lines_of
from notebook_mux.handles.log_source import LogSource
from notebook_mux.handles.waiting import POLL_SECONDS, Alarm, refuse_here


class Reading:
    """A place in the lines, which moves on: nothing is left out without a mark, and nothing comes twice.

    Args:
        source: The logs.
        initial: Whether it begins with the oldest line that is kept, else behind the last one.
        uid: Of the only pod whose lines are read; empty is all: one of a name may have gone, and another come.
    """

    def __init__(self, source: LogSource, *, initial: bool, uid: str = "") -> None:
        self._source = source
        self._uid = uid
        self._store = ""
        self._next: int | None = None
        self.looked_at = 0
        self.last: Line | None = None
        """The last line of a container's that was read."""
        if not initial:
            _, self._store = source.opened()
            self._next = source.end()

    def more(self) -> list[Line]:
        """The next lines, by time; none where there are none yet. At most `MOST`, and a mark.

        Raises:
            Closed: The logs were closed.
        """
        read = self._source.read(-1 if self._next is None else self._next - 1, MOST)
        if self._store and read["store"] != self._store:
            self._next, self._store = None, read["store"]
            lost = "the connection was closed and opened anew: the logs begin again"
            return [self._mark("gap", lost, 0)]
        self._store = read["store"]
        if not len(read["ends"]):
            return []
        missed = max(0, read["first"] - self._next) if self._next is not None else 0
        self._next = read["end"]
        lines = by_time(lines_of(read, self._source.standing()["sources"], self._uid))
        if not lines and not missed:
            return self.more()  # all of it was of other pods
        own = [line for line in lines if not line.mark]
        self.looked_at += len(own)
        self.last = own[-1] if own else self.last
        if not missed:
            return lines
        words = f"{missed} {'line was' if missed == 1 else 'lines were'} dropped before they were read"
        return [self._mark("bound", words, lines[0].ns), *lines]

    def at_end(self) -> bool:
        """Whether all that will ever come has been read.

        Raises:
            Closed: The logs were closed.
        """
        state = self._source.standing()
        place = state["oldest"] if self._next is None else self._next
        return self._source.over(state) and place >= state["end"]

    @staticmethod
    def _mark(kind: str, words: str, ns: int) -> Line:
        return Line(ns or time.time_ns() // NANOSECONDS * NANOSECONDS, "", "", "", "", "", words, kind, -1)


class Following:
    """``async for line in logs.follow()``, or ``for``; ends with the logs, and lets them go when it is left unused.

    Lines come as they arrive, those that arrive together by time. One reader at a time.
    """

    def __init__(self, source: LogSource, initial: bool) -> None:
        self._source = source
        self._alarm = Alarm()
        self._waiting: deque[Line] = deque()
        holder = source.hold("iterator")
        try:
            self._reading = Reading(source, initial=initial)
            undo = source.on_new(self._alarm.ring)
        except BaseException:
            source.release(holder)
            raise
        forget = source.on_close(self._alarm.ring)
        self._parts = (undo, source, holder, forget)
        self._finalizer = weakref.finalize(self, source.later, _end, *self._parts)
        self._finalizer.atexit = False

    # --- on a loop --------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Following:
        return self

    async def __anext__(self) -> Line:
        while not self._waiting:
            if not self._filled():
                raise StopAsyncIteration
            if not self._waiting:
                await asyncio.shield(asyncio.wrap_future(self._alarm.future()))
        return self._waiting.popleft()

    async def aclose(self) -> None:
        """End it; idempotent."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    # --- in a thread ------------------------------------------------------------------------------------------------

    def __iter__(self) -> Following:
        return self

    def __next__(self) -> Line:
        """The next line; waits for it, and can be interrupted.

        Raises:
            WrongThread: This thread must not wait.
        """
        refuse_here()
        while not self._waiting:
            if not self._filled():
                raise StopIteration
            if not self._waiting:
                future = self._alarm.future()
                while not future.done():
                    try:
                        future.result(POLL_SECONDS)
                    except TimeoutError:
                        continue
        return self._waiting.popleft()

    def close(self) -> None:
        """End it; idempotent, does not wait."""
        if self._finalizer.detach() is not None:
            self._waiting.clear()
            _end(*self._parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- parts ------------------------------------------------------------------------------------------------------

    def _filled(self) -> bool:
        """Take in what there is; False where nothing more will come."""
        if not self._finalizer.alive:
            return False
        try:
            self._waiting.extend(self._reading.more())
            ended = not self._waiting and self._reading.at_end()
        except MuxError:  # they were closed, or their connection has gone
            ended = True
        if ended:
            self.close()
        return not ended


def _end(undo: Any, source: LogSource, holder: str, forget: Any) -> None:
    forget()
    undo()
    source.release(holder)
