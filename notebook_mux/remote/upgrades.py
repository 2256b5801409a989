"""The upgrade of a request to a WebSocket, sent once, and the words of a server that refuses it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from yarl import URL

from notebook_mux._version import __version__
from notebook_mux.kube.answers import Answer, plain
from notebook_mux.remote.sockets import Refused, came_of

CONNECT_SECONDS = 10.0
"""For name, TCP and TLS: on the way to the other side of the world they take one; a dropped SYN is sent four times."""

MAX_FRAME = 32 * 1024 * 1024
"""Bytes of one WebSocket message: the API server's own limit (golang.org/x/net/websocket)."""

READ_AHEAD = 16 * 1024
"""Bytes taken before they are asked for: the answer to an upgrade has next to no body."""

REFUSAL_BYTES = 64 * 1024
"""Of the body of a refused upgrade; a Status has a few hundred."""

USER_AGENT = f"notebook-mux/{__version__}"
SWITCHING = 101
FAILED = 400


async def upgrade(
    connector: aiohttp.BaseConnector,
    url: URL,
    headers: Mapping[str, str],
    protocols: Sequence[str],
    *,
    max_frame: int = MAX_FRAME,
    context: ssl.SSLContext | None = None,
    tls_name: str | None = None,
    proxy: str | None = None,
    trust_env: bool = False,
) -> aiohttp.ClientWebSocketResponse:
    """One attempt, without pings of its own; the caller closes the WebSocket.

    Args:
        connector: Makes a connection of its own for each (``force_close``): one that was used before may be gone,
            unnoticed, and nothing is sent twice.
        url: http or https.
        headers: Besides those of the upgrade itself.
        protocols: The sub-protocols to offer; the server chooses.
        max_frame: Bytes; a longer message ends it.
        context: Of TLS; None is the system's.
        tls_name: The name in the server's certificate, where it is not the URL's.
        proxy: Its URL.
        trust_env: Whether the proxy of the environment counts.

    Raises:
        Refused: The answer was no upgrade.
        aiohttp.ClientError, OSError: No connection, or it broke.
    """
    answer: aiohttp.ClientResponse | None = None

    async def answered(response: aiohttp.ClientResponse) -> None:
        nonlocal answer
        if response.status != SWITCHING:
            await refuse(response)
        answer = response
        _keep_what_was_sent(response.connection.transport if response.connection is not None else None)

    named: dict[str, Any] = {"server_hostname": tls_name} if tls_name else {}
    # A session for each: it has nothing of its own, and its hook is the one way to a refusal's words.
    session = aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT},
        raise_for_status=answered,
        read_bufsize=READ_AHEAD,
        trust_env=trust_env,
    )
    # aiohttp sends a GET once more where the server has hung up on it, and an exec is a GET: never a program twice.
    session._retry_connection = False
    try:
        socket: aiohttp.ClientWebSocketResponse = await session.ws_connect(
            url,
            headers=headers,
            protocols=protocols,
            origin=str(url.origin()),  # without one the API server's own WebSockets (watch, log) answer 403
            ssl=context if context is not None else True,
            proxy=proxy,
            autoclose=False,
            autoping=False,
            max_msg_size=max_frame,
            **named,
        )
    finally:
        await session.close()  # the connection is its connector's
    if answer is not None:
        came_of(socket, answer)
    return socket


async def refuse(response: aiohttp.ClientResponse) -> None:
    """End an answer that is no 101, with the words in its body, which `ws_connect` throws away.

    Raises:
        Refused: With them.
    """
    content = b""
    try:
        if response.status >= FAILED:  # or it may be a watch, which has no end
            content = await response.content.read(REFUSAL_BYTES)
    except (aiohttp.ClientError, OSError):
        pass
    finally:
        response.close()
    raise Refused(Answer(response.status, plain(response.headers), content))


def _keep_what_was_sent(transport: asyncio.Transport | None) -> None:
    """Let the TLS layer read nothing more while its reader pauses.

    uvloop's throws away what it holds for a paused reader when the connection ends behind it: a program's last output
    and its exit code. (uvloop 0.22, sslproto.pyx: `eof_received`; asyncio's own loses it to a reset.)
    """
    limit = getattr(transport, "set_read_buffer_limits", None)
    if limit is not None:
        limit(high=1)
