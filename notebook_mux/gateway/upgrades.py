"""Upgrades of requests at a cluster of a kubeconfig: with its login, its TLS and its proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from notebook_mux.gateway.credentials import Login
from notebook_mux.gateway.entries import Server
from notebook_mux.gateway.socks import SocksConnector
from notebook_mux.remote import upgrades


async def upgrade(
    connector: aiohttp.BaseConnector,
    endpoint: Server,
    login: Login,
    url: URL,
    protocols: Sequence[str],
    max_frame: int,
    headers: Mapping[str, str] | None = None,
) -> aiohttp.ClientWebSocketResponse:
    """One attempt; see `cluster.Cluster.websocket`, and `remote.upgrades.upgrade` for what is raised."""
    return await upgrades.upgrade(
        connector,
        url,
        {**(headers or {}), **login.headers},
        protocols,
        max_frame=max_frame,
        context=login.context,
        tls_name=endpoint.tls_name or None,
        proxy=None if isinstance(connector, SocksConnector) else endpoint.proxy or None,
    )


async def raw(
    connector: aiohttp.BaseConnector,
    endpoint: Server,
    login: Login,
    method: str,
    url: URL,
    headers: Mapping[str, str],
) -> aiohttp.ClientResponse:
    """One attempt to upgrade to something that is no WebSocket; the caller closes the answer.

    Raises:
        Refused: The answer was no upgrade.
        aiohttp.ClientError, OSError: No connection, or it broke.
    """
    both = CIMultiDict(headers)
    both.extend(login.headers)
    session = aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=upgrades.CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": upgrades.USER_AGENT},
    )
    session._retry_connection = False  # an exec may be a GET: never a program twice
    try:
        answer = await session.request(
            method,
            url,
            headers=both,
            ssl=login.context if login.context is not None else True,
            server_hostname=endpoint.tls_name or None,
            proxy=None if isinstance(connector, SocksConnector) else endpoint.proxy or None,
            allow_redirects=False,
        )
        if answer.status != upgrades.SWITCHING:
            await upgrades.refuse(answer)
        return answer
    finally:
        await session.close()  # the connection is its connector's
