"""What a pod serves by HTTP, at a path of the gateway with a secret in it: for browsers that come through Jupyter.

A request goes through the forward's own port, so all that is true of its connections is true of these.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from notebook_mux.forwards import fields
from notebook_mux.forwards.desk import PAGES
from notebook_mux.forwards.forward import LOOPBACK
from notebook_mux.forwards.forwards import Held
from notebook_mux.remote.sockets import ABNORMAL, NO_STATUS, Socket, pump

CONNECTIONS = 32
"""To one forward at once, as many as a few tabs of a browser use; more wait."""

KEEP_SECONDS = 5.0
"""How long a connection waits for the next request: each is a WebSocket to the API server."""

PIECE = 64 * 1024

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a WebSocket's message."""

END_SECONDS = 2.0

NORMAL = 1000
"""The close code where a side gave none (RFC 6455, 7.4.1)."""

REDIRECTS = frozenset({201, 301, 302, 303, 307, 308})
"""Answers whose ``Location`` a browser may follow, and the one that names what was made."""

ANSWERS = range(200, 600)
"""Statuses that end a request (RFC 9110, 15); behind any other a proxy on the way may look for one more answer, which
would be the pod's to write."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

UNSENT = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""What aiohttp would add."""

NO_ANSWER = 502
REFUSED_METHOD = 405


class Forwards(Protocol):
    """All forwards there are."""

    def by_secret(self, secret: str) -> Held | None:
        """The one whose pages `secret` opens."""


class Pages:
    """See the module. On the gateway's loop.

    Args:
        forwards: The gateway's, of all its users.
        base: What the gateway's own paths begin with.
    """

    def __init__(self, forwards: Forwards, base: str = "") -> None:
        self._forwards = forwards
        self._prefix = base + PAGES
        self._session: aiohttp.ClientSession | None = None
        self._websockets: set[web.WebSocketResponse] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve below `PAGES`."""
        router.add_route("*", self._prefix + "{secret}/{rest:.*}", self._serve)

    def knows(self, request: web.Request) -> bool:
        """Whether a request has the secret of a forward in its path, and is served here and by nothing else."""
        return self._held(request) is not None and request.match_info.handler == self._serve

    async def close(self) -> None:
        """End all that is under way."""
        for socket in list(self._websockets):
            await socket.close()
        if self._session is not None:
            await self._session.close()

    def _held(self, request: web.Request) -> Held | None:
        path = request.raw_path
        secret, slash, _ = path.removeprefix(self._prefix).partition("/")
        return self._forwards.by_secret(secret) if path.startswith(self._prefix) and slash else None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        held = self._held(request)
        if held is None:  # the gateway's own token opens nothing here
            return _refuse(404, "there is nothing here")
        if request.method not in METHODS:
            return _refuse(REFUSED_METHOD, "not with this method")
        target = fields.without_secrets(request.raw_path.removeprefix(self._prefix).partition("/")[2].partition("#")[0])
        url = URL(f"http://{LOOPBACK}:{held.forward.port}/{target}", encoded=True)
        host = f"localhost:{held.forward.aim.port}"
        given = CIMultiDict(fields.asked(request.headers.items(), host))
        try:
            if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
                return await self._websocket(request, url, given)
            return await self._page(request, url, given, {host, f"{LOOPBACK}:{held.forward.port}"})
        except (aiohttp.ClientError, TimeoutError):
            error = held.forward.state.error
            return _refuse(NO_ANSWER, f"the pod does not answer{f': {error}' if error else ''}")

    # --- requests ---------------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request, url: URL, given: CIMultiDict[str], own: set[str]) -> web.StreamResponse:
        body = request.content.iter_chunked(PIECE) if request.can_read_body else None
        async with self._opened().request(
            request.method, url, headers=given, data=body, allow_redirects=False, skip_auto_headers=UNSENT
        ) as answer:
            if answer.status not in ANSWERS:
                return _refuse(NO_ANSWER, f"the pod answers with the status {answer.status}, which ends no request")
            headers = CIMultiDict(fields.answered(answer.headers.items()))
            place = answer.headers.get(hdrs.LOCATION)
            if place is not None and answer.status in REDIRECTS:
                inside = fields.redirected(place, url.raw_path, own)
                if inside is None:
                    return _refuse(NO_ANSWER, "the pod's page sends you to another address, which is not followed")
                headers[hdrs.LOCATION] = inside
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            try:
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
            except (aiohttp.ClientError, OSError):
                # The pod's side broke, or the browser has gone: what has come must not look whole.
                if request.transport is not None:
                    request.transport.abort()
            return response

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS, keepalive_timeout=KEEP_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=PIECE,
            )
        return self._session

    # --- WebSockets -------------------------------------------------------------------------------------------------

    async def _websocket(self, request: web.Request, url: URL, given: CIMultiDict[str]) -> web.StreamResponse:
        offered = [name.strip() for name in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
        protocols = [name for name in offered if name]
        for name in (hdrs.CONTENT_LENGTH, hdrs.CONTENT_TYPE):
            given.popall(name, None)
        async with self._opened().ws_connect(
            url, headers=given, protocols=protocols, autoping=False, autoclose=False, max_msg_size=MAX_MESSAGE
        ) as far:
            near = web.WebSocketResponse(
                protocols=[far.protocol] if far.protocol else [],
                autoping=False,
                autoclose=False,
                max_msg_size=MAX_MESSAGE,
                timeout=END_SECONDS,
                compress=False,
            )
            await near.prepare(request)
            self._websockets.add(near)
            ways = [asyncio.create_task(_relay(near, far)), asyncio.create_task(_relay(far, near))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._websockets.discard(near)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                with contextlib.suppress(OSError, aiohttp.ClientError):
                    await near.close()
            return near


async def _relay(source: Socket, sink: Socket) -> None:
    """Pass messages on until one side ends, and a goodbye."""
    with contextlib.suppress(OSError, aiohttp.ClientError):
        code, reason = await pump(source, sink)
        if code != ABNORMAL:
            await sink.close(code=NORMAL if code == NO_STATUS else code, message=reason)


def _refuse(status: int, words: str) -> web.Response:
    return web.Response(status=status, text=f"{words}\n", headers=fields.OURS)
