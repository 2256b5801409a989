"""Connections whose reading outlives their writing: what a server sent before it closed is read to its last byte.

A program that ends with its input unread makes an API server reset the connection, right behind the exit code. A write
into that connection fails, and every transport of asyncio and uvloop then closes at once, with the exit code unread in
the system's buffer. So the transport gets one end of a pair of local sockets, and a relay passes the bytes on: a write
that fails ends the writing, and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp

PIECE = 64 * 1024
"""Bytes passed on at a time."""


class Relays:
    """An event loop for the step of a connector of aiohttp that makes a transport of a connected socket.

    Args:
        loop: The real one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._running: set[asyncio.Task[None]] = set()
        self._sockets: set[socket.socket] = set()

    def __len__(self) -> int:
        return len(self._running)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(
        self, factory: Callable[[], Any], *arguments: Any, sock: socket.socket | None = None, **options: Any
    ) -> tuple[Any, Any]:
        """As the loop's, with a relay between the socket and the transport."""
        if sock is None:
            return await self._loop.create_connection(factory, *arguments, **options)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            # As asyncio and uvloop have it for a transport's own socket: or a key waits for the last one's ACK.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near, ours = socket.socketpair()
        for one in (near, sock, ours):
            one.setblocking(False)
        task = self._loop.create_task(_relay(self._loop, near, sock), name="relay")
        self._running.add(task)
        self._sockets |= {near, sock}

        def ended(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            self._sockets -= {near, sock}
            near.close()  # here, for a task that is cancelled at once never runs
            sock.close()

        task.add_done_callback(ended)
        # uvloop takes a Unix socket only by that name; Windows makes a pair of TCP sockets.
        is_unix = ours.family == getattr(socket, "AF_UNIX", None)
        create = self._loop.create_unix_connection if is_unix else self._loop.create_connection
        making = self._loop.create_task(create(factory, sock=ours, **options), name="relayed")
        try:
            return await asyncio.shield(making)
        except BaseException:
            # asyncio forgets a transport whose TLS is cancelled before it has begun. So it is not: its peer goes, the
            # handshake fails, and what was made of it is closed.
            task.cancel()
            making.add_done_callback(partial(_abandoned, ours))  # also where the waiting is cancelled once more
            await asyncio.wait([making])
            raise

    def forget(self) -> None:
        """In a forked child: close the copies of the file descriptors without a word."""
        for one in self._sockets:
            if (descriptor := one.detach()) >= 0:
                os.close(descriptor)

    async def aclose(self) -> None:
        """End all that run."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


class _Connecting:
    """A connector as that one step sees it: with `Relays` for its loop."""

    def __init__(self, connector: aiohttp.TCPConnector, relays: Relays) -> None:
        self._connector = connector
        self._loop = relays

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)


def relayed(connector: aiohttp.TCPConnector) -> Relays:
    """Have a connector make its connections so; returns what must be closed after it."""
    relays = Relays(connector._loop)
    step = partial(type(connector)._wrap_create_connection, _Connecting(connector, relays))  # type: ignore[arg-type]
    connector._wrap_create_connection = step  # type: ignore[method-assign]
    return relays


def _abandoned(ours: socket.socket, making: asyncio.Future[Any]) -> None:
    """Close what was made of a socket for somebody who has gone."""
    if not making.cancelled() and making.exception() is None:
        making.result()[0].abort()
    ours.close()


async def _relay(loop: asyncio.AbstractEventLoop, near: socket.socket, far: socket.socket) -> None:
    """Pass bytes on until the near side has gone; the far side's end is told to the near one."""
    down = loop.create_task(_down(loop, far, near))
    try:
        await _up(loop, near, far)
    finally:
        down.cancel()
        await asyncio.gather(down, return_exceptions=True)


async def _down(loop: asyncio.AbstractEventLoop, far: socket.socket, near: socket.socket) -> None:
    try:
        while data := await loop.sock_recv(far, PIECE):
            await loop.sock_sendall(near, data)
    except OSError:
        pass  # a reset: all that came before it has been read
    try:
        near.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the near side has gone


async def _up(loop: asyncio.AbstractEventLoop, near: socket.socket, far: socket.socket) -> None:
    writing = True
    try:
        while data := await loop.sock_recv(near, PIECE):
            if writing:
                try:
                    await loop.sock_sendall(far, data)
                except OSError:
                    writing = False  # nobody takes it any more; what is to be read is read
    except OSError:
        return
