"""All programs of a gateway, by the ids that their clients chose: started once, joined again, dropped in the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from notebook_mux.errors import InvalidArgument, MuxError, OutcomeUnknown, ProtocolError
from notebook_mux.remote.dialer import Dialer
from notebook_mux.remote.program import UNKNOWN_TODO, Order, Program

LEASE_SECONDS = 600.0
"""How long a program goes on without a client: a kernel that comes back after a lost network joins it again."""

MEMORY_SECONDS = 3600.0
"""How long the id of one that was dropped is remembered, so that a late message starts none again; a client gives up
far sooner."""

MAX_PROGRAMS = 256
"""At once; each may hold the bytes of a ring and has a WebSocket of its own to an API server."""

ID_LENGTH = range(16, 65)
"""Characters of an id; whoever knows one may join its program."""


@dataclass(eq=False)
class Held:
    """A program and who has it.

    Attributes:
        attempt: The highest that has asked for it.
        leave: Takes the program away from the reader that has it; None while there is no reader.
    """

    id: str
    program: Program
    attempt: int = 0
    leave: Callable[[], None] | None = None
    lease: asyncio.TimerHandle | None = None
    since: float = field(default_factory=time.time)


class Programs:
    """See the module. On the gateway's loop.

    Args:
        lease_seconds: See `LEASE_SECONDS`.
        touched: Called when one has gone.
        most: See `MAX_PROGRAMS`, which it is if nothing is said.
    """

    def __init__(
        self,
        lease_seconds: float = LEASE_SECONDS,
        touched: Callable[[], None] = lambda: None,
        most: int | None = None,
    ) -> None:
        self.touched = touched
        self.most = most
        self._lease_seconds = lease_seconds
        self._held: dict[str, Held] = {}
        self._dropped: dict[str, float] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._held.values()))

    def take(self, id_: str, attempt: int, cluster: Dialer, order: Order) -> Held:
        """Start the program of this id, or take over the one that runs.

        Raises:
            ProtocolError: A later attempt has it already, or the same id stands for something else.
            OutcomeUnknown: It was there, and is not any more.
            InvalidArgument: There are too many, or the id is none.
        """
        if len(id_) not in ID_LENGTH:
            raise InvalidArgument(f"a program's id has {ID_LENGTH.start} to {ID_LENGTH.stop - 1} characters")
        held = self._held.get(id_)
        if held is None:
            held = self._start(id_, cluster, order)
        elif held.program.order != order:
            raise ProtocolError("the id of a program that is something else")
        elif attempt <= held.attempt:
            raise ProtocolError("the program was joined by a later attempt")
        held.attempt = attempt
        if held.leave is not None:
            held.leave()
        if held.lease is not None:
            held.lease.cancel()
        held.lease = held.leave = None
        return held

    def _start(self, id_: str, cluster: Dialer, order: Order) -> Held:
        if id_ in self._dropped:
            raise OutcomeUnknown("the program has ended, and nobody fetched its outcome", todo=UNKNOWN_TODO)
        most = MAX_PROGRAMS if self.most is None else self.most
        if len(self._held) >= most:
            raise InvalidArgument(f"{most} programs run already", todo="wait until some of them have ended")
        held = self._held[id_] = Held(id_, Program(cluster, order))
        return held

    def left(self, held: Held) -> None:
        """Its reader has gone without a word; it may come back."""
        held.leave = None
        held.program.moved = lambda: None
        held.program.granted = lambda size: None
        if self._held.get(held.id) is held:
            held.lease = asyncio.get_running_loop().call_later(self._lease_seconds, self.drop, held)

    def drop(self, held: Held) -> None:
        """Nobody wants it any more: end it if it runs."""
        if self._held.get(held.id) is not held:
            return
        del self._held[held.id]
        if held.lease is not None:
            held.lease.cancel()
        now = time.monotonic()
        for id_, at in list(self._dropped.items()):  # the oldest come first
            if now - at < MEMORY_SECONDS:
                break
            del self._dropped[id_]
        self._dropped[held.id] = now
        if not held.program.over:
            task = asyncio.create_task(held.program.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        self.touched()

    async def aclose(self) -> None:
        """End all."""
        for held in self:
            self.drop(held)
        await asyncio.gather(*self._ending, return_exceptions=True)


def told(error: MuxError) -> dict[str, str | None]:
    """An error's fields for a control message."""
    return {"code": error.code, "what": error.what, "said": error.said, "todo": error.todo}
