"""All terminals of a gateway: whose each is, how long it is kept, and what is deleted with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from notebook_mux.errors import Closed, InvalidArgument, MuxError, NotFound
from notebook_mux.remote.dialer import Place
from notebook_mux.remote.run import Order
from notebook_mux.remote.terminal import Terminal
from notebook_mux.wire.terminals import TerminalFound

LEASE_SECONDS = 600.0
"""How long a terminal is kept when nobody looks and no client of its kernel is there: a kernel's restart, a lost
network, a closed laptop between two meetings."""

MAX_TERMINALS = 128
"""At once; each may hold the bytes of a ring and has a WebSocket of its own to an API server."""

MAX_SHELLS = 8
"""Commands that are tried in turn."""

MAX_TEXT = 1000
"""Characters of a key, a title, a notebook's path."""

DELETE_SECONDS = 10.0
"""For one attempt to delete a pod."""

END_SECONDS = 5.0
"""For the last attempts when the gateway ends; who ends it waits."""

DELETE_WAITS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Seconds between attempts; an API server that restarts is back by then. Afterwards the pod's own deadline ends it."""

GRACE_SECONDS = 1
"""What a pod that is deleted is given to end: nobody looks at its shell any more."""

GONE = 404
FAILED = 400

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Kept:
    """A terminal and whose it is.

    Attributes:
        kernel: The name of the kernel that it belongs to.
        key: What that calls it.
        ref: The cluster's.
        until: When it is dropped, in Unix seconds; None while somebody is there.
    """

    kernel: str
    key: str
    ref: str
    terminal: Terminal
    title: str = ""
    notebook: str = ""
    delete: str = ""
    until: float | None = None
    lease: asyncio.TimerHandle | None = field(default=None, repr=False)


