"""Who watches a widget, and when the next message may go to them. No threads and no clock of its own.

A comm message reaches every page that is connected to the kernel, so there is one numbered run of messages a widget,
and its pages differ in what they have, whether someone looks, and how far they have acknowledged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from notebook_mux.widgets.messages import Places

LEASE_SECONDS = 180.0
"""A page says each minute that it is there; browsers throttle a hidden tab's timers to one a minute, and one such
message may be late behind a long cell."""

MIN_INTERVAL = 0.05
"""Between two messages of one widget: 20 a second look continuous, and batching at that rate takes a quarter of the
page's time that single updates do."""

WINDOW = 4
"""Messages on their way without an acknowledgement: enough for 20 a second at 200 ms to and fro."""

FULL_WINDOW = 12
"""The same of what goes as fast as it is taken in, so that kernel, server and page work at once: some megabytes."""

AHEAD_SECONDS = 0.1
"""Nothing follows for so long what a page that came back has on its screen: it draws its first frame after a minute,
which the rest would keep from the processor (on two cores it was right after 208 ms at the median, and now 155)."""

STUCK_SECONDS = 1.0
"""Without an acknowledgement for so long they are taken to wait behind a running cell (ipykernel 6, VS Code)."""

STUCK_INTERVAL = 1.0
"""Between messages while acknowledgements are stuck."""

STUCK_LIMIT_SECONDS = 600.0
"""How long a page that says nothing is still sent to: a long cell, and no forgotten laptop."""

EXPECTED = "*"
"""The page that will come: a widget was shown, and its page's first word may wait behind the running cell."""


@dataclass(slots=True)
class Page:
    """One browser tab's copy of a widget."""

    id: str
    watching: bool
    lease: float
    heard: float
    acked: int
    pace: float = 0.0
    """Seconds it would like between two messages."""
    lost: bool = False
    """It lacks a message, or all: it needs the whole state."""


@dataclass(slots=True)
class Audience:
    """The pages of one widget and its run of messages.

    Args:
        interval: Seconds between two messages.
    """

    interval: float = MIN_INTERVAL
    epoch: str = ""
    number: int = 0
    whole: bool = False
    """Parts of a whole state are on their way."""
    behind: bool = False
    """A page that was hidden is seen again, and lacks more of what went on than one message takes."""
    returned: bool = False
    """The same, and nothing of it has been sent yet."""
    places: tuple[str, Places] | None = None
    """Such a page, and what one of its views shows: that is to be there first."""
    foremost: bool = False
    """What that view shows went with the last message, and the rest follows."""
    telling: list[str] = field(default_factory=list)
    """The pages that a whole state is, or was, on its way to."""
    pages: dict[str, Page] = field(default_factory=dict)
    _last: float = -math.inf

    def expect(self, now: float) -> None:
        """A widget was shown in a page that has not said a word yet."""
        if not self.receiving():
            self.pages[EXPECTED] = Page(EXPECTED, True, now + LEASE_SECONDS, now, self.number, lost=True)

    def here(
        self,
        id_: str,
        *,
        watching: bool,
        have: int,
        epoch: str,
        gap: bool,
        now: float,
        places: Places | None = None,
    ) -> None:
        """A page said what it has and whether it is looked at."""
        page = self.pages.get(id_)
        self.pages.pop(EXPECTED, None)
        knows = epoch == self.epoch and not gap and have >= 0
        if page is None:
            page = self.pages[id_] = Page(id_, watching, 0.0, now, have)
            page.lost = not knows
        elif not knows:
            page.lost = True
        if watching and not page.watching:
            self.behind, self.returned, page.pace = True, True, 0.0
            self.places = (id_, places) if places is not None else None
        page.watching = watching
        page.lease = now + LEASE_SECONDS
        page.heard = now
        if knows:
            page.acked = max(page.acked, min(have, self.number))

    def bye(self, id_: str) -> None:
        """A page has gone."""
        self.pages.pop(id_, None)

    def ack(self, id_: str, number: int, now: float, pace: float = 0.0) -> bool:
        """A page has taken in all up to `number`; False if this page is not known."""
        page = self.pages.get(id_)
        if page is None:
            return False
        page.acked = max(page.acked, min(number, self.number))
        page.heard, page.pace = now, pace
        page.lease = max(page.lease, now + LEASE_SECONDS)
        return True

    def expire(self, now: float) -> None:
        """Forget pages whose lease has run out."""
        for page in [page for page in self.pages.values() if page.lease <= now]:
            del self.pages[page.id]

    def receiving(self) -> list[Page]:
        """The pages that someone looks at."""
        return [page for page in self.pages.values() if page.watching]

    def lost(self) -> list[Page]:
        """The pages to whom the whole state must be sent; one that is being told it begins anew with another."""
        lost = [page for page in self.receiving() if page.lost]
        if lost and self.whole:
            lost += [page for page in self.pages.values() if page.id in self.telling and page not in lost]
        return lost

    def ready_at(self, now: float) -> float:
        """The earliest time for the next message; infinity if nobody should get one."""
        receiving = self.receiving()
        if not receiving:
            return math.inf
        return min(self._ready_for(page, now) for page in receiving)

    def _ready_for(self, page: Page, now: float) -> float:
        # a whole state goes as fast as it is taken in: nobody can do anything before it is there
        full = self.whole or self.behind
        pause = AHEAD_SECONDS if self.foremost else 0.0
        next_ = self._last + (pause if full else max(self.interval, page.pace))
        if self.number - page.acked < (FULL_WINDOW if full else WINDOW):
            return next_
        if now - page.heard > STUCK_LIMIT_SECONDS:
            return math.inf
        stuck = page.heard + STUCK_SECONDS
        return max(next_, stuck if now < stuck else self._last + max(self.interval, STUCK_INTERVAL))

    def sent(self, now: float) -> None:
        """The message `number` + 1 went out."""
        self.number += 1
        self._last = now

    def next_expiry(self) -> float:
        """When the next lease runs out."""
        return min((page.lease for page in self.pages.values()), default=math.inf)
