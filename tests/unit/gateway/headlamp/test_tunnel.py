from __future__ import annotations

import asyncio
import contextlib

import pytest
from aiohttp import WSMsgType, web
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notebook_mux.gateway.headlamp import tunnel
from tests.unit.gateway.headlamp.api import EXEC, PODS, TOKEN, refusal, served
from tests.wire.test_gateway_frames import Wire

URL = f"/clusters/one{EXEC}?command=cat&stdin=1&stdout=1"
EVERY = bytes(range(256))
OFFERED = ["base64.binary.k8s.io", "v4.channel.k8s.io", "v5.channel.k8s.io"]


async def test_every_byte_passes_both_ways(tmp_path):
    async with served(tmp_path, write=True) as running, running.socket(URL, subprotocols=OFFERED[1:]) as socket:
        assert socket.subprotocol == "v4.channel.k8s.io"
        for content in (EVERY, EVERY * 1000, b"", b"\xff\x00", "text é", ""):
            await socket.send(content)
            assert await socket.recv() == content
        await socket.send(b"\x00exit")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (1000, "done")
        (request,) = running.api.seen
        assert request.raw_path == URL.removeprefix("/clusters/one")
        assert request.headers["Origin"] == running.api.url


async def test_the_server_chooses_the_sub_protocol(tmp_path):
    async with served(tmp_path, write=True) as running:
        running.api.choose = lambda offered: offered[1]
        async with running.socket(URL, subprotocols=OFFERED) as socket:
            assert socket.subprotocol == "v4.channel.k8s.io"
        assert running.api.seen[0].headers["Sec-WebSocket-Protocol"] == ",".join(OFFERED)


async def test_the_token_as_a_sub_protocol_stays_here(tmp_path, caplog):
    from base64 import urlsafe_b64encode

    name = "base64url.headlamp.backend.authorization.k8s.io." + urlsafe_b64encode(TOKEN.encode()).decode().rstrip("=")
    async with served(tmp_path, write=True) as running:
        async with running.socket(URL, additional_headers={}, subprotocols=[OFFERED[1], name]) as socket:
            assert socket.subprotocol == "v4.channel.k8s.io"
        assert running.api.seen[0].headers["Sec-WebSocket-Protocol"] == "v4.channel.k8s.io"
        async with running.client(additional_headers={}, subprotocols=["headlamp.multiplexer.k8s.io", name]) as client:
            assert client.socket.subprotocol == "headlamp.multiplexer.k8s.io"
    assert name not in caplog.text


async def test_pings_go_all_the_way(tmp_path):
    async with served(tmp_path, write=True) as running, running.socket(URL) as socket:
        await (await socket.ping(b"are you there"))


async def test_a_refusals_words_are_passed_on(tmp_path):
    async def refuse(request):
        return refusal(400, "BadRequest", "container x is not valid for pod web-0")

    async def silent(request):
        return refusal(403, "", "").__class__(status=403)

    async with served(tmp_path, write=True) as running:
        running.api.routes[EXEC] = refuse
        with pytest.raises(InvalidStatus) as caught:
            await running.socket(URL).__aenter__()
        assert caught.value.response.status_code == 400
        assert b"container x is not valid" in caught.value.response.body
        running.api.routes[EXEC] = silent
        with pytest.raises(InvalidStatus) as caught:
            await running.socket(URL).__aenter__()
        assert caught.value.response.status_code == 403
        assert b"refused the upgrade" in caught.value.response.body


async def test_without_write_nothing_is_dialled(tmp_path):
    async with served(tmp_path) as running:
        for path in ("exec", "attach", "portforward", "proxy"):
            with pytest.raises(InvalidStatus) as caught:
                await running.socket(f"/clusters/one{PODS}/web-0/{path}").__aenter__()
            assert caught.value.response.status_code == 403
        assert running.api.seen == []


async def test_a_name_with_a_slash_passes(tmp_path):
    """The port-forward of kubectl names a sub-protocol that RFC 6455 does not allow, and many libraries refuse."""
    from base64 import b64encode

    async with served(tmp_path, write=True) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.gateway.port)
        writer.write(
            f"GET /clusters/one{PODS}/web-0/portforward HTTP/1.1\r\nHost: 127.0.0.1:{running.gateway.port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {TOKEN}\r\nSec-WebSocket-Key: {b64encode(bytes(16)).decode()}\r\n"
            "Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n\r\n".encode()
        )
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101")
        assert b"Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n" in answer
        wire = Wire(reader, writer)
        wire.send(EVERY[:100])
        assert await wire.frame() == (2, EVERY[:100])
        writer.close()
        await writer.wait_closed()


async def test_a_huge_message_ends_it(tmp_path):
    async with served(tmp_path, write=True) as running, running.socket(URL) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send(b"x" * (tunnel.MAX_CLIENT_FRAME + 1))
        await socket.wait_closed()
        assert socket.close_code == 1009


async def test_what_is_accepted_goes_along_and_nothing_else_does(tmp_path):
    table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    async with served(tmp_path, write=True) as running:
        headers = {"X-HEADLAMP_BACKEND-TOKEN": TOKEN, "Accept": table, "If-Match": "x", "X-Other": "y"}
        async with running.socket(f"/clusters/one{EXEC}", additional_headers=headers):
            (request,) = running.api.seen
            assert request.headers["Accept"] == table
            assert not {"If-Match", "X-Other"} & set(request.headers)


async def test_a_client_that_is_cut_is_no_goodbye(tmp_path):
    """A program is ended by its connection's end: told goodbye, an API server (1.37, v5) lets it run."""
    ends: asyncio.Queue[WSMsgType | None] = asyncio.Queue()

    async def waits(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoclose=False)
        await socket.prepare(request)
        end = None  # a connection that is cut cancels who reads it
        try:
            end = (await socket.receive()).type
        finally:
            ends.put_nowait(end)
        return socket

    async with served(tmp_path, write=True) as running:
        running.api.routes[EXEC] = waits
        async with running.socket(URL) as socket:
            socket.transport.abort()
            assert await asyncio.wait_for(ends.get(), 30) is not WSMsgType.CLOSE
        async with running.socket(URL) as socket:
            await socket.close()
            assert await asyncio.wait_for(ends.get(), 30) is WSMsgType.CLOSE
