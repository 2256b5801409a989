"""WebSockets: an upgrade that was refused, two ways to end a program's, and messages passed on from one to another."""

from __future__ import annotations

import asyncio
import contextlib
import weakref

import aiohttp
from aiohttp import WSMsgType, web

from notebook_mux.kube.answers import Answer

NO_STATUS, ABNORMAL = 1005, 1006
"""Close codes that stand for none and for a connection that broke; neither may be sent (RFC 6455, 7.4.1)."""

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class Refused(Exception):
    """An upgrade that the server answered with something else."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


_answers: weakref.WeakKeyDictionary[aiohttp.ClientWebSocketResponse, aiohttp.ClientResponse] = (
    weakref.WeakKeyDictionary()
)
"""The answers that the WebSockets came from, and which have their connections."""


def came_of(socket: aiohttp.ClientWebSocketResponse, answer: aiohttp.ClientResponse) -> None:
    """Remember the answer that a WebSocket came from, for `cut`."""
    _answers[socket] = answer


async def hang_up(
    socket: aiohttp.ClientWebSocketResponse, seconds: float, code: int = 1000, reason: bytes = b""
) -> None:
    """Close a WebSocket politely, within so many seconds; afterwards nothing is left of it.

    A TLS layer whose reader has paused would wait half a minute for the other side's goodbye.
    """
    try:
        with contextlib.suppress(TimeoutError, OSError, aiohttp.ClientError):
            async with asyncio.timeout(seconds):
                await socket.close(code=code, message=reason)
    finally:
        cut(socket)


def cut(socket: aiohttp.ClientWebSocketResponse) -> None:
    """End a WebSocket without a word.

    This is what ends a program: after the closing handshake of v5 an API server lets it run (seen with 1.37), whatever
    it writes.
    """
    answer = _answers.pop(socket, None)
    if answer is None:
        return
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()
    answer.close()


async def pump(source: Socket, sink: Socket) -> tuple[int, bytes]:
    """Pass messages on, pings and pongs too, until `source` ends; returns how: the close code and its reason.

    Raises:
        OSError, aiohttp.ClientError: `sink` takes nothing any more.
    """
    while True:
        message = await source.receive()
        match message.type:
            case WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            case WSMsgType.TEXT:
                await sink.send_str(message.data)
            case WSMsgType.PING:
                await sink.ping(message.data)
            case WSMsgType.PONG:
                await sink.pong(message.data)
            case WSMsgType.CLOSE:
                return message.data or NO_STATUS, (message.extra or "").encode()
            case _:
                return source.close_code or ABNORMAL, b""
