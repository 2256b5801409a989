"""Headlamp's routes on the gateway's server, and who is behind them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from aiohttp import web

from notebook_mux.errors import MuxError, UnknownContext
from notebook_mux.gateway.headlamp import doors, pages, refusals, rest, tunnel
from notebook_mux.gateway.headlamp.contexts import Contexts
from notebook_mux.gateway.headlamp.frontend import Frontend
from notebook_mux.gateway.headlamp.links import WRITER_LIMIT, Link
from notebook_mux.gateway.headlamp.multiplexer import Multiplexer
from notebook_mux.gateway.headlamp.targets import parse
from notebook_mux.gateway.shared import Shared
from notebook_mux.kube.scope import METHODS, needs_write
from notebook_mux.wire import headlamp as wire

MAX_CLIENTS = 256
"""Multiplexers at once: pages of one user's browser, and kernels."""

MAX_UPSTREAMS = 10_000
"""Of all of them: a gigabyte of memory at a hundred kilobytes each."""

MAX_TUNNELS = 1024
"""Direct WebSockets at once: a page of Headlamp opens one for each list it shows."""

MAX_ASKING = 1024
"""Other requests at once, watches over HTTP included."""

MAX_CLIENT_FRAME = 1024 * 1024
"""Bytes of one frame of a multiplexer's client: the input of a terminal, as text."""

END_SECONDS = 3.0
"""For the clients' goodbyes when the gateway ends."""


class Headlamp:
    """What a gateway that was started by hand serves to Headlamp's front end. On the gateway's loop.

    Args:
        shared: The gateway's.
        base: What stands before all paths, "" or as ``/user/me/gateway``.
        frontend: The folder with Headlamp's built front end, if it is to be served too.

    Raises:
        InvalidArgument: There is no front end in the folder.
    """

    def __init__(self, shared: Shared, base: str, frontend: Path | None = None) -> None:
        self.contexts = Contexts(shared)
        self.clients: set[Multiplexer] = set()
        self.tunnels: set[asyncio.Task[Any]] = set()
        self.asking = 0
        self.frontend = Frontend(frontend, base) if frontend is not None else None
        self._shared = shared
        self._base = base

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Put the routes into an application."""
        router.add_get(self._base + "/config", self._config)
        router.add_get(self._base + "/plugins", self._plugins)
        router.add_get(self._base + wire.PATH, self._multiplexer)
        router.add_route("*", self._base + "/clusters/{rest:.*}", self._cluster)
        if self.frontend is not None:  # after all others: it takes what is left
            router.add_get(self._base + "/{file:.*}", self.frontend.serve)

    def is_open(self, request: web.Request) -> bool:
        """Whether a request needs no token. Known by who answers it, and not by its path, which can be written so."""
        handler = request.match_info.handler
        return handler == self._plugins or (self.frontend is not None and handler == self.frontend.serve)

    def covers(self, path: str) -> bool:
        """Whether a path is one of Headlamp's, where a missing token is 403 and not 401."""
        own = path.removeprefix(self._base) if path.startswith(self._base) else ""
        return own in ("/config", "/plugins", wire.PATH) or own.startswith("/clusters/")

    def report(self) -> dict[str, Any]:
        """For the gateway's status."""
        return {
            "clients": [
                {"since": one.since, "subscriptions": len(one.subscriptions), "upstreams": len(one.feeds)}
                for one in self.clients
            ],
            "sockets": len(self.tunnels),
            "requests": self.asking,
        }

    async def close(self, reason: str) -> None:
        """Say goodbye to all clients."""
        clients, tunnels = list(self.clients), list(self.tunnels)
        for client in clients:
            client.end(f"the gateway ends: {reason}")
        for task in tunnels:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(*(client.ended.wait() for client in clients), *tunnels, return_exceptions=True)

    # --- routes ---------------------------------------------------------------------------------------------------

    async def _config(self, request: web.Request) -> web.StreamResponse:
        return await pages.config(self.contexts)

    async def _plugins(self, request: web.Request) -> web.StreamResponse:
        return pages.plugins()

    async def _multiplexer(self, request: web.Request) -> web.StreamResponse:
        if (wrong := tunnel.refusal(request)) is not None:
            return wrong
        if len(self.clients) >= MAX_CLIENTS:
            return refusals.response(503, f"more than {MAX_CLIENTS} clients of the multiplexer")
        chosen = [wire.SUBPROTOCOL] if wire.SUBPROTOCOL in doors.offered(request.headers) else []
        response = web.WebSocketResponse(
            autoclose=False,
            autoping=False,
            protocols=chosen,
            compress=False,
            max_msg_size=MAX_CLIENT_FRAME,
            writer_limit=WRITER_LIMIT,
        )
        cookies = dict(request.cookies)
        await response.prepare(request.clone(headers=doors.with_protocols(request.headers, chosen)))
        client = Multiplexer(
            Link(response, request),
            lambda name: self.contexts.cluster(name, doors.cookie_token(cookies, name), by_name=True),
            write=self._shared.write,
            room=lambda: sum(len(one.feeds) for one in self.clients) < MAX_UPSTREAMS,
        )
        self.clients.add(client)
        try:
            await client.run()
        finally:
            self.clients.discard(client)
        return response

    async def _cluster(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._cluster_or_error(request)
        except UnknownContext as error:
            return refusals.response(404, refusals.full(error))
        except MuxError as error:
            return refusals.of(error)

    async def _cluster_or_error(self, request: web.Request) -> web.StreamResponse:
        if request.method not in METHODS:
            return refusals.response(405, "a method that the gateway does not pass on")
        if (setting := pages.token_target(request, self._base)) is not None:
            await self.contexts.cluster(setting.cluster)
            return await pages.set_token(request, setting.cluster, setting.segment, self._base)
        if pages.asks_who(request.raw_path, self._base):
            # As Headlamp's server answers who has brought no token of his own: the gateway's is nobody's name.
            return refusals.response(401, "no user of this cluster has logged in here; the gateway asks as itself")
        target = parse(request.raw_path, self._base)
        if needs_write(request.method, target.path):
            refusals.check_write(self._shared.write, f"{request.method} {target.path}", target.cluster)
        upgrade = "upgrade" in request.headers.get("Connection", "").lower() or "Upgrade" in request.headers
        if upgrade and (wrong := tunnel.refusal(request)) is not None:
            return wrong
        cluster = await self.contexts.cluster(target.cluster, doors.cookie_token(request.cookies, target.cluster))
        if upgrade:
            return await self._tunnel(tunnel.serve(request, cluster, target))
        if self.asking >= MAX_ASKING:
            return refusals.response(429, f"more than {MAX_ASKING} requests at once")
        self.asking += 1
        try:
            return await rest.answer(request, cluster, target)
        finally:
            self.asking -= 1

    async def _tunnel(self, work: Any) -> web.StreamResponse:
        if len(self.tunnels) >= MAX_TUNNELS:
            work.close()
            return refusals.response(429, f"more than {MAX_TUNNELS} WebSockets at once")
        task: asyncio.Task[web.StreamResponse] = asyncio.create_task(work)
        self.tunnels.add(task)
        task.add_done_callback(self.tunnels.discard)
        try:
            return await task
        finally:
            task.cancel()
