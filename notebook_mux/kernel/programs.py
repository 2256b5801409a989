"""A program in a container as the kernel has it: one stream of the socket, joined again after a cut, started once."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from notebook_mux.kernel.failure import Failure
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_PAYLOAD, NUMBER, Channel

MAX_OUTPUT = 512 * 1024 * 1024
"""Bytes of output that are kept, as of any other answer; a program without an end must not fill the kernel."""

AWAY_SECONDS = 300.0
"""How long a program is waited for without a gateway: half of what a gateway keeps it for, and far less than it
remembers its id."""

UNKNOWN_TODO = "look whether it has done its work before you start it again"

Result = tuple[bytes, bytes, bytes]
"""The Status (JSON), stdout and stderr."""


class Line(Protocol):
    """What a program needs of a connection."""

    welcome: messages.Welcome | None

    def write(self, stream: int, channel: int, payload: bytes) -> None:
        """Send a data frame."""


class Program:
    """A `connection.StreamHandler`. On the loop's thread.

    Args:
        line: The connection.
        cluster: Gives the cluster's ref of now.
        stdin: All of the input; None is none.
        order: ``path``, ``query``, ``scope`` and ``timeout`` of `messages.Exec`.
        clock: Seconds.

    Attributes:
        done: Its result, or a `Failure`.
    """

    def __init__(
        self,
        line: Line,
        cluster: Callable[[], str],
        stdin: bytes | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        **order: Any,
    ) -> None:
        self.done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.received = 0
        self.attempt = 0
        self._line = line
        self._cluster = cluster
        self._stdin = stdin
        self._order = order
        self._clock = clock
        self._id = secrets.token_hex(16)
        self._instance = ""
        self._stream = 0
        self._sent = 0
        self._room = 0
        self._closed_input = stdin is None
        self._output: dict[int, list[bytes]] = {Channel.STDOUT: [], Channel.STDERR: [], Channel.ERROR: []}
        self._heard = clock()

    # --- what the connection calls ------------------------------------------------------------------------------------

    def begin(self, stream: int, credit: int) -> messages.Exec | None:
        """The socket is open: start it, or join it."""
        if self.done.done() or self._is_given_up():
            return None
        self._stream = stream
        self._heard = self._clock()
        self.attempt += 1
        instance = self._instance
        if not instance and self._line.welcome is not None:
            self._instance = self._line.welcome.instance
        return messages.Exec(
            stream=stream,
            program=self._id,
            attempt=self.attempt,
            instance=instance,
            cluster=self._cluster(),
            stdin=self._stdin is not None,
            credit=credit,
            received=self.received,
            **self._order,
        )

    def data(self, channel: int, payload: bytes) -> None:
        """A frame of output, the Status, or the end."""
        self._heard = self._clock()
        if self.done.done():
            return
        self.received += len(payload)
        if channel == Channel.END:
            self._finish(payload)
        elif channel in self._output:
            self._output[channel].append(payload)
            if self.received > MAX_OUTPUT:
                self.fail(
                    Failure(
                        "server",
                        f"the program wrote more than {MAX_OUTPUT >> 20} MiB, and the connection to it was closed",
                        todo="let it write into a file, or less",
                    )
                )

    def control(self, message: Any) -> None:
        """The gateway's word: it has the program, takes more input, or refuses."""
        self._heard = self._clock()
        if isinstance(message, messages.Joined):
            self._sent, self._room = message.taken, message.credit
            self._closed_input = self._stdin is None
            self._write()
        elif isinstance(message, messages.Credit):
            self._room += message.bytes
            self._write()
        elif isinstance(message, messages.Ended):
            self.fail(Failure(message.code, message.what, said=message.said, todo=message.todo))

    def lost(self, reason: str, retry_at: float | None) -> None:
        """The socket is gone; the program is not."""
        self._stream = 0
        if retry_at is None and self.attempt and reason == "closed":
            self._unknown("the connection was closed before the program had ended")
        else:
            self._is_given_up()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _is_given_up(self) -> bool:
        if self.attempt and not self._stream and self._clock() - self._heard > AWAY_SECONDS:
            self._unknown("the gateway was away for too long")
            return True
        return False

    def _unknown(self, what: str) -> None:
        self.fail(Failure("outcome-unknown", what, todo=UNKNOWN_TODO))

    def fail(self, failure: Failure) -> None:
        """End it here; whoever waits gets this."""
        if not self.done.done():
            self.done.set_exception(failure)

    def _finish(self, payload: bytes) -> None:
        ending: dict[str, Any] = msgspec.json.decode(payload)
        if "code" in ending:
            if ending["code"] == "timeout":
                ending |= self.output()
            self.fail(Failure(ending.pop("code"), ending.pop("what", "the program failed"), **ending))
            return
        parts = (b"".join(self._output[channel]) for channel in (Channel.ERROR, Channel.STDOUT, Channel.STDERR))
        self.done.set_result(tuple(parts))  # type: ignore[arg-type]  # three of them

    def output(self) -> dict[str, bytes]:
        """What it has written so far: ``stdout`` and ``stderr``."""
        return {name: b"".join(self._output[Channel[name.upper()]]) for name in ("stdout", "stderr")}

    def _write(self) -> None:
        """Send what there is room for, each frame with its place; then the end."""
        stdin = self._stdin
        if stdin is None or not self._stream:
            return
        while self._sent < len(stdin) and self._room > 0:
            size = min(self._room, MAX_PAYLOAD - NUMBER.size)
            piece = stdin[self._sent : self._sent + size]
            self._line.write(self._stream, Channel.STDIN, NUMBER.pack(self._sent) + piece)
            self._sent += len(piece)
            self._room -= len(piece)
        if self._sent == len(stdin) and not self._closed_input:
            self._closed_input = True
            self._line.write(self._stream, Channel.CLOSE, bytes((Channel.STDIN,)))
