"""A page's own WebSocket to one terminal: its first message shows the ticket, and it has no other right."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from notebook_mux.errors import MuxError, ProtocolError
from notebook_mux.gateway.shared import Shared
from notebook_mux.kube.scope import Scopes
from notebook_mux.remote.dialer import Place
from notebook_mux.remote.screens import Screens
from notebook_mux.wire import messages
from notebook_mux.wire.sending import MAX_CREDIT, Parts, Sender, Source

if TYPE_CHECKING:
    from notebook_mux.gateway.session import Socket

SUBPROTOCOL = "notebook-mux.terminal.v1"
PATH = messages.PATH + "/terminal"
STREAM = 1
"""The one stream's id."""

TICKET_SECONDS = 10.0
"""From the open socket to its first message."""

MAX_STRANGERS = 32
"""Sockets that have not shown their ticket, at once: each notebook of a page opens one for each of its terminals."""

MAX_FIRST = 4096
"""Bytes of the first message."""

BACKLOG = 1000
"""Control messages that wait for a page before nothing more is read from it."""

YIELD_FRAMES = 16
"""Frames written before others get their turn on the loop."""

PING_SECONDS = 30.0
"""Between pings, which keep the way open through a Hub's proxies (many end what is silent for a minute)."""

GOODBYE_SECONDS = 1.0
"""For the last words and the closing handshake."""

NORMAL, GOING_AWAY, PROTOCOL, POLICY, FAILED = 1000, 1001, 1002, 1008, 1011
"""Close codes (RFC 6455, 7.4.1)."""

log = logging.getLogger(__name__)


class _Over(Exception):
    """The page's socket is to be closed."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Page:
    """Serves one WebSocket. On the gateway's loop.

    Args:
        socket: Open, the sub-protocol agreed.
        origin: The page's, as the browser says it.
        shared: The gateway's.
        welcomed: Called when it has shown a ticket that is good.
    """

    kernel = ""

    def __init__(self, socket: Socket, origin: str, shared: Shared, welcomed: Callable[[], None]) -> None:
        self.since = time.time()
        self.scopes = Scopes(allowed=False)
        self.ended = asyncio.Event()
        self._socket = socket
        self._origin = origin
        self._shared = shared
        self._welcomed = welcomed
        self._screens = Screens(self, shared)
        self._sender = Sender(MAX_CREDIT)
        self._untold = 0
        self._wanted = asyncio.Event()
        self._drained = asyncio.Event()
        self._end: asyncio.Future[_Over] = asyncio.get_running_loop().create_future()

    # --- its life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until the page goes, breaks the protocol, or the terminal or the gateway ends."""
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        self._shared.pages.add(self)
        over = _Over(NORMAL)
        try:
            waiting: set[asyncio.Future[Any]] = {reading, writing, self._end}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            over = self._end.result() if self._end.done() else _why(reading, writing)
        finally:
            self._end.cancel()
            self._shared.pages.discard(self)
            self._screens.release()
            for task in (reading, writing):
                task.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            await self._close(over)
            self.ended.set()
            self._shared.touched()

    def end(self) -> None:
        """The gateway ends."""
        if not self._end.done():
            self._end.set_result(_Over(GOING_AWAY, "closing"))

    async def _close(self, over: _Over) -> None:
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                while isinstance(frame := self._sender.take(), str):
                    await self._socket.send(frame)
                await self._socket.close(over.code, over.reason)
        except (OSError, TimeoutError):
            pass
        finally:
            self._socket.abort()

    # --- what its screens call ----------------------------------------------------------------------------------------

    def cluster(self, ref: str) -> Place:
        """None: a page asks no cluster anything."""
        raise NotImplementedError

    def send(self, message: messages.Message) -> None:
        """Queue a control message."""
        self._untold += 1
        self._sender.control(message)
        self._wanted.set()
        if isinstance(message, messages.Ended) and not self._end.done():
            self._end.set_result(_Over(NORMAL, message.code))

    def wake(self, stream: int) -> None:
        """There may be something to send."""
        self._sender.wake(stream)
        self._wanted.set()

    def open_lane(self, stream: int, source: Source, credit: int, *, urgent: bool = False) -> None:
        """Send from `source`."""
        self._sender.add(stream, source, credit, urgent=urgent)
        self._wanted.set()

    def close_lane(self, stream: int) -> None:
        """Send nothing more."""
        self._sender.remove(stream)

    # --- writing and reading ------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                await self._socket.ping()
            self._wanted.clear()
            written = 0
            while (frame := self._take()) is not None:
                await self._socket.send(frame)
                self._drained.set()
                written += 1
                if written % YIELD_FRAMES == 0:
                    await asyncio.sleep(0)

    def _take(self) -> str | Parts | None:
        frame = self._sender.take()
        self._untold -= isinstance(frame, str)
        return frame

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(TICKET_SECONDS):
                first = await self._socket.receive()
        except TimeoutError:
            raise _Over(POLICY, "no ticket in time") from None
        if first is None:
            return
        self._show(_view(first))
        while (frame := await self._socket.receive()) is not None:
            if isinstance(frame, bytes):
                self._screens.frame(frame)
            else:
                self._handle(messages.decode_client(frame))
            while self._untold > BACKLOG:
                self._drained.clear()
                await self._drained.wait()

    def _show(self, view: messages.View) -> None:
        try:
            self._shared.tickets.take(view.ticket, self._origin, view.terminal)
            self._screens.allow(self._shared.terminals.get(view.terminal))
        except MuxError as error:
            refusal = messages.Ended(stream=STREAM, code=error.code, what=error.what, todo=error.todo)
            self._sender.control(refusal)
            raise _Over(POLICY, error.code) from None
        self._welcomed()
        self._screens.open(view)

    def _handle(self, message: messages.ClientMessage) -> None:
        match message:
            case messages.Size(stream=1):
                self._screens.size(message)
            case messages.Credit(stream=1) if message.bytes >= 0:
                self._sender.grant(STREAM, message.bytes)
                self._wanted.set()
            case messages.Unsubscribe(stream=1):
                raise _Over(NORMAL)
            case _:
                raise ProtocolError("a message that a page's socket has no right to")


def _view(frame: str | bytes) -> messages.View:
    """The first message.

    Raises:
        _Over: It is no view with a ticket; nothing of it is said again.
    """
    message: messages.ClientMessage | None = None
    if isinstance(frame, str) and len(frame) <= MAX_FIRST:
        with contextlib.suppress(ProtocolError):
            message = messages.decode_client(frame)
    if not (isinstance(message, messages.View) and message.stream == STREAM and message.ticket):
        raise _Over(PROTOCOL, "the first message has to be a view with a ticket")
    return message


def _why(*tasks: asyncio.Task[Any]) -> _Over:
    """Why the socket is closed."""
    for task in tasks:
        error = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(error, _Over):
            return error
        if isinstance(error, ProtocolError):
            log.warning("a page broke the protocol")
            return _Over(PROTOCOL, "protocol")
        if error is not None and not isinstance(error, OSError):
            log.error("a page's socket failed: %s", type(error).__name__)
            return _Over(FAILED, "gateway")
    return _Over(NORMAL)
