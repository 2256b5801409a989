"""The processes of a benchmark: each measured side in one of its own, senders in others, and what each costs.

A child is ``python -m tests.benchmarks.<module> <JSON arguments>``. It says what it has to say as lines of JSON on its
standard output and takes orders as lines of JSON on its standard input; it ends when that is closed.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psutil

ROOT = Path(__file__).resolve().parents[2]

ANSWER_SECONDS = 180.0
"""For one answer of a child; the longest honest one takes some 30 s."""

END_SECONDS = 5.0
POLL_SECONDS = 0.05

LAST_WORDS = 2000
"""Characters of a failed child's standard error that are shown."""


class Child:
    """A running child: a module, or another program. Use it in a ``with``: it is ended at its end."""

    def __init__(
        self,
        module: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        words: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        listens: bool = True,
        program: str | None = None,
    ) -> None:
        command = [program, *words] if program is not None else [sys.executable, "-m", module, *words]
        if arguments is not None:
            command.append(json.dumps(arguments))
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self.module = module
        self._listens = listens
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `end`
        self._process = subprocess.Popen(
            command, cwd=ROOT, env={**environ, **(env or {})}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors,
        )  # fmt: skip
        self.pid = self._process.pid
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def line(self, seconds: float = ANSWER_SECONDS) -> str:
        """The next line that it prints.

        Raises:
            RuntimeError: It ended, or said nothing for so long.
        """
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not self._selector.select(left):
                raise RuntimeError(f"{self.module} said nothing for {seconds:g} s{self._last_words()}")
            got = os.read(self._process.stdout.fileno(), 65536)
            if not got:
                raise RuntimeError(f"{self.module} ended with {self._process.wait(END_SECONDS)}{self._last_words()}")
            self._buffer += got
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def _last_words(self) -> str:
        """The end of its standard error."""
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()[-LAST_WORDS:]
        return f"; it wrote:\n{said}" if said else ""

    def hear(self, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """Its next line, which is JSON."""
        said: dict[str, Any] = json.loads(self.line(seconds))
        return said

    def tell(self, **order: Any) -> None:
        """Give it an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def ask(self, seconds: float = ANSWER_SECONDS, **order: Any) -> dict[str, Any]:
        """Give it an order and hear its answer."""
        self.tell(**order)
        return self.hear(seconds)

    def end(self) -> None:
        """End it: by the end of its input, where it listens to that, else by force."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._selector.close()
        try:
            self._process.stdin.close()
        except OSError:
            pass  # it is gone already
        if not self._listens:
            self._process.terminate()
        for how in (lambda: None, self._process.terminate, self._process.kill):
            how()
            try:
                self._process.wait(END_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.stdout.close()
        self._errors.close()


def wait_for_watchers(api: Child, count: int, seconds: float = ANSWER_SECONDS) -> None:
    """Until the scripted API server has so many open watches.

    Raises:
        RuntimeError: It has fewer after so long.
    """
    deadline = time.monotonic() + seconds
    while (there := api.ask(counts=True)["watchers"]) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{there} of {count} watches are open after {seconds:g} s")
        time.sleep(POLL_SECONDS)


# --- inside a child -------------------------------------------------------------------------------------------------


def arguments() -> dict[str, Any]:
    """What `Child` was given."""
    given: dict[str, Any] = json.loads(sys.argv[-1])
    return given


def many_files() -> None:
    """Allow this process as many open files as it may have."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def say(**what: Any) -> None:
    """Print a line for `Child.hear`."""
    print(json.dumps(what), flush=True)


def orders() -> Iterator[dict[str, Any]]:
    """The orders given, until there will be no more."""
    for line in sys.stdin:
        yield json.loads(line)


async def orders_async() -> asyncio.StreamReader:
    """The same for a loop: `order` reads from it."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def order(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next order, or None at the end."""
    line = await reader.readline()
    return json.loads(line) if line else None


# --- what a process costs -------------------------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process so far, by its own clock.

    On Linux the clock of another process can be read as one's own (clock_getcpuclockid(3)), to the nanosecond.
    """
    if sys.platform == "linux":
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def memory(pid: int) -> dict[str, int]:
    """Bytes of a process: ``rss``, and ``pss``, where shared pages count in part (0 where it cannot be told)."""
    process = psutil.Process(pid)
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return {"rss": int(process.memory_info().rss), "pss": 0}
    return {"rss": int(full.rss), "pss": int(getattr(full, "pss", 0))}


def peak_memory(pid: int) -> int:
    """Bytes of RAM that a process has had at most; what it has now where the system does not keep count (proc(5))."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return memory(pid)["rss"]
    (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peak) * 1024


def settle_memory(pid: int, seconds: float = 2.0) -> dict[str, int]:
    """`memory` once it has stopped moving, or after `seconds`."""
    deadline = time.monotonic() + seconds
    last = memory(pid)
    while time.monotonic() < deadline:
        time.sleep(0.25)
        now = memory(pid)
        if abs(now["rss"] - last["rss"]) < 1 << 18:
            return now
        last = now
    return last
