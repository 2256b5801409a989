"""Sends a watch: lines as they come, bookmarks in between, an end in time."""

from __future__ import annotations

import asyncio
import random
import time
import zlib
from collections.abc import Callable

from aiohttp import web

from notebook_mux.playground import control, encoding
from notebook_mux.playground.watches import Watcher

BOOKMARK_S = 60.0
"""Between two bookmarks, measured (60.0 s)."""

BOOKMARK_BEFORE_END_S = 2.0
"""A bookmark comes 1 to 2 s before the end (apiserver/pkg/storage/cacher/cache_watcher.go:233)."""

LIFE_S = (1800.0, 3600.0)
"""A watch that names no timeout ends within these (min-request-timeout)."""

PIECE = 256 * 1024
"""Bytes written at once: a large beginning must not be one buffer."""


GZIP_BITS = 31
"""For zlib: the largest window, within gzip's header and trailer."""


def member(piece: bytes) -> bytes:
    """Some lines as a gzip member of their own.

    They are flushed before the member ends: Go's reader gives what it has read together with the end of a member only
    when the next one has begun, which on a quiet watch is minutes later.
    """
    packer = zlib.compressobj(1, zlib.DEFLATED, GZIP_BITS)
    return packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) + packer.flush()


class Stream:
    """A watch on its way to its client.

    Args:
        bookmarks: Whether the client asked for them.
        timeout: Seconds until the end; None is the server's choice.
        accepts_gzip: Whether the client takes gzip; then a watch with initial events is sent so, one member a flush.
        gate: Awaited before each write; a test stalls the server with it.
        protobuf: Whether the events go in protobuf.
    """

    def __init__(
        self,
        make: Callable[[Callable[[], None]], Watcher],
        *,
        bookmarks: bool,
        timeout: float | None,
        accepts_gzip: bool,
        gate: asyncio.Event,
        protobuf: bool = False,
    ):
        self._ready = asyncio.Event()
        self.watcher = make(self._ready.set)
        self._bookmarks = bookmarks
        self._timeout = random.uniform(*LIFE_S) if timeout is None else timeout
        self._compress = accepts_gzip and self.watcher.gzip_members
        self._gate = gate
        self._protobuf = protobuf

    def close(self) -> None:
        """End it, as a server that shuts down does."""
        self.watcher.close()

    async def send(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send it until it is over."""
        media = f"{encoding.PROTOBUF};stream=watch" if self._protobuf else "application/json"
        clock = control.header(self.watcher.cluster.agenda.clock)
        headers = {"Content-Type": media, "Cache-Control": "no-cache, private", control.HEADER: clock}
        if self._compress:
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        try:
            await response.prepare(request)
            await self._send(response)
            await response.write_eof()
        except ConnectionResetError:
            pass  # the watcher has gone, which is how most watches end
        finally:
            self.watcher.close()
        return response

    async def _send(self, response: web.StreamResponse) -> None:
        begun = time.monotonic()
        end = begun + self._timeout
        marks = [begun + BOOKMARK_S, end - BOOKMARK_BEFORE_END_S] if self._bookmarks else []
        marks = [mark for mark in marks if mark > begun + 1]
        while True:
            self._ready.clear()
            over = self.watcher.ended
            while lines := self.watcher.take(PIECE):
                await self._write(response, lines)
            now = time.monotonic()
            if marks and now >= min(marks) and not over:
                due = min(marks)
                marks.remove(due)
                if due < end - BOOKMARK_BEFORE_END_S:
                    marks.append(due + BOOKMARK_S)
                await self._write(response, [self.watcher.bookmark()])
            if over or now >= end:
                return
            wait = min([end, *marks]) - time.monotonic()
            try:
                await asyncio.wait_for(self._ready.wait(), max(0.0, wait))
            except TimeoutError:
                pass

    async def _write(self, response: web.StreamResponse, lines: list[bytes]) -> None:
        piece = b"".join(encoding.framed(lines) if self._protobuf else lines)
        await self._gate.wait()
        await response.write(member(piece) if self._compress else piece)
