"""A WebSocket client of remotecommand, which shows messages as they come."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import yaml

from tests.serving import heard, quiet

WAIT_S = 30.0
DATA = (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT)


@dataclass
class Told:
    """What a server has said.

    Attributes:
        messages: In their order.
        code: Of its close; 0 for none.
    """

    messages: list[Any] = field(default_factory=list)
    code: int = 0

    @property
    def output(self) -> bytes:
        """What came on channel 1, in a version without base64."""
        return b"".join(one[1:] for one in self.messages if one[:1] == b"\x01")


class Socket:
    """An open session."""

    def __init__(self, inner: aiohttp.ClientWebSocketResponse):
        self.inner = inner
        self.told = Told()

    async def send(self, *messages: bytes | str) -> None:
        for one in messages:
            await (self.inner.send_str(one) if isinstance(one, str) else self.inner.send_bytes(one))

    async def take(self) -> bool:
        """One message more; False at the end."""
        message = await self.inner.receive(timeout=WAIT_S)
        if message.type in DATA:
            self.told.messages.append(message.data)
            return True
        self.told.code = message.data if message.type is aiohttp.WSMsgType.CLOSE else 0
        return False

    async def sees(self, text: bytes) -> None:
        """Until this has come on channel 1."""
        while text not in self.told.output:
            try:
                assert await self.take(), (text, self.told)
            except TimeoutError:
                raise AssertionError(f"{text!r} is not in {self.told.output!r}") from None

    async def rest(self) -> Told:
        """All that comes until the end."""
        while await self.take():
            pass
        return self.told


class Server:
    """An API server named by a kubeconfig."""

    def __init__(self, kubeconfig: Path, folder: Path):
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = cluster["server"]
        self.headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        authority = cluster.get("certificate-authority") or folder / "sockets-ca.pem"
        if "certificate-authority-data" in cluster:
            Path(authority).write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        self.context = ssl.create_default_context(cafile=authority)
        if "client-certificate" in user:
            self.context.load_cert_chain(user["client-certificate"], user["client-key"])

    @asynccontextmanager
    async def open(self, path: str, protocols: Sequence[str], **query: Any) -> AsyncIterator[Socket]:
        headers = {**self.headers, **({"Sec-WebSocket-Protocol": ",".join(protocols)} if protocols else {})}
        url = f"{self.url}{path}?{urlencode(query, doseq=True)}"
        before = heard()
        try:
            # aiohttp knows a sub-protocol only if it was told of it, and these are in the header.
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(url, headers=headers, ssl=self.context) as inner,
            ):
                try:
                    yield Socket(inner)
                finally:
                    await inner.close()
        finally:
            await quiet(before)  # of a connection that was refused, too: TLS may say goodbye later than a loop ends

    async def session(self, path: str, protocols: Sequence[str], *messages: bytes | str, **query: Any) -> Told:
        """A whole session: these messages, then all that comes."""
        async with self.open(path, protocols, **query) as socket:
            await socket.send(*messages)
            return await socket.rest()
