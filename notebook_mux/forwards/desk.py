"""The forwards of one client: which of its streams has which, and what it is told of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Protocol

import msgspec

from notebook_mux.errors import InvalidArgument, MuxError, NotFound
from notebook_mux.forwards.forward import Aim
from notebook_mux.forwards.forwards import Forwards, Held, Owner
from notebook_mux.kube.scope import pod_of
from notebook_mux.remote import desk
from notebook_mux.remote.programs import told
from notebook_mux.wire import messages
from notebook_mux.wire.forwards import PageGiven
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.portforward import PORTS

TELL_SECONDS = 0.2
"""Between two words about one forward: its counts change with each piece."""

FORWARDING = frozenset({"portforward"})

SECRET_BYTES = 32
"""Of the word that opens a forward's pages: nobody guesses 256 bits."""

PAGES = "/notebook-mux/forward/"
"""The path of a forward's pages, before its secret."""


class Client(desk.Client, Protocol):
    """What a desk needs of the session whose it is, and whose that session is."""

    hello: messages.Hello | None


class House(Protocol):
    """What all desks share."""

    forwards: Forwards


class Teller:
    """Tells a forward's state on one stream, the latest one only; a sender's `Source`.

    Args:
        held: The forward.
        wake: Called when there is something to tell.
    """

    def __init__(self, held: Held, wake: Callable[[], None]) -> None:
        self.held = held
        self._wake = wake
        self._due = True
        self._timer: asyncio.TimerHandle | None = None

    def changed(self) -> None:
        """The state is another one; it is told in a moment, with what happens until then."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_SECONDS, self._ripe)

    def _ripe(self) -> None:
        self._timer = None
        self._due = True
        self._wake()

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next frame; see `notebook_mux.wire.sending.Source`."""
        if not self._due:
            return None
        self._due = False
        state = self.held.forward.state
        if state.connections:
            self.changed()  # bytes move without a word
        return Channel.FORWARD, msgspec.json.encode(state)

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()


class Desk:
    """See the module. On the gateway's loop.

    Args:
        session: Whose.
        shared: What it shares with others.
    """

    def __init__(self, session: Client, shared: House) -> None:
        self.streams: dict[int, Teller] = {}
        self._session = session
        self._shared = shared

    def open(self, message: messages.Forward) -> None:
        """Make a forward, find it, or have it go elsewhere; refused with `messages.Ended`."""
        number = message.stream
        known = self.streams.get(number)
        try:
            aim, allowed = self._aim(message)
            if known is not None:
                if known.held.owner != self._owner(message.key):
                    raise InvalidArgument("another forward on a stream that has one")
                known.held.forward.allowed = allowed
                known.held.forward.point(aim)
                return
            held = self._shared.forwards.take(self._owner(message.key), aim, message.local, allowed)
        except MuxError as error:
            self.end(number)
            self._session.send(messages.Ended(stream=number, **told(error)))  # type: ignore[arg-type]  # code and what are texts
            return
        teller = self.streams[number] = Teller(held, lambda: self._session.wake(number))
        held.leave = lambda: self._left(number)
        held.forward.changed = teller.changed
        self._session.open_lane(number, teller, message.credit)

    def _owner(self, key: str) -> Owner:
        return (self._session.hello.kernel if self._session.hello is not None else "", key)

    def _aim(self, message: messages.Forward) -> tuple[Aim, Callable[[], None]]:
        cluster = self._session.cluster(message.cluster)
        name = pod_of(message.path, FORWARDING)
        if name is None:
            raise InvalidArgument("a path that forwards no port of a pod")
        if message.port not in PORTS or not 0 <= message.local < PORTS.stop:
            raise InvalidArgument(f"the port {message.port} or {message.local}")
        what, scopes = f"forwarding a port of {name}", self._session.scopes

        def allowed() -> None:
            scopes.check(message.scope, message.cluster, cluster.name, what)

        allowed()
        return Aim(cluster, message.path, message.port, message.moves), allowed

    def page(self, key: str) -> PageGiven:
        """Open the pages of a forward to who knows their path.

        Raises:
            NotFound: This client has no such forward.
        """
        for teller in self.streams.values():
            held = teller.held
            if held.owner == self._owner(key):
                held.secret = held.secret or secrets.token_urlsafe(SECRET_BYTES)
                return PageGiven(path=f"{PAGES}{held.secret}/")
        raise NotFound("no such forward", todo="run the cell that made it again")

    def end(self, number: int) -> bool:
        """The client wants a forward no more; whether it was one."""
        teller = self.streams.get(number)
        if teller is None:
            return False
        self._left(number)
        self._shared.forwards.drop(teller.held)
        return True

    def release(self) -> None:
        """The client has gone; its forwards wait for it."""
        for number, teller in list(self.streams.items()):
            self._left(number)
            self._shared.forwards.left(teller.held)

    def _left(self, number: int) -> None:
        teller = self.streams.pop(number, None)
        if teller is not None:
            teller.close()
            self._session.close_lane(number)
