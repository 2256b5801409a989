"""WebSockets to a Headlamp server: the multiplexed one, and the direct ones that its traps force."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Origin, Subprotocol

from notebook_mux.errors import ProtocolError
from notebook_mux.headlamp import client
from notebook_mux.headlamp.client import (
    ACK_SECONDS,
    Asked,
    Connected,
    Data,
    Ended,
    InDoubt,
    Multiplexer,
    Refused,
    Silent,
)
from notebook_mux.kube import troubles
from notebook_mux.kube.answers import Answer
from notebook_mux.kube.troubles import Trouble
from notebook_mux.urls import is_loopback
from notebook_mux.wire.headlamp import SUBPROTOCOL

OPEN_SECONDS = 10.0
"""For TCP and the handshake of the multiplexed socket, which asks no cluster."""

DIRECT_OPEN_SECONDS = 50.0
"""The same where the server dials a cluster first; its own limit is 45 s."""

CLOSE_SECONDS = 1.0
"""For the closing handshake."""

MAX_FRAME = 64 * 1024 * 1024
"""Bytes of one frame: an object of etcd's 1.5 MiB twice escaped has ten, and the server itself has no limit."""

TICK_SECONDS = 5.0
DEAD_TICKS = 19
"""Ticks without any sign of life after which the socket is given up: 95 s. A pong may take 45 s, while the server dials
a cluster that does not answer. Ticks are counted, not seconds: a cell that holds the GIL for minutes ends nothing."""

DOUBT_SECONDS = 0.05
"""Before a watch in doubt is asked for again: sooner the server may still hold the one that has ended."""

DIRECT_PROTOCOL = "base64.binary.k8s.io"
"""What a direct watch offers: one sub-protocol, for with none the server answers an empty one; frames are JSON text."""


_log = logging.getLogger(__name__)


class Listener(Protocol):
    """What a watch hears. Calls come on the loop's thread."""

    def opened(self) -> None:
        """The upstream is open."""

    def data(self, payload: bytes) -> None:
        """One frame of it."""

    def over(self, how: Ended | Refused | Silent | Trouble) -> None:
        """It is over."""

    def query_now(self) -> str:
        """The query that goes on from where it stands."""


class _Straight(connect):
    """Dials and follows no redirect: it would carry the desktop token to whoever is named there."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The answer is the answer."""
        return exc


async def _dial(
    url: str, headers: Mapping[str, str], protocol: str, seconds: float, origin: str | None = None
) -> ClientConnection:
    return await _Straight(
        url,
        subprotocols=[Subprotocol(protocol)],
        additional_headers={name: value for name, value in headers.items() if name != "User-Agent"},
        user_agent_header=headers.get("User-Agent"),
        origin=Origin(origin) if origin else None,
        compression=None,
        open_timeout=seconds,
        close_timeout=CLOSE_SECONDS,
        ping_interval=None,
        max_size=MAX_FRAME,
        proxy=None if is_loopback(url) else True,
    )


async def _hang_up(socket: ClientConnection) -> None:
    """Close politely; in any case it is closed afterwards."""
    try:
        await socket.close()
    finally:
        socket.transport.abort()


def _let_go(socket: ClientConnection) -> None:
    held = socket.transport.get_extra_info("socket")
    if held is not None and held.fileno() >= 0:
        try:
            os.close(held.fileno())
        except OSError:
            return


