"""A sender in the API server's place whose pods run programs: real ones of this machine, each on a pty of its own.

Run as a child with ``{"pods": 1, "folder": ...}``; it says ``{"port": ..., "kubeconfig": ...}`` and answers all that
`scripted_api` answers. It has no store, no kubelet and no SPDY between: what it costs is the pty and TLS, so that the
figures are those of the gateway, the kernel and the page. Only ``v5.channel.k8s.io``, with a terminal.

- ``{"counts": true}``: the requests so far, and how many programs run.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import struct
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ptyprocess import PtyProcess
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from notebook_mux.wire.remotecommand import V5
from tests.benchmarks.processes import arguments, many_files, order, orders_async, say
from tests.benchmarks.scripted_api import READ_BYTES, UNSENT_BYTES, Api, listen, run_loop

STDIN, STDOUT, STATUS, RESIZE = 0, 1, 3, 4
"""Channels, see ``kubernetes/apimachinery/pkg/util/remotecommand``."""

PTY_BYTES = 4096
"""The most that Linux gives of a terminal at one read (n_tty.c: N_TTY_BUF_SIZE)."""

READS = 16
"""That many are one message where there is so much."""

NOT_THERE = 'exec failed: unable to start container process: exec: "{}": executable file not found in $PATH: unknown'
HANGUP = 1
GONE = 1000


def ending(code: int) -> dict[str, Any]:
    """The Status of a program that has ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes},
            "message": f"command terminated with non-zero exit code: exit status {code}"}  # fmt: skip


class Run:
    """One program and the WebSocket that it is shown on."""

    def __init__(self, protocol: ServerProtocol, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._protocol = protocol
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()

    def _say(self, channel: int, data: bytes = b"") -> None:
        self._protocol.send_binary(bytes((channel,)) + data)
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)

    async def serve(self, words: list[str]) -> None:
        """Until the program or the client ends."""
        self._say(STDOUT)
        try:
            process = PtyProcess.spawn(words, env={**os.environ, "TERM": "xterm-256color"})
        except FileNotFoundError:
            failure = {"metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
                       "message": "Internal error occurred: " + NOT_THERE.format(words[0])}  # fmt: skip
            await self._end(failure)
            return
        os.set_blocking(process.fd, False)
        listening = asyncio.create_task(self._listen(process))
        showing = asyncio.create_task(self._show(process.fd))
        try:
            await asyncio.wait((listening, showing), return_when=asyncio.FIRST_COMPLETED)
            if showing.done():
                showing.result()
                code = await self._loop.run_in_executor(None, process.wait)
                await self._end(ending(code if code is not None else 128 + (process.signalstatus or 0)))
        finally:
            for task in (listening, showing):
                task.cancel()
            await asyncio.gather(listening, showing, return_exceptions=True)
            if process.isalive():
                process.kill(HANGUP)
            process.close(force=True)

    async def _end(self, status: dict[str, Any]) -> None:
        self._say(STATUS, json.dumps(status).encode())
        self._protocol.send_close(GONE)
        self._flush()
        await self._writer.drain()

    async def _ready(self, add: Callable[..., None], remove: Callable[[int], Any], fd: int) -> None:
        ready = self._loop.create_future()
        add(fd, lambda: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            remove(fd)

    async def _show(self, fd: int) -> None:
        """All output, at the pace of its reader; returns at its end."""
        while True:
            await self._ready(self._loop.add_reader, self._loop.remove_reader, fd)
            pieces: list[bytes] = []
            try:
                while len(pieces) < READS:
                    pieces.append(os.read(fd, PTY_BYTES))
            except BlockingIOError:
                pass
            except OSError:  # EIO: nobody has the other side open any more
                pieces.append(b"")
            if data := b"".join(pieces):
                self._say(STDOUT, data)
            if pieces and not pieces[-1]:
                return
            if self._writer.transport.get_write_buffer_size() > UNSENT_BYTES:
                await self._writer.drain()

    async def _listen(self, process: PtyProcess) -> None:
        """Keys and sizes, until the client goes."""
        while data := await self._reader.read(READ_BYTES):
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.BINARY and event.data:
                    await self._take(process, event.data[0], bytes(event.data[1:]))
            self._flush()  # pongs
            if self._protocol.close_rcvd is not None:
                return

    async def _take(self, process: PtyProcess, channel: int, data: bytes) -> None:
        if channel == RESIZE:
            size = json.loads(data)
            fcntl.ioctl(process.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))
        while channel == STDIN and data:
            try:
                data = data[os.write(process.fd, data) :]
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer, process.fd)


class ExecApi(Api):
    """`Api`, and its pods run programs."""

    def __init__(self, pods: int) -> None:
        super().__init__(pods)
        self.running = 0

    async def _serve(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        parts = urlsplit(target)
        words = unquote(parts.path).strip("/").split("/")
        if words[:3] == ["api", "v1", "namespaces"] and words[4:5] == ["pods"] and len(words) in (6, 7):
            if words[6:] == ["exec"]:
                await self._exec(target, headers, reader, writer)
            for pod in self.population.in_namespace(words[3]):
                if pod.name == words[5] and len(words) == 6:
                    self._answer(writer, self.population.object(pod))
                    await writer.drain()
                    return
        await super()._serve(method, target, headers, reader, writer)

    async def _exec(
        self, target: str, headers: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        protocol = ServerProtocol(subprotocols=[V5])  # type: ignore[list-item]  # it wants its own name of str
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if name), "", ""]
        protocol.receive_data("\r\n".join(lines).encode("latin-1"))
        (request,) = protocol.events_received()
        assert isinstance(request, Request)
        protocol.send_response(protocol.accept(request))
        run = Run(protocol, reader, writer)
        run._flush()
        self.running += 1
        try:
            await run.serve(parse_qs(urlsplit(target).query)["command"])
        finally:
            self.running -= 1
        raise ConnectionResetError


async def main(pods: int, folder: str) -> None:
    """Serve until the input ends."""
    many_files()
    api = ExecApi(pods)
    server, said = await listen(api, Path(folder))
    say(**said)
    reader = await orders_async()
    while await order(reader) is not None:
        say(requests=api.requests, running=api.running)
    server.close()


if __name__ == "__main__":
    run_loop(main(**arguments()))
