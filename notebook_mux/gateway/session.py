"""One client: its WebSocket, its streams and its requests, from its hello to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from notebook_mux.errors import InvalidArgument, MuxError, ProtocolError, UnknownContext
from notebook_mux.forwards.desk import Desk as ForwardDesk
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.fanout import Subscriber
from notebook_mux.gateway.requests import Requests
from notebook_mux.gateway.shared import Shared
from notebook_mux.gateway.upstream import Upstream
from notebook_mux.kube.scope import Scopes, checked_query, needs_write
from notebook_mux.remote.desk import Desk
from notebook_mux.remote.screens import Screens
from notebook_mux.tailing.desk import Desk as LogDesk
from notebook_mux.wire import messages
from notebook_mux.wire.sending import CONNECTION_CREDIT, CONNECTION_STREAM, Parts, Sender, Source

HELLO_SECONDS = 10.0
"""From the open socket to the client's first word."""

GOODBYE_SECONDS = 1.0
"""For the last word and the closing handshake; a client that does not read is cut off."""

YIELD_FRAMES = 16
"""Frames written before others get their turn on the loop: a mebibyte."""

MAX_STREAMS = 10_000
"""Streams of one client: ten times what the largest notebook that was tried has."""

MAX_ID = 0xFFFFFFFF
"""Stream ids are 32 bits on the wire, and requests have ids of the same kind."""

BACKLOG = 1000
"""Control messages that wait for a client before nothing more is read from it."""

log = logging.getLogger(__name__)


class Socket(Protocol):
    """The WebSocket, as the server hands it over."""

    async def send(self, frame: str | Parts) -> None:
        """Write a frame, a binary one as header and payload; returns when little of it is unsent."""

    async def receive(self) -> str | bytes | None:
        """The next frame, or None at the end."""

    async def ping(self) -> None:
        """Send a ping; what answers it is of no account."""

    async def close(self, code: int, reason: str) -> None:
        """The closing handshake."""

    def abort(self) -> None:
        """Cut it."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A subscription of this client."""

    message: messages.Subscribe
    cluster_name: str
    upstream: Upstream
    subscriber: Subscriber
    since: float = field(default_factory=time.time)


