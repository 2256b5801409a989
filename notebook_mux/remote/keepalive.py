"""Small buffers for a long answer, and a sign when the other end of an idle connection has gone."""

from __future__ import annotations

import socket
from typing import Any, Protocol

import aiohttp

IDLE_SECONDS, BETWEEN_SECONDS, PROBES = 30, 10, 3
"""After half a minute without a byte the system asks the other end, and gives up after another half: a watch has no
heartbeat of its own (Headlamp's front end does not ask for bookmarks), and a terminal may be quiet for hours."""


class HasExtra(Protocol):
    """What asyncio's transports and aiohttp's WebSockets have in common."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The socket, by the name ``socket``."""


_OPTIONS = (("TCP_KEEPIDLE", IDLE_SECONDS), ("TCP_KEEPINTVL", BETWEEN_SECONDS), ("TCP_KEEPCNT", PROBES))


def tune(response: aiohttp.ClientResponse, read_ahead: int) -> None:
    """Bound what TLS decrypts before it is asked for, and switch the probes on, where the system has them."""
    transport: Any = response.connection.transport if response.connection is not None else None
    if transport is None:
        return
    limit = getattr(transport, "set_read_buffer_limits", None)  # of TLS transports alone
    if limit is not None:
        limit(high=read_ahead)
    probe(transport)


def probe(connection: HasExtra | None) -> None:
    """Switch the probes on, of a transport or a WebSocket; None has just gone."""
    raw = connection.get_extra_info("socket") if connection is not None else None
    if raw is not None:
        probed(raw)


def made(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket with the probes on, for aiohttp: an answer may be awaited for hours, with no connection to be seen."""
    family, kind, protocol, _, _ = address
    raw = socket.socket(family, kind, protocol)
    probed(raw)
    return raw


def probed(raw: socket.socket) -> None:
    """Switch the probes on, of a socket."""
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _OPTIONS:
            if hasattr(socket, name):
                raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    except OSError:  # it has just gone; who reads it is told
        pass
