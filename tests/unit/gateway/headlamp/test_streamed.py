from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64decode

import pytest
from aiohttp import web
from websockets.exceptions import ConnectionClosed

from tests.unit.gateway.headlamp.api import PODS, served

LOG = f"{PODS}/web-0/log"
BASE64 = "base64.binary.k8s.io"


async def plain(request):
    """A watch as a server without WebSockets has it: it does not see that one was asked for."""
    response = web.StreamResponse()
    await response.prepare(request)
    for name in "abc":
        line = json.dumps({"type": "ADDED", "object": {"metadata": {"name": f"{name} é"}}}).encode() + b"\n"
        await response.write(line[:10])
        await response.write(line[10:])
    if "hold" in request.query:
        await asyncio.Event().wait()
    return response


@pytest.mark.parametrize("protocols", [None, [BASE64], ["other", BASE64]])
async def test_a_watch_is_an_event_a_frame(tmp_path, protocols):
    async with served(tmp_path) as running:
        running.api.routes[PODS] = plain
        async with running.socket(f"/clusters/one{PODS}?watch=1", subprotocols=protocols) as socket:
            assert socket.subprotocol == (BASE64 if protocols else None)
            names = [json.loads(await socket.recv())["object"]["metadata"]["name"] for _ in range(3)]
            assert names == ["a é", "b é", "c é"]
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1000


async def test_it_ends_with_its_client(tmp_path):
    over = asyncio.Event()

    async def held(request):
        try:
            return await plain(request)
        finally:
            over.set()

    async with served(tmp_path) as running:
        running.api.routes[PODS] = held
        async with running.socket(f"/clusters/one{PODS}?watch=1&hold=1") as socket:
            await socket.recv()
        async with asyncio.timeout(30):
            await over.wait()


@pytest.mark.parametrize(("protocols", "decode"), [([BASE64], b64decode), (["binary.k8s.io"], bytes)])
async def test_a_log_is_base64_or_bytes(tmp_path, protocols, decode):
    async def log(request):
        return web.Response(body=b"line 1\n\xff\n")

    async with served(tmp_path) as running:
        running.api.routes[LOG] = log
        async with running.socket(f"/clusters/one{LOG}?follow=true", subprotocols=protocols) as socket:
            assert decode(await socket.recv()) == b"line 1\n\xff\n"


async def test_a_break_is_told_from_an_end(tmp_path):
    async def cut(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{}\n")
        request.transport.abort()
        return response

    async with served(tmp_path) as running:
        running.api.routes[PODS] = cut
        async with running.socket(f"/clusters/one{PODS}?watch=1") as socket:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await socket.recv()
            assert socket.close_code == 1011
