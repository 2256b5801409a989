from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiohttp import web

from notebook_mux.errors import WriteRefused
from notebook_mux.forwards import forward as module
from notebook_mux.forwards.forward import Forward
from tests.serving import quiet_port
from tests.unit.forwards.pods import PATH, Going, Pods, echo
from tests.unit.gateway.tls_api import Api
from tests.waiting import until as wait_until

until = partial(wait_until, seconds=20)

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(forward: Forward) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said(forward: Forward, words: bytes = b"hello\n") -> bytes:
    """What comes back for some words, on a connection of its own."""
    async with connected(forward) as (reader, writer):
        writer.write(words)
        return await reader.readline()


async def all_of(forward: Forward) -> bytes:
    """All that comes by itself."""
    async with connected(forward) as (reader, _):
        return await reader.read()


async def test_bytes_both_ways_and_their_counts(api: Api, going: Going):
    api.handle = pods = Pods(echo)
    forward = going.forward()
    changes = []
    forward.changed = lambda: changes.append(forward.state.connections)
    assert forward.state.state == "listening"
    async with connected(forward) as (reader, writer):
        for words in (b"hello\n", bytes(range(10)) + b"\n", b"bye\n"):
            writer.write(words)
            assert await reader.readline() == words
        assert await reader.read() == b""  # the pod's end of it
    await until(lambda: not forward.state.connections, "it has ended")
    state = forward.state
    assert (state.total, state.sent, state.received, state.errors, state.path) == (1, 21, 21, 0, PATH)
    assert (changes[0], changes[-1]) == (1, 0)
    assert pods.queries == ["ports=8080"]


async def test_each_connection_is_one_of_its_own(api: Api, going: Going):
    api.handle = pods = Pods(echo)
    forward = going.forward()
    answers = await asyncio.gather(*(said(forward, f"{n}\n".encode()) for n in range(20)))
    assert answers == [f"{n}\n".encode() for n in range(20)]
    assert pods.starts == forward.state.total == 20


async def test_it_listens_on_loopback_only(going: Going):
    forward = going.forward()
    assert forward._listening.getsockname() == ("127.0.0.1", forward.port)


async def test_the_port_that_is_wanted_where_it_is_free(going: Going):
    with sockets.create_server(("127.0.0.1", quiet_port())) as taken:
        port = taken.getsockname()[1]
        assert going.forward(port).port not in (0, port)
    assert going.forward(port).port == port


