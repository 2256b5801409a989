"""A connection of HTTP after an upgrade to something that is no WebSocket: its bytes as they come, on either side."""

from __future__ import annotations

import asyncio
from typing import Any, Self, cast

import aiohttp
from aiohttp import web

READ_AHEAD = 256 * 1024
"""Bytes that are taken before they are asked for; then the other side's socket is not read."""


class _Bytes:
    """Takes the place of aiohttp's parser of WebSocket frames (``set_parser`` of its protocols)."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._ended = False
        self._come = asyncio.Event()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._buffer += data
        self._come.set()
        if len(self._buffer) > READ_AHEAD:
            self._transport.pause_reading()
        return False, b""

    def feed_eof(self) -> None:
        self._ended = True
        self._come.set()

    async def read(self) -> bytes:
        while not self._buffer and not self._ended:
            self._come.clear()
            await self._come.wait()
        data = bytes(self._buffer)
        self._buffer.clear()
        if not self._transport.is_closing():
            self._transport.resume_reading()
        return data


class Raw:
    """The connection.

    Args:
        protocol: aiohttp's.
        transport: Its transport; None where it has gone already.
        more: Further arguments of ``set_parser``.

    Raises:
        ConnectionResetError: The other side has gone already.
    """

    def __init__(self, protocol: Any, transport: asyncio.BaseTransport | None, *more: Any) -> None:
        if protocol is None or transport is None or transport.is_closing():
            raise ConnectionResetError("the other side has gone")
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none of asyncio's class
        self._protocol = protocol
        self._bytes = _Bytes(self._transport)
        self._protocol.set_parser(self._bytes, *more)

    @classmethod
    def of_request(cls, request: web.BaseRequest) -> Self:
        """A server's side; the request is not answered yet, and its client sends nothing before the answer."""
        made = cls(request.protocol, request.transport)
        made._protocol.keep_alive(False)
        return made

    @classmethod
    def of_answer(cls, answer: aiohttp.ClientResponse) -> Self:
        """A client's side; the answer is a 101."""
        connection = answer.connection
        if connection is None:
            raise ConnectionResetError("the server has gone")
        return cls(connection.protocol, connection.transport, answer.content)

    async def read(self) -> bytes:
        """What has come; b"" at the end."""
        return await self._bytes.read()

    async def write(self, data: bytes) -> None:
        """Send, and wait where the other side does not read.

        Raises:
            ConnectionError: It has gone.
        """
        if self._transport.is_closing():
            raise ConnectionResetError("the other side has gone")
        self._transport.write(data)
        await self._protocol._drain_helper()  # the protocol's own back pressure, as aiohttp's writers use it

    def close(self) -> None:
        """End the connection."""
        self._bytes.feed_eof()
        self._transport.close()
