"""A real program in a sandbox, and its streams."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable

from notebook_mux.playground.sandbox import pool
from notebook_mux.playground.sandbox.box import KILLED, NoSandbox, Started
from notebook_mux.playground.sandbox.inside.running import Wanted
from notebook_mux.playground.sandbox.pool import Held
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.execution import NotStarted, refusal
from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.streams import BrokenPipe, Pipe
from notebook_mux.playground.stories.commands import SHELLS

PIECE = 64 * 1024
"""Bytes that are read at once: what a pipe holds (pipe(7))."""

QUIET_S = 0.2
"""After its end a program's output is over when it was silent for so long, though somebody else may hold it open."""

WALL_S = 4 * 3600.0
"""A program that runs longer is killed; a session without data ends after that time too (the kubelet's)."""

END_OF_FILE = b"\x04"
"""Ctrl-D: what ends the input of a terminal."""

PROMPT = "\\w \\$ "
"""Of busybox, whichever shell is there in its place."""

GREETING = """\
This is notebook_mux's playground: a real shell in a sandbox, not a real container. Its programs are those of
this machine, its files are in memory and go with the container, and it has no network but the cluster's.
"""


__all__ = ["KILLED", "Real", "is_shell", "start"]


async def start(container: Container, words: list[str], *, stdin: bool = False, tty: bool = False) -> Real | None:
    """Start a program in a container's sandbox.

    Returns:
        The program; None where the emulation has to do it: `Container.emulated_because` says why then.

    Raises:
        NotStarted: It is there and cannot be started.
    """
    if not words or not words[0]:
        return None
    try:
        held = await pool.of(container.cluster).hold(container)
    except pool.Emulated as why:
        container.emulated_because = str(why)
        return None
    if held.is_bridged(words[0]):
        held.leave()
        container.emulated_because = f"this machine has no {words[0]}"
        return None
    program = Real(held, stdin=stdin, tty=tty)
    try:
        await program.start(words)
    except OSError as fault:
        if fault.errno == errno.ENOENT:
            container.emulated_because = f"this machine has no {words[0]}"
            return None  # the emulation may have what the machine lacks
        if fault.errno == errno.EAGAIN:
            raise NotStarted(
                "OCI runtime exec failed: exec failed: unable to start container process: "
                "can't fork: Resource temporarily unavailable: unknown"
            ) from None
        raise NotStarted(refusal(words[0], FileFault(fault.errno or errno.EIO))) from None
    except NoSandbox as error:
        container.emulated_because = str(error)
        return None
    return program


def is_shell(words: list[str]) -> bool:
    """Whether a command line is a shell that somebody types at."""
    options = [one for one in words[1:] if one.startswith("-")]
    return (
        bool(words)
        and words[0].rpartition("/")[2] in SHELLS
        and len(options) == len(words) - 1
        and not any("c" in one for one in options if not one.startswith("--"))
    )


