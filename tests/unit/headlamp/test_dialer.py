from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from notebook_mux.errors import GatewayError, LoginRequired, Unreachable
from notebook_mux.headlamp.dialer import Dialer
from notebook_mux.headlamp.house import House
from notebook_mux.headlamp.rest import Server
from notebook_mux.remote.program import NO_CONNECTION
from notebook_mux.remote.sockets import Refused, hang_up
from tests.unit.headlamp.fake_server import FakeHeadlamp
from tests.unit.remote.pods import EXEC, V4, V5, Pods, echo

EVERY = bytes(range(256))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    await made.close()
    assert made.sockets == 0


@pytest.fixture
def dialer(headlamp: FakeHeadlamp, house: House) -> Callable[..., Dialer]:
    def make(base: str = headlamp.url, **tokens: str) -> Dialer:
        return Dialer(Server(base, None, tokens).cluster("real"), house)

    return make


async def test_every_byte_both_ways_as_who_we_are(
    headlamp: FakeHeadlamp, dialer: Callable[..., Dialer], house: House
) -> None:
    seen: list[web.Request] = []
    pods = Pods(echo)

    async def look(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await pods(request)

    headlamp.pods = look
    socket = await dialer(real="token", other="canary").websocket(EXEC, "command=a%2Fb&stdin=1", protocols=(V5, V4))
    assert socket.protocol == V5
    assert house.sockets == 1
    assert (await socket.receive()).data == b"\1"
    await socket.send_bytes(b"\0" + EVERY)
    assert (await socket.receive()).data == b"\1" + EVERY
    await hang_up(socket, 1)
    [request] = seen
    assert request.raw_path == f"/clusters/real{EXEC}?command=a%2Fb&stdin=1"
    assert request.headers["Origin"] == headlamp.url
    assert request.headers["Cookie"] == "headlamp-auth-real.0=token", "another cluster's token is none of its business"
    assert request.headers["User-Agent"].startswith("notebook-mux/")


async def test_a_refusals_words_are_kept(headlamp: FakeHeadlamp, dialer: Callable[..., Dialer]) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.json_response({"kind": "Status", "message": "container x is not valid"}, status=400)

    headlamp.pods = refuse
    with pytest.raises(Refused) as caught:
        await dialer().websocket(EXEC, protocols=(V5,))
    assert (caught.value.answer.status, caught.value.answer.said) == (400, "container x is not valid")


async def test_a_missing_login_says_where_it_goes(headlamp: FakeHeadlamp, dialer: Callable[..., Dialer]) -> None:
    headlamp.cluster_token = "wanted"
    headlamp.pods = Pods(echo)
    with pytest.raises(LoginRequired) as caught:
        await dialer(real="another").websocket(EXEC, protocols=(V5,))
    assert (caught.value.cluster, caught.value.said) == ("real", "Unauthorized")
    assert "?token=" in (caught.value.todo or "")
    assert headlamp.pods.starts == 0


async def test_a_cluster_that_the_server_does_not_reach(headlamp: FakeHeadlamp, dialer: Callable[..., Dialer]) -> None:
    async def beyond(request: web.Request) -> web.StreamResponse:
        return web.Response(status=502)

    headlamp.pods = beyond
    with pytest.raises(Unreachable, match="cannot reach the cluster"):
        await dialer().websocket(EXEC, protocols=(V5,))


async def test_a_server_that_is_not_there_started_nothing(dialer: Callable[..., Dialer]) -> None:
    with pytest.raises(GatewayError) as caught:
        await dialer("http://127.0.0.1:9").websocket(EXEC, protocols=(V5,))
    assert isinstance(caught.value.__context__, NO_CONNECTION)


async def test_one_that_hangs_up_was_asked_once(headlamp: FakeHeadlamp, dialer: Callable[..., Dialer]) -> None:
    asked: list[Any] = []

    async def hang_up_at_once(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    headlamp.pods = hang_up_at_once
    with pytest.raises(GatewayError, match="broke off") as caught:
        await dialer().websocket(EXEC, protocols=(V5,))
    assert isinstance(caught.value.__context__, aiohttp.ClientError)
    assert not isinstance(caught.value.__context__, NO_CONNECTION)
    assert len(asked) == 1
