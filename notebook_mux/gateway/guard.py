"""Who may talk to the gateway at all: looked at on every route, before anything else is.

The gateway listens on loopback, where every page of every browser of this machine can reach it. So a request must name
the gateway as its host (a name that an attacker's DNS points here is refused), must come from no other origin, and
must show the token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiohttp import web

from notebook_mux.gateway.headlamp.doors import shown_tokens as headlamp_tokens
from notebook_mux.gateway.shared import Shared
from notebook_mux.wire.headlamp import TOKEN_HEADER

TOKEN_PARAMETER = "token"
BEARER = "bearer "
HOSTS = ("127.0.0.1", "localhost", "[::1]")
HTTP_PORT = 80

HOUSE = web.RequestKey("house", Shared)
"""Where a request keeps whose token it has shown."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guarded(Protocol):
    """What the guard knows of the gateway."""

    @property
    def names(self) -> frozenset[str]:
        """The values of a Host header that mean it."""

    @property
    def scheme(self) -> str:
        """Of its URL."""

    @property
    def reached(self) -> str:
        """Where it is reached, for a message."""

    def house_of(self, token: str) -> Shared | None:
        """Whose token it is; all of it is compared, so that the time tells nothing."""

    def is_open(self, request: web.Request) -> bool:
        """Whether a request needs no token."""

    def is_pages(self, path: str) -> bool:
        """Whether a path is that of pages, which come by another host's name and show a ticket and no token."""

    def is_page(self, request: web.Request) -> bool:
        """Whether a request is for a forward's pages and has their secret: it may have come through any proxy."""

    def is_headlamps(self, path: str) -> bool:
        """Whether a path is one of Headlamp's dialect."""


def refuse(status: int, words: str) -> web.Response:
    """An error answer: short text, never anything of the request, and nothing that a cache would keep."""
    return web.Response(status=status, text=f"{words}\n", headers={"Cache-Control": "no-store"})


def names(port: int, hosts: Sequence[str] = HOSTS) -> frozenset[str]:
    """The values of a Host header that mean a gateway on these hosts."""
    bare = hosts if port == HTTP_PORT else ()
    return frozenset((*(f"{host}:{port}" for host in hosts), *bare))


def in_url(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def problem(request: web.Request, gateway: Guarded) -> tuple[int, str] | None:
    """What is wrong with a request, as status and words, or None."""
    if gateway.is_pages(request.rel_url.raw_path):
        return None  # its own handler looks at the origin, and then at the ticket
    if gateway.is_page(request):
        return None
    own = gateway.names
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or hosts[0].strip().lower() not in own:
        return 403, f"this gateway is reached as {gateway.reached} only"
    if not request.raw_path.startswith("/"):
        return 400, "the request's target has to be a path"
    origins = request.headers.getall("Origin", [])
    allowed = {f"{gateway.scheme}://{name}" for name in own}
    if origins and (len(origins) != 1 or origins[0].strip().lower() not in allowed):
        return 403, "requests of other origins are refused"
    if gateway.is_open(request):
        return None
    given = shown_tokens(request)
    # Headlamp's server says 403, and its front end takes a 401 for a cluster that wants a login.
    status = 403 if gateway.is_headlamps(request.path) else 401
    if not given:
        return status, f"this gateway wants its token: Authorization: Bearer ..., ?token=..., or {TOKEN_HEADER}"
    found = [gateway.house_of(token) for token in given]
    house = found[0]
    if house is None or any(other is not house for other in found):
        return status, "the token is not this gateway's; a restarted gateway has another one"
    request[HOUSE] = house
    return None


def shown_tokens(request: web.Request) -> list[str]:
    """The tokens of a request, from its header fields, its sub-protocols and its query.

    Never from a cookie: a browser sends those along with what other pages ask for.
    """
    values = [value.strip() for value in request.headers.getall("Authorization", [])]
    found = headlamp_tokens(request.headers)
    found += [value[len(BEARER) :].strip() if value.lower().startswith(BEARER) else "" for value in values]
    try:
        return found + request.query.getall(TOKEN_PARAMETER, [])
    except ValueError:  # more parameters than aiohttp parses
        return [*found, ""]


def middleware(gateway: Guarded) -> Any:
    """The guard as aiohttp's middleware; it sees requests for unknown paths too."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        found = problem(request, gateway)
        if found is not None:
            return refuse(*found)
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status == 404:
                return refuse(404, "there is nothing here")
            if error.status == 405:
                return refuse(405, "not with this method")
            raise

    return guard
