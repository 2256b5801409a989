"""kubectl as a process: what it writes is read as it comes and kept within bounds; it ends when nobody waits for it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import IO

from notebook_mux.errors import NotFound
from notebook_mux.handles.waiting import Alarm, Wait

KEPT_CHARACTERS = 64 * 1024 * 1024
"""Of one stream of its output; of a longer one the beginning is dropped, line by line. Ten thousand pods as JSON."""

LINE_CHARACTERS = 1024 * 1024
"""A longer line comes in pieces."""

GOODBYE_SECONDS = 2.0
"""For kubectl to end after an interrupt, before it is killed."""

INTERRUPTED = 130
"""128 and SIGINT's number, as shells say it."""


class Output:
    """What has come on one stream. The reader's thread writes it, others read."""

    def __init__(self) -> None:
        self.ended = False
        self.dropped = 0
        """Lines that were too many."""
        self._lines: deque[str] = deque()
        self._size = 0
        self._new: deque[str] = deque()

    def add(self, line: str) -> None:
        """A line, with its end."""
        self._lines.append(line)
        self._new.append(line)
        self._size += len(line)
        while self._size > KEPT_CHARACTERS and len(self._lines) > 1:
            self._size -= len(self._lines.popleft())
            self.dropped += 1

    def news(self) -> list[str]:
        """The lines since the last call."""
        found: list[str] = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._new.popleft())
        return found

    @property
    def text(self) -> str:
        """All that is kept."""
        return "".join(self._lines)


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """An interrupt that comes in here is taken at its end, where what was started is known to who will end it."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda *given: came.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        handler(*came[-1])


class Process:
    """A kubectl that runs.

    Args:
        command: The program and its words.
        environment: All of its environment.
        stdin: What it reads; nothing where it is empty.

    Raises:
        NotFound: It cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], stdin: str) -> None:
        self.stdout, self.stderr = Output(), Output()
        self._alarm = Alarm()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                encoding="utf-8",
                errors="replace",
                # Else the interrupt of a cell would reach it before us.
                start_new_session=sys.platform != "win32",
            )
        except OSError as error:
            raise NotFound(f"{command[0]} cannot be run", said=error.strerror or str(error)) from None
        streams = ((self._process.stdout, self.stdout), (self._process.stderr, self.stderr))
        self._threads = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams]
        if stdin:
            self._threads.append(threading.Thread(target=self._write, args=(stdin,), daemon=True))
        for thread in self._threads:
            thread.start()

    async def finished(self, shown: Callable[[Process], None] | None, what: str) -> int:
        """Wait for its end; a coroutine of `waiting`'s kind.

        Args:
            shown: Called with the process whenever something has come, on the waiting thread.
            what: For the progress that is shown where `shown` is not given.
        """
        while True:
            ended = self.stdout.ended and self.stderr.ended  # asked first: what has come by then is shown
            if shown is not None:
                shown(self)
            if ended:
                return self._process.wait()
            await Wait(self._alarm.future(), what=None if shown is not None else what)

    def end(self) -> int:
        """End it, if it has not ended: by an interrupt, and by force where that is not enough."""
        with contextlib.suppress(OSError):
            self._process.send_signal(signal.SIGINT if sys.platform != "win32" else signal.SIGTERM)
        try:
            self._process.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(GOODBYE_SECONDS)
        return INTERRUPTED if self._process.returncode < 0 else self._process.returncode

    def _read(self, stream: IO[str], output: Output) -> None:
        with stream:
            while line := stream.readline(LINE_CHARACTERS):
                output.add(line)
                self._alarm.ring()
        output.ended = True
        self._alarm.ring()

    def _write(self, stdin: str) -> None:
        stream = self._process.stdin
        assert stream is not None
        with contextlib.suppress(OSError), stream:  # it may have enough before it has read all
            stream.write(stdin)
