"""Sends a log: what has been written, then, to a follower, what is written until the container ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.history import Change
from notebook_mux.playground.logs import runs
from notebook_mux.playground.logs.options import LogOptions
from notebook_mux.playground.logs.runs import Run
from notebook_mux.playground.logs.written import NS, Line, Written, stamp
from notebook_mux.playground.store import Stored
from notebook_mux.playground.web import accesses

PIECE = 32 * 1024
"""Bytes written at once; between two the loop serves others."""

UNCACHED = {"Cache-Control": "no-cache, private"}
LOOK_S = 5.0
"""How often a follower of a quiet container looks whether anybody still reads."""


class LogStream:
    """A log on its way to its client.

    Args:
        cluster: Whose.
        stored: The pod.
        options: What is asked for.
        gate: Awaited before each write; a test stalls the server with it.

    Raises:
        ApiError: 400, there is no such log.
    """

    def __init__(self, cluster: Cluster, stored: Stored, options: LogOptions, gate: asyncio.Event):
        self._cluster = cluster
        self._stored = stored
        self._options = options
        self._gate = gate
        self._run = runs.choose(stored.decode(), options)
        self._changed = asyncio.Event()
        self._closed = False
        self._gone = False
        self._visited = False
        self._left = options.limit

    def close(self) -> None:
        """End it, as a server does that shuts down."""
        self._closed = True
        self._changed.set()

    async def send(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send it until it is over."""
        if self._run is None:
            return web.Response(status=204, headers=UNCACHED)
        response = web.StreamResponse(headers={"Content-Type": "text/plain", **UNCACHED})
        response.enable_chunked_encoding()
        stop = self._cluster.store.listen("pods", self._note)
        forget = accesses.of(self._cluster).listen(self._visit)
        try:
            await response.prepare(request)
            await self._send(request, response, self._run)
            await response.write_eof()
        except ConnectionResetError:
            pass  # the reader has gone
        finally:
            stop()
            forget()
        return response

    async def _send(self, request: web.BaseRequest, response: web.StreamResponse, run: Run) -> None:
        now = self._cluster.agenda.now()
        oldest = self._options.oldest(now)
        await self._write(response, self._written(run).until(now, self._options.tail, oldest))
        if self._options.follow and run.end is None:
            await self._follow(request, response, run, max(int(now * NS), int(oldest * NS) - 1))

    async def _follow(self, request: web.BaseRequest, response: web.StreamResponse, run: Run, last: int) -> None:
        """Send lines as they become due, until the container has ended or its pod is gone."""
        coming = self._written(run).after(last)
        line = next(coming, None)
        while self._left != 0 and not self._closed:
            if self._changed.is_set():
                self._changed.clear()
                newer = runs.again(self._stored.decode(), run)
                if newer is None:
                    self._gone = True
                elif newer != run or self._visited:
                    self._visited = False
                    run, coming = newer, self._written(newer).after(last)
                    line = next(coming, None)
            now = int(self._cluster.agenda.now() * NS)
            over = run.end is not None
            due = list[Line]()
            while line is not None and (over or line.ns <= now):
                due.append(line)
                last, line = line.ns, next(coming, None)
            await self._write(response, due)
            if over or self._gone or request.transport is None or request.transport.is_closing():
                return
            try:
                wait = LOOK_S if line is None else min(LOOK_S, self._cluster.agenda.clock.wait((line.ns - now) / NS))
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                pass

    def _written(self, run: Run) -> Written:
        return Written(run, accesses.of(self._cluster).lines(self._key(run)))

    def _key(self, run: Run) -> accesses.RunKey:
        return accesses.RunKey(self._stored.uid, run.container["name"], run.number)

    def look(self) -> None:
        """Look anew at what is due: the cluster's clock goes in another way."""
        self._changed.set()

    def _visit(self, run: accesses.RunKey) -> None:
        """Somebody has asked a server in the cluster, which wrote a line."""
        if self._run is not None and run == self._key(self._run):
            self._visited = True
            self._changed.set()

    def _note(self, change: Change) -> None:
        if change.new.key == self._stored.key and not self._gone:
            self._gone = change.type == "DELETED" or change.new.uid != self._stored.uid
            if change.new.uid == self._stored.uid:
                self._stored = change.new
            self._changed.set()

    async def _write(self, response: web.StreamResponse, lines: Iterable[Line]) -> None:
        piece = bytearray()
        for line in lines:
            written = f"{line.text}\n".encode("utf-8", "replace")
            if self._options.timestamps:
                written = f"{stamp(line.ns)} ".encode() + written
            if self._left is not None:
                written = written[: self._left]
                self._left -= len(written)
            piece += written
            if len(piece) >= PIECE:
                await self._flush(response, piece)
                piece = bytearray()
            if self._left == 0:
                break
        if piece:
            await self._flush(response, piece)

    async def _flush(self, response: web.StreamResponse, piece: bytearray) -> None:
        await self._gate.wait()
        await response.write(bytes(piece))
        await asyncio.sleep(0)