class Terminals:
    """See the module. On the loop.

    Args:
        lease_seconds: See `LEASE_SECONDS`.
        delete_waits: See `DELETE_WAITS`.
        touched: Called when one has gone.
        most: See `MAX_TERMINALS`, which it is if nothing is said.
    """

    def __init__(
        self,
        lease_seconds: float = LEASE_SECONDS,
        delete_waits: tuple[float, ...] = DELETE_WAITS,
        touched: Callable[[], None] = lambda: None,
        most: int | None = None,
    ) -> None:
        self.touched = touched
        self.most = most
        self.lease_seconds = lease_seconds
        self._delete_waits = delete_waits
        self._kept: dict[str, Kept] = {}
        self._kernels: Counter[str] = Counter()
        self._ending: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Kept]:
        return iter(list(self._kept.values()))

    # --- who is there -------------------------------------------------------------------------------------------------

    def arrive(self, kernel: str) -> None:
        """A client of this kernel is there."""
        self._kernels[kernel] += 1
        self.look_round()

    def leave(self, kernel: str) -> None:
        """It has gone."""
        self._kernels[kernel] -= 1
        if self._kernels[kernel] <= 0:
            del self._kernels[kernel]
        self.look_round()

    def look_round(self) -> None:
        """Somebody has come or gone: begin leases, or end them."""
        for kept in self._kept.values():
            wanted = bool(kept.terminal.viewers) or kept.kernel in self._kernels
            if wanted and kept.lease is not None:
                kept.lease.cancel()
                kept.lease = kept.until = None
            elif not wanted and kept.lease is None:
                kept.until = time.time() + self.lease_seconds
                kept.lease = asyncio.get_running_loop().call_later(self.lease_seconds, self._drop, kept)

    # --- finding and starting -----------------------------------------------------------------------------------------

    def get(self, id_: str) -> Kept:
        """The terminal of this id.

        Raises:
            NotFound: There is none.
        """
        found = self._kept.get(id_)
        if found is None:
            raise NotFound("the terminal is not there any more", todo="start another one")
        return found

    def find(self, kernel: str, key: str, ref: str) -> Kept | None:
        """The one of a kernel that goes by this key on this cluster."""
        for kept in self._kept.values():
            if (kept.kernel, kept.key, kept.ref) == (kernel, key, ref):
                return kept
        return None

    def others(self, kernel: str, key: str, ref: str, notebook: str) -> list[Kept]:
        """Those with this key that earlier kernels of a notebook have left, which have no client any more."""
        return [
            kept
            for kept in self._kept.values()
            if notebook
            and (kept.notebook, kept.key, kept.ref) == (notebook, key, ref)
            and kept.kernel != kernel
            and kept.kernel not in self._kernels
        ]

    def create(self, kept: Callable[[Terminal], Kept], cluster: Place, order: Order) -> Kept:
        """Start one.

        Args:
            kept: Makes the entry of the terminal.
            cluster: Where.
            order: What.

        Raises:
            InvalidArgument: There are too many, or it tries too much.
        """
        if not 1 <= len(order.queries) <= MAX_SHELLS:
            raise InvalidArgument(f"a terminal tries 1 to {MAX_SHELLS} commands")
        most = MAX_TERMINALS if self.most is None else self.most
        if len(self._kept) >= most:
            idle = [one for one in self._kept.values() if one.terminal.over and not one.terminal.viewers]
            if not idle:
                raise InvalidArgument(f"{most} terminals are kept already", todo="close some of them")
            self._drop(min(idle, key=lambda one: one.terminal.since))
        made = kept(Terminal(cluster, order))
        self._kept[made.terminal.id] = made
        return made

    def take(self, kept: Kept, kernel: str) -> None:
        """Make a terminal this kernel's. Those who look at it lose their streams: they are the earlier kernel's.

        Raises:
            InvalidArgument: Its own kernel is there.
        """
        if kept.kernel == kernel:
            return
        if kept.kernel in self._kernels:
            raise InvalidArgument(
                "the terminal is in use by another kernel", todo="close it there, or start another one"
            )
        kept.terminal.dismiss(Closed("another kernel has taken the terminal over"))
        kept.kernel = kernel
        self.look_round()

    # --- their end ----------------------------------------------------------------------------------------------------

    async def hang_up(self, kept: Kept) -> None:
        """End one for good; returns when its connection is cut and its pod's deletion was tried once."""
        await self._drop(kept).wait()

    async def aclose(self) -> None:
        """End all; a pod that cannot be deleted at once is left to its own deadline."""
        self._hurry.set()
        for kept in self:
            self._drop(kept)
        if self._ending:
            _, late = await asyncio.wait(self._ending, timeout=END_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _drop(self, kept: Kept) -> asyncio.Event:
        """End one; the event is set when its connection is cut and its pod's deletion was tried once."""
        tried = asyncio.Event()
        if self._kept.pop(kept.terminal.id, None) is None:
            tried.set()
            return tried
        if kept.lease is not None:
            kept.lease.cancel()
        task = asyncio.create_task(self._end(kept, tried), name="end of a terminal")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        self.touched()
        return tried

    async def _end(self, kept: Kept, tried: asyncio.Event) -> None:
        try:
            await kept.terminal.close(Closed("the terminal was closed"))
            if not kept.delete or await self._delete(kept):
                return
            tried.set()
            for seconds in self._delete_waits:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), seconds)
                if await self._delete(kept) or self._hurry.is_set():
                    return
            log.warning("a pod on %s was not deleted: it ends by its own deadline", kept.terminal.cluster.name)
        finally:
            tried.set()

    async def _delete(self, kept: Kept) -> bool:
        """Try once; whether it is gone."""
        body = msgspec.json.encode({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": GRACE_SECONDS})
        try:
            answer = await kept.terminal.cluster.request(
                "DELETE", kept.delete, headers={"content-type": "application/json"}, body=body, timeout=DELETE_SECONDS
            )
        except MuxError as error:
            log.info("a pod on %s was not deleted: %s", kept.terminal.cluster.name, error.what)
            return False
        return answer.status < FAILED or answer.status == GONE


def found(kept: Kept | None, *, created: bool = False, others: Iterable[Kept] = ()) -> TerminalFound:
    """The answer to a request for a terminal."""
    return TerminalFound(
        terminal=kept.terminal.id if kept is not None else "",
        created=created,
        path=kept.terminal.order.path if kept is not None else "",
        queries=list(kept.terminal.order.queries) if kept is not None else [],
        others=[
            {"terminal": one.terminal.id, "title": one.title, "since": one.terminal.since, "kernel": one.kernel}
            for one in others
        ],
    )
