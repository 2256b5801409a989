from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import WSMsgType, web

from notebook_mux.errors import InvalidArgument, Unreachable
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.remote.sockets import Refused, cut
from notebook_mux.remote.upgrades import MAX_FRAME
from tests.unit.gateway.tls_api import Api

EXEC = "/api/v1/namespaces/x/pods/y/exec"
EVERY = bytes(range(256))
TOKEN = {"token": "canary", "as": "jane"}


async def echo(request: web.Request) -> web.WebSocketResponse:
    offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    socket = web.WebSocketResponse(protocols=offered[1:], max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        await socket.send_bytes(message.data)
    return socket


async def test_bytes_go_both_ways_as_who_we_are(api: Api, connect: Callable[..., Cluster]):
    api.handle = echo
    cluster = connect(api.url, TOKEN)
    before = cluster.last_contact
    socket = await cluster.websocket(EXEC, "command=a&command=%2Fb", protocols=["v5.x", "v4.x"])
    assert socket.protocol == "v4.x"
    await socket.send_bytes(EVERY)
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.BINARY, EVERY)
    await socket.close()
    [request] = api.seen
    assert request.raw_path == f"{EXEC}?command=a&command=%2Fb"
    assert (request.headers["Authorization"], request.headers["Impersonate-User"]) == ("Bearer canary", "jane")
    assert request.headers["Origin"] == api.url
    assert cluster.last_contact > before


async def test_a_name_of_the_certificates_own(api: Api, connect: Callable[..., Cluster]):
    api.handle = echo
    cluster = connect(api.url.replace("127.0.0.1", "localhost"), TOKEN, **{"tls-server-name": "127.0.0.1"})
    await (await cluster.websocket(EXEC)).close()
    with pytest.raises(Unreachable, match="not trusted"):
        await connect(api.url, TOKEN, **{"tls-server-name": "elsewhere.example"}).websocket(EXEC)


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_a_refusals_words_are_kept(status: int, api: Api, connect: Callable[..., Cluster]):
    api.handle = lambda request: web.Response(status=status, text="container x is not valid", headers={"X": "y"})
    with pytest.raises(Refused) as caught:
        await connect(api.url, TOKEN).websocket(EXEC)
    answer = caught.value.answer
    assert (answer.status, answer.said, answer.headers["x"]) == (status, "container x is not valid", "y")
    assert len(api.seen) == 1


async def test_credentials_are_renewed_once(api: Api, connect: Callable[..., Cluster], tmp_path):
    token = tmp_path / "token"
    token.write_text("old")

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] != "Bearer new":
            token.write_text("new")
            return web.Response(status=401)
        return await echo(request)

    api.handle = handle
    await (await connect(api.url, {"tokenFile": str(token)}).websocket(EXEC)).close()
    assert [request.headers["Authorization"] for request in api.seen] == ["Bearer old", "Bearer new"]
    api.handle = lambda request: web.Response(status=401, text="no")
    with pytest.raises(Refused) as caught:
        await connect(api.url, {"token": "fixed"}).websocket(EXEC)
    assert caught.value.answer.status == 401


async def test_a_longer_message_than_allowed_ends_it(api: Api, connect: Callable[..., Cluster]):
    api.handle = echo
    socket = await connect(api.url, TOKEN).websocket(EXEC, max_frame=1000)
    await socket.send_bytes(bytes(1001))
    assert (await socket.receive()).type is WSMsgType.ERROR
    assert socket.close_code == 1009
    assert MAX_FRAME == 32 << 20


async def test_nobody_there_and_nobody_who_answers(api: Api, connect: Callable[..., Cluster], monkeypatch):
    cluster = connect("https://127.0.0.1:1", TOKEN)
    with pytest.raises(Unreachable, match="no connection"):
        await cluster.websocket(EXEC)
    assert isinstance(cluster.trouble, Unreachable)
    monkeypatch.setattr("notebook_mux.gateway.cluster.HEADERS_SECONDS", 0.1)
    api.handle = lambda request: asyncio.sleep(0.5, web.Response())
    with pytest.raises(Exception, match="no answer"):
        await connect(api.url, TOKEN).websocket(EXEC)


async def test_a_request_is_sent_once_whatever_becomes_of_it(api: Api, connect: Callable[..., Cluster]):
    def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    api.handle = hang_up
    cluster = connect(api.url, TOKEN)
    await asyncio.gather(*(cluster.websocket(EXEC) for _ in range(3)), return_exceptions=True)
    assert len(api.seen) == 3


async def test_one_that_is_cut_is_gone(api: Api, connect: Callable[..., Cluster]):
    ended = asyncio.Event()

    async def waits(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)
        ended.set()
        return socket

    api.handle = waits
    socket = await connect(api.url, TOKEN).websocket(EXEC)
    cut(socket)
    cut(socket)
    await asyncio.wait_for(ended.wait(), 30)


@pytest.mark.parametrize("path", ["api", "/api/../x", "/a b", "/x?y", "/x#y"])
async def test_what_cannot_be_asked(path: str, api: Api, connect: Callable[..., Cluster]):
    with pytest.raises(InvalidArgument):
        await connect(api.url, TOKEN).websocket(path)
    assert api.seen == []
