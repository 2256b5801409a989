"""Forwards as the kernel has them: one stream of the socket each, found again after a cut, on the port it had."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from notebook_mux.kernel.failure import Failure
from notebook_mux.wire import messages
from notebook_mux.wire.forwards import ForwardState
from notebook_mux.wire.frames import Channel

OPEN_SECONDS = 30.0
"""For a forward to listen; a gateway does that at once."""

View = dict[str, Any]
"""What is known of a forward, as plain data: the fields of `wire.forwards.ForwardState`, whose ``state`` may also be
``"starting" "offline" "ended" "closed"``."""


class Line(Protocol):
    """What forwards need of a connection."""

    async def open(self, timeout: float) -> None:
        """Connect."""

    def attach(self, handler: Any) -> None:
        """Open a stream now and on each new socket."""

    def detach(self, handler: Any) -> None:
        """End its stream for good."""

    def tell(self, message: messages.Message) -> None:
        """Send a message that has no answer, if the socket is open."""


@dataclass(frozen=True)
class Aim:
    """Where a forward goes.

    Attributes:
        ref: The cluster.
        path: A pod's portforward.
        port: The pod's port.
        scope: The manager's write scope.
        moves: Whether `again` looks for another pod.
    """

    ref: str
    path: str
    port: int
    scope: str
    moves: bool = False


@dataclass(eq=False)
class Forward:
    """A `connection.StreamHandler`. On the loop's thread, but for `view`.

    Args:
        line: The connection.
        key: What the gateway knows it by.
        aim: Where it goes.
        again: Called when another pod should be looked for; must not block.
        current: Gives the cluster's ref of now.

    Attributes:
        view: What is known of it; replaced, never changed, so any thread may read it.
        settled: Done when it listens; fails with `Failure` where it was refused.
    """

    line: Line
    key: str
    aim: Aim
    again: Callable[[], None]
    current: Callable[[str], str]
    view: View = field(default_factory=lambda: {"state": "starting", "port": 0, "reason": ""})
    watchers: dict[object, Callable[[], None]] = field(default_factory=dict)
    settled: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _stream: int = 0

    @property
    def over(self) -> bool:
        """Whether the gateway has it no more."""
        return self.view["state"] in ("ended", "closed")

    def point(self, aim: Aim) -> None:
        """Have new connections go elsewhere."""
        if aim == self.aim:
            return
        self.aim = aim
        if self._stream:
            self.line.tell(self._message(self._stream, 0))

    def _message(self, stream: int, credit: int) -> messages.Forward:
        aim = self.aim
        return messages.Forward(
            stream=stream,
            key=self.key,
            cluster=self.current(aim.ref),
            path=aim.path,
            port=aim.port,
            local=self.view["port"],
            moves=aim.moves,
            scope=aim.scope,
            credit=credit,
        )

    # --- what the connection calls --------------------------------------------------------------------------------

    def begin(self, stream: int, credit: int) -> messages.Forward | None:
        """The socket is open: find it again, or make it."""
        if self.over:
            return None
        self._stream = stream
        return self._message(stream, credit)

    def data(self, channel: int, payload: bytes) -> None:
        """A frame with its state."""
        if channel != Channel.FORWARD or self.over:
            return
        state = msgspec.json.decode(payload, type=ForwardState)
        failed = state.errors > self.view.get("errors", 0)
        self._see(msgspec.structs.asdict(state))
        if not self.settled.done():
            self.settled.set_result(None)
        if self.aim.moves and (failed or state.state == "lost"):
            self.again()

    def control(self, message: Any) -> None:
        """The gateway's word: it refuses, or it has ended the forward."""
        if isinstance(message, messages.Ended):
            self._stream = 0
            words = f"{message.what}: {message.said}" if message.said else message.what
            self._see({**self.view, "state": "ended", "reason": words, "connections": 0})
            if not self.settled.done():
                self.settled.set_exception(Failure(message.code, message.what, said=message.said, todo=message.todo))
                self.settled.exception()  # nobody may be waiting any more

    def lost(self, reason: str, retry_at: float | None) -> None:
        """The socket is gone; the forward is not."""
        self._stream = 0
        if self.over:
            return
        closed = retry_at is None and reason == "closed"
        self._see({**self.view, "state": "closed" if closed else "offline", "reason": reason})

    def close(self) -> None:
        """It is wanted no more."""
        self._see({**self.view, "state": "closed", "reason": "closed by close()", "connections": 0})
        if not self.settled.done():
            self.settled.set_exception(Failure("closed", "the forward was closed"))
            self.settled.exception()

    def _see(self, view: View) -> None:
        if view == self.view:
            return
        self.view = view
        for wake in list(self.watchers.values()):
            wake()


class Forwards:
    """All of one endpoint. On the loop's thread, unless it says otherwise.

    Args:
        line: The connection.
        current: Gives the ref that stands for a cluster's now.
        named: Whether this kernel has a name, by which a later one of that name finds its forwards again.
    """

    def __init__(self, line: Line, current: Callable[[str], str], *, named: bool) -> None:
        self._line = line
        self._current = current
        self.leaving = False
        """Whether the kernel ends: its forwards are left for the next one of its name."""
        self._named = named
        self._own = "" if named else f"{secrets.token_hex(16)} "
        self._forwards: dict[str, Forward] = {}

    async def open(self, key: str, aim: Aim, again: Callable[[], None]) -> None:
        """Find a forward or make it, have it go where `aim` says, and wait until it listens.

        Raises:
            Failure: It was refused, or there is no connection.
        """
        await self._line.open(OPEN_SECONDS)
        found = self._forwards.get(key)
        if found is None or found.over:
            found = self._forwards[key] = Forward(self._line, self._own + key, aim, again, self._current)
            self._line.attach(found)
        else:
            found.again = again
            found.point(aim)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await asyncio.shield(found.settled)
        except TimeoutError:
            raise Failure("timeout", f"the gateway forwards no port within {OPEN_SECONDS:g} s") from None
        finally:
            if not found.settled.done() or found.over:
                self.end(key, found)

    def point(self, key: str, path: str, port: int) -> None:
        """Have it go to another pod."""
        found = self._forwards.get(key)
        if found is not None:
            aim = found.aim
            found.point(Aim(aim.ref, path, port, aim.scope, aim.moves))

    def view(self, key: str) -> View:
        """What is known of it; any thread may call."""
        found = self._forwards.get(key)
        return found.view if found is not None else {"state": "closed", "port": 0, "reason": "closed by close()"}

    def watch(self, key: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called on the loop's thread when it has changed; returns the undo. Any thread may call."""
        found, own = self._forwards.get(key), object()
        if found is None:
            return lambda: None
        watchers = found.watchers
        watchers[own] = wake

        def undo() -> None:
            watchers.pop(own, None)

        return undo

    def key_at_gateway(self, key: str) -> str:
        """What the gateway knows it by."""
        return self._own + key

    def end(self, key: str, only: Forward | None = None) -> None:
        """End it; harmless where it has gone."""
        found = self._forwards.get(key)
        if found is None or only not in (None, found):
            return
        del self._forwards[key]
        self._line.detach(found)
        found.close()

    def close(self) -> None:
        """The connection is about to end, and all with it, but for what a restarted kernel should find again."""
        if not (self.leaving and self._named):
            for key in list(self._forwards):
                self.end(key)
