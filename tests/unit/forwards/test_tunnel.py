from __future__ import annotations

import asyncio
import hashlib
import random
from functools import partial

import pytest
from aiohttp import web

from notebook_mux.forwards.tunnel import PIECE, READ_AHEAD, UNSENT_BYTES
from tests.unit.forwards.pods import Going, Pods
from tests.unit.gateway.tls_api import Api
from tests.waiting import until as wait_until

until = partial(wait_until, seconds=20)

SIZE = 4 * 1024 * 1024
SLACK = 16 * 1024 * 1024
"""Bytes that sockets of this machine may hold between two ends, TLS and two relays included."""

AT_ONCE = 256 * 1024
"""Bytes that asyncio reads at a time."""


async def test_large_content_both_ways(api: Api, going: Going):
    content = random.Random(1).randbytes(SIZE)
    longest = 0

    async def hashing(socket: web.WebSocketResponse) -> None:
        nonlocal longest
        found = hashlib.sha256()
        size = 0
        while size < SIZE:
            data = (await socket.receive()).data[1:]
            longest = max(longest, len(data))
            size += len(data)
            found.update(data)
        await socket.send_bytes(b"\0" + found.digest())
        for at in range(0, SIZE, 32768):
            await socket.send_bytes(b"\0" + content[at : at + 32768])

    api.handle = Pods(hashing)
    forward = going.forward()
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    writer.write(content)
    await writer.drain()
    assert await reader.readexactly(32) == hashlib.sha256(content).digest()
    assert await reader.read() == content
    writer.close()
    assert longest <= PIECE
    await until(lambda: forward.state.received == SIZE + 32)
    assert forward.state.sent == SIZE


async def test_a_reader_that_is_slow_stops_the_pod(api: Api, going: Going):
    counts: list[int] = []

    async def flood(socket: web.WebSocketResponse) -> None:
        here = len(counts)  # whoever looks for a server of its own on this port is none of the reader's matter
        counts.append(0)
        for _ in range(10_000):
            await socket.send_bytes(b"\0" + bytes(32768))
            counts[here] += 32768

    api.handle = Pods(flood)
    forward = going.forward()
    _, writer = await asyncio.open_connection("127.0.0.1", forward.port, limit=1024)
    before = -1
    while not counts or counts[0] == 0 or sum(counts) != before:
        before = sum(counts)
        await asyncio.sleep(0.3)
    sent = min(counts)
    assert sent < SLACK
    tunnel = next(iter(forward._tunnels))
    assert tunnel._writer.transport.get_write_buffer_size() <= UNSENT_BYTES + 32768
    assert tunnel.received <= sent
    writer.transport.abort()
    await until(lambda: not forward.state.connections, "it has ended with its reader")


async def test_a_pod_that_is_slow_stops_the_writer(api: Api, going: Going):
    going_on = asyncio.Event()

    async def slow(socket: web.WebSocketResponse) -> None:
        await going_on.wait()

    api.handle = Pods(slow)
    forward = going.forward()
    _, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    writer.transport.set_write_buffer_limits(high=1024)
    written = 0

    async def write() -> None:
        nonlocal written
        while written < 256 * 1024 * 1024:
            writer.write(bytes(65536))
            await writer.drain()
            written += 65536

    writing = asyncio.create_task(write())
    before = -1
    while written == 0 or written != before:
        before = written
        await asyncio.sleep(0.3)
    assert written < SLACK
    tunnel = next(iter(forward._tunnels))
    assert len(tunnel._reader._buffer) <= 2 * READ_AHEAD + AT_ONCE  # type: ignore[attr-defined]
    writing.cancel()
    writer.transport.abort()
    going_on.set()
    await until(lambda: not forward.state.connections)


async def test_a_local_side_that_goes_ends_the_pods(api: Api, going: Going):
    ended = asyncio.Event()

    async def wait(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\0hello")
        async for _ in socket:
            pass
        ended.set()

    api.handle = Pods(wait)
    forward = going.forward()
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    assert await reader.readexactly(5) == b"hello"
    raw = writer.get_extra_info("socket")
    raw.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: a reset
    writer.transport.abort()
    await asyncio.wait_for(ended.wait(), 20)
    await until(lambda: not forward.state.connections)
    assert forward.state.errors == 0


async def test_a_browser_that_came_through_jupyter_gets_no_page(api: Api, going: Going):
    asked: list[bytes] = []

    async def page(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            asked.append(message.data[1:])
            await socket.send_bytes(b"\0page")

    api.handle = Pods(page)
    forward = going.forward()
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: hub.example\r\nCookie: _xsrf=1\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    await until(lambda: forward.state.errors == 1)
    assert "jupyter_url(trusted=True)" in forward.state.error
    assert (asked, forward.state.sent) == ([], 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    writer.write(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{forward.port}\r\nCookie: _xsrf=1\r\n\r\n".encode())
    assert await reader.readexactly(4) == b"page"
    writer.close()