class Session:
    """Talks notebook-mux.v1 with one client. On the gateway's loop.

    Args:
        socket: Open, the sub-protocol agreed.
        shared: The gateway's.
    """

    def __init__(self, socket: Socket, shared: Shared) -> None:
        self.hello: messages.Hello | None = None
        self.since = time.time()
        self.sender = Sender(CONNECTION_CREDIT)
        self.scopes = Scopes(shared.write)
        self.streams: dict[int, Stream] = {}
        self.clusters: dict[str, Cluster] = {}
        self.programs = Desk(self, shared)
        self.screens = Screens(self, shared)
        self.forwards = ForwardDesk(self, shared)
        self.logs = LogDesk(self, self.cluster)
        self._socket = socket
        self._shared = shared
        self.requests = Requests(shared, self)
        self._states: dict[int, None] = {}
        self._untold = 0
        self._wanted = asyncio.Event()
        self._drained = asyncio.Event()
        self.ended = asyncio.Event()
        self._farewell: asyncio.Future[messages.Goodbye] = asyncio.get_running_loop().create_future()

    # --- its life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until the client goes, breaks the protocol, or the gateway ends; never raises but when cancelled."""
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        self._shared.sessions.add(self)
        self._shared.served += 1
        self._shared.touched()
        goodbye: messages.Goodbye | None = None
        try:
            waiting: set[asyncio.Future[Any]] = {reading, writing, self._farewell}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            goodbye = self._farewell.result() if self._farewell.done() else _last_word(reading, writing)
        finally:
            self._shared.sessions.discard(self)
            self._release()
            for task in (reading, writing):
                task.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            await self._close(goodbye)
            self.ended.set()
            self._shared.touched()

    def end(self, code: str, what: str, todo: str | None = None) -> None:
        """Say goodbye and close; `run` returns soon."""
        if not self._farewell.done():
            self._farewell.set_result(messages.Goodbye(code=code, what=what, todo=todo))

    async def _close(self, goodbye: messages.Goodbye | None) -> None:
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                if goodbye is not None:
                    while isinstance(frame := self._next(), str):  # what was said before, such as the answer to Stop
                        await self._socket.send(frame)
                    await self._socket.send(messages.encode(goodbye))
                await self._socket.close(*_closing(goodbye))
        except (OSError, TimeoutError):
            pass
        finally:
            self._socket.abort()

    def _release(self) -> None:
        self._farewell.cancel()
        self.requests.close()
        for stream in list(self.streams):
            self._unsubscribe(stream)
        self.programs.release()
        self.screens.release()
        self.forwards.release()
        self.logs.release()
        self._shared.release(self)

    # --- writing --------------------------------------------------------------------------------------------------

    def send(self, message: messages.Message) -> None:
        """Queue a control message."""
        self._untold += 1
        self.sender.control(message)
        self._wanted.set()

    def wake(self, stream: int) -> None:
        """`stream` may have something to send."""
        self.sender.wake(stream)
        self._wanted.set()

    def open_lane(self, stream: int, source: Source, credit: int, *, urgent: bool = False) -> None:
        """Send from `source` as `stream`; `urgent` ones go before the others."""
        self.sender.add(stream, source, credit, urgent=urgent)
        self._wanted.set()

    def close_lane(self, stream: int) -> None:
        """Send nothing more as `stream`."""
        self.sender.remove(stream)

    async def _write(self) -> None:
        """Ask for the next frame only when the last one is on its way."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            written = 0
            while (frame := self._next()) is not None:
                await self._socket.send(frame)
                self._drained.set()
                written += 1
                if written % YIELD_FRAMES == 0:
                    await asyncio.sleep(0)

    def _next(self) -> str | Parts | None:
        # A state is made a message only now: however often it changes, one that cannot be written costs nothing.
        while self._states:
            number, _ = self._states.popitem()
            if (stream := self.streams.get(number)) is not None:
                self.send(state_message(number, stream.upstream))
        frame = self.sender.take()
        if isinstance(frame, str):
            self._untold -= 1
        return frame

    # --- reading --------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                first = await self._message()
        except TimeoutError:
            raise ProtocolError(f"no hello within {HELLO_SECONDS:g} s") from None
        if first is None:
            return
        if isinstance(first, bytes):
            raise ProtocolError("a binary frame before hello")
        if not isinstance(first, messages.Hello):
            raise ProtocolError(f"{_tag(first)} before hello")
        self.hello = first
        self.screens.arrive()
        self.send(
            messages.Welcome(
                instance=self._shared.instance,
                package=self._shared.package,
                credit=CONNECTION_CREDIT,
                environment=self._shared.environment,
                user=self._shared.user,
                unasked=self._shared.unasked,
            )
        )
        while (message := await self._message()) is not None:
            if isinstance(message, bytes):
                if not self.screens.frame(message):
                    self.programs.frame(message)
            else:
                self._handle(message)
            while self._untold > BACKLOG:
                # A client that asks and does not read what it is told is not read any more either.
                self._drained.clear()
                await self._drained.wait()

    async def _message(self) -> messages.ClientMessage | bytes | None:
        frame = await self._socket.receive()
        return messages.decode_client(frame) if isinstance(frame, str) else frame

    def _handle(self, message: messages.ClientMessage) -> None:
        if isinstance(message, messages.Credit):
            if message.bytes < 0:
                raise ProtocolError("a credit below zero")
            self.sender.grant(message.stream, message.bytes)
            self.programs.granted(message.stream, message.bytes)
            self._wanted.set()
        elif isinstance(message, messages.Subscribe):
            self._subscribe(message)
        elif isinstance(message, messages.Exec):
            self._exec(message)
        elif isinstance(message, messages.Forward):
            self._forward(message)
        elif isinstance(message, messages.Unsubscribe):
            kept = (self.programs, self.screens, self.forwards, self.logs)
            if not any(desk.end(message.stream) for desk in kept):
                self._unsubscribe(message.stream)
        elif isinstance(message, messages.Retry):
            self._retry(message.cluster)
        elif isinstance(message, messages.Cancel):
            self.requests.cancel(message.id)
        elif isinstance(message, messages.View):
            self._check_id(message.stream)
            if self._has_room(message.stream):
                self.screens.open(message)
        elif isinstance(message, messages.Size):
            self.screens.size(message)
        elif isinstance(message, messages.Log):
            self._log(message)
        elif isinstance(message, messages.Hello):
            raise ProtocolError("a second hello")
        else:
            self._check_id(message.id)
            self.requests.begin(message)

    def _check_id(self, number: int) -> None:
        if not CONNECTION_STREAM < number <= MAX_ID:
            raise ProtocolError(f"the id {number}, where 1 to {MAX_ID} are allowed")
        desks = (self.programs.streams, self.screens.streams, self.forwards.streams, self.logs.streams)
        used = (self.streams, *desks, self.requests.running)
        if any(number in some for some in used):
            raise ProtocolError(f"the id {number} is in use")

    @property
    def kernel(self) -> str:
        """The name of the client's kernel; "" where it has none, or has not said it."""
        return self.hello.kernel if self.hello is not None else ""

    # --- clusters -------------------------------------------------------------------------------------------------

    def cluster(self, ref: str) -> Cluster:
        """A cluster that this client has resolved.

        Raises:
            UnknownContext: It has not.
        """
        found = self.clusters.get(ref)
        if found is None:
            raise UnknownContext("a cluster that this connection has not asked for", todo="connect again: nm.connect()")
        return found

    # --- streams --------------------------------------------------------------------------------------------------

    def _subscribe(self, message: messages.Subscribe) -> None:
        self._check_id(message.stream)
        if message.credit < 0:
            raise ProtocolError("a credit below zero")
        number = message.stream
        try:
            self._check_room()
            cluster = self.cluster(message.cluster)
            if needs_write("GET", message.path):
                raise InvalidArgument("a path that cannot be watched")
            checked_query(message.query)
            version = message.resume.version if message.resume is not None else ""
            upstream = self._shared.upstreams.get(cluster, message.path, message.query, version or None)
        except MuxError as error:
            self._refuse(number, error)
            return
        tell = self._teller(number)
        subscriber = Subscriber(upstream, self._shared.instance, message.resume, self._waker(number), tell)
        self.streams[number] = Stream(message, cluster.name, upstream, subscriber)
        upstream.subscribe(subscriber)
        if upstream.state.state != "connecting" and not upstream.is_synced:
            upstream.retry()  # it failed for somebody else a while ago; who asks now wants to know how it is now
        self.open_lane(number, subscriber, message.credit)
        subscriber.start()
        tell()

    def _check_room(self) -> None:
        """Raise InvalidArgument where one more stream would be too many."""
        if len(self.streams) >= MAX_STREAMS:
            raise InvalidArgument(f"more than {MAX_STREAMS} streams of one client")
        if self._shared.streams >= self._shared.limits.streams:
            raise InvalidArgument(
                f"{self._shared.streams} streams of {self._shared.user or 'this user'} are open already",
                todo="close some of your notebooks, or streams in them",
            )

    def _has_room(self, number: int) -> bool:
        """Whether one more stream may be opened; one that may not is refused."""
        try:
            self._check_room()
        except InvalidArgument as error:
            self._refuse(number, error)
            return False
        return True

    def _refuse(self, number: int, error: MuxError) -> None:
        self.send(messages.Ended(stream=number, code=error.code, what=error.what, said=error.said, todo=error.todo))

    def _exec(self, message: messages.Exec) -> None:
        self._check_id(message.stream)
        if message.credit < 0 or message.received < 0 or message.attempt < 1:
            raise ProtocolError("a count below zero")
        self.programs.open(message)

    def _forward(self, message: messages.Forward) -> None:
        if message.stream not in self.forwards.streams:
            self._check_id(message.stream)
        if message.credit < 0:
            raise ProtocolError("a credit below zero")
        self.forwards.open(message)

    def _log(self, message: messages.Log) -> None:
        self._check_id(message.stream)
        if message.credit < 0:
            raise ProtocolError("a credit below zero")
        if self._has_room(message.stream):
            self.logs.open(message)

    def _waker(self, number: int) -> Callable[[], None]:
        wake, wanted = self.sender.wake, self._wanted.set

        def call() -> None:
            wake(number)
            wanted()

        return call

    def _teller(self, number: int) -> Callable[[], None]:
        def call() -> None:
            self._states[number] = None
            self._wanted.set()

        return call

    def _unsubscribe(self, number: int) -> None:
        stream = self.streams.pop(number, None)
        self.sender.remove(number)
        self._states.pop(number, None)
        if stream is not None:
            stream.upstream.unsubscribe(stream.subscriber)

    def _retry(self, ref: str | None) -> None:
        for upstream in {s.upstream for s in self.streams.values() if ref is None or s.message.cluster == ref}:
            upstream.retry()


