"""One connection to one endpoint: connect or reuse, wait for an attempt in progress, come back after a loss."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

from notebook_mux.errors import GatewayError, MuxError, ProtocolError
from notebook_mux.kernel.dialect import Opener, Wire
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.requests import Requests
from notebook_mux.kernel.retry import delays
from notebook_mux.kernel.thread import in_thread
from notebook_mux.urls import shown
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel, encode_frame
from notebook_mux.wire.receiving import Receiver

WELCOME_SECONDS = 10.0
"""From the open socket to the gateway's first word."""

ATTEMPT_SECONDS = 60.0
"""A whole attempt: on a loaded machine starting a gateway takes some seconds, and a stuck one must end."""


class StreamHandler(Protocol):
    """What a connection tells a subscription. All calls come on the loop's thread and must not block.

    A handler with a true attribute ``lends`` passes its frames on to somebody who grants the stream's credit himself.
    """

    def begin(self, stream: int, credit: int) -> messages.Opening | None:
        """The socket is open: the message that opens this stream id, or None to stay out."""

    def data(self, channel: int, payload: bytes) -> None:
        """A data frame."""

    def control(self, message: messages.StreamMessage) -> None:
        """The upstream's state, what a program is told, or the end."""

    def lost(self, reason: str, retry_at: float | None) -> None:
        """The socket is gone, or still gone."""


