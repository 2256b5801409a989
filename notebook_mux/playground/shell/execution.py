"""A program that somebody runs in a container from outside, and its streams."""

from __future__ import annotations

import errno
import signal

from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.processes import NoProcesses, Process, finished
from notebook_mux.playground.shell.running import Run, Streams
from notebook_mux.playground.shell.streams import Nothing, Pipe, Sink, Source
from notebook_mux.playground.shell.terminal import Terminal


class NotStarted(Exception):
    """A program that cannot be started, in the words of a container's runtime (runc)."""


class Execution:
    """One program.

    Args:
        container: Where.
        words: Its command line.
        stdin: Whether it has input.
        tty: Whether it is on a terminal.

    Attributes:
        stdout: What it writes; on a terminal all of it.
        stderr: The same.
        terminal: Its terminal.

    Raises:
        NotStarted: There is no such program.
    """

    def __init__(self, container: Container, words: list[str], *, stdin: bool = False, tty: bool = False):
        self.container = container
        self.stdout = Pipe()
        self.stderr = Pipe()
        self.terminal = Terminal() if tty else None
        self.stdin: Pipe | None = Pipe() if stdin and not tty else None
        environment = dict(container.environment)
        if tty:
            environment["TERM"] = "xterm"
        self._process = self._started(words, environment, stdin)

    def _started(self, words: list[str], environment: dict[str, str], stdin: bool) -> Process:
        container = self.container
        if not words or not words[0]:
            raise NotStarted("OCI runtime exec failed: exec failed: args must not be empty: unknown")
        try:
            work = container.program(words[0], environment.get("PATH", ""), container.cwd)
        except FileFault as fault:
            raise NotStarted(refusal(words[0], fault)) from None
        source: Source = self.stdin or Nothing()
        sinks: tuple[Sink, Sink] = (self.stdout, self.stderr)
        if self.terminal is not None:
            self.terminal.views.append(self.stdout)
            source, sinks = (self.terminal if stdin else Nothing()), (self.terminal, self.terminal)
        try:
            process = container.processes.new(
                tuple(words),
                user=container.files.uid,
                started=container.now(),
                terminal="pts/0" if self.terminal else "",
            )
        except NoProcesses:
            raise NotStarted(
                "OCI runtime exec failed: exec failed: unable to start container process: "
                "can't fork: Resource temporarily unavailable: unknown"
            ) from None
        process.environment = environment
        run = Run(words[0], words[1:], Streams(source, *sinks), environment, container.cwd, container, process,
                  self.terminal)  # fmt: skip
        if self.terminal is not None:
            self.terminal.on_signal = process.kill
        container.processes.start(process, work(run))
        return process

    async def feed(self, data: bytes) -> None:
        """Input; returns when there is room for more. What nobody reads is dropped."""
        if self.terminal is not None:
            await self.terminal.feed(data)
        elif self.stdin is not None:
            await self.stdin.write(data)

    def end_input(self) -> None:
        """No more input comes; a terminal's program goes on, as it does on a real one that is not hung up."""
        if self.terminal is not None:
            self.terminal.hang_up()
        elif self.stdin is not None:
            self.stdin.end()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal's size."""
        if self.terminal is not None:
            self.terminal.resize(columns, rows)

    async def wait(self) -> int:
        """Its exit code, once it has ended; its output ends then."""
        try:
            return await finished(self._process)
        finally:
            self.stdout.end()
            self.stderr.end()
            if self.stdin is not None:
                self.stdin.close()

    def kill(self) -> None:
        """End it: nobody is there any more."""
        self._process.kill(signal.SIGKILL)


def refusal(name: str, fault: FileFault) -> str:
    """Why a program cannot be started, in a runtime's words."""
    if "/" not in name and fault.number == errno.ENOENT:
        said = f'exec: "{name}": executable file not found in $PATH'
    elif fault.number == errno.ENOENT:
        said = f'exec: "{name}": stat {name}: no such file or directory'
    elif fault.number == errno.ENOEXEC:
        said = f"exec {name}: exec format error"
    else:
        said = f'exec: "{name}": {str(fault).lower()}'
    return f"OCI runtime exec failed: exec failed: unable to start container process: {said}: unknown"