def state_message(number: int, upstream: Upstream) -> messages.State:
    """An upstream's state as it is told on a stream."""
    at = upstream.state
    return messages.State(
        stream=number,
        state=at.state,
        reason=at.reason,
        said=at.said,
        status=at.code,
        since=at.since,
        retry_at=at.retry_at,
        synced=upstream.is_synced,
        todo=at.todo,
        fresh=at.fresh,
        clock=at.clock,
    )


def _last_word(*tasks: asyncio.Task[None]) -> messages.Goodbye | None:
    """Why the session ends, in words for the client; None if it has gone itself."""
    for task in tasks:
        error = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(error, ProtocolError):
            log.warning("a client broke the protocol: %s", error.what)
            return messages.Goodbye(code=error.code, what=error.what, todo=error.todo)
        if error is not None and not isinstance(error, OSError):
            log.error("a session failed", exc_info=error)
            return messages.Goodbye(code="gateway", what="the gateway failed; its log has more")
    return None


def _closing(goodbye: messages.Goodbye | None) -> tuple[int, str]:
    """The WebSocket's close code (RFC 6455, 7.4.1) and its reason."""
    if goodbye is None:
        return 1000, ""
    return {"protocol": 1002, "gateway": 1011}.get(goodbye.code, 1001), goodbye.code


def _tag(message: messages.Message) -> str:
    with contextlib.suppress(AttributeError):
        return str(message.__struct_config__.tag)
    return type(message).__name__
