"""Shells behind an API server as scripts of `pods.Pods`, and a gateway whose clients may start terminals on them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.wire import messages
from notebook_mux.wire.frames import NUMBER, Channel, encode_frame
from tests.unit.gateway.serving import Client, Serving, serving
from tests.unit.gateway.tls_api import Api
from tests.unit.remote.pods import EXEC, SUCCESS

QUERY = "stdin=true&stdout=true&tty=true&command=sh"
ORIGIN = "https://hub.example"


class Shell:
    """Writes back what is typed until a 04 comes (end of file), and knows what it was sent."""

    def __init__(self) -> None:
        self.typed = b""
        self.sizes: list[tuple[int, int]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.moved = asyncio.Event()

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        self.sockets.append(socket)
        async for message in socket:
            channel, data = message.data[0], message.data[1:]
            if channel == Channel.RESIZE:
                size = json.loads(data)
                self.sizes.append((size["Width"], size["Height"]))
            else:
                self.typed += data
                if data == b"\4":
                    await socket.send_bytes(SUCCESS)
                    return
                await socket.send_bytes(b"\1" + data)

    async def says(self, data: bytes) -> None:
        """Write to the terminal."""
        await self.sockets[-1].send_bytes(b"\1" + data)


@contextlib.asynccontextmanager
async def shells(api: Api, connect: Callable[..., Cluster], **shared: Any) -> AsyncIterator[House]:
    """A gateway whose clients reach `api` as ``ref-one``."""
    async with serving(**shared) as running:
        yield House(running, connect(api.url, {"token": "canary"}))


class House:
    """The gateway and its cluster."""

    def __init__(self, running: Serving, cluster: Cluster) -> None:
        self.running = running
        self.shared = running.shared
        self.cluster = cluster

    @contextlib.asynccontextmanager
    async def client(self, kernel: str = "kernel-1.json", write: bool = True) -> AsyncIterator[Looking]:
        """One that was welcomed and may write."""
        async with self.running.connect() as socket:
            client = Looking(socket)
            await client.say(messages.Hello(package="0", kernel=kernel))
            assert isinstance(await client.told(), messages.Welcome)
            await client.resolve()
            known: Any = self.running.clusters.known["ref-one"]
            known.websocket = self.cluster.websocket
            await client.allow(write)
            yield client


class Looking(Client):
    """A client that looks at terminals."""

    next_id = 100

    def number(self) -> int:
        self.next_id += 1
        return self.next_id

    async def allow(self, write: bool) -> None:
        await self.ask(messages.Scope(id=self.number(), scope="s", write=["ref-one"] if write else []))

    async def terminal(self, **fields: Any) -> Any:
        """The answer to a `Terminal` as a dict, or the Failure."""
        given: dict[str, Any] = {
            "id": self.number(), "key": "k", "cluster": "ref-one", "path": EXEC, "queries": [QUERY], "scope": "s",
        }  # fmt: skip
        return await self.ask(messages.Terminal(**(given | fields)))

    async def start(self, **fields: Any) -> str:
        """A terminal's id."""
        found = await self.terminal(**fields)
        assert isinstance(found, dict), found
        return str(found["terminal"])

    async def look(self, terminal: str, stream: int = 1, **fields: Any) -> Any:
        """The answer to a view: Shown or Ended."""
        given: dict[str, Any] = {"view": secrets.token_hex(8), "credit": 1 << 20}
        await self.say(messages.View(stream=stream, terminal=terminal, **(given | fields)))
        while not isinstance(found := await self.told(), messages.Shown | messages.Ended):
            pass
        return found

    async def until(self, channel: int, stream: int = 1, **fields: Any) -> dict[str, Any]:
        """The next JSON object of a channel with these fields; what comes in between is kept in `frames`."""
        while True:
            got, payload = await self.data(stream)
            if got == channel:
                found: dict[str, Any] = json.loads(payload)
                if fields.items() <= found.items():
                    return found

    async def sees(self, wanted: bytes, stream: int = 1) -> bytes:
        """Read until these bytes are shown; gives all output of the stream so far."""
        while wanted not in (shown := self.output(stream)):
            await self.read()
        return shown

    def output(self, stream: int = 1) -> bytes:
        return b"".join(payload for number, channel, payload in self.frames if (number, channel) == (stream, 1))

    async def type(self, place: int, data: bytes, stream: int = 1) -> None:
        await self.socket.send(typed(place, data, stream))


def typed(place: int, data: bytes, stream: int = 1) -> bytes:
    """A frame of input."""
    return encode_frame(stream, Channel.STDIN, NUMBER.pack(place) + data)
