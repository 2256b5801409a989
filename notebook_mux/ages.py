"""Ages as kubectl prints them, and back again.

`human_duration` is ``HumanDuration`` of k8s.io/apimachinery/pkg/util/duration/duration.go, letter for letter; the
browser's copy follows the same table.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY

INVALID = "<invalid>"
UNKNOWN = "<unknown>"

DURATIONS, TIMES = 4096, 16384
"""Kept results of parsing: a table's rows are printed again and again, and most of their times stay as they are."""

_PRINTED = re.compile("".join(rf"(?:(\d{{1,15}}){unit})?" for unit in "ydhms"))  # no more digits than a number has
_UNITS = (YEAR, DAY, HOUR, MINUTE, 1)


def human_duration(seconds: float) -> str:
    """A duration as kubectl prints it: ``45s``, ``5m30s``, ``7h5m``, ``2y10d``.

    Args:
        seconds: Down to -1 counts as now (clocks differ a little); what lies further ahead is ``<invalid>``.
    """
    whole = int(seconds)  # towards zero, as Go does
    if whole < -1:
        return INVALID
    if whole < 0:
        return "0s"
    if whole < 2 * MINUTE:
        return f"{whole}s"
    if whole < 10 * MINUTE:
        return _two(whole, MINUTE, "m", 1, "s")
    if whole < 3 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 8 * HOUR:
        return _two(whole, HOUR, "h", MINUTE, "m")
    if whole < 48 * HOUR:
        return f"{whole // HOUR}h"
    if whole < 8 * DAY:
        return _two(whole, DAY, "d", HOUR, "h")
    if whole < 2 * YEAR:
        return f"{whole // DAY}d"
    if whole < 8 * YEAR:
        return _two(whole, YEAR, "y", DAY, "d")
    return f"{whole // YEAR}y"


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_name}" + (f"{rest}{small_name}" if rest else "")


@lru_cache(maxsize=DURATIONS)
def parse_duration(text: str) -> tuple[float, float] | None:
    """The durations that print as `text`: from (included) to (excluded), in seconds; None if it is none."""
    match = _PRINTED.fullmatch(text)
    if not text or match is None:
        return None
    low = sum(int(number) * unit for number, unit in zip(match.groups(), _UNITS, strict=True) if number)
    if human_duration(low) != text:
        return None  # such as 90m30s, which nothing prints
    return float(low), float(low + _precision(low))


def _precision(seconds: int) -> int:
    """How many seconds one printed text covers."""
    for limit, covered in ((10 * MINUTE, 1), (8 * HOUR, MINUTE), (8 * DAY, HOUR), (8 * YEAR, DAY)):
        if seconds < limit:
            return covered
    return YEAR


@lru_cache(maxsize=TIMES)
def parse_time(text: str | None) -> float | None:
    """An RFC 3339 time as Unix seconds; None for none, for the zero time, and for what is no time."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        return None
    if moment.year == 1:  # Go's zero time
        return None
    return moment.astimezone(UTC).timestamp()


def utc(seconds: float) -> datetime:
    """Unix seconds as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
