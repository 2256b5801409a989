"""One local connection and its WebSocket to a pod's port: bytes both ways, few of them here at a time.

Back-pressure is the sockets' own: nothing is read from one side while the other takes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket as sockets
import struct
from collections.abc import Callable

import aiohttp
from aiohttp import WSMsgType

from notebook_mux.errors import Forbidden, ServerError
from notebook_mux.forwards.proxied import Gate
from notebook_mux.remote.dialer import Dialer
from notebook_mux.remote.sockets import cut, hang_up
from notebook_mux.wire.portforward import PROTOCOL, PortForward, query

PIECE = 32 * 1024
"""Bytes of one message to the API server: what it sends at most itself (wsstream)."""

READ_AHEAD = 64 * 1024
"""Bytes that are taken from a local connection before the pod's side wants them."""

UNSENT_BYTES = 64 * 1024
"""Bytes that wait here for a local connection before no more are read from the pod."""

END_SECONDS = 2.0
"""For the last bytes to leave, and for a closing handshake."""

NORMAL = 1000
"""The close code after the pod's end of the connection; each other one is a connection that broke."""

THROUGH_JUPYTER = "a browser came through the Jupyter server, which is for jupyter_url(trusted=True)"

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, zero seconds."""


class Tunnel:
    """See the module. On the gateway's loop.

    Args:
        reader: The local connection.
        writer: The same.

    Attributes:
        sent: Bytes to the pod.
        received: Bytes from the pod.
        last: When a byte went last, in the loop's seconds.
        half_closed: Whether the local side has said that it sends no more. The pod does not hear of it: the protocol
            has no half close. So it is for the forward to end what is silent then.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sent = 0
        self.received = 0
        self.half_closed = False
        self._loop = asyncio.get_running_loop()
        self.last = self._loop.time()
        self._reader = reader
        self._writer = writer
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._remote: PortForward
        self._writing = False
        self._ended = False
        self._gate = Gate(writer.get_extra_info("sockname")[1])
        writer.transport.set_write_buffer_limits(high=UNSENT_BYTES)
        if (raw := writer.get_extra_info("socket")) is not None:
            raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)

    async def connect(self, cluster: Dialer, path: str, port: int) -> None:
        """Open the WebSocket; the local side is left as it is where that fails.

        Raises:
            Refused: The API server's answer was no upgrade.
            MuxError: No connection, or no login.
        """
        self._socket = await cluster.websocket(path, query(port), protocols=(PROTOCOL,))
        self._remote = PortForward(self._socket.protocol, port)

    async def run(self, cluster: str) -> None:
        """Pass on until one side ends; `connect` comes before.

        Raises:
            MuxError: The server's words about the port, or a connection that broke. The local side has been reset
                then: what came of an answer must not look whole.
        """
        assert self._socket is not None
        good = False
        try:
            good = await self._pass_on(self._socket, self._remote, cluster)
        finally:
            if not good:
                self.reset()
            await self._close()

    async def _pass_on(self, socket: aiohttp.ClientWebSocketResponse, remote: PortForward, cluster: str) -> bool:
        up = asyncio.create_task(self._up(socket, remote), name="forward up")
        try:
            code = await self._down(socket, remote)
        except OSError:
            return True  # the local side has gone, and that is its right
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
        if self._gate.refused:
            raise Forbidden(THROUGH_JUPYTER, cluster=cluster)
        if self._ended:
            return True
        if remote.error:
            raise ServerError(f"port {remote.port} of the pod cannot be reached", cluster=cluster, said=remote.error)
        if code != NORMAL:
            raise ServerError(
                "the connection to the pod broke",
                cluster=cluster,
                said=f"WebSocket close code {code}" if code else None,
            )
        return True

    async def _down(self, socket: aiohttp.ClientWebSocketResponse, remote: PortForward) -> int | None:
        """From the pod; returns the close code, None for an end without one.

        Raises:
            OSError: The local side takes nothing any more.
        """
        writer = self._writer
        while True:
            message = await socket.receive()
            match message.type:
                case WSMsgType.BINARY | WSMsgType.TEXT:
                    data = remote.receive(message.data)
                    if data:
                        writer.write(data)
                        await writer.drain()
                        self.received += len(data)
                        self.last = self._loop.time()
                case WSMsgType.PING:
                    with contextlib.suppress(OSError, aiohttp.ClientError):
                        await socket.pong(message.data)
                case WSMsgType.PONG:
                    pass
                case WSMsgType.CLOSE:
                    return int(message.data or 0)
                case _:
                    return None

    async def _up(self, socket: aiohttp.ClientWebSocketResponse, remote: PortForward) -> None:
        """To the pod; what goes wrong is for the reader to find out."""
        try:
            while read := await self._reader.read(PIECE):
                await self._send(socket, remote.write, self._gate.feed(read))
                if self._gate.refused:
                    cut(socket)
                    return
            await self._send(socket, remote.write, self._gate.rest())
            self.half_closed = True
        except (OSError, aiohttp.ClientError):
            if self._reader.exception() is not None:
                self.end()  # the local side was reset

    async def _send(
        self, socket: aiohttp.ClientWebSocketResponse, message: Callable[[bytes], bytes], data: bytes
    ) -> None:
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE]
            self._writing = True
            await socket.send_bytes(message(piece))
            self._writing = False
            self.sent += len(piece)
            self.last = self._loop.time()

    # --- its keeper -----------------------------------------------------------------------------------------------

    async def ping(self) -> None:
        """Keep the way open; no word while one is under way that nobody takes."""
        if self._socket is not None and not self._writing:
            with contextlib.suppress(TimeoutError, OSError, aiohttp.ClientError):
                async with asyncio.timeout(END_SECONDS):
                    await self._socket.ping()

    def end(self) -> None:
        """End it: both sides, soon."""
        self._ended = True
        self._writer.close()
        if self._socket is not None:
            cut(self._socket)

    def reset(self) -> None:
        """End at once what is still there, the local side as a failure: by a reset, not by an end."""
        if self._socket is not None:
            cut(self._socket)
        raw = self._writer.get_extra_info("socket")
        if raw is not None and not self._writer.transport.is_closing():
            with contextlib.suppress(OSError):  # it has gone by itself
                raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, RESET)
        self._writer.transport.abort()

    def forget(self) -> None:
        """In a forked child: close the local side's copy without a word; the other one is the dialler's."""
        raw = self._writer.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            os.close(raw.fileno())

    async def _close(self) -> None:
        if self._socket is not None:
            await hang_up(self._socket, END_SECONDS)
        self._writer.close()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(END_SECONDS):
                await self._writer.wait_closed()
        self._writer.transport.abort()