class MuxSocket:
    """The multiplexed socket, open. Its `ended` gives the reason in words, once.

    Args:
        socket: The WebSocket.
        room: Awaited after each frame: until there is room for what the next one brings.
        tick_seconds: See `TICK_SECONDS`.
        ack_seconds: See `client.ACK_SECONDS`.
    """

    def __init__(
        self,
        socket: ClientConnection,
        room: Callable[[], Awaitable[None]],
        *,
        tick_seconds: float = TICK_SECONDS,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.mux = Multiplexer(ack_seconds=ack_seconds)
        self.received_bytes = self.received_frames = self.sent_bytes = self.sent_frames = 0
        self.ended: asyncio.Future[str] = loop.create_future()
        self.garbage = False
        self._socket = socket
        self._room = room
        self._tick_seconds = tick_seconds
        self._listeners: dict[Asked, Listener] = {}
        self._wanted = asyncio.Event()
        self._alive = True
        self._pinged = False
        self._doubtful: dict[Asked, None] = {}
        self._asking: asyncio.TimerHandle | None = None
        self._more_doubt = False
        self._tasks = [loop.create_task(step()) for step in (self._read, self._write, self._guard)]

    @classmethod
    async def open(
        cls, url: str, headers: Mapping[str, str], room: Callable[[], Awaitable[None]], **options: float
    ) -> MuxSocket:
        """Dial; `options` are those of the class.

        Raises:
            OSError, TimeoutError, InvalidHandshake, ConnectionClosed: As websockets has it.
        """
        return cls(await _dial(url, headers, SUBPROTOCOL, OPEN_SECONDS), room, **options)

    # --- watches --------------------------------------------------------------------------------------------------

    def watch(self, cluster: str, path: str, query: str, user: str, listener: Listener) -> Asked:
        """Ask for a watch; `listener` hears of it until `over`, or `unwatch`."""
        asked = self.mux.watch(cluster, path, query, user)
        self._listeners[asked] = listener
        self._wanted.set()
        return asked

    def unwatch(self, asked: Asked) -> None:
        """It is not wanted any more. Twice is fine."""
        self._listeners.pop(asked, None)
        self.mux.close(asked)
        self._wanted.set()

    def _happen(self, event: client.Event) -> None:
        if isinstance(event, InDoubt):
            self._doubt(event)
            return
        listener = self._listeners.get(event.watch)
        if listener is None:
            return
        if isinstance(event, Data):
            listener.data(event.payload)
        elif isinstance(event, Connected):
            listener.opened()
        else:
            del self._listeners[event.watch]
            listener.over(event)

    def _doubt(self, event: InDoubt) -> None:
        """Ask again soon; once for all that end meanwhile, for where an API server goes, all of a path do."""
        self._doubtful.update(dict.fromkeys(event.watches))
        if self._asking is None:
            self._asking = asyncio.get_running_loop().call_later(DOUBT_SECONDS, self._ask_again)
        else:
            self._more_doubt = True

    def _ask_again(self) -> None:
        for asked in self._doubtful:
            if (listener := self._listeners.get(asked)) is not None and (query := listener.query_now()):
                self.mux.again(asked, query)
        self._wanted.set()
        self._asking = None
        if self._more_doubt:  # the last one that ended may have done so a moment ago
            self._more_doubt = False
            self._asking = asyncio.get_running_loop().call_later(DOUBT_SECONDS, self._ask_again)
        else:
            self._doubtful.clear()

    # --- the socket -----------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._socket.recv()
                self._alive = True
                self.received_bytes += len(frame)
                self.received_frames += 1
                for event in self.mux.receive(frame):
                    self._happen(event)
                self._wanted.set()
                await self._room()
        except ConnectionClosed as error:
            received = error.rcvd
            reason = f" {received.reason}" if received is not None and received.reason else ""
            code = f" ({received.code}{reason})" if received is not None else ""
            self._end(f"the Headlamp server closed the socket{code}" if received else "the socket was cut")
        except ProtocolError as error:
            self.garbage = True
            self._end(error.what)
        except Exception:  # noqa: BLE001 - nobody else would read on, and pongs would make it look alive
            _log.exception("a frame of a Headlamp server was not understood")
            self.garbage = True
            self._end("what the Headlamp server sent was not understood")

    async def _write(self) -> None:
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                for frame in self.mux.outgoing():
                    await self._socket.send(frame)
                    self.sent_bytes += len(frame)
                    self.sent_frames += 1
        except ConnectionClosed:
            return  # the reader tells

    async def _guard(self) -> None:
        silent = 0
        while True:
            await asyncio.sleep(self._tick_seconds)
            silent = 0 if self._alive else silent + 1
            self._alive = False
            if silent >= DEAD_TICKS:
                self._end(f"no sign of life from the Headlamp server for {round(silent * self._tick_seconds)} s")
                return
            for event in self.mux.tick():
                self._happen(event)
            self._wanted.set()
            await self._ping()

    async def _ping(self) -> None:
        if self._pinged:
            return
        sent = self.mux.now()
        try:
            async with asyncio.timeout(self._tick_seconds):  # a server that reads nothing blocks the writing of it
                pong = asyncio.ensure_future(await self._socket.ping())
        except (ConnectionClosed, TimeoutError):
            return
        self._pinged = True

        def answered(waiter: asyncio.Future[float]) -> None:
            self._pinged = False
            if not waiter.cancelled() and waiter.exception() is None:
                self._alive = True
                self.mux.heard(sent)

        pong.add_done_callback(answered)

    def _end(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_result(why)
        listeners, self._listeners = self._listeners, {}
        for listener in listeners.values():
            listener.over(Trouble("unreachable", why))

    def abort(self) -> None:
        """Cut it, and end what belongs to it."""
        if self._asking is not None:
            self._asking.cancel()
        for task in self._tasks:
            task.cancel()
        self._listeners.clear()
        self._socket.transport.abort()
        if not self.ended.done():
            self.ended.set_result("closed")

    async def close(self) -> None:
        """Close it politely, after what is queued has been written."""
        try:
            if self._wanted.is_set():
                await asyncio.sleep(0)
            self._tasks[1].cancel()
            self._tasks[2].cancel()
            await _hang_up(self._socket)
        finally:
            self.abort()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self) -> None:
        """In a forked child: close the copy of the file descriptor without a word."""
        _let_go(self._socket)


class DirectSocket:
    """One watch on a WebSocket of its own, below ``/clusters/<name>``."""

    def __init__(self) -> None:
        self._socket: ClientConnection | None = None

    async def run(
        self,
        url: str,
        headers: Mapping[str, str],
        origin: str,
        listener: Listener,
        room: Callable[[], Awaitable[None]],
    ) -> Trouble | None:
        """Watch until it ends; why, None for a normal end.

        Args:
            url: ws or wss, with the query.
            headers: Cookies and the desktop token.
            origin: The server's own; without one it refuses a watch.
            listener: Hears `opened` and `data`.
            room: See `MuxSocket`.
        """
        try:
            self._socket = socket = await _dial(url, headers, DIRECT_PROTOCOL, DIRECT_OPEN_SECONDS, origin)
        except InvalidStatus as error:
            response = error.response
            plain = {name.lower(): value for name, value in response.headers.raw_items()}
            return troubles.of_answer(Answer(response.status_code, plain, bytes(response.body or b"")))
        except InvalidHandshake as error:
            return Trouble("other", "the Headlamp server does not upgrade to a WebSocket", str(error))
        except (OSError, TimeoutError, ConnectionClosed) as error:
            return Trouble("unreachable", "no direct WebSocket to the cluster", str(error) or type(error).__name__)
        try:
            listener.opened()
            while True:
                frame = await socket.recv()
                listener.data(frame if isinstance(frame, bytes) else frame.encode())
                await room()
        except ConnectionClosed as error:
            # An API server ends a watch with 1000; an upstream that was cut arrives as 1006.
            return None if error.rcvd is not None else Trouble("unreachable", "the direct WebSocket was cut")
        finally:
            self._socket = None
            await _hang_up(socket)

    def abort(self) -> None:
        """Cut it."""
        if self._socket is not None:
            self._socket.transport.abort()

    def forget(self) -> None:
        """In a forked child: close the copy of the file descriptor without a word."""
        if self._socket is not None:
            _let_go(self._socket)
