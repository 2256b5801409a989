"""An API server's port-forward as a handler of `tls_api.Api`: what listens in the pod is a coroutine of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from aiohttp import WSMsgType, web

from notebook_mux.errors import MuxError
from notebook_mux.forwards.forward import Aim, Forward
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.kernel.forwards import Forward as KernelForward
from notebook_mux.wire import messages
from tests.serving import quiet_port
from tests.unit.gateway.tls_api import Api

PATH = "/api/v1/namespaces/x/pods/web-0/portforward"
PORT = 8080
NAMED = PORT.to_bytes(2, "little")
V4 = "v4.channel.k8s.io"

Listener = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Script = Callable[[web.WebSocketResponse], Awaitable[None]]


class Pods:
    """Runs a script for each upgrade, behind the two messages that name the port; closes with 1000 after it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.starts = 0
        self.queries: list[str] = []
        self.gone = False

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if self.gone:
            status = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
            return web.json_response(status | {"message": 'pods "web-0" not found'}, status=404)
        self.starts += 1
        self.queries.append(request.query_string)
        socket = web.WebSocketResponse(protocols=(V4,), max_msg_size=0, timeout=0.2)
        await socket.prepare(request)
        await socket.send_bytes(b"\0" + NAMED)
        await socket.send_bytes(b"\1" + NAMED)
        await self.script(socket)
        await socket.close()
        return socket


async def echo(socket: web.WebSocketResponse) -> None:
    """Sends back what comes, until a line says ``bye``."""
    async for message in socket:
        assert message.type is WSMsgType.BINARY
        assert message.data[0] == 0
        await socket.send_bytes(message.data)
        if message.data.endswith(b"bye\n"):
            return


def to(port: Callable[[], int]) -> Script:
    """Joins it with a real server of this machine, as a kubelet does."""

    async def script(socket: web.WebSocketResponse) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port())

        async def up() -> None:
            async for message in socket:
                writer.write(message.data[1:])
                await writer.drain()

        sending = asyncio.create_task(up())
        try:
            while data := await reader.read(32768):
                await socket.send_bytes(b"\0" + data)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            writer.close()

    return script


def quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the forwards of this kernel listen where nobody else comes: its users have no say in that."""
    message = KernelForward._message

    def placed(forward: KernelForward, stream: int, credit: int) -> messages.Forward:
        made = message(forward, stream, credit)
        return msgspec.structs.replace(made, local=made.local or quiet_port())

    monkeypatch.setattr(KernelForward, "_message", placed)


class Going:
    """Makes forwards to the API server of the test, which end with it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.made: list[Forward] = []
        self.refusal: MuxError | None = None

    def aim(self, **fields: object) -> Aim:
        return Aim(**({"cluster": self.cluster, "path": PATH, "port": PORT} | fields))  # type: ignore[arg-type]

    def allowed(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def forward(self, port: int = 0, **fields: object) -> Forward:
        """On a port to which nobody else comes, if no other one is given."""
        self.made.append(Forward(self.aim(**fields), port or quiet_port(), self.allowed))
        return self.made[-1]


@pytest.fixture
async def going(api: Api, connect: Callable[..., Cluster]) -> AsyncIterator[Going]:
    found = Going(connect(api.url, {"token": "canary"}))
    yield found
    for forward in found.made:
        await forward.aclose()
