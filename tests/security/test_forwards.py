"""A pod's pages under Jupyter's address: what the pod gets to see, what its answers may do, and who gets in."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.wire import messages
from tests.serving import stop_serving, talking
from tests.unit.forwards.pods import PORT, Pods, to
from tests.unit.forwards.test_desk import order, state
from tests.unit.gateway.serving import TOKEN, Client, Serving, serving
from tests.unit.gateway.tls_api import Api, api, authority, connect

__all__ = ["api", "authority", "connect"]

HOST = "hub.example"
CANARY = "canary-2f6b81c4"

Reply = tuple[int, http.client.HTTPMessage, bytes]

HOSTILE = {
    "Set-Cookie": "_xsrf=1; Path=/",
    "Service-Worker-Allowed": "/",
    "Clear-Site-Data": '"cookies", "storage"',
    "Strict-Transport-Security": "max-age=99999999",
    "Content-Security-Policy": "script-src *",
    "X-Accel-Redirect": "/internal",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Alt-Svc": 'h2="evil.example:443"',
    "Refresh": "0;url=/lab",
    "WWW-Authenticate": 'Basic realm="Jupyter"',
    "Cache-Control": "public, max-age=99999999",
    "Report-To": "{}",
}


class Pod:
    """The server in the pod: it remembers what it was asked, and answers as a hostile one."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.place = ""
        self.port = 0
        self.handler: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if self.handler is not None:
            return await self.handler(request)
        if request.headers.get("Upgrade"):
            socket = web.WebSocketResponse(protocols=("chat",))
            await socket.prepare(request)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_str(message.data[::-1])
            return socket
        if self.place:
            return web.Response(status=302, headers={"Location": self.place})
        body = await request.read()
        return web.Response(text=f"page {len(body)}", content_type="text/html", headers=HOSTILE)


@contextlib.asynccontextmanager
async def serving_pod() -> AsyncIterator[Pod]:
    found = Pod()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await stop_serving(runner)


