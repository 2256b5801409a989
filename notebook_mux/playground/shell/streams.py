"""Bytes between the programs of a container: pipes that hold a little and then make their writers wait, and nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

PIECE = 32 * 1024
"""Bytes that are read or written at once."""

PIPE = 64 * 1024
"""Bytes that a pipe holds (pipe(7))."""

LINE = 64 * 1024
"""Bytes of a line; a longer one comes in pieces."""


class BrokenPipe(Exception):
    """Nobody reads what is written (SIGPIPE)."""


@runtime_checkable
class Source(Protocol):
    """Where input comes from."""

    async def read(self, size: int = PIECE) -> bytes:
        """The next bytes, as soon as there are any; empty at the end."""

    async def read_line(self) -> bytes:
        """The next line with its newline, and not a byte more; empty at the end."""

    def close(self) -> None:
        """It is read no further."""


class Sink(Protocol):
    """Where output goes to."""

    async def write(self, data: bytes) -> None:
        """Write, as soon as there is room.

        Raises:
            BrokenPipe: Nobody reads it.
        """

    def end(self) -> None:
        """Nothing more is written."""


async def write_to_all(views: list[Sink], data: bytes) -> None:
    """Write to each of those who look; who has gone is taken from the list."""
    for view in list(views):
        try:
            await view.write(data)
        except BrokenPipe:
            if view in views:
                views.remove(view)


class Nothing:
    """``/dev/null``: an empty source, and a sink without a bottom."""

    async def read(self, size: int = PIECE) -> bytes:
        """Nothing."""
        return b""

    async def read_line(self) -> bytes:
        """Nothing."""
        return b""

    async def write(self, data: bytes) -> None:
        """It is gone."""

    def close(self) -> None:
        """It does not matter."""

    def end(self) -> None:
        """It does not matter."""


class Given:
    """Bytes that are there already.

    Args:
        data: All of them.
    """

    def __init__(self, data: bytes):
        self._data = data
        self._at = 0

    async def read(self, size: int = PIECE) -> bytes:
        """The next of them."""
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    async def read_line(self) -> bytes:
        """The next line of them."""
        end = self._data.find(b"\n", self._at)
        return await self.read(min(LINE, (end + 1 if end >= 0 else len(self._data)) - self._at))

    def close(self) -> None:
        """The rest is not wanted."""
        self._at = len(self._data)


class Pipe:
    """A pipe. Several may write to it; it ends when its owner says so.

    Args:
        limit: Bytes that it holds.
    """

    def __init__(self, limit: int = PIPE):
        self._limit = limit
        self._data = bytearray()
        self._ended = False
        self._broken = False
        self._some = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be read at this moment."""
        return not self._data

    async def write(self, data: bytes) -> None:
        """Write, as soon as there is room."""
        at = 0
        while at < len(data) or self._broken:
            if self._broken or self._ended:
                raise BrokenPipe
            room = self._limit - len(self._data)
            if room <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            self._data += data[at : at + room]
            at += room
            self._some.set()

    async def _wait(self) -> bool:
        """Wait for a byte; False at the end."""
        while not self._data:
            if self._ended or self._broken:
                return False
            self._some.clear()
            await self._some.wait()
        return True

    def _take(self, size: int) -> bytes:
        piece = bytes(self._data[:size])
        del self._data[:size]
        self._room.set()
        return piece

    async def read(self, size: int = PIECE) -> bytes:
        """The next bytes."""
        return self._take(size) if await self._wait() else b""

    async def read_line(self) -> bytes:
        """The next line."""
        line = bytearray()
        while await self._wait():
            end = self._data.find(b"\n")
            line += self._take(end + 1 if end >= 0 else LINE)
            if line.endswith(b"\n") or len(line) >= LINE:
                break
        return bytes(line)

    def end(self) -> None:
        """Nothing more is written."""
        self._ended = True
        self._some.set()
        self._room.set()

    def close(self) -> None:
        """Nobody reads any more."""
        self._broken = True
        self._data.clear()
        self._some.set()
        self._room.set()


class Collected:
    """A sink that keeps what is written, up to a limit.

    Args:
        limit: Bytes; what comes after them meets nobody who reads.
    """

    def __init__(self, limit: int):
        self.data = bytearray()
        self._limit = limit

    async def write(self, data: bytes) -> None:
        """Keep it."""
        if len(self.data) + len(data) > self._limit:
            raise BrokenPipe
        self.data += data

    def end(self) -> None:
        """It stays."""


async def lines(source: Source) -> AsyncIterator[bytes]:
    """Line by line, each with its newline; a line of more than `LINE` bytes in pieces."""
    rest = b""
    while piece := await source.read():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
        while len(rest) > LINE:
            yield rest[:LINE]
            rest = rest[LINE:]
    if rest:
        yield rest
