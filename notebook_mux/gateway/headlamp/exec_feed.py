"""An exec, attach or port-forward through the multiplexer: a WebSocket upstream, whose input is the data of REQUESTs.

No sub-protocol is offered, as Headlamp's server offers none: the kubelet then speaks its first protocol, with binary
channels, no half close, and the exit status as text (kubernetes, cri-streaming/pkg/streaming/remotecommand).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable

import aiohttp
from aiohttp import WSMsgType

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.headlamp import refusals
from notebook_mux.gateway.headlamp.answers import Why, binary_text, event_text
from notebook_mux.gateway.headlamp.feeds import Feed, Pieces, Refusal, Send, Subscription
from notebook_mux.remote import keepalive
from notebook_mux.remote.sockets import Refused, hang_up

MAX_UNSENT = 1024 * 1024
"""Bytes of input that wait for the command to read; a WebSocket to an API server has no other bound."""

GOODBYE_SECONDS = 1.0
"""For the closing handshake."""


class ExecFeed(Feed):
    """One WebSocket upstream.

    Args:
        send: See `Feed`.
        gate: See `Feed`.
        ended: See `Feed`.
        path: Encoded.
        query: Encoded.
    """

    def __init__(
        self, send: Send, gate: asyncio.Semaphore, ended: Callable[[Subscription], None], path: str, query: str
    ) -> None:
        super().__init__(send, gate, ended)
        self._path, self._query = path, query
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._wanted = asyncio.Event()

    def write(self, data: str) -> bool:
        """Send input, its channel first; False if too much waits already."""
        content = data.encode(errors="replace")
        if self._unsent_bytes + len(content) > MAX_UNSENT:
            return False
        self._unsent_bytes += len(content)
        self._unsent.append(content)
        self._wanted.set()
        return True

    async def _dial(self, cluster: Cluster) -> AsyncGenerator[Pieces | None]:
        try:
            socket = await cluster.websocket(self._path, self._query)
        except Refused as refused:
            raise Refusal(Why(*refusals.told(refused.answer))) from None
        keepalive.probe(socket)
        writing = asyncio.create_task(self._write(socket))
        try:
            yield None
            while True:
                message = await socket.receive()
                match message.type:
                    case WSMsgType.BINARY:
                        yield [(binary_text(message.data), True)]
                    case WSMsgType.TEXT:
                        yield [(event_text(message.data.encode()), False)]
                    case WSMsgType.PING:
                        await socket.pong(message.data)
                    case WSMsgType.PONG:
                        pass
                    case WSMsgType.CLOSE:
                        return
                    case _:
                        raise aiohttp.ServerDisconnectedError
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, aiohttp.ClientError):
                await writing
            await hang_up(socket, GOODBYE_SECONDS)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._unsent:
                content = self._unsent.popleft()
                self._unsent_bytes -= len(content)
                await socket.send_bytes(content)
