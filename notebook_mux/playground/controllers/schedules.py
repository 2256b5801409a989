"""Times by which cron jobs run, as github.com/robfig/cron/v3's standard parser reads them.

Five fields with lists, ranges, steps and names; ``@hourly`` and its like; ``@every 90m``. A day counts if either its
day of the month or its day of the week is named, where both are limited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(MONTH_NAMES, 1)}
DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
MACROS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
          "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}  # fmt: skip
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
FARTHEST = timedelta(days=5 * 366)
"""A time that does not come in five years never does (spec.go: Next)."""


class BadSchedule(ValueError):
    """A schedule that cannot be read, in the parser's words."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which times a schedule names.

    Args:
        fields: The numbers of each field, of `FIELDS`.
        stars: Which fields name all.
        every: Seconds, for ``@every``; 0 is by the fields.
    """

    fields: tuple[frozenset[int], ...] = ()
    stars: tuple[bool, ...] = ()
    every: float = 0.0

    def names(self, moment: datetime) -> bool:
        """Whether a minute is one of them."""
        minutes, hours, days, months, weekdays = self.fields
        if moment.minute not in minutes or moment.hour not in hours:
            return False
        return moment.month in months and self._day(moment, days, weekdays)

    def _day(self, moment: datetime, days: frozenset[int], weekdays: frozenset[int]) -> bool:
        by_month, by_week = moment.day in days, moment.isoweekday() % 7 in weekdays
        if self.stars[2] or self.stars[4]:
            return by_month and by_week
        return by_month or by_week

    def after(self, at: float, zone: tzinfo) -> float | None:
        """The first time after another, both Unix seconds; None if it never comes."""
        if self.every:
            return float(int(at + self.every))
        minutes, hours, days, months, weekdays = self.fields
        moment = datetime.fromtimestamp(at // 60 * 60 + 60, zone)
        end = moment + FARTHEST
        while moment < end:
            if moment.month not in months:
                moment = _midnight((moment.replace(day=1) + timedelta(days=32)).replace(day=1))
            elif not self._day(moment, days, weekdays):
                moment = _midnight(moment + timedelta(days=1))
            elif moment.hour not in hours:
                # By the clock of the universe: an hour that a zone leaves out or has twice is stepped over rightly.
                moment = datetime.fromtimestamp(moment.timestamp() // 3600 * 3600 + 3600, zone)
            elif moment.minute not in minutes:
                moment = datetime.fromtimestamp(moment.timestamp() + 60, zone)
            else:
                return moment.timestamp()
        return None


def _midnight(moment: datetime) -> datetime:
    return datetime.fromtimestamp(moment.replace(hour=0, minute=0).timestamp(), moment.tzinfo)


@lru_cache(maxsize=256)
def parse(text: str) -> Schedule:
    """Read a schedule.

    Raises:
        BadSchedule: It cannot be read.
    """
    if text.startswith("@every "):
        found = re.findall(r"(\d+(?:\.\d+)?)([hms])", text[7:])
        if not found or "".join(a + b for a, b in found) != text[7:]:
            raise BadSchedule(f'failed to parse duration {text}: time: invalid duration "{text[7:]}"')
        return Schedule(every=max(1.0, sum(float(number) * UNITS[unit] for number, unit in found)))
    if text.startswith("@") and text not in MACROS:
        raise BadSchedule(f"unrecognized descriptor: {text}")
    parts = MACROS.get(text, text).split()
    if len(parts) != len(FIELDS):
        raise BadSchedule(f"expected exactly 5 fields, found {len(parts)}: {_go_list(parts)}")
    numbers = tuple(
        frozenset(_field(part, low, high, {3: MONTHS, 4: DAYS}.get(at, {})))
        for at, (part, (_, low, high)) in enumerate(zip(parts, FIELDS, strict=True))
    )
    stars = tuple(any(one.partition("/")[0] in ("*", "?") for one in part.split(",")) for part in parts)
    return Schedule(numbers, stars)


def _go_list(parts: list[str]) -> str:
    return f"[{' '.join(parts)}]"


def _field(text: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if first in ("*", "?"):
            begin, end = low, high
        else:
            begin = _number(first, names)
            end = _number(last, names) if dash else high if slash else begin
        every = _number(step, {}) if slash else 1
        if begin < low:
            raise BadSchedule(f"beginning of range ({begin}) below minimum ({low}): {part}")
        if end > high:
            raise BadSchedule(f"end of range ({end}) above maximum ({high}): {part}")
        if begin > end:
            raise BadSchedule(f"beginning of range ({begin}) beyond end of range ({end}): {part}")
        if every == 0:
            raise BadSchedule(f"step of range should be a positive number: {part}")
        found.update(range(begin, end + 1, every))
    return found


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdigit():
        raise BadSchedule(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
