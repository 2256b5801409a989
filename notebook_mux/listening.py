"""To listen with a certificate, and to stop without leaving a connection behind that nobody will ever close."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

TURNS_TO_ATTACH = 4
"""Turns of the event loop from `accept` until the server knows a connection: the accepting task's start, the
transport's `connection_made`, the protocol's own start; and one to spare."""


class Listening(Protocol):
    """A socket that listens: one of ours, or what a server of asyncio's shows of its own."""

    def fileno(self) -> int:
        """Its file descriptor; -1 once it is closed."""


async def stop_accepting(listening: Iterable[Listening]) -> None:
    """Accept no more, and wait until the server knows what it has accepted; call it right before closing the server.

    Until Python 3.13 a connection that is accepted while its server closes is lost: the server refuses the half-made
    transport, and the peer waits on a socket that nobody reads (https://github.com/python/cpython/issues/109564).

    Args:
        listening: The server's listening sockets. They stay open: who connects now is refused when they close.
    """
    loop = asyncio.get_running_loop()
    for one in listening:
        with contextlib.suppress(NotImplementedError, ValueError):  # a proactor loop, and one that is closed already
            loop.remove_reader(one.fileno())
    for _ in range(TURNS_TO_ATTACH):
        await asyncio.sleep(0)


def tls_context(chain: bytes) -> ssl.SSLContext:
    """What a server of HTTP/1.1 over TLS listens with.

    Args:
        chain: PEM of the key, the certificate, and whoever signed it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])  # upgrades (exec, port-forward) do not work over HTTP/2
    with tempfile.TemporaryDirectory(prefix="notebook-mux-") as folder:  # of mode 0700; ssl reads keys from files only
        file = Path(folder) / "server.pem"
        file.touch(0o600)
        file.write_bytes(chain)
        context.load_cert_chain(file)
    return context