class Connection:
    """The manager's half of one socket. All methods belong to the loop's thread.

    Args:
        name: Its id in the core.
        resolve: Where the gateway is now, as (base URL, token, or None); may block, may start one.
        hello: The first message on each socket.
        restore: Awaited on each new socket before the streams subscribe again.
        changed: Called when `state` or `reason` have changed.
        opener: Opens what answers at (base URL, token); by default whatever it is.
    """

    def __init__(
        self,
        name: str,
        resolve: Callable[[], tuple[str, str | None]],
        hello: messages.Hello,
        restore: Callable[[Connection], Awaitable[None]],
        changed: Callable[[], None],
        *,
        opener: Opener | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name
        self.state = "closed"
        self.reason = "not connected yet"
        self.since = time.time()
        self.retry_at: float | None = None
        self.reconnects = 0
        self.attempts = 0
        self.last_error = ""
        self.url = ""
        self.welcome: messages.Welcome | None = None
        self.requests = Requests(self._ask, self.new_id, self._cancel_request)
        self._resolve = resolve
        self._hello = hello
        self._restore = restore
        self._changed = changed
        self._opener = opener or Opener()
        self._rng = rng or random.Random()
        self._ids = itertools.count(1)
        self._streams: dict[int, StreamHandler] = {}
        self._handlers: dict[StreamHandler, int] = {}
        self._transport: Wire | None = None
        self._receiver: Receiver | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._attempt: asyncio.Future[None] | None = None
        self._hurry = asyncio.Event()
        self._goodbye = ""
        self._is_lost = False  # whether an open socket was lost, and there is no other yet
        self._totals = {"bytes_in": 0, "frames_in": 0, "bytes_out": 0, "frames_out": 0}

    # --- connecting -----------------------------------------------------------------------------------------------

    async def open(self, timeout: float) -> None:
        """Connect, reuse the open socket, or wait for the attempt in progress and share its result.

        Raises:
            Failure: The attempt's error, the same for all who waited; or ``timeout`` after `timeout` seconds.
        """
        if self.state == "open":
            return
        self._wake_up()
        if self._attempt is None:
            self._attempt = asyncio.get_running_loop().create_future()
        self._hurry.set()
        attempt = self._attempt
        try:
            await asyncio.wait_for(asyncio.shield(attempt), timeout)
        except TimeoutError:
            raise Failure("timeout", f"no connection to the gateway within {timeout:g} s", said=self.reason) from None

    def _wake_up(self) -> None:
        if self._supervisor is None or self._supervisor.done():
            self._supervisor = asyncio.get_running_loop().create_task(self._supervise())

    def retry(self) -> None:
        """Try again now instead of after the back-off."""
        self._hurry.set()

    def cut(self) -> None:
        """Cut the socket as a lost network would."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close the socket and stop coming back."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        if self._transport is not None:
            await self._transport.close()
            self._dropped()
        await self._opener.close()
        self._is_lost = False
        self.requests.end(Failure("closed", "the connection was closed"))
        self._settle_attempt(Failure("closed", "the connection was closed"))
        self._say("closed", "closed by nm.close()")
        for handler in list(self._handlers):
            handler.lost("closed", None)

    async def _supervise(self) -> None:
        waits = delays(self._rng)
        next(waits)  # the short first wait is for a connection that had been open
        while True:
            self._hurry.clear()
            self.attempts += 1
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    await self._connect()
            except (MuxError, Failure, OSError, TimeoutError) as error:
                failure = Failure.of(error)
                self._drop_transport()
                self.last_error = str(failure.fields["what"])
                self._settle_attempt(failure)
                if not self._handlers and not self.requests.waiting:
                    self._say("closed", self.last_error)
                    return
                await self._wait(waits, self.last_error)
                continue
            try:
                reason = await self._serve()
                waits = delays(self._rng)
            except ProtocolError as error:
                # No fresh start of the back-off: a peer that talks nonsense would be dialled in a tight loop.
                reason = str(error)
            self._drop_transport()
            self.last_error = reason
            self._is_lost = True
            self.requests.lost()
            await self._wait(waits, reason)

    async def _wait(self, waits: Iterator[float], reason: str) -> None:
        delay = next(waits)
        self.retry_at = time.time() + delay
        self._say("retrying", reason, retry_at=self.retry_at)
        for handler in list(self._handlers):
            handler.lost(reason, self.retry_at)
        try:
            async with asyncio.timeout(delay):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _connect(self) -> None:
        self._say("connecting", "looking for the gateway")
        base, token = await in_thread(self._resolve)
        self.url = shown(base)
        self._say("connecting", f"connecting to {self.url}")
        self._receiver = Receiver()
        self._transport = await self._opener(base, token)
        self._send(self._hello)
        try:
            async with asyncio.timeout(WELCOME_SECONDS):
                async for frame in self._transport.frames():
                    message = self._text(frame)
                    if isinstance(message, messages.Welcome):
                        self.welcome = message
                        return
                    if isinstance(message, messages.Goodbye):
                        raise Failure(message.code, message.what, todo=message.todo)
        except TimeoutError:
            raise GatewayError(f"the gateway at {self.url} does not greet", todo="is it a gateway?") from None
        raise GatewayError(f"the gateway at {self.url} hung up", said=self._transport.closing_words)

    async def _serve(self) -> str:
        """Read until the socket closes; returns why."""
        assert self._transport is not None
        transport = self._transport
        restoring = asyncio.get_running_loop().create_task(self._resume())
        try:
            async for frame in transport.frames():
                self._frame(frame)
        finally:
            restoring.cancel()
            await asyncio.gather(restoring, return_exceptions=True)
        return self._goodbye or transport.closing_words

    async def _resume(self) -> None:
        self._goodbye = ""
        try:
            await self._restore(self)
        except Failure as failure:
            self.last_error = str(failure.fields["what"])
        self.reconnects += self._is_lost
        self._is_lost = False
        self._say("open", "")
        self.requests.again()
        for handler in list(self._handlers):
            self._begin(handler)
        self._settle_attempt(None)

    def _settle_attempt(self, failure: Failure | None) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is None or attempt.done():
            return
        if failure is None:
            attempt.set_result(None)
        else:
            attempt.set_exception(failure)
            attempt.exception()  # nobody may be waiting any more

    def _say(self, state: str, reason: str, retry_at: float | None = None) -> None:
        if state != self.state:
            self.since = time.time()
        self.state, self.reason, self.retry_at = state, reason, retry_at
        self._changed()

    # --- frames ---------------------------------------------------------------------------------------------------

    def new_id(self) -> int:
        """The next id of a request or stream; never used twice on this connection."""
        return next(self._ids)

    def _frame(self, frame: str | bytes) -> None:
        receiver = self._receiver
        assert receiver is not None
        if isinstance(frame, bytes):
            got = receiver.binary(frame)
            if got is not None:
                stream, channel, payload = got
                handler = self._streams.get(stream)
                if handler is not None:
                    handler.data(channel, payload)
                elif (pending := self.requests.waiting.get(stream)) is not None:
                    pending.data(channel, payload)
                    if channel == Channel.END:
                        receiver.forget(stream)
        else:
            self._control(self._text(frame))
        for credit in receiver.credits():
            self._send(credit)

    def _text(self, frame: str | bytes) -> Any:
        assert self._receiver is not None
        if isinstance(frame, bytes):
            raise ProtocolError("the gateway sent data before its welcome")
        return self._receiver.text(frame)

    def _control(self, message: Any) -> None:
        assert self._receiver is not None
        if isinstance(message, messages.StreamMessage):
            handler = self._streams.get(message.stream)
            if handler is not None:
                handler.control(message)
        elif isinstance(message, messages.Answer | messages.Head | messages.Failure):
            pending = self.requests.waiting.get(message.id)
            if pending is not None:
                if isinstance(message, messages.Head):
                    self._receiver.open(message.id)
                pending.control(message)
        elif isinstance(message, messages.Goodbye):
            self._goodbye = message.what

    def _send(self, message: messages.Message) -> None:
        if self._transport is not None:
            self._transport.send(messages.encode(message))

    def _ask(self, message: messages.Message, early: bool) -> bool:
        ready = self._transport is not None and (early or self.state == "open")
        if ready:
            self._send(message)
        return ready

    def _cancel_request(self, id_: int) -> None:
        if self._receiver is not None:
            self._receiver.forget(id_)
        self._send(messages.Cancel(id=id_))

    def tell(self, message: messages.Message) -> None:
        """Send a message that has no answer, if the socket is open."""
        if self.state == "open":
            self._send(message)

    def write(self, stream: int, channel: int, payload: bytes) -> None:
        """Send a data frame of an open stream."""
        if self._transport is not None and stream in self._streams:
            self._transport.send(encode_frame(stream, channel, payload))

    # --- streams --------------------------------------------------------------------------------------------------

    def attach(self, handler: StreamHandler) -> None:
        """Subscribe now if the socket is open, and again on each new socket."""
        if handler not in self._handlers:
            self._handlers[handler] = 0
            if self.state == "open":
                self._begin(handler)
            else:
                self._wake_up()
                handler.lost(self.reason, self.retry_at)

    def again(self, handler: StreamHandler) -> None:
        """End this stream on the gateway and subscribe anew."""
        self._end(handler)
        if handler in self._handlers and self.state == "open":
            self._begin(handler)

    def detach(self, handler: StreamHandler) -> None:
        """Unsubscribe for good."""
        self._end(handler)
        self._handlers.pop(handler, None)

    def _begin(self, handler: StreamHandler) -> None:
        assert self._receiver is not None
        if self._handlers[handler]:
            return
        stream = self.new_id()
        subscribe = handler.begin(stream, self._receiver.open(stream, lent=getattr(handler, "lends", False)))
        if subscribe is None:
            self._receiver.forget(stream)
            return
        self._handlers[handler] = stream
        self._streams[stream] = handler
        self._send(subscribe)

    def _end(self, handler: StreamHandler) -> None:
        stream = self._handlers.get(handler, 0)
        if stream:
            self._streams.pop(stream, None)
            self._handlers[handler] = 0
            if self._receiver is not None:
                self._receiver.forget(stream)
            self.tell(messages.Unsubscribe(stream=stream))

    # --- accounts -------------------------------------------------------------------------------------------------

    def details(self) -> dict[str, Any]:
        """What the socket itself tells of: the dialect, and the sockets there are."""
        return self._transport.details() if self._transport is not None else {}

    def totals(self) -> dict[str, int]:
        """Bytes and frames of all sockets so far, both ways."""
        now = dict(self._totals)
        if self._receiver is not None:
            now["bytes_in"] += self._receiver.received_bytes
            now["frames_in"] += self._receiver.received_frames
        if self._transport is not None:
            now["bytes_out"] += self._transport.sent_bytes
            now["frames_out"] += self._transport.sent_frames
        return now

    def _drop_transport(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._dropped()

    def _dropped(self) -> None:
        self._totals = self.totals()
        self._transport = self._receiver = None
        self._streams.clear()
        for handler in self._handlers:
            self._handlers[handler] = 0

    def forget(self) -> None:
        """In a forked child: let go of the socket without a word on it."""
        if self._transport is not None:
            self._transport.forget()
        self._opener.forget()
