"""One run of a terminal's program: the WebSocket to the API server, and the next command where one is not there."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

import aiohttp

from notebook_mux.errors import MuxError, Unreachable
from notebook_mux.remote.conversation import close_code, converse, more, send
from notebook_mux.remote.dialer import Dialer
from notebook_mux.remote.program import refusal
from notebook_mux.remote.sockets import Refused, cut
from notebook_mux.remote.viewers import Seat
from notebook_mux.wire.remotecommand import OFFERED, PIECE, Outcome, RemoteCommand, outcome

OLD_RUNTIMES_WORDS = b"OCI runtime exec failed"
OLD_RUNTIMES_CODES = (126, 127)
"""How a cluster on Docker says that a command is not there: on the terminal, and with an exit code."""

KEPT_OUTPUT = 4096
"""Bytes of a first attempt's output that are looked at for those words."""

KEPT_INPUT = 64 * 1024
"""Bytes typed for a first attempt that are kept for the next one."""

AGAIN = "start it again; what the program was doing has ended with its terminal, or goes on without one"


@dataclass(frozen=True)
class Order:
    """What is to be run.

    Attributes:
        path: An exec or attach of a pod.
        queries: Encoded, tried in turn while the command of one is not there.
        tty: Whether it gets a terminal, which is asked for in the queries.
        stdin: Whether it gets input, the same.
    """

    path: str
    queries: tuple[str, ...]
    tty: bool = True
    stdin: bool = True


class Typed:
    """Input that waits for the program. On the loop.

    Attributes:
        wanted: Set when there may be something to send.
    """

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self._waiting: deque[tuple[bytes, Seat | None]] = deque()

    def put(self, data: bytes, seat: Seat) -> None:
        """Append."""
        self._waiting.append((data, seat))
        self.wanted.set()

    def put_back(self, data: bytes) -> None:
        """What went to a command that was not there goes to the next one."""
        if data:
            self._waiting.appendleft((data, None))

    def take(self) -> bytes | None:
        """The next piece, of at most `PIECE` bytes."""
        if not self._waiting:
            return None
        data, seat = self._waiting.popleft()
        if len(data) > PIECE:
            self._waiting.appendleft((data[PIECE:], seat))
            data = data[:PIECE]
        if seat is not None:
            seat.passed_on(len(data))
        return data

    def drop(self) -> None:
        """Nobody reads it."""
        while self.take() is not None:
            pass


class Listener(Protocol):
    """What a run says to its terminal."""

    def began(self, command: list[str]) -> None:
        """The server has said its first word, and takes input."""

    async def wrote(self, channel: int, data: bytes) -> None:
        """Output; returns when there is room for more."""


class Run:
    """Runs once.

    Args:
        cluster: Where.
        order: What.
        typed: The input.
        listener: The terminal.
    """

    def __init__(self, cluster: Dialer, order: Order, typed: Typed, listener: Listener) -> None:
        self.cluster = cluster
        self.order = order
        self.typed = typed
        self.listener = listener
        self.size = (0, 0)

    def resize(self, columns: int, rows: int) -> None:
        """The terminal's size from now on; without a terminal it has none."""
        if self.order.tty:
            self.size = columns, rows
            self.typed.wanted.set()

    async def outcome(self) -> Outcome:
        """Run to the end.

        Raises:
            MuxError: It could not be started, or the connection broke; its ``cluster`` is named.
        """
        try:
            for at, query in enumerate(self.order.queries, 1):
                attempt = _Attempt(self, query, is_last=at == len(self.order.queries))
                found = await attempt.outcome()
                if not attempt.is_missing(found):
                    break
                self.typed.put_back(bytes(attempt.sent))
        except MuxError as error:
            error.cluster = error.cluster or self.cluster.name
            raise
        return found


class _Attempt:
    """One command, over one WebSocket."""

    def __init__(self, run: Run, query: str, *, is_last: bool) -> None:
        self.sent = bytearray()
        self._run = run
        self._query = query
        self._is_last = is_last
        self._output = bytearray()
        self._size = (0, 0)

    async def outcome(self) -> Outcome:
        """Run it to its end.

        Raises:
            MuxError: See `Run.outcome`.
        """
        order = self._run.order
        try:
            socket = await self._run.cluster.websocket(order.path, self._query, protocols=OFFERED)
        except Refused as refused:
            raise refusal(refused.answer, self._run.cluster.name, stdin=False) from None
        try:
            remote = RemoteCommand(socket.protocol, stdin=order.stdin, tty=order.tty)
            status = await converse(socket, remote, self)
        finally:
            cut(socket)
        if status is None:
            raise Unreachable(
                "the connection to the API server ended before the program did", said=close_code(socket), todo=AGAIN
            )
        return outcome(status)

    def is_missing(self, found: Outcome) -> bool:
        """Whether its command is not there and the next one should be tried."""
        if self._is_last:
            return False
        if not self._output:
            return found.is_missing
        # What has written something was there, unless these are the runtime's own words: nothing typed is run twice.
        return found.code in OLD_RUNTIMES_CODES and OLD_RUNTIMES_WORDS in self._output and not self.sent

    def began(self) -> None:
        """See `notebook_mux.remote.conversation.Talker`."""
        self._run.listener.began(parse_qs(self._query).get("command", []))

    async def wrote(self, channel: int, data: bytes) -> None:
        """Hand it on."""
        if not self._is_last and len(self._output) < KEPT_OUTPUT:
            self._output += data
        await self._run.listener.wrote(channel, data)

    async def write(self, socket: aiohttp.ClientWebSocketResponse, remote: RemoteCommand) -> None:
        """Pass sizes and input on."""
        typed = self._run.typed
        while True:
            typed.wanted.clear()
            await self._resize(socket, remote)
            while (data := typed.take()) is not None:
                if not self._is_last and len(self.sent) < KEPT_INPUT and not self._output:
                    self.sent += data
                for message in remote.write(data):
                    await send(socket, message)
                await self._resize(socket, remote)
            await more(socket, typed.wanted)

    async def _resize(self, socket: aiohttp.ClientWebSocketResponse, remote: RemoteCommand) -> None:
        if self._size != self._run.size:
            self._size = self._run.size
            await send(socket, remote.resize(*self._size))
