"""The gateway's HTTP server on loopback: the WebSocket, the proof, and what the command line asks."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import socket as sockets
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import WSMsgType, web

from notebook_mux.errors import InvalidArgument, MuxError
from notebook_mux.forwards.pages import Pages
from notebook_mux.gateway import guard, pages, status
from notebook_mux.gateway.guard import in_url
from notebook_mux.gateway.headlamp.rooms import Headlamp
from notebook_mux.gateway.houses import Houses, end_kept
from notebook_mux.gateway.session import GOODBYE_SECONDS, Session
from notebook_mux.gateway.shared import Shared
from notebook_mux.life import proof
from notebook_mux.listening import stop_accepting
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_FRAME
from notebook_mux.wire.sending import Parts, binary_head

LOOPBACK = "127.0.0.1"

UNSENT_BYTES = 64 * 1024
"""Bytes that may lie unsent in a socket's buffers, ours and the system's, each: what is written next then leaves soon,
so a control message or a terminal's byte does not wait behind megabytes."""

TCP_NOTSENT_LOWAT = getattr(sockets, "TCP_NOTSENT_LOWAT", 25)
"""Linux' and macOS' option for it; Python has the name since 3.12."""

HEADER_BYTES = 32 * 1024
"""Of a request's line and of each of its header fields; a token and a cookie of another service fit."""

BODY_BYTES = 1024
"""Of a request; none of ours has one."""

END_SECONDS = 3.0
"""For goodbyes and requests under way when the gateway ends."""

Answer = Callable[[str], Mapping[str, str]]

log = logging.getLogger(__name__)


