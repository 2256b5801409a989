"""An API server that a test plays, a real gateway before it, and clients in Headlamp's dialect."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web
from websockets.asyncio.client import ClientConnection, connect

from notebook_mux.gateway.headlamp.rooms import Headlamp
from notebook_mux.gateway.server import Gateway
from notebook_mux.gateway.shared import Shared
from notebook_mux.wire import headlamp as wire
from notebook_mux.wire.messages import Source
from tests.serving import stop_serving

TOKEN = "token-of-the-gateway-that-nobody-else-has"
CLUSTER_TOKEN = "token-of-the-kubeconfig"
PODS = "/api/v1/namespaces/default/pods"
EXEC = f"{PODS}/web-0/exec"
WATCH = "watch=1&resourceVersion=5"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Watch:
    """One open watch, from the server's side."""

    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self.request, self._response = request, response
        self.over = asyncio.Event()

    async def event(self, kind: str = "ADDED", name: str = "one", version: int = 6, **more: Any) -> None:
        """Send an event."""
        metadata = {"name": name, "resourceVersion": str(version)}
        await self.line(json.dumps({"type": kind, "object": {"metadata": metadata, **more}}).encode())

    async def line(self, line: bytes) -> None:
        """Send a line."""
        await self._response.write(line + b"\n")

    def end(self) -> None:
        """End it as a server does."""
        self.over.set()

    def abort(self) -> None:
        """Break its connection."""
        assert self.request.transport is not None
        self.request.transport.abort()
        self.over.set()


class Api:
    """Answers what `routes` has for a path, holds watches open, and runs ``cat`` on each exec."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.watches: asyncio.Queue[Watch] = asyncio.Queue()
        self.open = 0
        self.most = 0
        self.routes: dict[str, Handler] = {}
        self.before_watch: Callable[[web.Request], Awaitable[web.StreamResponse | None]] | None = None
        self.choose: Callable[[list[str]], str] = lambda offered: offered[0] if offered else ""
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await stop_serving(self._runner)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if request.path in self.routes:
            return await self.routes[request.path](request)
        if request.headers.get("Upgrade") == "websocket":
            return await self._exec(request)
        if "watch" in request.query:
            return await self._watch(request)
        self.bodies.append(await request.read())
        return web.json_response({"path": request.raw_path, "method": request.method}, headers={"Set-Cookie": "a=b"})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            if self.before_watch is not None and (refused := await self.before_watch(request)) is not None:
                return refused
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            watch = Watch(request, response)
            self.watches.put_nowait(watch)
            await watch.over.wait()
            return response
        finally:
            self.open -= 1

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name]
        chosen = self.choose(offered)
        socket = web.WebSocketResponse(protocols=[chosen] if chosen else [], max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.data == b"\x00exit":
                await socket.close(code=1000, message=b"done")
            else:
                await socket.send_bytes(message.data)
        return socket


def refusal(code: int, reason: str, message: str) -> web.Response:
    """A Status, as an API server refuses."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
              "message": message}  # fmt: skip
    return web.json_response(status, status=code)


class Served:
    """A gateway by hand and what is behind it: a cluster ``one`` that `api` plays, and ``dead``, which nobody does."""

    def __init__(self, api: Api, gateway: Gateway, shared: Shared, config: Path) -> None:
        self.api, self.gateway, self.shared, self.config = api, gateway, shared, config
        self.base = ""

    @property
    def headlamp(self) -> Headlamp:
        """The room that is tested."""
        assert self.gateway.headlamp is not None
        return self.gateway.headlamp

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.gateway.port}{self.base}{path}"

    @contextlib.asynccontextmanager
    async def http(self, token: str = TOKEN, **headers: str) -> AsyncIterator[aiohttp.ClientSession]:
        """A client with the token; `headers` with underscores for hyphens."""
        given = {"X-HEADLAMP_BACKEND-TOKEN": token} | {name.replace("_", "-"): v for name, v in headers.items()}
        async with aiohttp.ClientSession(headers=given, cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield session

    def socket(self, path: str = wire.PATH, **options: Any) -> Any:
        """A bare WebSocket with the token."""
        given: dict[str, Any] = {
            "additional_headers": {"X-HEADLAMP_BACKEND-TOKEN": TOKEN},
            "compression": None, "proxy": None, "max_size": None, "ping_interval": None, "close_timeout": 0.2,
        }  # fmt: skip
        return connect(self.url(path, "ws"), **(given | options))

    @contextlib.asynccontextmanager
    async def get(self, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer to a GET with the token."""
        async with self.http() as http, http.get(self.url(path)) as response:
            yield response

    @contextlib.asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[Client]:
        """A client of the multiplexer."""
        async with self.socket(**options) as socket:
            yield Client(socket)


class Client:
    """Speaks in envelopes."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(
        self, kind: str = wire.REQUEST, path: str = PODS, query: str = WATCH, user: str = "u1", cluster: str = "one",
        data: str = "",
    ) -> None:  # fmt: skip
        await self.socket.send(wire.encode(wire.Envelope(cluster, path, user, kind, query, data)))

    async def told(self) -> wire.Envelope:
        """The next envelope."""
        return wire.decode(await self.socket.recv())

    async def hears(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next envelope is of this type; its data as JSON, {} if there is none."""
        found = await self.told()
        assert found.type == kind, found
        for name, value in fields.items():
            assert getattr(found, name) == value, found
        return json.loads(found.data) if found.data and not found.binary else {}

    async def subscribe(self, **fields: Any) -> None:
        """Ask, and hear that it is connected."""
        await self.say(**fields)
        status = await self.hears(wire.STATUS)
        assert status["state"] == "connected", status


def kubeconfig(url: str, **more: str) -> dict[str, Any]:
    """The contexts ``one`` and ``team/two``, both of `url`, and ``dead``; `more` are further contexts by name."""
    servers = {"one": url, "team/two": url, "dead": "http://127.0.0.1:1"} | more
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in servers.items()],
        "users": [{"name": "me", "user": {"token": CLUSTER_TOKEN}}],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": "me", "namespace": "default"}} for name in servers
        ],
    }


@contextlib.asynccontextmanager
async def served(
    folder: Path, *, write: bool = False, base: str = "", frontend: Path | None = None, **more: Any
) -> AsyncIterator[Served]:
    """A gateway for as long as this lasts."""
    api = Api()
    await api.start()
    config = folder / "config"
    config.write_text(json.dumps(kubeconfig(api.url, **more)))
    shared = Shared(instance="i", own=Source(kubeconfig=[str(config)]), write=write)
    gateway = Gateway(shared, TOKEN, lambda nonce: {}, base_path=base, frontend=frontend)
    await gateway.start()
    running = Served(api, gateway, shared, config)
    running.base = gateway.base
    try:
        yield running
    finally:
        await gateway.close("the test ends")
        await api.stop()
