"""List and watch of one stream, by the reflector's rules: lists by REST, events by the multiplexer or a direct socket.

Objects are not kept here: the kernel's store has them, and knows how to go on from a version and what a new list
changes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from urllib.parse import urlencode

import msgspec

from notebook_mux.errors import MuxError
from notebook_mux.headlamp.cells import Cells
from notebook_mux.headlamp.client import Asked, Ended, Refused, Silent
from notebook_mux.headlamp.held import Event, Held
from notebook_mux.headlamp.lanes import Lanes
from notebook_mux.headlamp.records import Reader, Records
from notebook_mux.headlamp.rest import Cluster
from notebook_mux.headlamp.telling import Telling
from notebook_mux.kube import table_events as tables, troubles
from notebook_mux.kube.reflector import List, Reflector, Wait, Watch as WatchStep
from notebook_mux.kube.troubles import Trouble
from notebook_mux.wire import UNREADABLE, messages
from notebook_mux.wire.frames import Kind

LIST_SECONDS = 60.0
"""For one page; the API server's own limit for requests that are no watch."""

SILENCE_SECONDS = 125.0
"""Without any event an API server sends a bookmark every 60 s; two of them missing, and the watch is given up. Nothing
else tells: Headlamp pings its upstream and does not look for the pong."""

QUIET_SECONDS = 30.0
"""After this long without an event, and without an answer from the cluster, it is asked for one."""

TICK_SECONDS = 10.0
MISSES = 2
"""Questions without an answer after which a watch is given up."""

HOLD_SECONDS = 2.0
"""For which a list's end is held back until its watch is open: who waits for the first list gets a live one."""

_log = logging.getLogger(__name__)
_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})

How = Ended | Refused | Silent | Trouble
"""How a watch was over."""


