"""What Headlamp's front end asks of its server itself: the clusters, the plugins, and where a cluster's token goes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec
from aiohttp import web

from notebook_mux.errors import MuxError
from notebook_mux.gateway.headlamp import doors, refusals, rest
from notebook_mux.gateway.headlamp.contexts import Contexts, listed
from notebook_mux.gateway.headlamp.targets import PREFIX, cluster_name
from notebook_mux.wire import headlamp as wire

DEBUG_IMAGE = "docker.io/library/busybox:latest"
"""Of debug containers and node shells: Headlamp's own default."""


SET_TOKEN = "/set-token"


class _SetToken(msgspec.Struct):
    token: str


_SEGMENT = re.compile(r"[A-Za-z0-9._~@!$&'()*+=%:-]+")
"""A cluster's name in a cookie's path: no semicolon or comma, where the path would end."""

_set_token = msgspec.json.Decoder(_SetToken)


@dataclass(frozen=True, slots=True)
class TokenTarget:
    """A request to keep a cluster's token.

    Attributes:
        cluster: The cluster's name.
        segment: The same as it stands in the path.
    """

    cluster: str
    segment: str


def token_target(request: web.Request, base: str) -> TokenTarget | None:
    """Whose token a request sets; None if it is another request.

    Raises:
        InvalidArgument: The cluster's name is none.
    """
    if request.method != "POST":
        return None
    path = request.raw_path.partition("?")[0]
    segment = path.removeprefix(base + PREFIX).removesuffix(SET_TOKEN)
    if path != base + PREFIX + segment + SET_TOKEN or "/" in segment or not _SEGMENT.fullmatch(segment):
        return None
    return TokenTarget(cluster_name(segment), segment)


def asks_who(raw: str, base: str) -> bool:
    """Whether a request asks for the user's name, ``/clusters/<name>/me``, which is no path of a cluster's API."""
    return re.fullmatch(re.escape(base + PREFIX) + r"[^/?]+/me", raw.partition("?")[0]) is not None


async def config(contexts: Contexts) -> web.Response:
    """The answer to ``/config``."""
    try:
        clusters = [listed(context) for context in (await contexts.all()).values()]
    except MuxError as error:
        return refusals.of(error)
    content = {
        "clusters": clusters,
        "isDynamicClusterEnabled": False,
        "allowKubeconfigChanges": False,
        "defaultPodDebugImage": DEBUG_IMAGE,
        "defaultNodeShellImage": DEBUG_IMAGE,
        "defaultNodeShellNamespace": "default",
    }
    return web.json_response(content, headers={"Cache-Control": "no-store"})


def plugins() -> web.Response:
    """The answer to ``/plugins``: there are none, and none can be put there."""
    return web.json_response([], headers={"Cache-Control": "no-store"})


async def set_token(request: web.Request, cluster: str, segment: str, base: str) -> web.Response:
    """Keep a cluster's token in the client's cookies, or take it out of them if it is empty.

    Twice for each piece: a cookie goes to the paths below its own only, and the multiplexer has another one. Never for
    ``/``: cookies know no ports, so every other server of this machine would be sent the token.

    Args:
        request: Its body is ``{"token": "..."}``.
        cluster: The cluster's name.
        segment: The same as it stands in the path.
        base: What stands before ``/clusters/``.

    Raises:
        InvalidArgument: The body is too long.
    """
    try:
        token = _set_token.decode(await rest.body_of(request)).token
        parts = doors.token_parts(token) if token else []
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return refusals.response(400, 'a body of {"token": "..."} is wanted, with a token that a cookie can carry')
    response = web.Response(headers={"Cache-Control": "no-store"})
    for path in (f"{base}/clusters/{segment}", f"{base}{wire.PATH}"):
        for number in range(doors.MAX_COOKIES):
            name = doors.cookie_name(cluster, number)
            if number < len(parts):
                seconds, value = doors.COOKIE_SECONDS, parts[number]
            elif name in request.cookies:
                seconds, value = 0, ""
            else:
                continue
            # One field each: aiohttp's jar has one cookie a name.
            response.headers.add(
                "Set-Cookie", f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict"
            )
    return response
