"""Logs by way of a Headlamp server."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from aiohttp import web

from notebook_mux.wire.logs import LogEnd
from tests.unit.headlamp.conftest import eventually
from tests.unit.headlamp.fake_server import FakeHeadlamp
from tests.unit.tailing.clients import BridgeSocket, LogClient, through_bridge
from tests.unit.tailing.served import LOG


class Held:
    """Logs that begin with one line and go on until they are let go; on the server's own loop."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.open = 0
        self.requests: list[web.Request] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        response = web.StreamResponse()
        await response.prepare(request)
        self.open += 1
        try:
            await response.write(b"before\n")
            while not self.go_on.is_set():
                await asyncio.sleep(0.005)
            await response.write(b"after\n")
        finally:
            self.open -= 1
        return response


def directs(client: LogClient) -> Any:
    assert isinstance(client.socket, BridgeSocket)
    return client.socket.bridge.details()["direct_sockets"]


async def test_bytes_their_end_and_the_sockets(headlamp: FakeHeadlamp):
    headlamp.logs = held = Held()
    headlamp.cluster_token = "t0k3n"
    async with through_bridge(headlamp.url, "t0k3n") as client:
        for stream in (5, 6):
            await client.log(stream, LOG, "follow=true&container=main")
            await client.begun(stream)
            assert await client.until(stream, b"\n") == b"before\n"
        assert directs(client) == 2
        await client.forget(5)
        assert directs(client) == 1
        await asyncio.to_thread(eventually, lambda: held.open == 1)
        held.go_on.set()
        assert await client.rest(6) == (b"after\n", LogEnd(status=200))
        assert directs(client) == 0
    request = held.requests[0]
    assert request.raw_path == f"/clusters/real{LOG}?follow=true&container=main"
    assert request.headers["Accept-Encoding"] == "identity"
    assert "t0k3n" in request.headers["Cookie"]


async def test_the_end_of_the_bridge_ends_them(headlamp: FakeHeadlamp):
    headlamp.logs = held = Held()
    async with through_bridge(headlamp.url) as client:
        for stream in range(5, 25):
            await client.log(stream, LOG)
            await client.begun(stream)
    await asyncio.to_thread(eventually, lambda: held.open == 0)


async def test_a_thousand_do_not_hold_up_requests(headlamp: FakeHeadlamp):
    """They take no turn of a cluster's requests, of which there are sixteen at once."""
    headlamp.logs = Held()
    async with through_bridge(headlamp.url) as client:
        for stream in range(5, 105):
            await client.log(stream, LOG)
        for stream in range(5, 105):
            await client.begun(stream)
        assert directs(client) == 100


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(404, "", "not-found"), (403, "", "forbidden"), (502, "", "unreachable"), (503, "", "unreachable"),
     (504, "", "unreachable"), (500, "", "server")],
)  # fmt: skip
async def test_a_refusal(headlamp: FakeHeadlamp, status: int, body: str, code: str):
    headlamp.answers[LOG] = status, body
    async with through_bridge(headlamp.url) as client:
        await client.log(5, LOG)
        _, end = await client.rest(5)
        assert (end.status, end.code) == (status, code)


async def test_a_cluster_that_wants_a_login(headlamp: FakeHeadlamp):
    headlamp.cluster_token = "right"
    async with through_bridge(headlamp.url) as client:
        await client.log(5, LOG)
        _, end = await client.rest(5)
        assert (end.status, end.code) == (401, "login")
        assert "?token=" in str(end.todo)


async def test_a_server_that_hangs_up(headlamp: FakeHeadlamp):
    async def breaks(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half a li")
        assert request.transport is not None
        request.transport.close()
        return response

    headlamp.logs = breaks
    async with through_bridge(headlamp.url) as client:
        await client.log(5, LOG)
        _, end = await client.rest(5)
        assert (end.status, end.code) == (200, "unreachable")


async def test_what_is_no_log(headlamp: FakeHeadlamp):
    headlamp.logs = held = Held()
    async with through_bridge(headlamp.url) as client:
        await client.log(5, LOG.replace("/log", "/exec"))
        await client.log(6, LOG, "command=x")
        await client.log(7, LOG, cluster="nobody")
        await client.log(8, LOG)
        await client.begun(8)
        assert [(one.stream, one.code) for one in client.ended] == [
            (5, "invalid"), (6, "invalid"), (7, "unknown-context"),
        ]  # fmt: skip
        assert len(held.requests) == 1
