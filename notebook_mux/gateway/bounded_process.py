"""A program that is run to its end with bounds: on its time, and on what it may print.

With asyncio's own `communicate` a program that prints for ever fills the memory, one that a time limit ends while its
output is not read is never reaped, and one that leaves a helper behind that keeps its pipe open is waited for in vain.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OUTPUT_BYTES = 1024 * 1024
"""Of stdout, and of stderr; client-go sets no limit, credentials with a certificate chain take some 10 kB."""

LEFT_SECONDS = 1.0
"""For the rest of the output after the end of a program that left a helper behind with its pipe."""

OUT, ERR = 1, 2


@dataclass(frozen=True)
class Finished:
    """How it ended. Outputs may be secrets.

    Attributes:
        code: The exit code, the negative number of a signal.
        out: All of stdout, or what of it came up to the limit.
        err: The same of stderr.
        too_much: Whether it was ended because it printed more.
    """

    code: int
    out: bytes
    err: bytes
    too_much: bool

    def __repr__(self) -> str:
        return f"<Finished {self.code}>"


class _Collected(asyncio.SubprocessProtocol):
    def __init__(self, limit: int) -> None:
        loop = asyncio.get_running_loop()
        self.output = {OUT: bytearray(), ERR: bytearray()}
        self.too_much = False
        self.stop = loop.create_future()
        """Done when there is nothing more to wait for: all was read, or too much."""
        self.exited = loop.create_future()
        self._limit = limit
        self._open = set(self.output)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self.output[fd]
        kept += data[: self._limit - len(kept)]
        if len(kept) >= self._limit:
            self.too_much = True
            self._done()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open and self.exited.done():
            self._done()

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)
        if not self._open:
            self._done()
        else:
            asyncio.get_running_loop().call_later(LEFT_SECONDS, self._done)

    def _done(self) -> None:
        if not self.stop.done():
            self.stop.set_result(None)


Started = tuple[asyncio.SubprocessTransport, _Collected]


async def run(words: Sequence[str], env: Mapping[str, str], timeout: float, limit: int = OUTPUT_BYTES) -> Finished:
    """Run a program without a terminal and without input, in a session of its own.

    What is not through in time, prints too much or is cancelled is ended with all that it started, and reaped. What
    ends by itself may leave something behind (a browser), which goes on without its pipes.

    Args:
        words: The program's path and its arguments.
        env: Its whole environment.
        timeout: Seconds.
        limit: Bytes of each of stdout and stderr.

    Raises:
        TimeoutError: It was not through in time.
        OSError: It cannot be started.
    """
    transport, collected = await _started(
        asyncio.get_running_loop().subprocess_exec(
            lambda: _Collected(limit),
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(env),
            start_new_session=True,
        )
    )
    try:
        async with asyncio.timeout(timeout):
            await collected.stop
    finally:
        try:
            if not collected.exited.done():
                _end(transport.get_pid())
            await collected.exited
        finally:
            transport.close()
    output = collected.output
    return Finished(transport.get_returncode() or 0, bytes(output[OUT]), bytes(output[ERR]), collected.too_much)


async def _started(start: Coroutine[Any, Any, Started]) -> Started:
    """Start it, or leave nothing of it: cancelled half-way, a loop lets what it has started run on."""
    starting = asyncio.ensure_future(start)
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_unwanted)  # also where the waiting is cancelled once more
        await asyncio.wait([starting])
        if not starting.cancelled() and starting.exception() is None:
            await starting.result()[1].exited
        raise


def _unwanted(starting: asyncio.Future[Started]) -> None:
    if starting.cancelled() or starting.exception() is not None:
        return
    transport, collected = starting.result()
    if not collected.exited.done():
        _end(transport.get_pid())
    collected.exited.add_done_callback(lambda _: transport.close())


def _end(pid: int) -> None:
    """With all that it started; it has not been reaped, so the number is its own."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
