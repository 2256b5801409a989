"""The upgrade of a request to a WebSocket at a cluster of a kubeconfig: with its login, its TLS and its proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aiohttp
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
