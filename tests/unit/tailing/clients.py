"""A kernel's end of notebook-mux.v1 that asks for logs and reads them, from a gateway or from a bridge."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec

from notebook_mux.headlamp.bridge import Bridge
from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, Channel, decode_frame
from notebook_mux.wire.logs import LogEnd
from notebook_mux.wire.sending import CONNECTION_CREDIT, CONNECTION_STREAM, MAX_CREDIT

SECONDS = 40.0


class Socket(Protocol):
    """Where frames go and come from."""

    async def send(self, frame: str) -> None:
        """Send one."""

    async def recv(self) -> str | bytes:
        """The next one."""


class BridgeSocket:
    """A bridge to a Headlamp server as one."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._frames = bridge.frames()

    async def send(self, frame: str) -> None:
        self.bridge.send(frame)

    async def recv(self) -> str | bytes:
        return await anext(self._frames)


class LogClient:
    """Asks for logs and reads them; `refs` are the clusters by name, once it has begun."""

    def __init__(self, socket: Socket, cluster: str) -> None:
        self.socket = socket
        self.refs: dict[str, str] = {}
        self.ended: list[messages.Ended] = []
        self._cluster = cluster
        self._owed = 0
        self._waiting: dict[int, list[tuple[int, bytes]]] = {}

    async def begin(self) -> None:
        """Say hello, and resolve all contexts."""
        await self.say(messages.Hello(package="0"))
        await self.say(messages.Contexts(id=1, source=messages.Source(), names=["*"]))
        while True:
            got = await self.recv()
            assert not isinstance(got, messages.Failure | messages.Goodbye), got
            if isinstance(got, messages.Answer):
                found = msgspec.convert(got.value, list[messages.Context])
                self.refs = {context.name: context.ref for context in found}
                return

    async def say(self, message: messages.Message) -> None:
        await self.socket.send(messages.encode(message))

    async def recv(self) -> Any:
        """The next frame, decoded."""
        async with asyncio.timeout(SECONDS):
            frame = await self.socket.recv()
        return messages.decode_gateway(frame) if isinstance(frame, str) else decode_frame(frame)

    async def log(self, stream: int, path: str, query: str = "follow=true", **more: Any) -> None:
        """Ask for one."""
        given: dict[str, Any] = {"cluster": self.refs[self._cluster], "credit": MAX_CREDIT}
        await self.say(messages.Log(stream=stream, path=path, query=query, **(given | more)))

    async def forget(self, stream: int) -> None:
        """It is wanted no more."""
        await self.say(messages.Unsubscribe(stream=stream))

    async def took(self, stream: int, payload: bytes) -> None:
        """Grant what a frame has cost."""
        await self.say(messages.Credit(stream=stream, bytes=FRAME_HEAD.size + len(payload)))

    async def _taken(self, size: int) -> None:
        """Grant the connection what its frames have cost, half a window at a time."""
        self._owed += size
        if self._owed >= CONNECTION_CREDIT // 2:
            await self.say(messages.Credit(stream=CONNECTION_STREAM, bytes=self._owed))
            self._owed = 0

    async def frame(self, stream: int) -> tuple[int, bytes]:
        """The next frame of a stream; those of others are kept."""
        while not self._waiting.get(stream):
            got = await self.recv()
            if isinstance(got, tuple):
                self._waiting.setdefault(got[0], []).append(got[1:])
                await self._taken(FRAME_HEAD.size + len(got[2]))
            elif isinstance(got, messages.Ended):
                self.ended.append(got)
        return self._waiting[stream].pop(0)

    async def begun(self, stream: int) -> None:
        """It has begun."""
        found = await self.frame(stream)
        assert found == (Channel.STDOUT, b""), found

    async def until(self, stream: int, last: bytes) -> bytes:
        """What comes, up to these bytes."""
        found = bytearray()
        while not found.endswith(last):
            channel, payload = await self.frame(stream)
            assert channel == Channel.STDOUT, payload
            found += payload
        return bytes(found)

    async def rest(self, stream: int) -> tuple[bytes, LogEnd]:
        """All that comes, and the end."""
        found = bytearray()
        while True:
            channel, payload = await self.frame(stream)
            if channel == Channel.END:
                return bytes(found), msgspec.json.decode(payload, type=LogEnd)
            found += payload


@contextlib.asynccontextmanager
async def through_bridge(
    base: str, token: str | None = None, cluster: str = "real", **options: Any
) -> AsyncIterator[LogClient]:
    """By way of a Headlamp server."""
    bridge = await Bridge.open(base, token, **options)
    try:
        client = LogClient(BridgeSocket(bridge), cluster)
        await client.begin()
        yield client
    finally:
        await bridge.close()
