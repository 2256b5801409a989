"""A container's own program, where it is emulated: it has a terminal or pipes, and whoever attaches shares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from notebook_mux.playground.shell.entry import words_of
from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.processes import BY_SIGNAL
from notebook_mux.playground.shell.running import Run, Streams
from notebook_mux.playground.shell.streams import BrokenPipe, Nothing, Pipe, Sink, write_to_all
from notebook_mux.playground.shell.terminal import Terminal

if TYPE_CHECKING:
    from notebook_mux.playground.shell.container import Container

START_FAILED = 128
"""The exit code of a container whose program is not there (containerd)."""


class Shared:
    """A sink whose output goes to the log and to all who are attached.

    Args:
        record: Is given what is written.

    Attributes:
        views: Where it goes.
    """

    def __init__(self, record: Callable[[bytes], None]):
        self.views: list[Sink] = []
        self._record = record

    async def write(self, data: bytes) -> None:
        """Pass it on."""
        self._record(data)
        await write_to_all(self.views, data)

    def end(self) -> None:
        """It stays."""


class Main:
    """A container's own program.

    Args:
        container: Whose.

    Attributes:
        terminal: Its terminal, if it has one.
        stdout: Its output without one.
        stderr: The same.
        stdin: Its input without one; None if it has none.
    """

    def __init__(self, container: Container):
        spec = container.spec
        self.container = container
        self.has_input = bool(spec.get("stdin"))
        self.terminal = Terminal(container.log) if spec.get("tty") else None
        self.stdout = Shared(container.log)
        self.stderr = Shared(container.log)
        self.stdin = Pipe() if self.has_input and self.terminal is None else None
        self.code: int | None = None
        self._started = False
        if self.terminal is not None and not self.has_input:
            self.terminal.hang_up()

    @property
    def has_begun(self) -> bool:
        """Whether it was started."""
        return self._started

    def start(self) -> None:
        """Begin, if it has not."""
        if self._started:
            return
        self._started = True
        container = self.container
        process = container.processes.get(1) if container.beside is None else None
        words = words_of(container.spec)
        if process is None:
            process = container.processes.new(words, user=container.files.uid, started=container.now())
        process.words = words
        process.on_signal = lambda _: None  # a first process hears only what it listens to (pid_namespaces(7))
        if self.terminal is not None:
            process.terminal = "pts/0"
        container.processes.start(process, self._run(words, process.pid))

    async def _run(self, words: tuple[str, ...], pid: int) -> int:
        container = self.container
        process = container.processes.get(pid)
        assert process is not None
        streams = Streams(self.stdin or Nothing(), self.stdout, self.stderr)
        if self.terminal is not None:
            streams = Streams(self.terminal, self.terminal, self.terminal)
        run = Run(words[0], list(words[1:]), streams, dict(container.environment), container.cwd, container, process,
                  self.terminal)  # fmt: skip
        try:
            work = container.program(words[0], container.environment.get("PATH", ""), container.cwd)
            self.code = await work(run)
        except FileFault:
            self.code = START_FAILED
        finally:
            if self.code is None:
                self.code = BY_SIGNAL + process.killed
            if not container.over.is_set():
                container.worlds.has_ended(container, self.code)
        return self.code

    async def feed(self, data: bytes) -> None:
        """Input from somebody who is attached."""
        if self.terminal is not None:
            await self.terminal.feed(data)
        elif self.stdin is not None:
            try:
                await self.stdin.write(data)
            except BrokenPipe:
                pass

    def end_input(self) -> None:
        """Somebody who was attached has ended the input; a terminal stays (containerd closes none of its own)."""
        if self.stdin is not None and self.container.spec.get("stdinOnce"):
            self.stdin.end()

    def stop(self) -> None:
        """The container has ended."""
        if self.terminal is not None:
            self.terminal.hang_up()
