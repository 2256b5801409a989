"""Servers and clients of tests, ended so that nothing is left behind which the garbage collector finds in another."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, cast

from aiohttp import web

from notebook_mux.listening import stop_accepting

GOODBYE_S, STEP_S = 5.0, 0.01
"""For TLS to say goodbye on connections that are being closed; what is open then is cut."""
TURNS = 5
"""Of the loop, in which a connection that is cut closes its socket."""


GIVEN_TO_NOBODY = range(20_000, 30_000)
"""Ports below those that a system gives to who asks for any (Linux: from 32768 on; macOS, Windows, IANA: 49152)."""


def quiet_port() -> int:
    """A free port to which nobody else comes.

    Clients of servers that have gone, as kernels are, knock at their ports again and again, and may wait there for ever
    when those are somebody else's.
    """
    while True:
        port = random.choice(GIVEN_TO_NOBODY)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Place:
    """Ports on which nobody listens for a while, and that no other program of the machine gets meanwhile."""

    def __init__(self) -> None:
        self._kept: list[socket.socket] = []

    def keep(self, *ports: int) -> None:
        """From now on; nobody may listen there any more."""
        self.give_up()
        for port in ports:
            one = socket.socket()
            self._kept.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that who listens again may beside it
            one.bind(("127.0.0.1", port))

    def give_up(self) -> None:
        """Somebody listens again, or will not any more."""
        while self._kept:
            self._kept.pop().close()


async def stop_serving(runner: web.BaseRunner) -> None:
    """End an aiohttp server whose clients may be connecting right now."""
    servers = [cast(asyncio.Server, site._server) for site in runner.sites]  # there is no other way to its sockets
    await stop_accepting(one for server in servers for one in server.sockets)
    await runner.cleanup()


def heard() -> set[int]:
    """The descriptors that the running loop, one of asyncio's own, listens to."""
    loop: Any = asyncio.get_running_loop()
    return set(loop._selector.get_map()) - {loop._ssock.fileno()}


async def quiet(but: Collection[int] = ()) -> list[str]:
    """Until the running loop listens to nothing, `but` to these.

    Returns:
        What was open still after a while, and has been cut; but for what was on its way out.
    """
    loop: Any = asyncio.get_running_loop()
    deadline = time.monotonic() + GOODBYE_S
    while heard() - set(but) and time.monotonic() < deadline:
        await asyncio.sleep(STEP_S)
    left = [(file, transport) for file, transport in loop._transports.items() if file not in but]
    said = [repr(transport) for _, transport in left if not transport.is_closing()]
    for file, transport in left:
        if file in heard() or not transport.is_closing():  # and not what has closed
            transport.abort()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return said + [f"descriptor {file}" for file in heard() - set(but)]


@contextlib.asynccontextmanager
async def talking(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A server on loopback, with `tls` over that, whose connections are `talk`'s; gives its port.

    Whoever is connected at its end is cut off: another program of the machine may have come to the port, and waits.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await stop_accepting(server.sockets)
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
