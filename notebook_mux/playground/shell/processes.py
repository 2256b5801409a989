"""The processes of a container: their numbers, signals and ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

LIMIT = 100
"""Processes of a container at once (a cgroup's pids.max)."""

PID_MAX = 32768
"""After which numbers begin again (kernel.pid_max)."""

IGNORED = frozenset({signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP, signal.SIGTSTP,
                     signal.SIGTTIN, signal.SIGTTOU})  # fmt: skip
"""Signals that end nothing; stopping is not emulated."""

KILL = int(signal.SIGKILL)
BY_SIGNAL = 128
"""Is added to a signal's number for the exit code of what it ends."""


class NoProcesses(Exception):
    """There are too many (EAGAIN)."""


class Process:
    """One process.

    Args:
        pid: Its number.
        parent: Its parent's.
        words: Its command line.
        user: Its user's number.
        started: Unix seconds.
        terminal: Of which it is, such as ``pts/0``; empty for none.
    """

    def __init__(self, pid: int, parent: int, words: tuple[str, ...], user: int, started: float, terminal: str = ""):
        self.pid = pid
        self.parent = parent
        self.words = words
        self.user = user
        self.started = started
        self.terminal = terminal
        self.environment: dict[str, str] = {}
        self.task: asyncio.Task[int] | None = None
        self.killed = 0
        self.on_signal: Callable[[int], None] | None = None
        """Takes signals in place of what they usually do: the first process of a container, and a shell's traps."""

    def signal(self, number: int) -> None:
        """Send a signal; it ends a process that has no other use for it."""
        if number == 0 or number in IGNORED:
            return
        if self.on_signal is not None and number != KILL:
            self.on_signal(number)
        else:
            self.kill(number)

    def kill(self, number: int = KILL) -> None:
        """End it."""
        self.killed = self.killed or number
        if self.task is not None:
            self.task.cancel()


class Processes:
    """The processes of a container; number 1 is its own program."""

    def __init__(self) -> None:
        self._running: dict[int, Process] = {}
        self._last = 0

    def __iter__(self) -> Iterator[Process]:
        return iter(list(self._running.values()))

    def __len__(self) -> int:
        return len(self._running)

    def get(self, pid: int) -> Process | None:
        """A process by its number."""
        return self._running.get(pid)

    def new(
        self, words: tuple[str, ...], *, parent: int = 0, user: int = 0, started: float = 0.0, terminal: str = ""
    ) -> Process:
        """A process, which does not run yet.

        Raises:
            NoProcesses: There are too many.
        """
        if len(self._running) >= LIMIT:
            raise NoProcesses
        while True:
            self._last = self._last % PID_MAX + 1
            if self._last not in self._running:
                break
        process = Process(self._last, parent, words, user, started, terminal)
        self._running[process.pid] = process
        return process

    def start(self, process: Process, work: Coroutine[Any, Any, int]) -> None:
        """Run a process; it leaves the table when it ends. `finished` waits for its exit code."""

        async def run() -> int:
            try:
                return await work
            except asyncio.CancelledError:
                if not process.killed:
                    raise
                return BY_SIGNAL + process.killed

        def over(_: object) -> None:
            work.close()  # it may never have begun
            self.forget(process)

        process.task = asyncio.get_running_loop().create_task(run())
        process.task.add_done_callback(over)
        if process.killed:
            process.task.cancel()

    def forget(self, process: Process) -> None:
        """Take a process away that was never started, or is none of ours."""
        if self._running.get(process.pid) is process:
            del self._running[process.pid]

    def kill_all(self) -> None:
        """End all, as the end of a container does."""
        for process in self:
            process.kill()


async def finished(process: Process) -> int:
    """The exit code of a process; where whoever waits for it is cancelled, it is ended too."""
    task = process.task
    assert task is not None
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled() and process.killed:
            return BY_SIGNAL + process.killed  # before it had begun
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
