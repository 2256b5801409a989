"""One watch request: its lines into the store, and an eye on whether the server is still there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiohttp
from msgspec import Raw

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.flusher import Flusher
from notebook_mux.gateway.lines import LineSplitter
from notebook_mux.gateway.upstream_store import UpstreamStore
from notebook_mux.kube import table_events as wire, troubles
from notebook_mux.kube.answers import Answer
from notebook_mux.kube.reflector import Reflector
from notebook_mux.kube.states import Item
from notebook_mux.kube.troubles import Trouble

SILENCE_SECONDS = 125.0
"""Without any event a server sends a bookmark every 60 s; two of them missing, and the connection is given up."""

INITIAL_SILENCE_SECONDS = 30.0
"""Between initial events there are no pauses; a server that ignores what was asked never says that they are over."""

QUIET_SECONDS = 30.0
"""After this long without a sign of life from the server, on any connection to it, it is asked for one."""

TICK_SECONDS = 10.0
MISSES = 2
"""Questions without an answer after which the connection is given up."""

ERROR_BYTES = 64 * 1024
"""Of the body of a refusal; a Status has a few hundred."""


class Watching:
    """One watch from its request to its end.

    Args:
        cluster: Where.
        reflector: Is told of bookmarks and of the end of the initial events.
        store: Takes the changes.
        flusher: Gets them for the readers.
        initial: Whether all objects come first.
        take_columns: Takes columnDefinitions; returns whether there were other ones before.
        completed: Called when the initial events are through, with whether they were the first list.
        tell: Called when the reflector's state may have changed.

    Attributes:
        events: How many events and bookmarks came.
    """

    def __init__(
        self,
        cluster: Cluster,
        reflector: Reflector,
        store: UpstreamStore,
        flusher: Flusher,
        initial: bool,
        *,
        take_columns: Callable[[bytes | None], bool],
        completed: Callable[[bool], None],
        tell: Callable[[], None],
    ) -> None:
        self.events = 0
        self._cluster = cluster
        self._reflector = reflector
        self._store = store
        self._flusher = flusher
        self._initial = initial
        self._take_columns = take_columns
        self._completed = completed
        self._tell = tell
        self._table: bool | None = None
        self._opened: float | None = None
        self._limit: asyncio.Timeout | None = None
        self._heard = 0.0

    @property
    def seconds(self) -> float:
        """Since the server began to answer; 0 if it never did."""
        return 0.0 if self._opened is None else time.monotonic() - self._opened

    async def run(self, path: str, query: str) -> Trouble | None:
        """Watch until the end; None for a normal one.

        Raises:
            MuxError: The request got no answer.
            aiohttp.ClientError, OSError: The connection broke.
            msgspec.MsgspecError, UnicodeError: The server sent something else than events.
        """
        async with self._cluster.stream(path, query, headers={"Accept": wire.ACCEPT}) as response:
            if response.status != 200:
                return await _refusal(response)
            self._opened = self._heard = time.monotonic()
            self._reflector.opened()
            self._tell()
            try:
                async with asyncio.timeout(None) as self._limit:
                    guard = asyncio.create_task(self._guard(), name="watchdog")
                    try:
                        return await self._read(response.content)
                    finally:
                        guard.cancel()
            except TimeoutError:
                silent = round(time.monotonic() - self._heard)
                return Trouble("stalled", f"no sign of life for {silent} s")

    def cut(self) -> None:
        """Give the connection up."""
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def _read(self, content: aiohttp.StreamReader) -> Trouble | None:
        splitter = LineSplitter()
        while data := await content.readany():
            self._heard = self._cluster.last_contact = time.monotonic()
            lines = splitter.feed(data)
            if lines and (trouble := self._take(lines)) is not None:
                return trouble
        return None

    # --- lines ----------------------------------------------------------------------------------------------------

    def _take(self, lines: list[bytes]) -> Trouble | None:
        """Take some lines in, and hand on what they change."""
        self.events += len(lines)
        if self._reflector.state == "stale":
            self._reflector.alive()
            self._tell()
        if self._table is None:
            self._table = wire.is_table(lines[0])
        items: list[Item] = []
        try:
            if self._table:
                return self._take_tables(lines, items, self._cluster.clock.now(time.time()))
            return self._take_plain(lines, items, self._cluster.clock.now(time.time()))
        finally:
            self._flusher.put(items)

    def _take_tables(self, lines: list[bytes], items: list[Item], now: float) -> Trouble | None:
        """The hot path: what is rare is elsewhere."""
        store, reflector, decode, content_of = self._store, self._reflector, wire.decode_event, wire.decode_content
        change, append, usual = store.change, items.append, wire.usual
        for line in lines:
            if not self._initial and (found := usual(line)) is not None:
                kind, metadata, cells, content = found
                item = change(kind == "DELETED", metadata, cells, content, now)
                reflector.version = metadata.resourceVersion
                if item is not None:
                    append(item)
                continue
            event = decode(line)
            kind, table = event.type, event.object
            if kind not in _CHANGES and kind != "BOOKMARK":
                if kind == "ERROR":
                    return wire.error(line)
                continue
            if len(table.columnDefinitions) > NULL and self._new_columns(table.columnDefinitions):
                return _COLUMNS
            if kind == "BOOKMARK":
                self._bookmark(line, items)
                continue
            for row in table.rows or ():
                metadata = content_of(row.object).metadata
                if self._initial:
                    self._initial_event(kind, metadata, row.cells, row.object, now)
                    continue
                item = change(kind == "DELETED", metadata, row.cells, row.object, now)
                reflector.version = metadata.resourceVersion
                if item is not None:
                    append(item)
        return None

    def _take_plain(self, lines: list[bytes], items: list[Item], now: float) -> Trouble | None:
        """The same for a server that makes no Tables."""
        for line in lines:
            event = wire.decode_plain(line)
            if event.type == "ERROR":
                return wire.error(line)
            if event.type == "BOOKMARK":
                self._bookmark(line, items)
            elif event.type in _CHANGES:
                metadata = wire.decode_content(event.object).metadata
                if self._initial:
                    self._initial_event(event.type, metadata, wire.NO_CELLS, event.object, now)
                    continue
                item = self._store.change(event.type == "DELETED", metadata, wire.NO_CELLS, event.object, now)
                self._reflector.version = metadata.resourceVersion
                if item is not None:
                    items.append(item)
        return None

    def _initial_event(self, kind: str, metadata: wire.Metadata, cells: Raw | bytes, content: Raw, now: float) -> None:
        if kind == "DELETED":
            self._store.unlisted(metadata)
        else:
            self._store.listed(metadata, cells, content, now)

    def _bookmark(self, line: bytes, items: list[Item]) -> None:
        version, ends = wire.bookmark(line, bool(self._table))
        if not self._initial:
            self._flusher.put(items)
            items.clear()  # they must reach the readers before the bookmark
            self._reflector.progress(version)
            self._store.mark(version)
            number = self._store.number
            self._flusher.tell(lambda sink: sink.progress(number, version))
        elif ends:
            self._initial = False
            first = not self._reflector.synced
            self._reflector.initial_end(version)
            self._completed(first)

    def _new_columns(self, raw: Raw) -> bool:
        """Whether rows that came before are of other columns; those of a new list are not."""
        return self._take_columns(wire.columns_of(raw)) and not self._initial

    # --- the watchdog ---------------------------------------------------------------------------------------------

    async def _guard(self) -> None:
        """End the watch when nothing comes for too long, or when the server does not answer elsewhere either."""
        misses = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            silent = now - self._heard
            if silent > (INITIAL_SILENCE_SECONDS if self._initial else SILENCE_SECONDS):
                break
            if now - self._cluster.last_contact < QUIET_SECONDS or await self._cluster.is_alive():
                misses = 0
                if self._reflector.state == "stale":
                    self._reflector.alive()
                    self._tell()
                continue
            misses += 1
            self._reflector.stale(Trouble("stalled", f"no sign of life for {round(time.monotonic() - self._heard)} s"))
            self._tell()
            if misses >= MISSES:
                break
        self.cut()


NULL = len("null")
_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})
_COLUMNS = Trouble("expired", "the table has other columns now")


async def _refusal(response: aiohttp.ClientResponse) -> Trouble:
    body = await response.content.read(ERROR_BYTES)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return troubles.of_answer(Answer(response.status, headers, body))
