"""The conversation with a program over its WebSocket, from the server's first word to the Status; whoever has it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

import aiohttp
from aiohttp import WSMsgType

from notebook_mux.wire.remotecommand import RemoteCommand

PING_SECONDS = 30.0
"""Between pings, which keep the way open through load balancers (many end what is silent for a minute). What does not
answer is not given up: an API server answers no ping while the program does not read its input."""

NORMAL = 1000
"""The close code after a program's end; each other one is a connection that broke (RFC 6455, 7.4.1)."""

Socket = aiohttp.ClientWebSocketResponse


class Talker(Protocol):
    """Who has the program."""

    def began(self) -> None:
        """The server has said its first word: the program takes input."""

    async def wrote(self, channel: int, data: bytes) -> None:
        """Output; returns when there is room for more."""

    async def write(self, socket: Socket, remote: RemoteCommand) -> None:
        """Pass input on, for ever. Called once it takes any; what goes wrong is for the reader to find out."""


async def converse(socket: Socket, remote: RemoteCommand, talker: Talker) -> bytes | None:
    """Talk to the end; returns the Status, None where the connection ended before one. The caller cuts the socket.

    Raises:
        ProtocolError: What came is none of a server's.
    """
    ready = asyncio.Event()

    async def write() -> None:
        await ready.wait()
        with contextlib.suppress(OSError, aiohttp.ClientError):
            await talker.write(socket, remote)

    writing = asyncio.create_task(write(), name="a program's input")
    try:
        while True:
            message = await socket.receive()
            match message.type:
                case WSMsgType.BINARY | WSMsgType.TEXT:
                    output = remote.receive(message.data)
                    if not ready.is_set():
                        ready.set()
                        talker.began()
                    if remote.has_status:
                        writing.cancel()  # to write to a server that has closed would end the reading too
                    if output is not None:
                        await talker.wrote(*output)
                case WSMsgType.PING:
                    with contextlib.suppress(OSError, aiohttp.ClientError):
                        await socket.pong(message.data)
                case WSMsgType.PONG:
                    pass
                case _:
                    ended = message.type is WSMsgType.CLOSE and message.data == NORMAL
                    break
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    return remote.status() if remote.has_status or ended else None


async def send(socket: Socket, message: bytes | str) -> None:
    """A message in the form of its version: base64 is text."""
    if isinstance(message, str):
        await socket.send_str(message)
    else:
        await socket.send_bytes(message)


async def more(socket: Socket, wanted: asyncio.Event) -> None:
    """Wait until there may be more to write; a silence of `PING_SECONDS` is broken by a ping."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            await wanted.wait()
    except TimeoutError:
        await socket.ping()


def close_code(socket: Socket) -> str | None:
    """In words, for an error about a connection that ended too early."""
    return f"WebSocket close code {socket.close_code}" if socket.close_code else None