class Gateway:
    """Serves on 127.0.0.1. On the gateway's loop.

    Args:
        shared: What its sessions share.
        token: What clients have to show.
        answer: The answer to ``GET /prove?nonce=``, see `life.runtime.Tenure.answer`.
        base_path: What a proxy puts before all paths, as ``/user/me/gateway``.
        frontend: The folder with Headlamp's built front end, to be served in place of the gateway's own words.
        houses: Those of its users, where it has several: what they show are tokens of their own, and `token` lets
            whoever runs it look at the status and stop it. Headlamp's dialect is not served then.

    Raises:
        InvalidArgument: There is no front end in the folder.
    """

    def __init__(
        self,
        shared: Shared,
        token: str,
        answer: Answer,
        *,
        base_path: str = "",
        frontend: Path | None = None,
        houses: Houses | None = None,
    ) -> None:
        self.shared = shared
        self.token = token
        self.houses = houses
        self.read_users: Callable[[], None] | None = None
        """Lets in who is in the users' file now."""
        self.port = 0
        self.host = LOOPBACK
        self.scheme = "http"
        self.accepting = True
        self.base = "/" + base_path.strip("/") if base_path.strip("/") else ""
        # The contexts of a gateway that a kernel started are its kernels', and no Headlamp client's.
        one_user = shared.own is not None and houses is None
        self.headlamp = Headlamp(shared, self.base, frontend) if one_user else None
        self.page_path = shared.page_path = self.base + pages.PATH
        self._strangers: set[object] = set()
        self.pages = Pages(houses or shared.forwards, self.base)
        self._answer = answer
        self._runner: web.AppRunner | None = None
        self._listening: sockets.socket | None = None

    @property
    def url(self) -> str:
        """The base URL without the token."""
        return f"{self.scheme}://{self.reached}{self.base}/"

    @property
    def names(self) -> frozenset[str]:
        """The values of a Host header that mean it."""
        return guard.names(self.port, guard.HOSTS if self.host == LOOPBACK else (in_url(self.host),))

    @property
    def reached(self) -> str:
        """Host and port."""
        return f"{in_url(self.host)}:{self.port}"

    def house_of(self, token: str) -> Shared | None:
        """Whose token it is: the gateway's own, or one of its users'; None is nobody's."""
        own = hmac.compare_digest(token.encode(errors="replace"), self.token.encode())
        theirs = self.houses.of_token(token) if self.houses is not None else None
        return self.shared if own else theirs

    async def start(self, port: int = 0, host: str = LOOPBACK, tls: ssl.SSLContext | None = None) -> int:
        """Listen; returns the port.

        Args:
            port: 0 takes any that is free.
            host: The name or address by which clients reach it; other than loopback's for one with users only.
            tls: The server's certificate, for https.

        Raises:
            InvalidArgument: Another address, and one user: the gateway has that user's rights on every cluster.
            OSError: The port is taken, or the host is none of this machine's.
        """
        if host != LOOPBACK and self.houses is None:
            raise InvalidArgument(f"the gateway listens on {LOOPBACK} only", todo="use a tunnel, such as ssh -L")
        self.host, self.scheme = host, "http" if tls is None else "https"
        self.shared.kubectl.host = host
        app = web.Application(middlewares=[self._door, guard.middleware(self)], client_max_size=BODY_BYTES)
        app.router.add_get(self.base + messages.PATH, self._websocket)
        app.router.add_get(self.page_path, self._page)
        app.router.add_get(self.page_path + "/{house}", self._page)
        app.router.add_get(self.base + proof.PATH, self._prove)
        self.pages.add_routes(app.router)
        app.router.add_get(self.base + "/status", self._status)
        app.router.add_post(self.base + "/stop", self._stop)
        app.router.add_post(self.base + "/users", self._users)
        if self.headlamp is None or self.headlamp.frontend is None:
            app.router.add_get(self.base + "/", self._root)
        if self.headlamp is not None:
            self.headlamp.add_routes(app.router)
        self._runner = web.AppRunner(
            app,
            access_log=None,  # it would have the tokens of all URLs
            handle_signals=False,
            shutdown_timeout=END_SECONDS,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
        )
        await self._runner.setup()
        family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
        listening = self._listening = sockets.create_server((host, port), family=family, backlog=128)
        self.port = self.shared.port = listening.getsockname()[1]
        site = web.SockSite(self._runner, listening, ssl_context=tls)
        await site.start()
        return self.port

    def open_door(self, accepting: bool) -> None:
        """Accept clients, or refuse them with 503 until it is opened again."""
        self.accepting = accepting

    async def close(self, reason: str) -> None:
        """Say goodbye to all clients and stop listening."""
        self.accepting = False
        houses = [self.shared, *(self.houses or ())]
        sessions = [session for house in houses for session in house.sessions]
        for session in sessions:
            session.end("closing", f"the gateway ends: {reason}", "it is started anew when it is needed")
        looking = [page for house in houses for page in house.pages]
        for page in looking:
            page.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                ended = [*(session.ended for session in sessions), *(page.ended for page in looking)]
                await asyncio.gather(*(event.wait() for event in ended))
        if self.headlamp is not None:
            await self.headlamp.close(reason)
        await self.pages.close()
        if self._runner is not None and self._listening is not None:
            await stop_accepting([self._listening])
            await self._runner.cleanup()
        if self.houses is not None:
            await self.houses.aclose()
        await end_kept(self.shared)

    def is_open(self, request: web.Request) -> bool:
        """Whether a request needs no token."""
        return request.path == self.base + proof.PATH or (self.headlamp is not None and self.headlamp.is_open(request))

    def is_pages(self, path: str) -> bool:
        """Whether a path is that of pages, which come by another host's name and show a ticket and no token."""
        return self._house_of_page(path) is not None

    def _house_of_page(self, path: str) -> Shared | None:
        if path == self.page_path:
            return self.shared
        return self.houses.of_page(path) if self.houses is not None else None

    def is_page(self, request: web.Request) -> bool:
        """Whether a request knows the secret of a forward's pages, which is all that it needs."""
        return self.pages.knows(request)

    def is_headlamps(self, path: str) -> bool:
        """Whether a path is one of Headlamp's dialect."""
        return self.headlamp is not None and self.headlamp.covers(path)

    # --- routes ---------------------------------------------------------------------------------------------------

    @web.middleware
    async def _door(self, request: web.Request, handler: guard.Handler) -> web.StreamResponse:
        if not self.accepting:
            return guard.refuse(503, "the gateway ends; ask for another one")
        return await handler(request)

    async def _root(self, request: web.Request) -> web.StreamResponse:
        return web.Response(
            text=f"A gateway of notebook_mux {self.shared.package}. Notebooks connect to it by its URL.\n"
        )

    async def _prove(self, request: web.Request) -> web.StreamResponse:
        self.shared.touched()
        nonces = request.query.getall("nonce", [])
        try:
            return web.json_response(dict(self._answer(nonces[0] if len(nonces) == 1 else "")))
        except proof.BadNonce as error:
            return guard.refuse(400, str(error))

    async def _status(self, request: web.Request) -> web.StreamResponse:
        house = request[guard.HOUSE]
        report = status.report(house)
        if self.headlamp is not None:
            report["headlamp"] = self.headlamp.report()
        if self.houses is not None and house is self.shared:
            report["users"] = self.houses.report()
        return web.json_response(report, headers={"Cache-Control": "no-store"})

    async def _stop(self, request: web.Request) -> web.StreamResponse:
        if request[guard.HOUSE] is not self.shared:
            return guard.refuse(403, "it is not yours alone, and only whoever runs it may stop it")
        asyncio.get_running_loop().call_soon(self.shared.stop, "stopped by its user")
        return web.json_response({"stopping": True})

    async def _users(self, request: web.Request) -> web.StreamResponse:
        """Read the users again; answered when those who have gone are cut off."""
        if request[guard.HOUSE] is not self.shared or self.read_users is None:
            return guard.refuse(403, "only whoever runs a gateway of several users says who they are")
        try:
            self.read_users()
        except MuxError as error:
            return guard.refuse(400, " ".join(error.lines()))
        return web.json_response(self.houses.report() if self.houses is not None else [])

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return guard.refuse(426, f"a WebSocket with the sub-protocol {messages.SUBPROTOCOL} is served here")
        if messages.SUBPROTOCOL not in _offered(request):
            return guard.refuse(
                400, f"this gateway speaks the sub-protocol {messages.SUBPROTOCOL}; none else was agreed"
            )
        house = request[guard.HOUSE]
        if len(house.sessions) >= house.limits.clients:
            return guard.refuse(
                429, f"{len(house.sessions)} notebooks of {house.user} are connected; close some of them"
            )
        response = web.WebSocketResponse(
            timeout=GOODBYE_SECONDS,
            autoclose=False,
            heartbeat=None,
            protocols=[messages.SUBPROTOCOL],
            compress=False,
            max_msg_size=messages.MAX_MESSAGE,
            writer_limit=0,  # after each frame wait until the transport's buffer is low
        )
        await response.prepare(request)
        await Session(Socket(response, request), house).run()
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        origins = request.headers.getall("Origin", [])
        house = self._house_of_page(request.path)
        if house is None or not house.tickets.expects(origins):
            return guard.refuse(403, "no page of this origin is expected")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return guard.refuse(426, f"a WebSocket with the sub-protocol {pages.SUBPROTOCOL} is served here")
        if pages.SUBPROTOCOL not in _offered(request):
            return guard.refuse(400, f"the sub-protocol {pages.SUBPROTOCOL} is spoken here; none else was agreed")
        if len(house.pages) >= house.limits.streams:
            return guard.refuse(429, f"{len(house.pages)} pages look at terminals already")
        if len(self._strangers) >= pages.MAX_STRANGERS:
            return guard.refuse(503, "too many pages have opened a socket and said nothing")
        stranger = object()
        self._strangers.add(stranger)
        try:
            return await self._page_socket(request, house, origins[0], lambda: self._strangers.discard(stranger))
        finally:
            self._strangers.discard(stranger)

    async def _page_socket(
        self, request: web.Request, house: Shared, origin: str, welcomed: Callable[[], None]
    ) -> web.StreamResponse:
        response = web.WebSocketResponse(
            timeout=GOODBYE_SECONDS,
            autoclose=False,
            heartbeat=None,
            protocols=[pages.SUBPROTOCOL],
            compress=False,
            max_msg_size=MAX_FRAME + 1,
            writer_limit=0,
        )
        await response.prepare(request)
        await pages.Page(Socket(response, request), origin, house, welcomed).run()
        return response