class Opened:
    """A gateway with a forward whose pages are open."""

    def __init__(self, running: Serving, client: Client, pod: Pod, path: str) -> None:
        self.running = running
        self.client = client
        self.pod = pod
        self.path = path

    async def ask(self, target: str = "", method: str = "GET", body: bytes | None = None, **fields: str) -> Reply:
        """A request as a proxy sends it, with exactly these fields."""

        def work() -> Reply:
            port = self.running.gateway.port
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(connection):
                connection.putrequest(method, target or self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in ({"Host": HOST} | {k.replace("_", "-"): v for k, v in fields.items()}).items():
                    connection.putheader(name, value)
                if body is not None:
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                response = connection.getresponse()
                return response.status, response.headers, response.read()

        return await asyncio.to_thread(work)


@pytest.fixture
async def opened(api: Api, connect: Callable[..., Cluster]) -> AsyncIterator[Opened]:
    async with serving_pod() as pod, serving() as running:
        api.handle = Pods(to(lambda: pod.port))
        cluster = connect(api.url, {"token": "canary"})
        async with running.client() as client:
            await client.resolve()
            running.clusters.known["ref-one"].websocket = cluster.websocket  # type: ignore[attr-defined]
            await client.ask(messages.Scope(id=8000, scope="s", write=["ref-one"]))
            await client.say(order())
            await state(client)
            path = (await client.ask(messages.Page(id=8001, key="svc/web 80")))["path"]
            yield Opened(running, client, pod, path)


async def test_a_page_under_a_foreign_host(opened: Opened):
    status, headers, body = await opened.ask()
    assert (status, body) == (200, b"page 0")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    status, _, body = await opened.ask(f"{opened.path}a%20b?x=1", "POST", bytes(100_000))
    assert (status, body) == (200, b"page 100000")
    assert opened.pod.seen[-1].raw_path == "/a%20b?x=1"


async def test_who_does_not_know_the_secret_gets_nothing(opened: Opened):
    prefix, secret = opened.path[: -len(opened.path.split("/")[3]) - 1], opened.path.split("/")[3]
    wrong = [secret[:-1], secret + "x", secret[::-1], "", "%00", "a" * 43, secret.swapcase(), TOKEN]
    own = f"127.0.0.1:{opened.running.gateway.port}"
    for guess in wrong:
        shown: list[dict[str, Any]] = [{}, {"Host": own}, {"Host": own, "Authorization": f"Bearer {TOKEN}"}]
        for fields in shown:
            status, _, body = await opened.ask(f"{prefix}{guess}/", **fields)
            assert status in (401, 403, 404), (guess, fields)
            assert b"page" not in body
    assert opened.pod.seen == []


async def test_the_secret_opens_nothing_else(opened: Opened):
    for target in (
        "/",
        "/status",
        "/notebook-mux",
        f"/status?x={opened.path}",
        f"//{opened.path}",
        f"/x/..{opened.path}",
        opened.path.rstrip("/"),
        opened.path.replace("forward", "terminal"),
    ):
        status, _, body = await opened.ask(target)
        assert status in (403, 404), target
        assert b"page" not in body
    assert opened.pod.seen == []
    for beyond in ("../../../status", "%2e%2e/%2e%2e/%2e%2e/status", "..%2f..%2fstatus", "/status", "?/../../status"):
        status, _, body = await opened.ask(opened.path + beyond)
        assert (status, body) == (200, b"page 0"), "the pod's answer, whatever it was asked"
        assert not any(word in body for word in (b"instance", b"upstreams"))


async def test_credentials_are_kept_from_the_pod(opened: Opened):
    await opened.ask(
        f"{opened.path}x?token={CANARY}&y=1&_xsrf={CANARY}",
        Cookie=f"username-hub={CANARY}",
        Authorization=f"token {CANARY}",
        X_XSRFToken=CANARY,
        Referer=f"https://{HOST}/lab?token={CANARY}",
        X_Forwarded_User=CANARY,
        X_Goog_IAP_JWT_Assertion=CANARY,
        Proxy_Authorization=CANARY,
        Origin=f"https://{HOST}",
        Accept="text/html",
    )
    [seen] = opened.pod.seen
    assert CANARY not in f"{seen.raw_path} {seen.raw_headers!r}"
    assert HOST not in str(seen.raw_headers)
    secret = opened.path.split("/")[3]
    assert secret not in f"{seen.raw_path} {seen.raw_headers!r}"
    assert seen.raw_path == "/x?y=1"
    assert dict(seen.headers) == {
        "Host": f"localhost:{PORT}",
        "Origin": f"http://localhost:{PORT}",
        "Accept": "text/html",
    }


async def test_an_answer_cannot_act_as_jupyter(opened: Opened):
    _, headers, _ = await opened.ask()
    assert headers["Content-Security-Policy"] == "sandbox allow-scripts allow-forms"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    for name in HOSTILE.keys() - {"Content-Security-Policy", "Cache-Control"}:
        assert name not in headers
    opened.pod.place = "https://evil.example/"
    refused = await opened.ask()
    missing = await opened.ask(method="TRACE")
    for status, headers, _ in (refused, missing):
        assert status in (405, 502)
        assert headers["Content-Security-Policy"] == "sandbox allow-scripts allow-forms"


@pytest.mark.parametrize(
    ("place", "relative"),
    [
        ("/login?next=/", "../login?next=/"),
        (f"http://localhost:{PORT}/login", "../login"),
        ("../../../../lab", "../lab"),
        ("%2e%2e/%2e%2e/lab", "../lab"),
    ],
)
async def test_a_redirect_stays_inside(opened: Opened, place: str, relative: str):
    opened.pod.place = place
    status, headers, _ = await opened.ask(f"{opened.path}a/b")
    assert (status, headers["Location"]) == (302, relative)


@pytest.mark.parametrize(
    "place", ["https://evil.example/x", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_a_redirect_to_elsewhere_is_none(opened: Opened, place: str):
    opened.pod.place = place
    status, headers, body = await opened.ask()
    assert status == 502
    assert "Location" not in headers
    assert b"evil" not in body


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: %d\r\n\r\n", 502),
        (b"HTTP/1.1 000 x\r\nContent-Length: %d\r\n\r\n", 502),
        (b"HTTP/1.1 999 x\r\nContent-Length: %d\r\n\r\n", 502),
        (b"HTTP/1.1 204 x\r\nContent-Length: %d\r\n\r\n", 204),
        (b"HTTP/1.1 304 x\r\nContent-Length: %d\r\n\r\n", 304),
        (b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=1\r\n\r\nHTTP/1.1 204 x\r\nX: %d\r\n\r\n", 204),
    ],
)
async def test_an_answer_is_one_answer(opened: Opened, answer: bytes, status: int):
    hidden = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nhidden"

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer % len(hidden) + hidden)
        await writer.drain()

    async with talking(reply) as port:
        opened.pod.port = port
        reader, writer = await asyncio.open_connection("127.0.0.1", opened.running.gateway.port)
        writer.write(f"GET {opened.path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"Content-Security-Policy: sandbox " in head
        # the next answer on this connection is that of the next request
        writer.write(f"GET /status HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        assert b"hidden" not in await reader.read()
        writer.close()
        await writer.wait_closed()


async def test_a_websocket(opened: Opened):
    fields = {"Host": HOST, "Cookie": f"a={CANARY}", "Authorization": CANARY, "Origin": f"https://{HOST}"}
    url = f"ws://127.0.0.1:{opened.running.gateway.port}{opened.path}ws?token={CANARY}&x=1"
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, headers=fields, protocols=("other", "chat")) as socket:
            assert socket.protocol == "chat"
            await socket.send_str("hello")
            assert (await socket.receive()).data == "olleh"
        [seen] = opened.pod.seen
        assert CANARY not in f"{seen.raw_path} {seen.raw_headers!r}"
        assert HOST not in str(seen.raw_headers)
        assert (seen.raw_path, seen.headers["Host"]) == ("/ws?x=1", f"localhost:{PORT}")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url.replace("/ws?", "x/ws?").replace("forward/", "forward/x"), headers=fields)


async def test_a_websocket_that_is_cut_ends_both_sides(opened: Opened):
    """One side goes without a word: the gateway must not go round and round on what is closed."""

    async def cut(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport is not None
        request.transport.abort()
        return socket

    opened.pod.handler = cut
    url = f"ws://127.0.0.1:{opened.running.gateway.port}{opened.path}ws"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers={"Host": HOST}) as socket:
        assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
        opened.pod.handler = None
        status, _, _ = await opened.ask()
        assert status == 200


async def test_the_forwards_end_is_the_secrets(opened: Opened):
    await opened.client.say(messages.Unsubscribe(stream=5))
    await opened.client.ask(messages.Probe(id=9, cluster="ref-one"))
    status, _, _ = await opened.ask()
    assert status == 403


async def test_a_pod_that_does_not_answer(api: Api, opened: Opened):
    async def refuse(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\1error forwarding port: <script>connection refused")

    api.handle = Pods(refuse)
    status, headers, body = await opened.ask()
    assert status == 502
    assert b"connection refused" in body
    assert headers["Content-Type"].startswith("text/plain")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


async def test_the_secret_is_said_to_nobody_else(logged: pytest.LogCaptureFixture, opened: Opened):
    await opened.ask()
    secret = opened.path.split("/")[3]
    report: Any = (await opened.client.ask(messages.Status(id=10)))[1]
    shared = opened.running.shared
    for text in (logged.text, report.decode(), repr(shared), repr(list(shared.forwards))):
        assert secret not in text