async def test_the_servers_words_are_told_and_the_connection_is_reset(api: Api, going: Going):
    words = b"error forwarding port 8080 to pod web-0: connection refused"

    async def refuse(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\0some of an answer")
        await socket.send_bytes(b"\1" + words)

    api.handle = Pods(refuse)
    forward = going.forward()
    with pytest.raises(ConnectionResetError):  # what has come must not look whole
        await all_of(forward)
    await until(lambda: forward.state.errors == 1)
    assert forward.state.error == f"port 8080 of the pod cannot be reached: {words.decode()}"
    assert forward.state.state == "listening"


async def test_a_connection_that_breaks_is_reset(api: Api, going: Going):
    async def broken(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\0half")
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    api.handle = Pods(broken)
    forward = going.forward()
    with pytest.raises(ConnectionResetError):
        await all_of(forward)
    await until(lambda: forward.state.errors == 1)
    assert forward.state.error.startswith("the connection to the pod broke")


async def test_what_the_server_refuses(api: Api, going: Going):
    api.handle = lambda request: web.json_response({"kind": "Status", "message": "pods is forbidden"}, status=403)
    forward = going.forward()
    with pytest.raises(ConnectionResetError):
        await said(forward)
    await until(lambda: forward.state.errors == 1)
    assert forward.state.error == "forwarding a port: the server answered 403: pods is forbidden"


async def test_nobody_at_the_clusters_address(api: Api, going: Going):
    await api.leave()
    forward = going.forward()
    with pytest.raises(ConnectionResetError):
        await said(forward)
    await until(lambda: forward.state.errors == 1)
    assert forward.state.error


async def test_the_right_is_asked_for_each_connection(api: Api, going: Going):
    api.handle = pods = Pods(echo)
    forward = going.forward()
    assert await said(forward) == b"hello\n"
    going.refusal = WriteRefused("only looking")
    with pytest.raises(ConnectionResetError):
        await said(forward)
    await until(lambda: forward.state.error == "only looking")
    assert pods.starts == 1


async def test_a_pod_that_has_gone(api: Api, going: Going):
    api.handle = pods = Pods(echo)
    forward = going.forward()
    pods.gone = True
    with pytest.raises(ConnectionResetError):
        await said(forward)
    await until(lambda: forward.state.errors == 1)
    assert (forward.state.state, forward.state.reason) == ("lost", 'pods "web-0" not found')
    pods.gone = False  # one of its name has come
    assert await said(forward) == b"hello\n"
    assert (forward.state.state, forward.state.reason) == ("listening", "")


async def test_connections_wait_for_another_pod(api: Api, going: Going):
    gone, other = Pods(echo), Pods(echo)
    gone.gone = True
    api.handle = lambda request: (other if "/web-1/" in request.path else gone)(request)
    forward = going.forward(moves=True)
    waiting = [asyncio.create_task(said(forward)) for _ in range(5)]
    await until(lambda: forward.state.state == "lost")
    forward.point(going.aim(path=PATH.replace("web-0", "web-1"), moves=True))
    assert await asyncio.gather(*waiting) == [b"hello\n"] * 5
    assert (forward.state.state, forward.state.errors, other.starts) == ("listening", 0, 5)


async def test_they_do_not_wait_for_ever(api: Api, going: Going, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOVE_SECONDS", 0.05)
    api.handle = pods = Pods(echo)
    pods.gone = True
    with pytest.raises(ConnectionResetError):
        await said(going.forward(moves=True))
    left = going.forward(moves=True)
    left.has_client = False  # nobody would name another one
    monkeypatch.setattr(module, "MOVE_SECONDS", 3600.0)
    with pytest.raises(ConnectionResetError):
        await said(left)


async def test_an_answer_still_comes_after_the_local_side_has_finished(api: Api, going: Going):
    asked = asyncio.Event()

    async def late(socket: web.WebSocketResponse) -> None:
        assert (await socket.receive()).data == b"\0question"
        await asked.wait()
        await socket.send_bytes(b"\0answer")

    api.handle = Pods(late)
    forward = going.forward()
    async with connected(forward) as (reader, writer):
        writer.write(b"question")
        writer.write_eof()
        await until(lambda: [tunnel.half_closed for tunnel in forward._tunnels] == [True])
        asked.set()
        assert await reader.read() == b"answer"


async def test_what_is_silent_then_is_ended(api: Api, going: Going, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(module, "PING_SECONDS", 0.02)
    api.handle = Pods(echo)
    forward = going.forward()
    async with connected(forward) as (reader, writer):
        writer.write(b"x\n")
        assert await reader.readline() == b"x\n"
        monkeypatch.setattr(module, "HALF_CLOSED_SECONDS", 0.05)
        await asyncio.sleep(0.1)
        assert forward.state.connections == 1  # idle, and pinged, is not silent
        writer.write_eof()
        assert await reader.read() == b""
    await until(lambda: forward.state.connections == 0)
    assert forward.state.errors == 0
    async with connected(forward) as (reader, writer):
        writer.write(b"x\n")
        assert await reader.readline() == b"x\n"
        monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
        assert await reader.read() == b""


async def test_more_than_there_may_be(api: Api, going: Going, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 2)
    api.handle = Pods(echo)
    forward = going.forward()
    async with connected(forward) as first, connected(forward) as second:
        for reader, writer in (first, second):
            writer.write(b"x\n")
            assert await reader.readline() == b"x\n"
        with pytest.raises(ConnectionResetError):
            await said(forward)
        await until(lambda: forward.state.errors == 1)
        assert "there are 2 connections already" in forward.state.error
        first[1].write_eof()  # one that has finished gives way
        await until(lambda: any(tunnel.half_closed for tunnel in forward._tunnels))
        assert await said(forward) == b"hello\n"
        assert await first[0].read() == b""


async def test_its_end_is_the_end_of_all(api: Api, going: Going):
    api.handle = Pods(echo)
    forward = going.forward()
    async with connected(forward) as (reader, writer):
        writer.write(b"x\n")
        assert await reader.readline() == b"x\n"
        await forward.aclose()
        with pytest.raises(ConnectionResetError):
            assert await reader.read()
    with pytest.raises(ConnectionRefusedError):
        await said(forward)
    await forward.aclose()
    await going.forward().aclose()  # one that has not begun


@pytest.mark.parametrize("turns", range(5))
async def test_one_that_ends_while_it_begins_leaves_the_loop_nothing(going: Going, turns: int):
    forward = going.forward()
    listening = forward._listening.fileno()
    for _ in range(turns):
        await asyncio.sleep(0)
    await forward.aclose()
    assert not asyncio.get_running_loop().remove_reader(listening)
