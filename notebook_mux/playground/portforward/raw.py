"""A request's connection after an upgrade to something that is no WebSocket: its bytes as they come."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp import web

READ_AHEAD = 256 * 1024
"""Bytes that are taken before they are asked for; then the client's socket is not read."""


class _Bytes:
    """Takes the place of aiohttp's parser of WebSocket frames (`RequestHandler.set_parser`)."""

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
    """The connection of a request.

    Args:
        request: Not answered yet. Its client sends nothing more before the answer.

    Raises:
        ConnectionResetError: The client has gone already.
    """

    def __init__(self, request: web.BaseRequest) -> None:
        transport = request.transport
        if not isinstance(transport, asyncio.Transport):
            raise ConnectionResetError("the client has gone")
        self._transport = transport
        self._protocol = cast(Any, request.protocol)
        self._bytes = _Bytes(transport)
        self._protocol.set_parser(self._bytes)
        self._protocol.keep_alive(False)

    async def read(self) -> bytes:
        """What has come; b"" at the end."""
        return await self._bytes.read()

    async def write(self, data: bytes) -> None:
        """Send, and wait where the client does not read.

        Raises:
            ConnectionError: The client has gone.
        """
        if self._transport.is_closing():
            raise ConnectionResetError("the client has gone")
        self._transport.write(data)
        await self._protocol._drain_helper()  # the protocol's own back pressure, as aiohttp's writers use it

    def close(self) -> None:
        """End the connection."""
        self._bytes.feed_eof()
        self._transport.close()
