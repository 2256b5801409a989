"""Two tiny proxies that count what went through them: HTTP with CONNECT, plain or over TLS, and SOCKS5."""

from __future__ import annotations

import asyncio
import base64
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.serving import talking

SOCKS_REFUSED = 5


class Proxy:
    """A running proxy.

    Attributes:
        url: Its URL, without user and password.
        asked: Each ``host:port`` that it was asked for.
        down: Bytes that came back from servers.
        names: ``host:port`` that it was asked for → the port on this machine that it connects to instead.
        refuse: Whether it refuses everything.
        credentials: ``user:password`` that it wants, "" for none.
        given: Each ``user:password`` that it got.
    """

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.port = 0
        self.asked: list[str] = []
        self.given: list[str] = []
        self.names: dict[str, int] = {}
        self.credentials = ""
        self.refuse = False
        self.down = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def with_user(self, user: str) -> str:
        """The URL with ``user:password`` in it, as it is given: percent-encoded by the caller."""
        return self.url.replace("://", f"://{user}@")

    async def _through(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        to = ("127.0.0.1", self.names[target]) if target in self.names else (host.strip("[]"), int(port))
        there, here = await asyncio.open_connection(*to)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: bool) -> None:
            try:
                while data := await source.read(65536):
                    self.down += len(data) if back else 0
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.close()

        await asyncio.gather(copy(reader, here, False), copy(there, writer, True))

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: CONNECT and a tunnel, or a plain request whose URL names the server."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split("\r\n")[0].split(" ")
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        given = fields.get("Proxy-Authorization", "").removeprefix("Basic ")
        user = base64.b64decode(given).decode()
        self.given += [user] if user else []
        plain = target.removeprefix("http://").partition("/")
        self.asked.append(target if method == "CONNECT" else plain[0])
        if self.refuse:
            writer.write(b"HTTP/1.1 403 Not through me\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif self.credentials != user:
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await self._through(target, reader, writer)
        else:
            body = b'{"gitVersion": "v1.37.2"}'
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    async def socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection by RFC 1928, with user and password by RFC 1929."""
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        assert version == 5
        method = 2 if self.credentials else 0
        writer.write(bytes((5, method if method in methods else 255)))
        if method not in methods:
            return
        if method:
            _, size = await reader.readexactly(2)
            user = (await reader.readexactly(size)).decode()
            [size] = await reader.readexactly(1)
            self.given.append(f"{user}:{(await reader.readexactly(size)).decode()}")
            good = self.given[-1] == self.credentials
            writer.write(bytes((1, 0 if good else 1)))
            if not good:
                return
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            [size] = await reader.readexactly(1)
            host = (await reader.readexactly(size)).decode()
        else:
            assert kind == 1
            host = ".".join(map(str, await reader.readexactly(4)))
        [port] = struct.unpack(">H", await reader.readexactly(2))
        self.asked.append(f"{host}:{port}")
        writer.write(bytes((5, SOCKS_REFUSED if self.refuse else 0, 0, 1, 0, 0, 0, 0, 0, 0)))
        await writer.drain()
        if not self.refuse:
            await self._through(self.asked[-1], reader, writer)


@asynccontextmanager
async def running(scheme: str, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A proxy of a scheme (``http``, ``https`` with `tls`, ``socks5``) for as long as this lasts."""
    proxy = Proxy(scheme)
    serve = proxy.socks5 if scheme.startswith("socks5") else proxy.http
    async with talking(serve, tls) as proxy.port:
        yield proxy