class Real:
    """A program in a sandbox.

    Args:
        held: The sandbox, entered by the caller; it is left when the program ends or cannot be started.
        stdin: Whether it has input.
        tty: Whether it is on a terminal.

    Attributes:
        stdout: What it writes; on a terminal all of it.
        stderr: The same.
    """

    def __init__(self, held: Held, *, stdin: bool, tty: bool):
        self.stdout = Pipe()
        self.stderr = Pipe()
        self._held = held
        self._has_input = stdin
        self._tty = tty
        self._started: Started | None = None
        self._waited = False
        self._in: int | None = None
        self._outs: list[tuple[int, Pipe]] = []
        self._ended = asyncio.Event()
        self._left = False
        self._greeting = b""

    async def start(self, words: list[str]) -> None:
        """Start it.

        Raises:
            OSError: It cannot be started.
            NoSandbox: The sandbox has ended.
        """
        container = self._held.container
        environment = dict(container.environment)
        if self._tty:
            environment["TERM"] = "xterm"
            if is_shell(words):
                self._greeting = GREETING.replace("\n", "\r\n").encode()
                if container.image.family != "debian":
                    environment.setdefault("PS1", PROMPT)
        wanted = Wanted(tuple(words), environment, container.cwd, self._tty)
        theirs, ours = _pipes(self._has_input) if not self._tty else ([], [])
        try:
            self._started = await self._held.box.run(wanted, theirs)
        except BaseException:
            for file in ours:
                os.close(file)
            self._held.leave()
            raise
        finally:
            for file in theirs:
                os.close(file)
        if (terminal := self._started.terminal) is not None:
            ours = [terminal, os.dup(terminal)]
        for file in ours:
            os.set_blocking(file, False)
        if self._tty or self._has_input:
            self._in = ours.pop(0)
        self._outs = list(zip(ours, (self.stdout, self.stderr), strict=False))

    async def feed(self, data: bytes) -> None:
        """Input; returns when there is room for more."""
        if not self._has_input:
            return
        at = 0
        while at < len(data):
            if self._in is None:
                raise BrokenPipe
            try:
                at += os.write(self._in, data[at : at + PIECE])
            except BlockingIOError:
                await _ready(self._in, asyncio.get_running_loop().add_writer, self._ended)
            except OSError:
                raise BrokenPipe from None

    def end_input(self) -> None:
        """No more input comes."""
        if self._tty and self._in is not None:
            with contextlib.suppress(OSError):
                os.write(self._in, END_OF_FILE)
        else:
            self._close_input()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal's size."""
        if self._tty and self._in is not None:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._in, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        """Its exit code, once it has ended; its output ends then, and its files are the container's."""
        self._waited = True
        if self._greeting:
            with contextlib.suppress(BrokenPipe):
                await self.stdout.write(self._greeting)
        pumps = [asyncio.create_task(self._pump(*one)) for one in self._outs]
        try:
            code = await self._code()
            self._ended.set()
            await asyncio.gather(*pumps)
            with contextlib.suppress(NoSandbox):
                await self._held.exchange()
            return code
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._ended.set()
            self._close_input()
            for file, pipe in self._outs:
                os.close(file)
                pipe.end()
            self._outs = []
            self.stderr.end()
            self._held.leave()

    async def _code(self) -> int:
        assert self._started is not None
        try:
            return await asyncio.wait_for(asyncio.shield(self._started.end), WALL_S)
        except TimeoutError:
            self.kill()
            return await self._started.end

    async def _pump(self, file: int, pipe: Pipe) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = os.read(file, PIECE)
            except BlockingIOError:
                is_over = self._ended.is_set()
                if not await _ready(file, loop.add_reader, self._ended) and is_over:
                    return
                continue
            except OSError:  # a terminal that nobody has any more
                return
            if not data:
                return
            try:
                await pipe.write(data)
            except BrokenPipe:
                return

    def _close_input(self) -> None:
        file, self._in = self._in, None
        if file is not None:
            os.close(file)

    def kill(self) -> None:
        """End it."""
        if self._started is not None:
            self._held.box.signal(self._started.number, signal.SIGKILL)

    def leave(self) -> None:
        """Nobody is there any more."""
        if not self._left and not self._ended.is_set():
            self._left = True
            self.kill()
            if not self._waited:
                self._last = asyncio.create_task(self.wait())
        self.stdout.close()
        self.stderr.close()


def _pipes(has_input: bool) -> tuple[list[int], list[int]]:
    """Input, output and errors of a program, and the other ends of those that are pipes."""
    source, feed = os.pipe() if has_input else (os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), None)
    (out, into), (errors, into_errors) = os.pipe(), os.pipe()
    return [source, into, into_errors], [one for one in (feed, out, errors) if one is not None]


async def _ready(file: int, add: Callable[..., object], ended: asyncio.Event) -> bool:
    """Until a file can be read or written; once the program has ended, for a moment only. False for silence."""
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[bool] = loop.create_future()

    def wake() -> None:
        if not woken.done():
            woken.set_result(True)

    add(file, wake)
    ending = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait((woken, ending), return_when=asyncio.FIRST_COMPLETED)
        if not woken.done():
            await asyncio.wait((woken,), timeout=QUIET_S)
        return woken.done()
    finally:
        ending.cancel()
        (loop.remove_reader if add == loop.add_reader else loop.remove_writer)(file)
