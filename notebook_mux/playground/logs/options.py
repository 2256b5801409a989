"""The query of a log, checked as the real server checks it.

Rules: kubernetes/pkg/apis/core/validation/validation.go:9044 (gate PodLogsQuerySplitStreams is off in 1.37);
numbers and times as strconv.ParseInt and time.Parse read them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from notebook_mux.playground.options import boolean
from notebook_mux.playground.status import bad_request, cause, invalid

INT64 = 2**63
LAYOUT = "2006-01-02T15:04:05Z07:00"
"""time.RFC3339, as it stands in Go's errors."""

ELEMENTS: tuple[tuple[str, str, str, int, int], ...] = (
    ("2006", r"\d{4}", "", 0, 0),
    ("-", "-", "", 0, 0),
    ("01", r"\d\d", "month", 1, 12),
    ("-", "-", "", 0, 0),
    ("02", r"\d\d", "", 0, 0),
    ("T", "T", "", 0, 0),
    ("15", r"\d\d?", "hour", 0, 23),
    (":", ":", "", 0, 0),
    ("04", r"\d\d", "minute", 0, 59),
    (":", ":", "", 0, 0),
    ("05", r"\d\d", "second", 0, 59),
    ("", r"([.,]\d+)?", "", 0, 0),
    ("Z07:00", r"Z|[+-]\d\d:\d\d", "", 0, 0),
)
"""The layout's elements in order: their names in errors, what fits, and what is out of range. A fraction of a second
may stand where the layout has none."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The query of a log.

    Args:
        container: Empty for the only one.
        since: Unix seconds of the oldest line, whole ones: the real server drops a fraction. None is all.
        since_seconds: The same, counted from now.
        tail: How many stored lines from the end; None is all.
        limit: Bytes, timestamps included; None is all.
    """

    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: int | None = None
    since_seconds: int | None = None
    tail: int | None = None
    limit: int | None = None

    def oldest(self, now: float) -> float:
        """The time before which no line is wanted, Unix seconds."""
        if self.since_seconds is not None:
            return now - self.since_seconds
        return self.since or 0.0


def parse(query: Mapping[str, str], pod: str) -> LogOptions:
    """Read the query of a log of a pod.

    Raises:
        ApiError: 400 for what is no number or time, 422 for what cannot be.
    """
    seconds = _read(query, "sinceSeconds", whole)
    since = _read(query, "sinceTime", instant)
    tail = _read(query, "tailLines", whole)
    limit = _read(query, "limitBytes", whole)
    causes = list[Any]()
    if tail is not None and tail < 0:
        causes.append(_wrong("tailLines", tail, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        causes.append(_wrong("limitBytes", limit, "must be greater than 0"))
    if seconds is not None and since is not None:
        # The path without a name is printed so.
        said = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(cause("FieldValueForbidden", "[]", said))
    elif seconds is not None and seconds < 1:
        causes.append(_wrong("sinceSeconds", seconds, "must be greater than 0"))
    if "stream" in query:
        causes.append(cause("FieldValueForbidden", "stream", "Forbidden: may not be specified"))
    if causes:
        raise invalid("", "PodLogOptions", pod, *causes)
    flags = {name: boolean(query.get(name)) for name in ("follow", "previous", "timestamps")}
    return LogOptions(query.get("container", ""), **flags, since=since, since_seconds=seconds, tail=tail, limit=limit)


def _read(query: Mapping[str, str], name: str, read: Callable[[str], int]) -> int | None:
    return read(query[name]) if name in query else None


def _wrong(field: str, value: int, why: str) -> dict[str, Any]:
    return cause("FieldValueInvalid", field, f"Invalid value: {value}: {why}")


def whole(text: str) -> int:
    """A number as strconv.ParseInt reads it.

    Raises:
        ApiError: 400.
    """
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if not -INT64 <= int(text) < INT64:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)


def instant(text: str) -> int:
    """A time as time.Parse reads RFC 3339, cut to Unix seconds.

    Raises:
        ApiError: 400.
    """
    if text in ("", "null"):
        return 0  # no time; older than any line
    rest, found = text, list[str]()
    for name, pattern, what, low, high in ELEMENTS:
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            raise bad_request(f'parsing time "{text}" as "{LAYOUT}": cannot parse "{rest}" as "{name}"')
        if what and not low <= int(match[0]) <= high:
            raise bad_request(f'parsing time "{text}": {what} out of range')
        found.append(match[0])
        rest = rest[match.end() :]
    if rest:
        raise bad_request(f'parsing time "{text}": extra text: "{rest}"')
    year, month, day, hour, minute, second = (int(one) for one in found[0:11:2])
    zone = timedelta()
    if found[-1] != "Z":
        zone = timedelta(hours=int(found[-1][1:3]), minutes=int(found[-1][4:6])) * (-1 if found[-1][0] == "-" else 1)
    if zone >= timedelta(hours=25) or zone <= -timedelta(hours=25):
        raise bad_request(f'parsing time "{text}": time zone offset hour out of range')
    try:
        moment = datetime(max(1, year), month, day, hour, minute, second, tzinfo=UTC) - zone
    except OverflowError:
        return 0  # the year 0, which no line is older than
    except ValueError:
        raise bad_request(f'parsing time "{text}": day out of range') from None
    return int(moment.timestamp())
