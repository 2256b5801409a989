"""An API server's exec as a handler of `tls_api.Api`: what a program does there is a coroutine of the test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

EXEC = "/api/v1/namespaces/x/pods/web-0/exec"
V5, V4, V4_BASE64 = "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
SUCCESS = b'\3{"metadata":{},"status":"Success"}'

Script = Callable[[web.WebSocketResponse], Awaitable[None]]


class Pods:
    """Runs a script for each upgrade, and counts them.

    Args:
        script: Gets the open WebSocket, after the server's first message; it is closed with 1000 after it.
        protocols: What the server speaks.
        first: Its first message.
    """

    def __init__(self, script: Script, protocols: tuple[str, ...] = (V5, V4), first: bytes | str = b"\1") -> None:
        self.script = script
        self.protocols = protocols
        self.first = first
        self.starts = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        offered = request.headers.get("Sec-WebSocket-Protocol", "").replace(" ", "").split(",")
        chosen = [protocol for protocol in self.protocols if protocol in offered]
        if not chosen:
            return web.Response(status=403)
        self.starts += 1
        socket = web.WebSocketResponse(protocols=chosen[:1], max_msg_size=0, timeout=0.2)
        await socket.prepare(request)
        await (socket.send_str(self.first) if isinstance(self.first, str) else socket.send_bytes(self.first))
        await self.script(socket)
        await socket.close()
        return socket


async def echo(socket: web.WebSocketResponse) -> None:
    """A ``cat``: what is written until the half close comes back, then success."""
    async for message in socket:
        if message.data == b"\xff\0":
            break
        await socket.send_bytes(b"\1" + message.data[1:])
    await socket.send_bytes(SUCCESS)


def says(*frames: bytes) -> Script:
    """A program that writes these and ends."""

    async def script(socket: web.WebSocketResponse) -> None:
        for frame in frames:
            await socket.send_bytes(frame)

    return script
