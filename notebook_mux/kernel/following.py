"""One container's log on the socket: opens the requests that its `tailing.tail.Tail` wants, and hands on what comes."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import msgspec

from notebook_mux.tailing.lines import Batch
from notebook_mux.tailing.reading import Reader
from notebook_mux.tailing.tail import Tail
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.logs import LogEnd

_end = msgspec.json.Decoder(LogEnd).decode


class Line(Protocol):
    """What a log needs of a connection."""

    def attach(self, handler: Any) -> None:
        """Open its stream now and on each new socket."""

    def again(self, handler: Any) -> None:
        """End its stream and open another."""

    def detach(self, handler: Any) -> None:
        """End its stream for good."""


class Owner(Protocol):
    """Whose log it is."""

    def take(self, source: Following, batch: Batch) -> None:
        """Lines."""

    def mark(self, source: Following, kind: str, text: str, moment: int, more: dict[str, str]) -> None:
        """A word of ours."""

    def moved(self) -> None:
        """A state is another one."""

    def watch(self) -> None:
        """A tail wants its `tick`."""

    async def look(self, source: Following) -> None:
        """Read the pod afresh and tell its tails."""

    def cluster(self, source: Following) -> str:
        """The ref of its cluster now."""


class Following:
    """A `connection.StreamHandler` and a `tailing.tail.Sink`. On the loop's thread.

    Args:
        line: The connection.
        owner: Whose it is.
        about: What `LogsState` says of its source and does not change: index, cluster, namespace, pod, container, kind,
            uid.
        path: The log of its pod.
        user: The user id tied to each request.
        options: Of `Tail`.
    """

    def __init__(self, line: Line, owner: Owner, about: dict[str, Any], path: str, user: str, **options: Any) -> None:
        self.about = about
        self.index: int = about["index"]
        self.path = path
        self.tail = Tail(about["container"], self, clock=time.monotonic, **options)
        self.reader = Reader()
        self.count = 0
        self.last = 0
        """The number of its last line or mark in the store."""
        self.kept = True
        """Whether the last line that began something was kept by the filters: what belongs to it goes with it."""
        self.since = time.time()
        self.closed = False
        self._line = line
        self._owner = owner
        self._user = user
        self._attached = False
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._state = ""

    def view(self) -> dict[str, Any]:
        """What `LogsState` says of it; any thread may call."""
        tail = self.tail
        return {
            **self.about,
            "restart": tail.restart,
            "state": tail.state,
            "reason": tail.reason,
            "said": tail.said,
            "todo": tail.todo,
            "since": self.since,
            "retry_at": self.retry_at,
            "lines": self.count,
        }

    retry_at: float | None = None

    # --- what the tail gives --------------------------------------------------------------------------------------

    def lines(self, batch: Batch) -> None:
        """See `tailing.tail.Sink`."""
        self._owner.take(self, batch)

    def mark(self, kind: str, text: str, moment: int, **more: str) -> None:
        """See `tailing.tail.Sink`."""
        self._owner.mark(self, kind, text, moment, more)

    def changed(self) -> None:
        """See `tailing.tail.Sink`."""
        tail = self.tail
        if tail.state != self._state:
            self._state, self.since = tail.state, time.time()
        self.retry_at = None if tail.retry_in is None else time.time() + tail.retry_in
        self._owner.moved()

    # --- when to ask ----------------------------------------------------------------------------------------------

    def drive(self) -> None:
        """Do what the tail wants now: open a request, end one, or wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tail = self.tail
        if self.closed or tail.due is None:
            if self._attached and not tail.open:
                self._attached = False
                self._line.detach(self)
        elif (wait := tail.due - time.monotonic()) > 0:
            if self._attached and not tail.open:
                self._attached = False
                self._line.detach(self)
            self._timer = asyncio.get_running_loop().call_later(wait, self.drive)
        elif tail.look:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.get_running_loop().create_task(self._look())
        elif self._attached:
            self._line.again(self)
        else:
            self._attached = True
            self._line.attach(self)
        if tail.restless:
            self._owner.watch()

    async def _look(self) -> None:
        await self._owner.look(self)
        self.tail.looked()
        self._looking = None
        self.drive()

    def tick(self) -> bool:
        """Time has gone by; whether it wants to be told so again."""
        if self.tail.tick():
            self.drive()
        return self.tail.restless

    def close(self) -> None:
        """Ask for nothing more."""
        self.closed = True
        if self._looking is not None:
            self._looking.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._attached:
            self._attached = False
            self._line.detach(self)

    # --- what the connection calls --------------------------------------------------------------------------------

    def begin(self, stream: int, credit: int) -> messages.Log | None:
        """The socket is open: the request that is due, or none."""
        tail = self.tail
        if self.closed or tail.due is None or tail.due > time.monotonic() or tail.look:
            if tail.look and not self.closed:
                asyncio.get_running_loop().call_soon(self.drive)
            return None
        query = tail.query()
        self._owner.watch()
        cluster = self._owner.cluster(self)
        return messages.Log(stream=stream, cluster=cluster, path=self.path, query=query, user=self._user, credit=credit)

    def data(self, channel: int, payload: bytes) -> None:
        """A piece of the log, or its end."""
        tail = self.tail
        if not tail.open:
            return
        if channel == Channel.STDOUT:
            if not payload:
                tail.answered()
            elif tail.data(payload):
                self.drive()
                return
            if tail.restless:
                self._owner.watch()
        elif channel == Channel.END:
            end = _end(payload)
            tail.ended(end.status, end.code, end.what, end.said, end.todo)
            self.drive()

    def control(self, message: Any) -> None:
        """The gateway refuses."""
        if isinstance(message, messages.Ended):
            self.tail.refused(message.code, message.what, message.said, message.todo)
            self.drive()

    def lost(self, reason: str, retry_at: float | None) -> None:
        """The socket is gone, or still gone; the log is not."""
        if not self.closed:
            self.tail.cut(reason, None if retry_at is None else max(0.0, retry_at - time.time()))
            if self.tail.due is None:
                self.drive()
