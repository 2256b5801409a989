"""Programs that this machine lacks and the emulation has: a few lines of script in the sandbox ask the emulation.

They are those that show the cluster's network or an image's own tools. They take no input.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from notebook_mux.playground.sandbox.box import NoSandbox
from notebook_mux.playground.sandbox.doors import Door
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.execution import Execution, NotStarted
from notebook_mux.playground.shell.streams import Pipe, lines

NAMES = frozenset({"apk", "apt-get", "curl", "getent", "host", "ifconfig", "ip", "nc", "netstat", "nginx", "nslookup",
                   "ping", "ss", "ssh", "wget"})  # fmt: skip
"""What may be asked for."""

DOOR = Door("127.0.0.1", 61)
"""In the sandbox; nobody has the port (IANA's registry of service names)."""

SCRIPT = rb"""#!SHELL
# This machine has no such program: the emulation of notebook_mux's playground answers in its place.
exec 3<>/dev/tcp/HOST/PORT || exit 127
printf '%s\0' "$#" "${0##*/}" "$@" >&3
while IFS= read -r line <&3; do
  case $line in
    $'\1'*) exit "${line#?}" ;;
    $'\2'*) printf '%s\n' "${line#?}" >&2 ;;
    *) printf '%s\n' "$line" ;;
  esac
done
"""
"""Needs bash: its ``/dev/tcp``."""

END, ERRORS = b"\x01", b"\x02"
"""Before the exit code, and before a line of errors."""

REQUEST_BYTES = 128 * 1024
REQUEST_S = 10.0
LONGEST_S = 600.0
PIECE = 16 * 1024


def script(shell: str) -> bytes:
    """The file of such a program.

    Args:
        shell: Where bash is.
    """
    found = SCRIPT.replace(b"SHELL", shell.encode(), 1).replace(b"HOST", DOOR.host.encode(), 1)
    return found.replace(b"PORT", str(DOOR.port).encode(), 1)


async def serve(
    container: Container, connection: socket.socket, exchange: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Run what is asked for, until it ends or nobody listens.

    Raises:
        OSError: The connection has ended.
        TimeoutError: It takes too long.
    """
    loop = asyncio.get_running_loop()
    words = await asyncio.wait_for(_request(connection), REQUEST_S)
    if not words or words[0] not in NAMES:
        await loop.sock_sendall(connection, END + b"127\n")
        return
    with contextlib.suppress(NoSandbox):
        await exchange()
    try:
        program = Execution(container, words)
    except NotStarted:
        await loop.sock_sendall(connection, END + b"127\n")
        return
    pipes = ((program.stdout, b""), (program.stderr, ERRORS))
    ways = [asyncio.create_task(_send(connection, *one)) for one in pipes]
    leaving = asyncio.create_task(loop.sock_recv(connection, 1))
    running = asyncio.create_task(program.wait())
    try:
        await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED, timeout=LONGEST_S)
        if not running.done():
            program.kill()
        code = await running
        await asyncio.gather(*ways)
        with contextlib.suppress(NoSandbox):
            await exchange()
        await loop.sock_sendall(connection, b"%s%d\n" % (END, code))
    finally:
        program.kill()
        for one in (*ways, leaving, running):
            one.cancel()
        await asyncio.gather(*ways, leaving, running, return_exceptions=True)


async def _request(connection: socket.socket) -> list[str]:
    """The words of a command line: how many there are behind the first, then each with a zero behind it."""
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < REQUEST_BYTES:
        count, *words = data.split(b"\0")
        if words and count.isdigit() and len(words) > int(count) + 1:
            return [one.decode("utf-8", "surrogateescape") for one in words[: int(count) + 1]]
        piece = await loop.sock_recv(connection, PIECE)
        if not piece:
            break
        data += piece
    return []


async def _send(connection: socket.socket, pipe: Pipe, mark: bytes) -> None:
    """Send what a program writes, line by line; what is no whole line becomes one."""
    loop = asyncio.get_running_loop()
    async for line in lines(pipe):
        await loop.sock_sendall(connection, mark + (line if line.endswith(b"\n") else line + b"\n"))
