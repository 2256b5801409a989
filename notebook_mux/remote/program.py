"""One program in a container: the WebSocket to the API server, its input and its output. It outlives its readers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import msgspec

from notebook_mux.errors import (
    InvalidArgument,
    LoginRequired,
    MuxError,
    OutcomeUnknown,
    ProtocolError,
    ServerError,
    TimedOut,
)
from notebook_mux.kube.answers import Answer
from notebook_mux.remote.conversation import close_code, converse, more, send
from notebook_mux.remote.dialer import Dialer
from notebook_mux.remote.ring import Ring
from notebook_mux.remote.sockets import Refused, cut
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.remotecommand import OFFERED, PIECE, V5, RemoteCommand

INPUT_CREDIT = 256 * 1024
"""Bytes of input that wait here for the program to read; as much again lies in the sockets on the way."""

NO_CONNECTION = aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError
"""What aiohttp raises before anything is sent."""

NOT_FOUND = 404
GATEWAY_TIMEOUT = 504

NO_SUCH_PATH = "could not find the requested resource"
"""An API server's words for a path that it does not serve; a pod that is missing is called by its name."""

UNKNOWN_TODO = "look whether it has done its work before you start it again"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What is to be run.

    Attributes:
        path: An exec or attach of a pod.
        query: Encoded.
        stdin: Whether it gets input, which is asked for in the query.
        timeout: Seconds from the start; 0 is no limit.
    """

    path: str
    query: str
    stdin: bool = False
    timeout: float = 0.0


class Program:
    """Runs from its making on, once. On the gateway's loop.

    Args:
        cluster: Where.
        order: What.

    Attributes:
        moved: Called when there is more to read; set by the reader that it has just now.
        granted: Called when so much of the input was passed on.
    """

    def __init__(self, cluster: Dialer, order: Order) -> None:
        self.ring = Ring()
        self.taken = 0
        """Bytes of input that have come."""
        self.cluster = cluster
        self.order = order
        self.moved: Callable[[], None] = lambda: None
        self.granted: Callable[[int], None] = lambda size: None
        self._input: deque[bytes] = deque()
        self._waiting = 0
        self._input_ended = False
        self._wanted = asyncio.Event()
        self._room = asyncio.Event()
        self._held: tuple[int, bytes] | None = None
        """Output that was read and waits for room: it comes before the end, whatever that is."""
        self._task = asyncio.create_task(self._run(), name="program")

    @property
    def over(self) -> bool:
        """Whether its last word is in the ring."""
        return self._task.done()

    # --- its reader and writer --------------------------------------------------------------------------------------

    @property
    def input_room(self) -> int:
        """Bytes of input that may come now."""
        return max(0, INPUT_CREDIT - self._waiting)

    def feed(self, place: int, data: bytes) -> None:
        """Input; what has come before is dropped.

        Args:
            place: How many bytes of input come before it.
            data: The bytes.

        Raises:
            ProtocolError: There is none, it has ended, some is missing before this, or it is more than there is room.
        """
        if not self.order.stdin:
            raise ProtocolError("input for a program that takes none")
        if place > self.taken:
            raise ProtocolError(f"input from byte {place} on, where {self.taken} have come")
        new = data[self.taken - place :]
        if not new:
            return
        if self._input_ended:
            raise ProtocolError("input after its end")
        if len(new) > self.input_room:
            raise ProtocolError("more input than was granted")
        self.taken += len(new)
        self._waiting += len(new)
        self._input.append(new)
        self._wanted.set()

    def end_input(self) -> None:
        """No more input comes. Idempotent."""
        self._input_ended = True
        self._wanted.set()

    def forget(self, place: int) -> None:
        """The reader has all output before `place`."""
        self.ring.forget(place)
        self._room.set()

    async def end(self) -> None:
        """Cut the connection to it, which ends it where its runtime does that; returns when that is done."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # --- its life -----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        limit = self.order.timeout or None
        failure: MuxError | None = None
        try:
            async with asyncio.timeout(limit):
                await self._talk()
        except TimeoutError:
            failure = TimedOut(
                f"the program did not end within {limit:g} s, and the connection to it was closed",
                todo="give it more time with timeout=; if it neither reads nor writes, it may be running still",
            )
        except MuxError as error:
            failure = error
        except Exception as error:  # its reader must hear of an end
            log.exception("a program failed")
            failure = OutcomeUnknown("the gateway failed", said=type(error).__name__, todo=UNKNOWN_TODO)
        if failure is not None:
            failure.cluster = failure.cluster or self.cluster.name
        if self._held is not None:
            self.ring.put(*self._held)
        self.ring.put(Channel.END, ending(failure))
        self.moved()

    async def _talk(self) -> None:
        # Only v5 can end stdin; an older API server refuses it, and nothing was started.
        protocols = (V5,) if self.order.stdin else OFFERED
        socket = await self._dial(protocols)
        try:
            status = await converse(socket, self._agreed(socket, protocols), self)
        finally:
            cut(socket)
        if status is None:
            raise OutcomeUnknown(
                "the connection to the API server ended before the program did",
                said=close_code(socket),
                todo=UNKNOWN_TODO,
            )
        self.ring.put(Channel.ERROR, status)

    def _agreed(self, socket: aiohttp.ClientWebSocketResponse, protocols: tuple[str, ...]) -> RemoteCommand:
        if socket.protocol in protocols:
            return RemoteCommand(socket.protocol, stdin=self.order.stdin)
        raise OutcomeUnknown(
            "the connection was opened without a version of remotecommand that was offered, and was closed again",
            said=f"chosen: {socket.protocol or 'none'}; offered: {', '.join(protocols)}",
            todo="a proxy on the way may drop Sec-WebSocket-Protocol; the program may have been started all the same",
        )

    async def _dial(self, protocols: tuple[str, ...]) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self.cluster.websocket(self.order.path, self.order.query, protocols=protocols)
        except Refused as refused:
            raise refusal(refused.answer, self.cluster.name, stdin=self.order.stdin) from None
        except MuxError as error:
            # Before a connection stands nothing can have been started; behind it, nobody knows.
            harmless = isinstance(error, LoginRequired | InvalidArgument)
            if harmless or isinstance(error.__context__, NO_CONNECTION):
                raise
            raise OutcomeUnknown(error.what, cluster=error.cluster, said=error.said, todo=UNKNOWN_TODO) from None

    # --- what the conversation calls ------------------------------------------------------------------------------

    def began(self) -> None:
        """See `notebook_mux.remote.conversation.Talker`."""

    async def wrote(self, channel: int, data: bytes) -> None:
        """Put it into the ring, once there is room."""
        self._held = channel, data
        while self.ring.full:
            self._room.clear()
            await self._room.wait()
        self._held = None
        self.ring.put(channel, data)
        self.moved()

    async def write(self, socket: aiohttp.ClientWebSocketResponse, remote: RemoteCommand) -> None:
        """Pass input on."""
        ended = not self.order.stdin
        while True:
            while self._input:
                data = self._input.popleft()
                for at in range(0, len(data), PIECE):
                    piece = data[at : at + PIECE]
                    for message in remote.write(piece):
                        await send(socket, message)
                    self._waiting -= len(piece)
                    self.granted(len(piece))
            if self._input_ended and not ended:
                ended = True
                await send(socket, remote.close_stdin())
            self._wanted.clear()
            await more(socket, self._wanted)


