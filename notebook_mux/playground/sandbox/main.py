"""A container's own program that somebody is attached to, where it runs in a sandbox."""

from __future__ import annotations

import asyncio

from notebook_mux.playground.sandbox import execution
from notebook_mux.playground.sandbox.execution import Real
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.entry import words_of
from notebook_mux.playground.shell.main import Main
from notebook_mux.playground.shell.streams import BrokenPipe, Pipe, Sink, write_to_all
from notebook_mux.playground.shell.terminal import Terminal


class Screen(Terminal):
    """The terminal of a real program, as those who are attached to it see one."""

    program: Real | None = None

    def resize(self, columns: int, rows: int) -> None:
        """Its size."""
        super().resize(columns, rows)
        if self.program is not None:
            self.program.resize(columns, rows)

    async def feed(self, data: bytes) -> None:
        """What was typed."""
        if self.program is not None:
            await self.program.feed(data)

    def hang_up(self) -> None:
        """Nobody is there any more."""
        if self.program is not None:
            self.program.leave()

    async def show(self, data: bytes) -> None:
        """What it writes, to all who see it."""
        if self._record is not None:
            self._record(data)
        await write_to_all(self.views, data)


async def prepare(container: Container) -> None:
    """Let a container's own program be a real one, if it waits for somebody's input, has not begun and can be."""
    main = container.main
    if main is None or not main.has_input or main.has_begun:
        return
    words = list(words_of(container.spec))
    program = await execution.start(container, words, stdin=True, tty=main.terminal is not None)
    if program is None:
        return
    if container.main is not main or main.has_begun:  # two came at once
        program.leave()
        await program.wait()
        return
    container.main = _RealMain(container, program)


class _RealMain(Main):
    def __init__(self, container: Container, program: Real):
        super().__init__(container)
        self._program = program
        if self.terminal is not None:
            self.terminal = Screen(container.log)
            self.terminal.program = program

    async def _run(self, words: tuple[str, ...], pid: int) -> int:
        container, program = self.container, self._program
        moving = [asyncio.create_task(self._move(program.stdout, self.stdout))]
        moving.append(asyncio.create_task(self._move(program.stderr, self.stderr)))
        if self.stdin is not None:
            moving.append(asyncio.create_task(self._feed(self.stdin)))
        try:
            self.code = await program.wait()
            await asyncio.gather(*moving[:2])
        finally:
            for one in moving:
                one.cancel()
            program.leave()
            if self.code is None:
                self.code = execution.KILLED
            if not container.over.is_set():
                container.worlds.has_ended(container, self.code)
        return self.code

    async def _move(self, source: Pipe, to: Sink) -> None:
        while piece := await source.read():
            if isinstance(self.terminal, Screen):
                await self.terminal.show(piece)
            else:
                await to.write(piece)

    async def _feed(self, source: Pipe) -> None:
        while piece := await source.read():
            try:
                await self._program.feed(piece)
            except BrokenPipe:
                return
        self._program.end_input()
