"""What is at the other end of an exec or attach: a program of the emulation, a container's own, or its log."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.history import Change
from notebook_mux.playground.logs import runs
from notebook_mux.playground.logs.options import LogOptions
from notebook_mux.playground.logs.written import NS, Written
from notebook_mux.playground.remotecommand.options import Streams
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.execution import Execution
from notebook_mux.playground.shell.main import Main
from notebook_mux.playground.shell.streams import BrokenPipe, Pipe, Sink
from notebook_mux.playground.store import Stored
from notebook_mux.playground.web import accesses

Json = dict[str, Any]

LOOK_S = 5.0
"""How often the log of a quiet container is looked at."""


class Program(Protocol):
    """What a session is joined with.

    Attributes:
        stdout: What it writes; ends with it.
        stderr: The same.
    """

    stdout: Pipe
    stderr: Pipe

    async def feed(self, data: bytes) -> None:
        """Input; returns when there is room for more."""

    def end_input(self) -> None:
        """No more input comes."""

    def resize(self, columns: int, rows: int) -> None:
        """The terminal's size."""

    async def wait(self) -> int:
        """Its exit code, once it has ended or is let go."""

    def leave(self) -> None:
        """Nobody is there any more."""


class Executed(Execution):
    """A program that was started for this session, and ends with it."""

    def leave(self) -> None:
        """End it."""
        self.kill()


class Attached:
    """A container's own program, which is emulated, shared with others.

    Args:
        container: Whose.
        main: The program.
        streams: What of it is wanted.
    """

    def __init__(self, container: Container, main: Main, streams: Streams):
        self.stdout = Pipe()
        self.stderr = Pipe()
        self._container = container
        self._main = main
        self._streams = streams
        self._gone = asyncio.Event()
        self._join()
        main.start()

    def _views(self) -> list[tuple[list[Sink], Pipe]]:
        if self._main.terminal is not None:
            return [(self._main.terminal.views, self.stdout)]
        return [(self._main.stdout.views, self.stdout), (self._main.stderr.views, self.stderr)]

    def _join(self) -> None:
        for views, pipe in self._views():
            views.append(pipe)

    async def feed(self, data: bytes) -> None:
        """Input, which all who are attached share."""
        if self._main.has_input:
            await self._main.feed(data)

    def end_input(self) -> None:
        """No more input comes from here."""
        self._main.end_input()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal's size, of whoever said it last."""
        if self._main.terminal is not None:
            self._main.terminal.resize(columns, rows)

    async def wait(self) -> int:
        """Its end, or this session's."""
        waits = [asyncio.create_task(one.wait()) for one in (self._container.over, self._gone)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            for views, pipe in self._views():
                if pipe in views:
                    views.remove(pipe)
            self.stdout.end()
            self.stderr.end()
        return 0

    def leave(self) -> None:
        """Let it go on alone."""
        self._gone.set()
        self._main.end_input()
        self.stdout.close()
        self.stderr.close()


class Followed:
    """A container whose program is a story: what it writes from now on, to its end.

    Args:
        cluster: Whose.
        stored: Its pod.
        name: The container's.
    """

    def __init__(self, cluster: Cluster, stored: Stored, name: str):
        self.stdout = Pipe()
        self.stderr = Pipe()
        self.stderr.end()
        self._cluster = cluster
        self._stored = stored
        self._name = name
        self._changed = asyncio.Event()
        self._left = False
        self._gone = False

    async def feed(self, data: bytes) -> None:
        """It reads nothing."""

    def end_input(self) -> None:
        """It reads nothing."""

    def resize(self, columns: int, rows: int) -> None:
        """It has no terminal."""

    def leave(self) -> None:
        """Nobody is there any more."""
        self._left = True
        self.stdout.close()
        self._changed.set()

    async def wait(self) -> int:
        """Write its lines as they come, until the container ends."""
        stop = self._cluster.store.listen("pods", self._note)
        forget = accesses.of(self._cluster).listen(self._visit)
        try:
            await self._follow()
        except BrokenPipe:
            pass
        finally:
            stop()
            forget()
            self.stdout.end()
        return 0

    async def _follow(self) -> None:
        run = runs.choose(self._stored.decode(), LogOptions(self._name))
        last = int(self._cluster.agenda.now() * NS)
        coming = self._written(run).after(last) if run is not None else iter(())
        line = next(coming, None)
        while run is not None and not self._left:
            if self._changed.is_set():
                self._changed.clear()
                newer = runs.again(self._stored.decode(), run)
                if newer is not None:
                    run, coming = newer, self._written(newer).after(last)
                    line = next(coming, None)
                self._gone = self._gone or newer is None
            now = int(self._cluster.agenda.now() * NS)
            over = run.end is not None
            while line is not None and (over or line.ns <= now):
                await self.stdout.write(f"{line.text}\n".encode("utf-8", "replace"))
                last, line = line.ns, next(coming, None)
            if over or self._gone:
                return
            try:
                wait = LOOK_S if line is None else min(LOOK_S, self._cluster.agenda.clock.wait((line.ns - now) / NS))
                await asyncio.wait_for(self._changed.wait(), max(0.0, wait))
            except TimeoutError:
                pass

    def _written(self, run: runs.Run) -> Written:
        return Written(run, accesses.of(self._cluster).lines(self._key(run.number)))

    def _key(self, number: int) -> accesses.RunKey:
        return accesses.RunKey(self._stored.uid, self._name, number)

    def _visit(self, run: accesses.RunKey) -> None:
        """A server of the container has been asked something, and wrote a line."""
        if run == self._key(run.number):
            self._changed.set()

    def _note(self, change: Change) -> None:
        if change.new.uid == self._stored.uid:
            self._gone = change.type == "DELETED"
            self._stored = change.new
            self._changed.set()