def ending(failure: MuxError | None) -> bytes:
    """The payload of a program's last frame: an error's code and fields, or ``{}`` after a Status."""
    if failure is None:
        return b"{}"
    fields = {key: value for key, value in failure.fields().items() if value is not None}
    return msgspec.json.encode({"code": failure.code, **fields})


def refusal(answer: Answer, cluster: str, *, stdin: bool) -> MuxError:
    """The error for an upgrade that was refused: nothing was started, but behind a proxy that gave up waiting."""
    said = answer.said
    if answer.status == GATEWAY_TIMEOUT:
        return OutcomeUnknown(
            "the program's start was not answered in time", cluster=cluster, said=said or None, todo=UNKNOWN_TODO
        )
    if answer.status == NOT_FOUND and NO_SUCH_PATH in said:
        return ServerError(
            "this cluster runs no programs in its containers",
            cluster=cluster,
            said=said,
            todo="the embedded cluster of nm.demo() cannot do that yet; connect to one that runs containers",
        )
    if stdin and not said:
        return ServerError(
            "the API server takes no program with input that ends",
            cluster=cluster,
            said=f"HTTP {answer.status}",
            todo="Kubernetes 1.30 and later can; leave stdin out",
        )
    error = answer.error("starting the program", cluster)
    if error is None:
        return ServerError("starting the program: the server answered no upgrade", cluster=cluster, said=said or None)
    return error
