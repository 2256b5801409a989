"""A program as it runs: its words, streams, files and environment, and what all programs do with them."""

from __future__ import annotations

import errno
import getopt
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notebook_mux.playground.shell.effort import BYTES
from notebook_mux.playground.shell.files import Place
from notebook_mux.playground.shell.inodes import Device, File, FileFault, Live, Node
from notebook_mux.playground.shell.processes import Process
from notebook_mux.playground.shell.streams import LINE, PIECE, Given, Nothing, Sink, Source

if TYPE_CHECKING:
    from notebook_mux.playground.shell.container import Container
    from notebook_mux.playground.shell.terminal import Terminal

WHOLE_LIMIT = 4 * 1024 * 1024
"""Bytes that a program may take in as a whole (``sort``, ``tail``): the limit of a file."""


class Fail(Exception):
    """The end of a program that cannot go on.

    Args:
        message: Its last words, without its name; empty for none.
        code: Its exit code.
    """

    def __init__(self, message: str = "", code: int = 1):
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Streams:
    """A program's input and outputs."""

    stdin: Source
    stdout: Sink
    stderr: Sink


@dataclass(slots=True)
class Run:
    """One program.

    Args:
        name: What it was called.
        args: Its words behind the name.
        streams: Its input and outputs.
        environment: Its variables.
        cwd: Its folder.
        container: Where it runs.
        process: What it is there.
        terminal: The terminal that controls it, if there is one.
    """

    name: str
    args: list[str]
    streams: Streams
    environment: dict[str, str]
    cwd: str
    container: Container
    process: Process
    terminal: Terminal | None = None
    depth: int = 0
    """Of how many shells within each other."""
    code: int = field(default=0)
    """Its exit code, if something went wrong on the way."""

    # ----------------------------------------------------------------------------------------------- output

    async def write(self, text: str | bytes) -> None:
        """Write to stdout."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE]
            await self.container.effort.spend(len(piece) / BYTES)
            await self.streams.stdout.write(piece)

    async def complain(self, message: str, code: int = 1) -> None:
        """Write to stderr, with the program's name before it, and end with this code later."""
        self.code = code
        await self.streams.stderr.write(f"{self.name}: {message}\n".encode("utf-8", "surrogateescape"))

    @property
    def is_on_terminal(self) -> bool:
        """Whether what it writes is seen on a terminal."""
        return self.terminal is not None and self.streams.stdout is self.terminal

    @property
    def columns(self) -> int:
        """Of the terminal; 80 without one."""
        return self.terminal.columns if self.terminal is not None and self.terminal.columns else 80

    # ------------------------------------------------------------------------------------------------ words

    def options(self, flags: str, *long: str) -> tuple[dict[str, str], list[str]]:
        """Its options and the words that are none.

        Args:
            flags: Letters, those with a value followed by ``:``; of those that stand twice the last counts.
            long: Words, those with a value followed by ``=``.

        Raises:
            Fail: An option that it does not know.
        """
        try:
            found, rest = getopt.gnu_getopt(self.args, flags, list(long))
        except getopt.GetoptError as error:
            option = f"-{error.opt}" if len(error.opt) > 1 else error.opt
            said = "option requires an argument" if "requires argument" in error.msg else "unrecognized option"
            raise Fail(f"{said}: {option}") from None
        return {name.lstrip("-"): value for name, value in found}, rest

    def whole(self, text: str, at_least: int = 0) -> int:
        """A number among its words.

        Raises:
            Fail: It is none.
        """
        digits = text.lstrip("+-") if at_least < 0 else text
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
            raise Fail(f"invalid number '{text}'")
        return int(text)

    # ------------------------------------------------------------------------------------------------ files

    def find(self, path: str, *, follow: bool = True) -> Place:
        """Where a path leads; see `Files.find`."""
        return self.container.files.find(path, self.cwd, follow=follow)

    def open_source(self, path: str) -> Source:
        """A file to read from.

        Raises:
            FileFault: It cannot be read.
        """
        files = self.container.files
        node = files.node(path, self.cwd)
        files.check(node, 4)
        if isinstance(node, Device):
            if node.name in ("tty", "stdin") and self.terminal is not None:
                return self.terminal
            return self.streams.stdin if node.name == "stdin" else EndlessSource(node.name, self.container)
        if isinstance(node, File):
            return FileSource(node)
        return Given(files.read(path, self.cwd))

    def open_sink(self, path: str, *, append: bool = False) -> Sink:
        """A file to write to.

        Raises:
            FileFault: It cannot be written.
        """
        node = self.container.files.opened(path, self.cwd, cut=not append)
        if isinstance(node, Device):
            by_name: dict[str, Sink] = {"stdout": self.streams.stdout, "stderr": self.streams.stderr}
            if self.terminal is not None:
                by_name["tty"] = self.terminal
            return by_name.get(node.name, FullSink() if node.name == "full" else Nothing())
        return FileSink(node, self.container.now, append=append)

    async def inputs(self, names: list[str]) -> AsyncIterator[tuple[str, Source]]:
        """The files of these names, one after the other; stdin for ``-`` and where there are none."""
        for name in names or ["-"]:
            if name == "-":
                yield name, self.streams.stdin
                continue
            try:
                source = self.open_source(name)
            except FileFault as fault:
                await self.complain(f"{name}: {fault}")
                continue
            yield name, source
            source.close()

    async def everything(self, source: Source) -> bytes:
        """All that a source has.

        Raises:
            Fail: It is more than a program may keep.
        """
        data = bytearray()
        while piece := await source.read():
            data += piece
            await self.container.effort.spend(len(piece) / BYTES)
            if len(data) > WHOLE_LIMIT:
                raise Fail("out of memory")
        return bytes(data)

    async def spend(self, units: float = 1.0) -> None:
        """Count work; see `Effort`."""
        await self.container.effort.spend(units)


