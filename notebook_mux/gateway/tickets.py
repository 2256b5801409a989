"""The right of a page to look at one terminal over a WebSocket of its own: a random word, good once, for a moment.

A page reaches the gateway through its own Jupyter server, which says the public Host and the page's Origin and knows
nothing of the gateway's token. So the token is not asked for there; the ticket is, which a kernel has asked for.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from notebook_mux.errors import Forbidden, InvalidArgument

TICKET_SECONDS = 30.0
"""From the kernel's asking to the page's first word: a slow Hub between them, and no more."""

TICKET_BYTES = 32
"""Of randomness: nobody guesses one, so it may be looked up as it is."""

MAX_TICKETS = 1000
"""Not used yet; pages ask for one at a time."""

MAX_ORIGIN = 300
"""Characters: the longest name that DNS allows, scheme and port."""

_ORIGIN = re.compile(r"https?://(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, repr=False)
class _Given:
    terminal: str
    origin: str
    until: float


class Tickets:
    """All that were given and not used. On the gateway's loop.

    Args:
        seconds: See `TICKET_SECONDS`.
        clock: Seconds, monotonic.
    """

    def __init__(self, seconds: float = TICKET_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._given: dict[str, _Given] = {}

    def give(self, terminal: str, origin: str) -> str:
        """A ticket for a terminal, for pages of an origin such as ``https://hub.example``.

        Raises:
            InvalidArgument: It is no origin of a page, or too many were asked for.
        """
        origin = origin.lower()
        if len(origin) > MAX_ORIGIN or not _ORIGIN.fullmatch(origin):
            raise InvalidArgument("a page's origin is its scheme, its host and its port, as http://127.0.0.1:8888")
        self._forget()
        if len(self._given) >= MAX_TICKETS:
            raise InvalidArgument(f"{MAX_TICKETS} tickets are not used yet", todo="wait half a minute")
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        self._given[ticket] = _Given(terminal, origin, self._clock() + self.seconds)
        return ticket

    def expects(self, origins: list[str]) -> bool:
        """Whether a page that says these origins may have a ticket: there is one, and one is given for it."""
        self._forget()
        return len(origins) == 1 and any(given.origin == origins[0].strip().lower() for given in self._given.values())

    def take(self, ticket: str, origin: str, terminal: str) -> None:
        """Use a ticket; whoever shows it, it is used.

        Raises:
            Forbidden: It is none, was used, is too old, or another page's or terminal's.
        """
        self._forget()
        given = self._given.pop(ticket, None)
        if given is None or (given.origin, given.terminal) != (origin.strip().lower(), terminal):
            raise Forbidden(
                "the ticket was used, is too old, or is for another page or terminal", todo="ask for another one"
            )

    def _forget(self) -> None:
        now = self._clock()
        for ticket, given in list(self._given.items()):  # the oldest come first
            if given.until > now:
                break
            del self._given[ticket]
