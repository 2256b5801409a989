from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.remote import relays as relays_module
from notebook_mux.remote.relays import Relays, relayed
from notebook_mux.remote.sockets import hang_up
from tests.serving import quiet_port
from tests.unit.gateway.tls_api import Api
from tests.waiting import until

TAIL = bytes(range(256)) * 32
"""Eight KiB: a reset drops what has not left the server, so it must fit into the buffer of who reads."""


@pytest.fixture
async def connector() -> AsyncIterator[aiohttp.TCPConnector]:
    made = aiohttp.TCPConnector(limit=0, force_close=True)
    relays = relayed(made)
    yield made
    await made.close()
    await relays.aclose()
    assert not relays._running


class Resetting:
    """Answers a request at once, reads nothing of its body, and resets the connection behind the answer."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", quiet_port()))  # for it answers one visitor
        self.listening.setblocking(False)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}/"
        self.hung_up = asyncio.Event()

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        peer, _ = await loop.sock_accept(self.listening)
        await loop.sock_recv(peer, 100)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(TAIL)}\r\n\r\n".encode()
        await loop.sock_sendall(peer, head + TAIL)
        peer.close()  # with input unread: a reset
        self.listening.close()
        self.hung_up.set()


async def test_what_came_before_a_reset_is_read(connector: aiohttp.TCPConnector):
    server = Resetting()
    serving = asyncio.create_task(server.serve())

    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(64 * 1024)
        await server.hung_up.wait()

    async with (
        aiohttp.ClientSession(connector=connector, connector_owner=False) as session,
        session.post(server.url, data=body()) as response,
    ):
        assert await response.read() == TAIL
    await serving


async def test_a_key_does_not_wait_for_the_last_ones_acknowledgement(monkeypatch: pytest.MonkeyPatch):
    """A transport sets that on its own socket, which is a local one here (Nagle's algorithm, RFC 896)."""
    far: list[socket.socket] = []
    relay = relays_module._relay

    async def look(loop: asyncio.AbstractEventLoop, near: socket.socket, sock: socket.socket) -> None:
        far.append(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await relay(loop, near, sock)

    monkeypatch.setattr(relays_module, "_relay", look)
    connector = aiohttp.TCPConnector(force_close=True)
    relays = relayed(connector)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            request = aiohttp.ClientSession(connector=connector, connector_owner=False)
            async with request:
                asking = asyncio.create_task(request.get(f"http://127.0.0.1:{listening.getsockname()[1]}/"))
                while not far:
                    await asyncio.sleep(0.005)
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
    finally:
        await connector.close()
        await relays.aclose()


async def test_a_connection_by_a_relay_is_like_any_other(connector: aiohttp.TCPConnector, api: Api):
    api.handle = lambda request: web.Response(body=TAIL)
    async with aiohttp.ClientSession(connector=connector, connector_owner=False) as session:
        for _ in range(3):
            async with session.get(api.url, ssl=False) as response:
                assert await response.read() == TAIL


async def test_one_that_cannot_be_made_leaves_nothing(connector: aiohttp.TCPConnector):
    async with aiohttp.ClientSession(connector=connector, connector_owner=False) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:1/")


async def test_the_tail_of_a_paused_websocket(api: Api, connect: Callable[..., Cluster]):
    """What the server sent before it closed, to a reader who looks only afterwards."""
    closed = asyncio.Event()

    async def sends(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["x"], timeout=0.1)
        await socket.prepare(request)
        for number in range(20):
            await socket.send_bytes(bytes((number,)) * 10_000)
        await socket.close()
        closed.set()
        return socket

    api.handle = sends
    socket = await connect(api.url, {"token": "canary"}).websocket("/api/v1/x", protocols=["x"])
    await asyncio.wait_for(closed.wait(), 30)
    for number in range(20):
        message = await socket.receive()
        assert (message.type, message.data) == (WSMsgType.BINARY, bytes((number,)) * 10_000)
    assert (await socket.receive()).type is WSMsgType.CLOSE
    await hang_up(socket, 1.0)


async def test_a_dial_that_is_given_up_leaves_nothing_open(connector: aiohttp.TCPConnector, api: Api):
    async with aiohttp.ClientSession(connector=connector, connector_owner=False) as session:
        for steps in range(40):  # turns of the loop: before, in and after the TLS handshake
            asking = asyncio.create_task(session.get(api.url, ssl=False))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                (await asking).close()
    await connector.close()
    await asyncio.sleep(0.05)  # what was closed says goodbye
    gc.collect()  # and what was not is an error here


class Slow:
    """The loop, where a transport is never made."""

    def __init__(self) -> None:
        self.given: list[socket.socket] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio.get_running_loop(), name)

    async def create_unix_connection(self, factory: Any, *, sock: socket.socket) -> Any:
        self.given.append(sock)
        await asyncio.Event().wait()

    create_connection = create_unix_connection


async def test_a_dial_that_is_cancelled_twice_leaves_nothing_open():
    slow: Any = Slow()
    relays = Relays(slow)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        far = socket.create_connection(listening.getsockname())
        dialling = asyncio.create_task(relays.create_connection(asyncio.Protocol, sock=far))
        await until(lambda: bool(slow.given))
        for _ in range(2):
            dialling.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(dialling, return_exceptions=True)
        [making] = [task for task in asyncio.all_tasks() if task.get_name() == "relayed"]
        making.cancel()  # as at the loop's end
        await until(lambda: slow.given[0].fileno() == -1)
        await relays.aclose()