class FileSource:
    """Reads a file from its beginning, and what is appended meanwhile."""

    def __init__(self, node: File):
        self._node = node
        self._at = 0

    async def read(self, size: int = PIECE) -> bytes:
        """The next bytes."""
        piece = bytes(self._node.data[self._at : self._at + size])
        self._at += len(piece)
        return piece

    async def read_line(self) -> bytes:
        """The next line."""
        end = self._node.data.find(b"\n", self._at)
        return await self.read(min(LINE, (end + 1 if end >= 0 else len(self._node.data)) - self._at))

    def close(self) -> None:
        """It stays."""


class EndlessSource:
    """``/dev/zero``, ``/dev/urandom`` and ``/dev/null``."""

    def __init__(self, name: str, container: Container):
        self._name = name
        self._container = container

    async def read(self, size: int = PIECE) -> bytes:
        """The next bytes."""
        if self._name in ("null", "tty"):
            return b""
        await self._container.effort.spend(size / BYTES)
        return random.randbytes(size) if "random" in self._name else bytes(size)

    async def read_line(self) -> bytes:
        """As much as a line may have."""
        return await self.read(LINE)

    def close(self) -> None:
        """It stays."""


class FileSink:
    """Writes to a file.

    Args:
        node: The file, or one of ``/proc`` that takes what is written.
        now: The time, Unix seconds.
        append: Whether each write goes to its end.
    """

    def __init__(self, node: Node, now: Callable[[], float], *, append: bool):
        self._node = node
        self._now = now
        self._append = append
        self._at = 0

    async def write(self, data: bytes) -> None:
        """Write."""
        if isinstance(self._node, File):
            self._node.write(len(self._node.data) if self._append else self._at, data, self._now())
            self._at += len(data)
        elif isinstance(self._node, Live) and self._node.take is not None:
            self._node.take(data)

    def end(self) -> None:
        """It stays."""


class FullSink:
    """``/dev/full``."""

    async def write(self, data: bytes) -> None:
        """There is no room."""
        raise FileFault(errno.ENOSPC)

    def end(self) -> None:
        """Nothing was written."""
