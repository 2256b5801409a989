"""A client's WebSocket on ``/wsMultiplexer``: small buffers, and whether anybody is still there."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import time

from aiohttp import WSMsgType, web

UNSENT_BYTES = 64 * 1024
"""Bytes that may lie unsent in a socket's buffers, ours and the system's, each; see `server.UNSENT_BYTES`."""

WRITER_LIMIT = 1 << 62
"""Bytes after which aiohttp's own writer waits for the transport: never, see `Link.send`."""

PING_SECONDS = 30.0
"""Between pings. Browsers and libraries answer them by themselves."""

SILENT_SECONDS = 150.0
"""Without a frame or an answer a client is given up. A notebook's cell that holds its kernel for two minutes is no
reason to cut it."""

GOODBYE_SECONDS = 1.0
"""For the closing handshake; a client that does not read is cut off."""


class Link:
    """The socket. On the gateway's loop.

    Args:
        response: Prepared, without pings of its own, and with `WRITER_LIMIT`.
        request: Its request.
    """

    def __init__(self, response: web.WebSocketResponse, request: web.Request) -> None:
        transport = request.transport
        assert transport is not None
        self._response = response
        self._transport = transport
        self._writer = request.writer
        self._draining: asyncio.Task[None] | None = None
        self._heard = time.monotonic()
        transport.set_write_buffer_limits(high=UNSENT_BYTES)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)

    async def send(self, frame: bytes) -> None:
        """Write a text frame and wait until the system has taken it.

        Raises:
            OSError: The client has gone.
        """
        await self._response.send_frame(frame, WSMsgType.TEXT)  # into the buffer: it waits for nothing
        await self._drain()

    async def _drain(self) -> None:
        """Wait until little is unsent.

        In a task of its own, which nobody's cancelling reaches: all who wait for a transport wait for one future of
        aiohttp's, and the first of them that is cancelled cancels it, and with it the others.
        """
        if self._transport.get_write_buffer_size() <= UNSENT_BYTES:
            return
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._writer.drain(), name="headlamp drain")
        await asyncio.shield(self._draining)

    async def receive(self) -> str | bytes | None:
        """The next frame, or None when the client has closed, gone, or sent what is no WebSocket frame."""
        while True:
            message = await self._response.receive()
            self._heard = time.monotonic()
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    return message.data  # type: ignore[no-any-return]
                case WSMsgType.PING:
                    with contextlib.suppress(OSError):
                        await self._response.pong(message.data)
                        await self._drain()
                case WSMsgType.PONG:
                    pass
                case _:
                    return None

    def progressed(self) -> None:
        """The client has just taken something."""
        self._heard = time.monotonic()

    async def watch_over(self, ping: float = PING_SECONDS, silent: float = SILENT_SECONDS) -> None:
        """Ping, and return when the client has been silent for too long."""
        while time.monotonic() - self._heard < silent:
            await asyncio.sleep(min(ping, silent))
            with contextlib.suppress(OSError):
                await self._response.ping()

    async def close(self, code: int, reason: str) -> None:
        """The closing handshake; cut if there is none in time."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._response.close(code=code, message=reason.encode())
        except (OSError, TimeoutError):
            pass
        finally:
            if not self._transport.is_closing():
                self._transport.abort()
            if self._draining is not None:
                self._draining.cancel()
                await asyncio.gather(self._draining, return_exceptions=True)
