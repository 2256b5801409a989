"""How a cluster's clock goes beside ours, so that ages are right where it goes ahead, behind, faster or not at all.

Each answer of a server has its time: real ones say it in ``Date`` (RFC 9110, 6.6.1), to a second; the embedded
cluster's, which can be made to go faster or to stand still, in a header of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

HEADER = "Notebook-Mux-Clock"
"""``1760000000.250;10``: the cluster's time, Unix seconds, and how many of its seconds go by in one of ours."""

EXACT_S, DATE_S = 0.5, 3.0
"""A clock is taken for another one from such a difference on: of what our own header says, and of whole seconds that
have been on their way for a while."""

SLOW_S = 1.0
"""An answer that took longer says nothing by its Date: nobody knows when in that time it was written."""


LATEST = 250_000_000_000.0
"""In the year 9892: what no date can be made of is nobody's time."""

FASTEST = 1000.0
"""Ten times what the embedded cluster's clock can be made to go."""


class Clock(NamedTuple):
    """A cluster's clock.

    Attributes:
        at: What it showed, Unix seconds.
        since: When, by our clock.
        rate: How many of its seconds go by in one of ours.
    """

    at: float
    since: float
    rate: float = 1.0

    def now(self, ours: float) -> float:
        """What it shows at a moment of our clock."""
        return self.at + (ours - self.since) * self.rate


OURS = Clock(0.0, 0.0)
"""One that goes as ours."""


def heard(headers: Mapping[str, str], began: float, ended: float, before: Clock) -> Clock:
    """The clock by the headers of an answer.

    Args:
        headers: Of the answer, in lower case or of a mapping that does not mind.
        began: When it was asked for, by our clock.
        ended: When its headers had come.
        before: What was known of it: that stays where it still is right.
    """
    said = headers.get(HEADER) or headers.get(HEADER.lower())
    if said:
        at, _, rate = said.partition(";")
        try:
            found = Clock(float(at), ended, float(rate))
        except ValueError:
            return before
        if not (0 <= found.at < LATEST and 0 <= found.rate <= FASTEST):  # nor what is no number
            return before
        return _settled(found, ended, before, EXACT_S)
    date = headers.get("Date") or headers.get("date")
    if not date or ended - began > SLOW_S:
        return before
    try:
        written = parsedate_to_datetime(date).timestamp() + 0.5
    except (ValueError, TypeError, OverflowError):
        return before
    return _settled(Clock(written, (began + ended) / 2), ended, before, DATE_S)


def _settled(found: Clock, now: float, before: Clock, tolerance: float) -> Clock:
    for known in (before, OURS):
        if known.rate == found.rate and abs(known.now(now) - found.now(now)) <= tolerance:
            return known
    return found


def of(plain: Iterable[float] | None) -> Clock:
    """A clock that came as plain numbers; None is one that goes as ours."""
    return OURS if plain is None else Clock(*plain)


def plain(clock: Clock) -> tuple[float, float, float] | None:
    """A clock as plain numbers; None for one that goes as ours."""
    return None if clock == OURS else (clock.at, clock.since, clock.rate)


def skewed(states: Mapping[str, Any]) -> frozenset[str]:
    """The clusters of a view whose clocks do not go as ours."""
    return frozenset(name for name, state in states.items() if getattr(state, "clock", None) is not None)


def moments(states: Mapping[str, Any], ours: float) -> dict[str, float]:
    """What the clock of each cluster of a view shows at a moment of ours.

    Args:
        states: By cluster, the core's or a snapshot's; those of an older core have no clock.
        ours: The moment.
    """
    return {name: of(getattr(state, "clock", None)).now(ours) for name, state in states.items()}