class Watch:
    """One subscription of the kernel. All calls on the loop's thread.

    Args:
        message: What the kernel asked for.
        instance: The bridge's id.
        cluster: Where.
        lanes: The sockets.
        reader: Gets what comes.
        patience: Factor of all waits before a new attempt; tests set it to 0.
    """

    def __init__(
        self,
        message: messages.Subscribe,
        instance: str,
        cluster: Cluster,
        lanes: Lanes,
        reader: Reader,
        *,
        patience: float = 1.0,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._message = message
        self._instance = instance
        self._cluster = cluster
        self._lanes = lanes
        self._patience = patience
        self._tick_seconds = tick_seconds
        resume = message.resume
        self._resumed = resume is not None
        self._reflector = Reflector(held=resume.version if resume is not None else "", watch_list=False)
        self._cells = Cells(message.path, message.query, cluster)
        self._records = records = Records(message, instance, reader)
        self._held = Held(self._cells, records.give, records.mark, records.take_columns)
        self._checked = False
        self._rows: list[tuple[msgspec.Raw | bytes, msgspec.Raw]] = []
        self._telling = Telling(message.stream, self._reflector, reader.tell, patience)
        self._end_record = b""
        self._hold: asyncio.TimerHandle | None = None
        self._opened_at: float | None = None
        self._events = 0
        self._is_direct = False
        self._heard = 0.0
        self._over: asyncio.Future[How | None] | None = None
        self._kick = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"watch {message.path}")

    @property
    def cluster(self) -> Cluster:
        """Where it watches."""
        return self._cluster

    def retry(self) -> None:
        """Try again now, whatever it waits for."""
        self._kick.set()
        if self._reflector.state == "stale":
            self._end(Trouble("stalled", "asked to try again"))

    def close(self) -> asyncio.Task[None]:
        """End it; the task that ends."""
        self._held.close()
        self._telling.close()
        if self._hold is not None:
            self._hold.cancel()
        self._task.cancel()
        return self._task

    # --- its life -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        if self._resumed:
            at = self._message.resume
            assert at is not None
            self._records.put([self._records.position(Kind.RESUMED, at.version)])
        while True:
            step = self._reflector.step()
            self._telling.now(step)
            if not isinstance(step, WatchStep):
                self._complete()
            try:
                if isinstance(step, Wait):
                    await self._pause(step.seconds)
                elif isinstance(step, List):
                    trouble = await self._list(step)
                    if trouble is not None:
                        self._reflector.list_failed(trouble)
                else:
                    await self._watch(step)
            except Exception:  # noqa: BLE001 - a mistake of ours in one answer must not end the watch for good
                _log.exception("a watch of %s failed and goes on with a new list", self._message.path)
                self._reflector.failed(Trouble("other", "what the server sent was not understood"))

    async def _pause(self, seconds: float | None) -> None:
        self._kick.clear()
        try:
            async with asyncio.timeout(None if seconds is None else seconds * self._patience):
                await self._kick.wait()
        except TimeoutError:
            self._reflector.waited()
        else:
            self._reflector.retry()

    # --- lists ----------------------------------------------------------------------------------------------------

    async def _list(self, step: List) -> Trouble | None:
        try:
            if step.first:
                await self._cells.renewed()
            answer = await self._cluster.request(
                "GET",
                self._message.path,
                self._query(step.params, tables.INCLUDE),
                headers={"Accept": tables.ACCEPT},
                timeout=LIST_SECONDS,
            )
            if answer.status != 200:
                return troubles.of_answer(answer)
            body = tables.decode_list(answer.body)
            members = list(tables.members(body))
        except MuxError as error:
            return troubles.of_error(error)
        except UNREADABLE as error:
            return Trouble("other", "the server's list cannot be decoded", str(error))
        records: list[bytes] = []
        if step.first:
            again, dropped = self._reflector.synced, self._held.drop()
            if again:
                records.append(self._records.skipped(dropped))
            records.append(self._records.position(Kind.BEGIN, body.metadata.resourceVersion))
            self._rows = []
        records += self._records.new_columns(tables.columns_of(body.columnDefinitions))
        now = time.time()
        for metadata, cells, content in members:
            records.append(self._records.record(Kind.PUT, metadata, cells, content, now))
            self._rows.append((cells, content))
        if self._reflector.page(body.metadata.resourceVersion, body.metadata.token):
            self._cells.check(tables.read_columns(self._records.columns) if self._records.columns else [], self._rows)
            self._rows, self._checked = [], True
            self._telling.now()
            self._end_record = self._records.position(Kind.END, body.metadata.resourceVersion)
            self._hold = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._complete)
        self._records.put(records)
        return None

    def _complete(self) -> None:
        """The list's end, after the state that goes with it."""
        record, self._end_record = self._end_record, b""
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None
        if record:
            self._records.put([record])

    # --- watches --------------------------------------------------------------------------------------------------

    async def _watch(self, step: WatchStep) -> None:
        self._events, self._opened_at, self._is_direct = 0, None, False
        self._over = asyncio.get_running_loop().create_future()
        trouble: Trouble | None
        try:
            if not self._checked and (trouble := await self._learn()) is not None:
                self._reflector.ended(0.0, 0, trouble)
                return
            if self._cells.custom and self._events == 0 and await self._cells.renewed():
                self._reflector.ended(0.0, 0, Trouble("expired", "the columns are other ones now"))
                return
            trouble = await self._through(step.params)
        except MuxError as error:
            trouble = troubles.of_error(error)
        finally:
            self._telling.is_open, self._over = False, None
        seconds = time.monotonic() - self._opened_at if self._opened_at is not None else 0.0
        self._reflector.ended(seconds, self._events, trouble)

    async def _learn(self) -> Trouble | None:
        """After a resumption nothing was listed: a look at one page shows the columns, and which printer is right."""
        await self._cells.renewed()
        answer = await self._cluster.request(
            "GET", self._message.path, self._query({"limit": "20"}, tables.INCLUDE), headers={"Accept": tables.ACCEPT}
        )
        if answer.status != 200:
            return troubles.of_answer(answer)
        try:
            body = tables.decode_list(answer.body)
            columns = tables.columns_of(body.columnDefinitions)
            rows = [(cells, content) for _, cells, content in tables.members(body)]
        except UNREADABLE as error:
            return Trouble("other", "the server's list cannot be decoded", str(error))
        self._cells.check(tables.read_columns(columns) if columns else [], rows)
        self._checked = True
        return None

    async def _through(self, params: dict[str, str]) -> Trouble | None:
        """Watch by the multiplexer, or, where that is known not to do or says no, by a socket of its own."""
        name, over = self._cluster.name, self._over
        assert over is not None
        if not self._lanes.must_be_direct(name):
            socket = await self._lanes.socket_for(self._cluster)
            path, user = self._message.path, self._message.user or self._instance
            asked: Asked | None = socket.watch(name, path, self._query(params), user, self)
            try:
                how = await self._guarded(over)
            finally:
                assert asked is not None
                socket.unwatch(asked)
            if how is None or isinstance(how, Trouble):
                return how
            if isinstance(how, Ended):
                return Trouble("unreachable", "the Headlamp server gave the watch up", how.said) if how.said else None
            if isinstance(how, Silent):
                self._lanes.quarantine(name)
                return Trouble("unreachable", "the Headlamp server does not answer the request to watch")
            if how.held_up:
                self._lanes.quarantine(name)
            if how.unreached:
                return Trouble("unreachable", "the Headlamp server cannot reach the cluster", how.said)
            self._over = over = asyncio.get_running_loop().create_future()
        # "bad handshake" can be anything: the direct path says what, or works where only the multiplexer does not.
        self._is_direct = True
        async with self._lanes.direct() as direct:
            path = f"{self._message.path}?{self._query(params, tables.INCLUDE)}"
            running = asyncio.get_running_loop().create_task(self._lanes.run_direct(direct, self._cluster, path, self))
            running.add_done_callback(lambda task: self._direct_over(task, over))
            try:
                how = await self._guarded(over)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
        assert how is None or isinstance(how, Trouble)
        if self._opened_at is not None:
            self._lanes.force_direct(name)
        return how

    @staticmethod
    def _direct_over(task: asyncio.Task[Trouble | None], over: asyncio.Future[How | None]) -> None:
        if not over.done() and not task.cancelled():
            error = task.exception()
            over.set_result(Trouble("other", "the direct watch failed", str(error)) if error else task.result())

    async def _guarded(self, over: asyncio.Future[How | None]) -> How | None:
        guard = asyncio.get_running_loop().create_task(self._guard())
        try:
            return await over
        finally:
            guard.cancel()

    # --- what the socket tells ------------------------------------------------------------------------------------

    def opened(self) -> None:
        """The upstream is open."""
        self._opened_at = self._heard = time.monotonic()
        self._telling.is_open = True
        self._reflector.opened()
        self._telling.now()
        self._complete()

    def data(self, payload: bytes) -> None:
        """One event."""
        self._heard = self._cluster.last_contact = time.monotonic()
        if self._over is None or self._over.done():
            return
        self._events += 1
        if self._reflector.state == "stale":
            self._reflector.alive()
            self._telling.now()
        try:
            trouble = self._take(payload)
        except UNREADABLE as error:
            trouble = Trouble("other", "the server's events cannot be decoded", str(error))
        if trouble is not None:
            self._end(trouble)

    def over(self, how: How) -> None:
        """It is over."""
        self._end(how)

    def query_now(self) -> str:
        """The query that goes on from where it stands."""
        step = self._reflector.step()
        return self._query(step.params) if isinstance(step, WatchStep) else ""

    def _end(self, how: How) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(how)

    def _take(self, payload: bytes) -> Trouble | None:
        event = tables.decode_plain(payload)
        if event.type == "ERROR":
            return tables.error(payload)
        # A direct socket's header asks for Tables, and a proxy may leave it out.
        is_table = self._is_direct and tables.is_table(payload)
        if event.type == "BOOKMARK":
            version, _ = tables.bookmark(payload, table=is_table)
            self._reflector.progress(version)
            self._held.mark(version)
            return None
        if event.type not in _CHANGES:
            return None
        if is_table:
            self._take_table(event.type == "DELETED", tables.decode_event(payload).object)
            return None
        metadata = tables.decode_content(event.object).metadata
        change: Event = event.type == "DELETED", metadata, event.object
        cells = self._cells.of(event.object) if self._cells.exact and not self._held else None
        if cells is None:
            self._held.put(change)
        else:
            self._records.give(change, cells)
        self._reflector.version = metadata.resourceVersion
        return None

    def _take_table(self, deleted: bool, table: tables.Table) -> None:
        if (columns := tables.columns_of(table.columnDefinitions)) is not None:
            self._records.take_columns(columns)
        for row in table.rows or ():
            metadata = tables.decode_content(row.object).metadata
            if self._held:  # those before it wait for their cells still
                self._held.put((deleted, metadata, row.object))
            else:
                self._records.give((deleted, metadata, row.object), bytes(row.cells))
            self._reflector.version = metadata.resourceVersion

    # --- the watchdog ---------------------------------------------------------------------------------------------

    async def _guard(self) -> None:
        """End the watch when nothing comes for too long, or when the cluster does not answer elsewhere either."""
        misses = 0
        while True:
            await asyncio.sleep(self._tick_seconds)
            if not self._telling.is_open:
                continue
            now = time.monotonic()
            silent = now - self._heard
            if silent > SILENCE_SECONDS:
                break
            near = now - max(self._heard, self._cluster.last_contact)
            if near < QUIET_SECONDS or await self._cluster.is_alive():
                misses = 0
                if self._reflector.state == "stale":
                    self._reflector.alive()
                    self._telling.now()
                continue
            misses += 1
            self._reflector.stale(Trouble("stalled", f"no sign of life for {round(time.monotonic() - self._heard)} s"))
            self._telling.now()
            if misses >= MISSES:
                break
        self._end(Trouble("stalled", f"no sign of life for {round(time.monotonic() - self._heard)} s"))

    def _query(self, params: dict[str, str], include: str = "") -> str:
        return "&".join(part for part in (self._message.query, include, urlencode(params)) if part)
