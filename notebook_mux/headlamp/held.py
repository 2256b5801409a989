"""Events that wait for their cells, in their order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from msgspec import Raw

from notebook_mux.errors import MuxError
from notebook_mux.headlamp.cells import Cells
from notebook_mux.kube.table_events import Metadata
from notebook_mux.wire import UNREADABLE
from notebook_mux.wire.frames import uid_of

POLL_SECONDS = 2.0
"""Between two Tables of one watch, at least."""

SHARE = 5
"""And at least so many times as long as the last one took: large lists are asked for less often."""

TRIES = 3
"""Tables that may fail before events go on with the cells of the last one."""

PAGE_SECONDS = 30.0

MAX_BYTES = 8 * 1024 * 1024
"""Of events of one watch; those beyond go on with the cells of the last Table, and the next one has theirs."""

Event = tuple[bool, Metadata, Raw]
"""(whether it is a deletion, metadata, object)."""


class Held:
    """The queue of one watch. All calls on the loop's thread.

    Args:
        cells: Where Tables come from.
        give: Takes an event with its cells.
        mark: Takes a bookmark's version, when all before it has been given.
        columns: Takes columnDefinitions.
    """

    def __init__(
        self,
        cells: Cells,
        give: Callable[[Event, bytes], None],
        mark: Callable[[str], None],
        columns: Callable[[bytes], None],
    ) -> None:
        self._cells = cells
        self._give = give
        self._mark = mark
        self._columns = columns
        self._queue: list[Event | str] = []
        self._bytes = self._passed = 0
        self._task: asyncio.Task[None] | None = None
        self._last = self._took = 0.0

    def __len__(self) -> int:
        return sum(not isinstance(one, str) for one in self._queue)

    def __bool__(self) -> bool:
        return bool(self._queue)  # asked before each event, which may be many

    def put(self, event: Event) -> None:
        """Take an event."""
        self._queue.append(event)
        self._bytes += len(event[2])
        if self._bytes > MAX_BYTES:
            self._pass_on(len(self._queue), {})
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="cells by tables")

    def mark(self, version: str) -> None:
        """Take a bookmark."""
        if self._queue:
            self._queue.append(version)
        else:
            self._mark(version)

    def drop(self) -> int:
        """Forget what waits, for a new list has it; how many events that were."""
        dropped = len(self)
        self._clear()
        return dropped

    def close(self) -> None:
        """Ask no more."""
        self._clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        failures = 0
        while self._queue:
            now = time.monotonic()
            await asyncio.sleep(max(0.0, self._last + max(POLL_SECONDS, SHARE * self._took) - now))
            self._last = time.monotonic()
            until = self._passed + len(self._queue)  # what comes while the Table is made may not be in it
            try:
                columns, cells = await self._cells.poll(PAGE_SECONDS)
            except (MuxError, *UNREADABLE):
                failures += 1
                if failures < TRIES:
                    continue
                columns, cells = None, {}
            self._took = time.monotonic() - self._last
            failures = 0
            if columns is not None:
                self._columns(columns)
            self._pass_on(until - self._passed, cells)

    def _clear(self) -> None:
        self._passed += len(self._queue)
        self._queue.clear()
        self._bytes = 0

    def _pass_on(self, count: int, cells: Mapping[str, bytes]) -> None:
        """Give the first ones, as far as they wait still, with these cells or those that were known."""
        if count <= 0:
            return
        given, self._queue = self._queue[:count], self._queue[count:]
        self._passed += len(given)
        for one in given:
            if isinstance(one, str):
                self._mark(one)
            else:
                self._bytes -= len(one[2])
                uid = uid_of(one[1].uid, one[1].namespace, one[1].name)
                self._give(one, cells.get(uid) or self._cells.known(uid))
