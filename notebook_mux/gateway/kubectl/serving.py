"""The API server that kubectl meets: TLS, the grant's token, then the cluster with the gateway's own login.

What comes back is the cluster's, as it comes: watches, logs and upgrades too. Nothing of a cluster's credentials goes
out, and of kubectl's own headers only those that cannot say who asks go in.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import socket as sockets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import yaml
from aiohttp import web
from multidict import CIMultiDict

from notebook_mux.errors import InvalidArgument, MuxError
from notebook_mux.gateway import guard
from notebook_mux.gateway.guard import in_url
from notebook_mux.gateway.headlamp import refusals, rest, tunnel
from notebook_mux.gateway.headlamp.targets import parse
from notebook_mux.gateway.kubectl import certificate, spdy
from notebook_mux.gateway.kubectl.grants import Grant, Grants, kubeconfig
from notebook_mux.gateway.request_headers import IMPERSONATION
from notebook_mux.kube.scope import METHODS, needs_write
from notebook_mux.listening import stop_accepting
from notebook_mux.wire.messages import Kubeconfig

if TYPE_CHECKING:
    from notebook_mux.gateway.session import Session

LOOPBACK = "127.0.0.1"

HEADER_BYTES = 64 * 1024
"""Of a request's line and of each of its header fields: the command of an exec stands in its line."""

MAX_ASKING = 1024
"""Requests at once, watches and WebSockets included: each may hold a connection to a cluster."""

END_SECONDS = 3.0
"""For requests under way when the gateway ends."""

log = logging.getLogger(__name__)


class Kubectl:
    """Serves the clusters of grants. On the gateway's loop; it listens from the first grant on.

    Args:
        host: Where it listens: as the gateway does.
        most: Requests at once.
    """

    def __init__(self, host: str = LOOPBACK, most: int = MAX_ASKING) -> None:
        self.grants = Grants()
        self.host = host
        self.most = most
        self.asking = 0
        self.port = 0
        self._authority = ""
        self._starting = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._listening: sockets.socket | None = None

    async def give(self, session: Session, message: Kubeconfig) -> bytes:
        """The kubeconfig that a client asks for, as YAML; without contexts its grant ends, and there is nothing in it.

        Raises:
            MuxError: See `Grants.give`.
        """
        if not message.contexts:
            self.grants.end(message.key)
            return b""
        async with self._starting:
            if self._runner is None:
                await self._start()
        grant = self.grants.give(session, message.key, message.scope, message.contexts)
        return yaml.safe_dump(dict(kubeconfig(grant, self.reached, self._authority)), sort_keys=False).encode()

    @property
    def reached(self) -> str:
        """Host and port."""
        return f"{in_url(self.host)}:{self.port}"

    def release(self, session: Session) -> None:
        """The session has ended."""
        self.grants.release(session)

    async def close(self) -> None:
        """Cut all that is under way, and stop listening."""
        self.grants.close()
        if self._runner is not None and self._listening is not None:
            await stop_accepting([self._listening])
            await self._runner.cleanup()

    async def _start(self) -> None:
        authority, context = await asyncio.to_thread(certificate.make, self.host)
        self._authority = base64.b64encode(authority).decode()
        app = web.Application(middlewares=[_refusing])
        app.router.add_route("*", "/{rest:.*}", self._serve)
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=END_SECONDS,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
        )
        await runner.setup()
        family = sockets.AF_INET6 if ":" in self.host else sockets.AF_INET
        listening = self._listening = sockets.create_server((self.host, 0), family=family, backlog=128)
        self.port = listening.getsockname()[1]
        await web.SockSite(runner, listening, ssl_context=context).start()
        self._runner = runner
        log.info("the API is served to kubectl on port %d", self.port)

    # --- a request ------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        grant = self._grant(request)
        if isinstance(grant, web.Response):
            return grant
        if self.asking >= self.most:
            return refusals.response(429, f"more than {self.most} requests at once")
        grant.using(request.transport)
        self.asking += 1
        try:
            return await _passed_on(request, grant)
        finally:
            self.asking -= 1

    def _grant(self, request: web.Request) -> Grant | web.Response:
        """Whose request it is, or why it is nobody's; looked at before anything else of it."""
        hosts = request.headers.getall("Host", [])
        own = guard.HOSTS if self.host == LOOPBACK else (in_url(self.host),)
        if len(hosts) != 1 or hosts[0].strip().lower() not in guard.names(self.port, own):
            return refusals.response(403, f"this API is served at {self.reached} only")
        if "Origin" in request.headers:
            return refusals.response(403, "this API is for kubectl, and no page of a browser has a word with it")
        shown = request.headers.getall("Authorization", [])
        scheme, _, token = shown[0].strip().partition(" ") if len(shown) == 1 else ("", "", "")
        grant = self.grants.find(token.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            return refusals.response(
                401, "this kubeconfig is of a notebook's connection that has ended; nm.kubeconfig() gives one of now"
            )
        return grant


async def _passed_on(request: web.Request, grant: Grant) -> web.StreamResponse:
    method = request.method
    if method not in METHODS:
        return refusals.response(405, "a method that the gateway does not pass on")
    target = parse(request.raw_path)
    named = grant.clusters.get(target.cluster)
    if named is None:
        return refusals.response(404, "there is no cluster of that name in this notebook's connection")
    changes = f"{method} {target.path}" if needs_write(method, target.path) else ""
    acting = CIMultiDict((name, value) for name, value in request.headers.items() if is_acting(name))
    if acting:
        # A right of the user's own, which the cluster decides on; but to look means to look as oneself.
        changes = changes or f"{method} {target.path} as {acting.get('Impersonate-User', 'somebody else')!r}"
    cluster = await grant.cluster(target.cluster, changes)
    if "Upgrade" in request.headers:
        if acting:
            raise InvalidArgument("a program is run, and a port is forwarded, as oneself", todo="leave out --as")
        if request.headers["Upgrade"].lower() == "websocket":
            return tunnel.refusal(request) or await tunnel.serve(request, cluster, target)
        return spdy.refusal(request) or await spdy.serve(request, cluster, target)
    # Who manages a field is named by it, where a request does not say so itself.
    more = {"User-Agent": request.headers["User-Agent"]} if "User-Agent" in request.headers else {}
    return await rest.answer(request, cluster, target, more=more, acting=acting)


def is_acting(header: str) -> bool:
    """Whether a header says whom a request is made as."""
    return header.lower().startswith(IMPERSONATION)


@web.middleware
async def _refusing(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Errors of ours as an API server words them."""
    try:
        return await handler(request)
    except MuxError as error:
        return refusals.of(error)
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:  # one request's failure is its own
        log.exception("a request of kubectl's failed")
        return refusals.response(500, "the gateway failed; its log has more")
