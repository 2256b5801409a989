"""What a pod serves, passed on as it comes; who gets in and what is kept out is in `tests.security.test_forwards`."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.security.test_forwards import Opened, opened
from tests.unit.gateway.tls_api import api, authority, connect

__all__ = ["api", "authority", "connect", "opened"]

SIZE = 3 * 1024 * 1024


def url(opened: Opened, path: str = "", scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{opened.running.gateway.port}{opened.path}{path}"


async def test_large_bodies_both_ways(opened: Opened):
    content = random.Random(1).randbytes(SIZE)

    async def echo(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await request.read())

    opened.pod.handler = echo
    async with aiohttp.ClientSession() as session, session.put(url(opened, "x"), data=io.BytesIO(content)) as answer:
        assert hashlib.sha256(await answer.read()).digest() == hashlib.sha256(content).digest()
        assert answer.headers["Content-Length"] == str(SIZE)


async def test_an_answer_comes_as_it_is_written(opened: Opened):
    going_on = asyncio.Event()

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: one\n\n")
        await going_on.wait()
        await response.write(b"data: two\n\n")
        return response

    opened.pod.handler = events
    async with aiohttp.ClientSession() as session, session.get(url(opened)) as answer:
        assert await answer.content.readline() == b"data: one\n"
        going_on.set()
        assert b"two" in await answer.read()


async def test_an_answer_that_breaks_does_not_look_whole(opened: Opened):
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    opened.pod.handler = broken
    async with aiohttp.ClientSession() as session, session.get(url(opened)) as answer:
        with pytest.raises((aiohttp.ClientError, OSError)):
            await answer.read()


async def test_answers_without_a_body(opened: Opened):
    async def short(request: web.Request) -> web.StreamResponse:
        return web.Response(status=304 if "If-None-Match" in request.headers else 204, headers={"ETag": '"1"'})

    opened.pod.handler = short
    async with aiohttp.ClientSession() as session:
        async with session.get(url(opened), headers={"If-None-Match": '"1"'}) as answer:
            assert (answer.status, answer.headers["ETag"], await answer.read()) == (304, '"1"', b"")
        async with session.head(url(opened)) as answer:
            assert (answer.status, await answer.read()) == (204, b"")


async def test_the_gateways_end_is_that_of_websockets(opened: Opened):
    async with aiohttp.ClientSession() as session, session.ws_connect(url(opened, "ws", "ws")) as socket:
        await socket.send_str("hello")
        assert (await socket.receive()).data == "olleh"
        await opened.running.gateway.close("the test says so")
        assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)
