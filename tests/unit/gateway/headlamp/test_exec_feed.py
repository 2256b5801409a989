from __future__ import annotations

import asyncio

from notebook_mux.gateway.headlamp import exec_feed
from notebook_mux.wire import headlamp as wire
from tests.unit.gateway.headlamp.api import EXEC, served
from tests.unit.gateway.headlamp.test_tunnel import EVERY

QUERY = "command=cat&stdin=1&stdout=1"
EXECS = {"path": EXEC, "query": QUERY}


async def test_input_and_output_keep_their_order(tmp_path):
    async with served(tmp_path, write=True) as running, running.client() as client:
        await client.subscribe(**EXECS)
        for number in range(100):
            await client.say(**EXECS, data=f"\0{number}é")
        for number in range(100):
            found = await client.told()
            assert (found.binary, found.payload()) == (True, f"\0{number}é".encode())


async def test_text_and_bytes_are_told_apart(tmp_path):
    async def say(request):
        from aiohttp import web

        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("text é")
        await socket.send_bytes(EVERY)
        await socket.send_bytes(b"")
        await socket.ping(b"x")
        await socket.close()
        return socket

    async with served(tmp_path, write=True) as running, running.client() as client:
        running.api.routes[EXEC] = say
        await client.subscribe(**EXECS)
        found = [await client.told() for _ in range(3)]
        assert [(one.binary, one.payload()) for one in found] == [
            (False, "text é".encode()), (True, EVERY), (True, b""),
        ]  # fmt: skip
        await client.hears(wire.COMPLETE)


async def test_input_before_it_is_open_waits(tmp_path):
    release = asyncio.Event()

    async def slow(request):
        await release.wait()
        return await running.api._exec(request)

    async with served(tmp_path, write=True) as running, running.client() as client:
        running.api.routes[EXEC] = slow
        await client.say(**EXECS, data="\0one")
        await client.say(**EXECS, data="\0two")
        await client.say("PING")
        await client.hears(wire.ERROR)
        release.set()
        assert (await client.hears(wire.STATUS))["state"] == "connected"
        assert [(await client.told()).payload() for _ in range(2)] == [b"\0one", b"\0two"]


async def test_input_that_nobody_reads_ends_it_at_last(tmp_path):
    async def hang(request):
        await asyncio.Event().wait()

    async with served(tmp_path, write=True) as running, running.client() as client:
        running.api.routes[EXEC] = hang
        piece = "\0" + "x" * (exec_feed.MAX_UNSENT // 2 - 1)
        for _ in range(3):
            await client.say(**EXECS, data=piece)
        assert (await client.hears(wire.ERROR))["code"] == 429
        assert (await client.hears(wire.STATUS))["state"] == "closed"


async def test_a_broken_one_says_so(tmp_path):
    async def cut(request):
        from aiohttp import web

        socket = web.WebSocketResponse()
        await socket.prepare(request)
        request.transport.abort()
        return socket

    async with served(tmp_path, write=True) as running, running.client() as client:
        running.api.routes[EXEC] = cut
        await client.subscribe(**EXECS)
        status = await client.hears(wire.STATUS)
        assert (status["state"], status["code"]) == ("closed", 502)
        assert status["error"]
