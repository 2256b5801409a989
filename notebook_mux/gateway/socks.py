"""Connections through a SOCKS5 proxy (RFC 1928, RFC 1929), which aiohttp does not make by itself.

The proxy resolves the server's name, as with Go's client: a cluster behind a jump host has a name only there.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import python_socks
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from python_socks.async_.asyncio import Proxy

from notebook_mux.remote import keepalive

SCHEMES = ("socks5", "socks5h")
"""Both leave names to the proxy; Go's ``net/http`` makes no difference either."""

PORT = 1080
"""Where a URL has none (RFC 1928)."""


class ProxyRefused(aiohttp.ClientConnectionError):
    """A SOCKS proxy that answered, and would not; its words are the message."""


class _Unresolved(AbstractResolver):
    """Hands on names as they are."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [{"hostname": host, "host": host, "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        return


class SocksConnector(aiohttp.TCPConnector):
    """aiohttp's connector with each connection made through one proxy.

    TLS is aiohttp's own, over the proxied socket, so that the name a certificate must be of (``tls-server-name``) is
    heeded; connectors that were to be had leave it out.

    Args:
        url: The proxy's, ``socks5://[user:password@]host[:port]``.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(resolver=_Unresolved(), use_dns_cache=False, **options)
        parts = urlsplit(url)
        self._proxy: dict[str, Any] = {
            "proxy_type": python_socks.ProxyType.SOCKS5,
            "host": parts.hostname,
            "port": parts.port or PORT,
            "username": unquote(parts.username or "") or None,
            "password": unquote(parts.password or "") or None,
            "rdns": True,
        }

    async def _wrap_create_connection(
        self, *args: Any, addr_infos: Any, req: Any, timeout: aiohttp.ClientTimeout, **options: Any
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        options.pop("client_error", None)
        host, port = addr_infos[0][4][:2]
        try:
            connected = await Proxy(**self._proxy).connect(host, port, timeout=timeout.sock_connect)
        except python_socks.ProxyConnectionError as error:
            # Its own text has the proxy's address and the system's words; the number gives the latter alone.
            raise aiohttp.ClientProxyConnectionError(req.connection_key, OSError(error.errno or 0, "")) from None
        except python_socks.ProxyTimeoutError:
            raise aiohttp.ClientProxyConnectionError(req.connection_key, OSError(0, "no answer in time")) from None
        except python_socks.ProxyError as error:
            raise ProxyRefused(str(error).strip() or "it closed the connection") from None
        keepalive.probed(connected)
        seconds = timeout.sock_connect
        async with asyncio.timeout(seconds):
            return await self._loop.create_connection(*args, sock=connected, **options)
