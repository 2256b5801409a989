"""An exec or attach from its request to its end: the WebSocket on one side, a program on the other.

Input that nobody reads stops the reading of the WebSocket, as it does on a real server; a client that goes ends the
program that was started for it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.remotecommand import handshake, options
from notebook_mux.playground.remotecommand.options import Streams
from notebook_mux.playground.remotecommand.programs import Attached, Executed, Followed, Program
from notebook_mux.playground.remotecommand.protocol import PIECE, Broken, EndOfInput, Input, Resize, Server
from notebook_mux.playground.sandbox import entrance
from notebook_mux.playground.shell import worlds
from notebook_mux.playground.shell.execution import NotStarted
from notebook_mux.playground.shell.streams import BrokenPipe, Pipe
from notebook_mux.playground.store import Stored
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.remotecommand import V5

Json = dict[str, Any]

MAX_MESSAGE = 32 * 1024 * 1024
"""Bytes of a message (golang.org/x/net/websocket: DefaultMaxPayloadBytes)."""

IDLE_S = 4 * 3600.0
"""Without data a session ends (apiserver/pkg/util/proxy/websocket.go; the kubelet's streamingConnectionIdleTimeout)."""

START = "failed to start exec"
UPGRADE = "unable to upgrade connection: "

CLOSE_S = 2.0
"""For a client to say goodbye."""

CLOSED = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})


class Session:
    """One exec or attach.

    Args:
        cluster: Whose.
        stored: The pod.
        query: Of the request: a multidict.
        attach: Whether it joins the container's own program.
        gate: Awaited before each write; a test stalls the server with it.

    Raises:
        ApiError: 400: no such container, no node.
    """

    def __init__(self, cluster: Cluster, stored: Stored, query: Any, *, attach: bool, gate: asyncio.Event):
        self._cluster = cluster
        self._stored = stored
        self._streams: Streams = options.parse(query)
        self._attach = attach
        self._gate = gate
        self._container = handshake.check(stored.decode(), self._streams)
        self._task: asyncio.Task[Any] | None = None

    def close(self) -> None:
        """End it, as a server does that shuts down."""
        if self._task is not None:
            self._task.cancel()

    async def send(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve it until it is over.

        Raises:
            ApiError: 400, no upgrade.
        """
        try:
            protocol = handshake.protocol_of(request)
        except handshake.NoProtocol:
            return web.Response(status=403)
        failure, refusal, program = "", "", None
        try:
            program = await self._program()
        except NotStarted as fault:
            number = f"{self._cluster.random.getrandbits(256):064x}"
            failure = f'error executing command in container: failed to exec in container: {START} "{number}": {fault}'
        except worlds.NotRunning as fault:
            refusal = f'container not found ("{fault}")'
        refusal = self._streams.fault or refusal
        if refusal and protocol != V5:  # the kubelet itself answers, before the upgrade
            return web.Response(status=400 if self._streams.fault else 500, text=f"{refusal}\n")
        names = handshake.offered(request)
        socket = web.WebSocketResponse(
            protocols=(protocol,) if names else (), compress=False, max_msg_size=MAX_MESSAGE, timeout=CLOSE_S,
            autoclose=False,
        )  # fmt: skip
        if not names:
            socket.headers["Sec-WebSocket-Protocol"] = ""
        server = Server(protocol, self._streams)
        self._task = asyncio.current_task()
        try:
            await socket.prepare(request)
            await self._serve(socket, server, program, failure, refusal and f"{UPGRADE}{refusal}")
        except (ConnectionError, RuntimeError):
            pass  # the client has gone
        finally:
            if program is not None:
                program.leave()
        return socket

    async def _program(self) -> Program | None:
        """The other end; None where nothing was asked for.

        Raises:
            NotRunning: The container does not run.
            NotStarted: The command cannot be started.
        """
        pod, streams = self._stored.decode(), self._streams
        container = worlds.of(self._cluster).container(pod, self._container)
        if streams.fault:
            return None
        if not self._attach:
            words = list(streams.command)
            real = await entrance.start(container, words, stdin=streams.stdin, tty=streams.tty)
            return real or Executed(container, words, stdin=streams.stdin, tty=streams.tty)
        await entrance.prepare(container)
        if container.main is not None:
            return Attached(container, container.main, streams)
        return Followed(self._cluster, self._stored, self._container)

    async def _serve(
        self, socket: web.WebSocketResponse, server: Server, program: Program | None, failure: str, refusal: str
    ) -> None:
        await self._say(socket, server.begin())
        code, broken = 0, False
        if program is not None:
            reading = asyncio.create_task(_read(socket, server, program))
            running = asyncio.create_task(self._run(socket, server, program))
            try:
                await asyncio.wait((reading, running), return_when=asyncio.FIRST_COMPLETED)
                if not running.done():
                    broken = reading.result()
                    program.leave()
                    if broken:
                        running.cancel()
                        await asyncio.gather(running, return_exceptions=True)
                if not running.cancelled():
                    code = await running
            finally:
                for task in (reading, running):
                    task.cancel()
                await asyncio.gather(reading, running, return_exceptions=True)
        if not broken and not socket.closed:
            for message in server.end(code, failure, refusal):
                await self._say(socket, message)
        await socket.close(code=1000)

    async def _run(self, socket: web.WebSocketResponse, server: Server, program: Program) -> int:
        """Send what a program writes until it ends; its exit code."""
        streams = self._streams
        ways = [(Channel.STDOUT, program.stdout, streams.stdout), (Channel.STDERR, program.stderr, streams.stderr)]
        pumps = [asyncio.create_task(self._pump(socket, server, *way)) for way in ways]
        try:
            code = await program.wait()
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        return code

    async def _pump(
        self, socket: web.WebSocketResponse, server: Server, channel: int, pipe: Pipe, wanted: bool
    ) -> None:
        while piece := await pipe.read(PIECE):
            if wanted:
                await self._say(socket, server.write(channel, piece))

    async def _say(self, socket: web.WebSocketResponse, message: bytes | str) -> None:
        await self._gate.wait()
        if isinstance(message, str):
            await socket.send_str(message)
        else:
            await socket.send_bytes(message)


async def _read(socket: web.WebSocketResponse, server: Server, program: Program) -> bool:
    """Take what a client sends until it goes; True if the server ends it for what it has sent."""
    while True:
        message = await socket.receive(timeout=IDLE_S)
        if message.type in CLOSED:
            return False
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            continue
        event = server.receive(message.data)
        if isinstance(event, Input):
            try:
                await program.feed(event.data)
            except BrokenPipe:
                pass  # it reads nothing more
        elif isinstance(event, EndOfInput):
            program.end_input()
        elif isinstance(event, Resize):
            program.resize(event.columns, event.rows)
        elif isinstance(event, Broken):
            return True
