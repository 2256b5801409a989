"""All forwards of a gateway, by the keys that their clients chose: found again, and ended when nobody comes back."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from notebook_mux.errors import InvalidArgument
from notebook_mux.forwards.forward import Aim, Forward

LEASE_SECONDS = 600.0
"""How long a forward stays without a client: a kernel that restarts, or comes back after a lost network, finds it on
the port that it had."""

MAX_FORWARDS = 64
"""Of one kernel at once; each listens on a port of this machine."""

MAX_KEY = 1024
"""Characters of a key: a target's name, its port, and where it is."""

Owner = tuple[str, str]
"""A kernel, and its key for the forward."""


@dataclass(eq=False)
class Held:
    """A forward and who has it.

    Attributes:
        leave: Takes the forward away from the stream that has it; None while there is no stream.
        secret: What opens its pages to those who know it; "" while they are closed.
    """

    owner: Owner
    forward: Forward
    leave: Callable[[], None] | None = None
    lease: asyncio.TimerHandle | None = None
    secret: str = field(default="", repr=False)
    since: float = field(default_factory=time.time)


class Forwards:
    """See the module. On the gateway's loop.

    Args:
        lease_seconds: See `LEASE_SECONDS`.
        touched: Called when one has gone.
        most: Of all kernels together; see `MAX_FORWARDS` for one of them.
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
        self._held: dict[Owner, Held] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._held.values()))

    def take(self, owner: Owner, aim: Aim, port: int, allowed: Callable[[], None]) -> Held:
        """Make the forward of this key, or take over the one that is there and have it go where `aim` says.

        Raises:
            InvalidArgument: There are too many, the key is none, or there is no free port.
        """
        held = self._held.get(owner)
        if held is None:
            held = self._make(owner, aim, port, allowed)
        if held.leave is not None:
            held.leave()
        if held.lease is not None:
            held.lease.cancel()
        held.lease = held.leave = None
        held.forward.allowed = allowed
        held.forward.has_client = True
        held.forward.point(aim)
        return held

    def _make(self, owner: Owner, aim: Aim, port: int, allowed: Callable[[], None]) -> Held:
        kernel, key = owner
        if not 0 < len(key) <= MAX_KEY:
            raise InvalidArgument(f"a forward's key has 1 to {MAX_KEY} characters")
        own = sum(other == kernel for other, _ in self._held)
        if own >= MAX_FORWARDS or (self.most is not None and len(self._held) >= self.most):
            raise InvalidArgument(f"{len(self._held)} ports are forwarded already", todo="close() some of them")
        try:
            forward = Forward(aim, port, allowed)
        except OSError as error:
            raise InvalidArgument("no port of this machine is free", said=error.strerror) from None
        held = self._held[owner] = Held(owner, forward)
        return held

    def by_secret(self, secret: str) -> Held | None:
        """The forward whose pages `secret` opens."""
        given = secret.encode(errors="replace")
        # Each is compared, and all of it, so that the time tells nothing.
        right = [held for held in self if hmac.compare_digest(held.secret.encode(), given) and held.secret]
        return right[0] if right else None

    def left(self, held: Held) -> None:
        """Its client has gone without a word; it may come back."""
        held.leave = None
        held.forward.changed = lambda: None
        held.forward.has_client = False
        if self._held.get(held.owner) is held:
            held.lease = asyncio.get_running_loop().call_later(self._lease_seconds, self.drop, held)

    def drop(self, held: Held) -> None:
        """Nobody wants it any more."""
        if self._held.get(held.owner) is not held:
            return
        del self._held[held.owner]
        held.forward.changed = lambda: None
        if held.lease is not None:
            held.lease.cancel()
        task = asyncio.create_task(held.forward.aclose())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        self.touched()

    def forget(self) -> None:
        """In a forked child: close the copies of the file descriptors without a word."""
        for held in self:
            held.forward.forget()

    async def aclose(self) -> None:
        """End all."""
        for held in self:
            self.drop(held)
        await asyncio.gather(*self._ending, return_exceptions=True)
