"""One list and watch of a cluster, shared by all who asked for the same.

`Reflector` decides, `Cluster` carries, `UpstreamStore` keeps; here is the loop between them and what readers are told.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp

from notebook_mux import clocks
from notebook_mux.errors import MuxError
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.flusher import Flusher
from notebook_mux.gateway.upstream_store import UpstreamStore
from notebook_mux.gateway.watching import Watching
from notebook_mux.kube import table_events as wire, troubles
from notebook_mux.kube.reflector import List, Reflector, Wait, Watch
from notebook_mux.kube.states import Sink, State, UpstreamState
from notebook_mux.kube.troubles import Trouble
from notebook_mux.wire import UNREADABLE

__all__ = ["LINGER_SECONDS", "Sink", "State", "Upstream", "UpstreamState"]

LINGER_SECONDS = 5.0
"""A watch without readers goes on for this long: a page that is loaded again finds it as it was."""

LIST_SECONDS = 60.0
"""For one page; the API server's own limit for requests that are no watch."""

_log = logging.getLogger(__name__)


class Upstream:
    """One watch of (identity, path, query). All calls on the gateway's loop.

    Args:
        cluster: Which cluster, as whom.
        path: As ``/api/v1/pods``.
        query: Selectors, encoded.
        resume_version: The version to begin with, see `start_version`.
        linger: See `LINGER_SECONDS`.
        patience: Factor of all waits before a new attempt; tests set it to 0.
        on_end: Called once when it has no readers any more and ends.

    Attributes:
        key: (cluster ref, path, query).
        incarnation: Random; another one whenever the numbers begin again.
        state: See `UpstreamState`.
    """

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        query: str = "",
        *,
        resume_version: str | None = None,
        linger: float = LINGER_SECONDS,
        patience: float = 1.0,
        on_end: Callable[[Upstream], None] | None = None,
    ) -> None:
        self.key = (cluster.ref, path, query)
        self.cluster = cluster
        self.incarnation = secrets.token_hex(8)
        self.state = UpstreamState(since=time.time())
        self._linger = linger
        self._patience = patience
        self._on_end = on_end
        self._store = UpstreamStore()
        self._reflector = Reflector(resume=resume_version)
        self._flusher = Flusher()
        self._raw_columns = b""
        self._columns: list[dict[str, object]] = []
        self._kick = asyncio.Event()
        self._watching: Watching | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<Upstream {self.key} {self.state.state}>"

    # --- what readers see -----------------------------------------------------------------------------------------

    @property
    def number(self) -> int:
        """The last number given."""
        return self._store.number

    @property
    def version(self) -> str:
        """The last resourceVersion, of events and bookmarks."""
        return self._reflector.version

    @property
    def start_version(self) -> str:
        """The resourceVersion at number 0, where it began with one a client asked for, else ""."""
        return self._reflector.start_version

    @property
    def columns(self) -> list[dict[str, object]]:
        """The server's columnDefinitions; [] until known, and where the server makes no Tables."""
        return self._columns

    @property
    def records(self) -> dict[str, bytes]:
        """By uid the encoded PUT record of each object. Do not change it."""
        return self._store.records

    @property
    def numbers(self) -> dict[str, int]:
        """By uid the number of its record (0: the first list). Do not change it."""
        return self._store.numbers

    @property
    def is_synced(self) -> bool:
        """Whether `records` is complete, though perhaps of a while ago."""
        return self._reflector.synced

    @property
    def sinks(self) -> int:
        """How many read it."""
        return len(self._flusher.sinks)

    @property
    def relists(self) -> int:
        """How often a version had expired."""
        return self._reflector.relists

    def replay_after(self, number: int) -> list[tuple[int, str, str, bytes]] | None:
        """All changes after `number` as (number, uid, version, encoded), or None if not all are kept any more."""
        return self._store.replay_after(number) if self.is_synced else None

    def number_of_version(self, version: str) -> int | None:
        """The number at which this upstream had exactly what the server had at `version`; None if not known."""
        return self._store.number_of_version(version) if self.is_synced else None

    def subscribe(self, sink: Sink) -> None:
        """Add a reader. It gets what comes from now on; what is there already it reads from `records`."""
        if self._closed:
            raise RuntimeError("this upstream has ended; ask Upstreams for another")
        self._flusher.flush()  # what waits is in `records` already, and must not come to the new one again
        self._flusher.sinks[sink] = None
        self._keep()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"upstream {self.key[1]}")

    def unsubscribe(self, sink: Sink) -> None:
        """Remove a reader; without any the watch ends after a while. Twice is fine."""
        if sink in self._flusher.sinks:
            del self._flusher.sinks[sink]
            self.linger()

    def linger(self) -> None:
        """End after a while, unless a reader comes."""
        if not self._closed and not self._flusher.sinks and self._ending is None:
            self._ending = asyncio.get_running_loop().call_later(self._linger, self._end)

    def retry(self) -> None:
        """Try again now, whatever it waits for."""
        self._kick.set()
        if not self.is_synced and self.state.state != "connecting":
            self._say(UpstreamState("connecting", since=time.time()))
        if self._watching is not None and self.state.state == "stale":
            self._watching.cut()

    async def aclose(self) -> None:
        """End the watch; sinks see the state ``closed``."""
        task = self._task
        self._end()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    # --- its life -------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _end(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._keep()
        if self._task is not None:
            self._task.cancel()
        self._flusher.flush()
        self._say(UpstreamState("closed", since=time.time()))
        self._flusher.sinks.clear()
        if self._on_end is not None:
            self._on_end(self)

    async def _run(self) -> None:
        while True:
            step = self._reflector.step()
            self._tell_state(step)
            try:
                if isinstance(step, Wait):
                    await self._pause(step.seconds)
                elif isinstance(step, List):
                    await self._list(step)
                else:
                    await self._watch(step)
            except Exception:  # noqa: BLE001 - a mistake of ours in one answer must not end the watch for good
                _log.exception("%r failed and goes on with a new list", self)
                self._reflector.failed(Trouble("other", "the gateway failed to understand the server"))

    async def _pause(self, seconds: float | None) -> None:
        self._kick.clear()
        try:
            async with asyncio.timeout(None if seconds is None else seconds * self._patience):
                await self._kick.wait()
        except TimeoutError:
            self._reflector.waited()
        else:
            self.cluster.forget_failure()
            self._reflector.retry()

    # --- lists ----------------------------------------------------------------------------------------------------

    async def _list(self, step: List) -> None:
        trouble = await self._page(step)
        if trouble is not None:
            self._reflector.list_failed(trouble)

    async def _page(self, step: List) -> Trouble | None:
        _, path, query = self.key
        try:
            answer = await self.cluster.request(
                "GET",
                path,
                _joined(query, step.params),
                headers={"Accept": wire.ACCEPT, "Accept-Encoding": "gzip"},
                timeout=LIST_SECONDS,
                patient=False,
            )
        except MuxError as error:
            return troubles.of_error(error)
        if answer.status != 200:
            return troubles.of_answer(answer)
        try:
            body = wire.decode_list(answer.body)
            if step.first:
                self._store.begin()
            self._take_columns(wire.columns_of(body.columnDefinitions))
            now = self.cluster.clock.now(time.time())
            for metadata, cells, content in wire.members(body):
                self._store.listed(metadata, cells, content, now)
        except UNREADABLE as error:
            return Trouble("other", "the server's list cannot be decoded", str(error))
        version = body.metadata.resourceVersion
        first = not self.is_synced
        if self._reflector.page(version, body.metadata.token):
            self._completed(first)
        return None

    def _completed(self, first: bool) -> None:
        """A list is complete: readers get the difference, or for the first one the word that it is there."""
        items = self._store.finish(self._reflector.version)
        self._tell_state(None)
        if first:
            self._flusher.tell(lambda sink: sink.synced())
            return
        self._flusher.put(items)
        self._flusher.flush()
        self._flusher.tell(lambda sink: sink.relisted())

    def _take_columns(self, columns: bytes | None) -> bool:
        """Take columnDefinitions; whether there were other ones before."""
        if columns is None or columns == self._raw_columns:
            return False
        self._raw_columns = columns
        read = wire.read_columns(columns)
        if read == self._columns:
            return False
        known, self._columns = bool(self._columns), read
        if known:
            self._store.rows_changed()
        self._flusher.tell(lambda sink: sink.columns_changed())
        return known

    # --- watches --------------------------------------------------------------------------------------------------

    async def _watch(self, step: Watch) -> None:
        _, path, query = self.key
        if step.initial:
            self._store.begin()
        watching = Watching(
            self.cluster, self._reflector, self._store, self._flusher, step.initial,
            take_columns=self._take_columns, completed=self._completed, tell=lambda: self._tell_state(None),
        )  # fmt: skip
        self._watching = watching
        try:
            trouble = await watching.run(path, _joined(query, step.params))
        except MuxError as error:
            trouble = troubles.of_error(error)
        except (aiohttp.ClientError, OSError) as error:
            trouble = troubles.of_error(self.cluster.failed(error))
        except UNREADABLE as error:
            trouble = Trouble("other", "the server's events cannot be decoded", str(error))
        finally:
            self._watching = None
        self._reflector.ended(watching.seconds, watching.events, trouble)

    # --- telling --------------------------------------------------------------------------------------------------

    def _tell_state(self, step: Wait | List | Watch | None) -> None:
        reflector, old, now = self._reflector, self.state, time.time()
        trouble = reflector.trouble
        retry_at = now + step.seconds if isinstance(step, Wait) and step.seconds is not None else None
        since = old.since if old.state == reflector.state else now
        fresh = None if reflector.state == "live" else old.fresh
        if old.state == "live" and reflector.state != "live":
            fresh = max(old.since, now - (time.monotonic() - self.cluster.last_contact))
        clock = clocks.plain(self.cluster.clock)
        new = UpstreamState(reflector.state, since=since, retry_at=retry_at, fresh=fresh, clock=clock)
        if trouble is not None:
            new = UpstreamState(
                reflector.state, trouble.reason, trouble.said, trouble.code, since, retry_at, trouble.todo, fresh, clock
            )
        if new != old:
            self._flusher.flush()
            self._say(new)

    def _say(self, state: UpstreamState) -> None:
        self.state = state
        self._flusher.tell(lambda sink: sink.state_changed())


def _joined(query: str, params: dict[str, str]) -> str:
    return "&".join(part for part in (query, wire.INCLUDE, urlencode(params)) if part)