def _offered(request: web.Request) -> list[str]:
    """The sub-protocols that a client offers."""
    return [name.strip() for name in ",".join(request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")]


class Socket:
    """aiohttp's WebSocket as `session.Socket`."""

    def __init__(self, response: web.WebSocketResponse, request: web.Request) -> None:
        transport = request.transport
        assert transport is not None
        self._response = response
        self._transport = transport
        self._drain = request.writer.drain
        transport.set_write_buffer_limits(high=UNSENT_BYTES)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):  # not on this system
                raw.setsockopt(sockets.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    async def send(self, frame: str | Parts) -> None:
        """Write a frame and wait until the system has taken it.

        A binary one goes round aiohttp, which wants it in one piece: its payload is shared by many clients, and to
        join it to each one's header would copy it for each.

        Raises:
            OSError: The client has gone.
        """
        if isinstance(frame, str):
            await self._response.send_frame(frame.encode(), WSMsgType.TEXT)
            return
        header, payload = frame
        if self._transport.is_closing():
            raise ConnectionResetError("the client has gone")
        head = binary_head(len(header) + len(payload)) + header
        # Nothing is not written: from Python 3.12 on asyncio would wait for room for it for ever.
        self._transport.writelines((head, payload) if payload else (head,))
        await self._drain()

    async def receive(self) -> str | bytes | None:
        """The next frame, or None when the client has closed, gone, or sent what is no WebSocket frame."""
        message = await self._response.receive()
        return message.data if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) else None

    async def ping(self) -> None:
        """Send a ping.

        Raises:
            OSError: The client has gone.
        """
        await self._response.ping()

    async def close(self, code: int, reason: str) -> None:
        """The closing handshake."""
        await self._response.close(code=code, message=reason.encode())

    def abort(self) -> None:
        """Cut it, if it is still there."""
        if not self._transport.is_closing():
            self._transport.abort()
