"""A log's bytes as an API server sends them, with time stamps, taken apart into lines, wherever the pieces end.

Each line is ``<RFC 3339 with nine digits> <text>`` (k8s.io/cri-client, pkg/logs/logs.go); one that a runtime stored in
parts comes joined. Pure: no clock, no input.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import NamedTuple

MAX_LINE = 256 * 1024
"""Bytes of one line's text that are kept: sixteen of a runtime's parts of 16 KiB. The rest is left out, and said."""

_STAMP_ROOM = 64
"""Bytes that a time stamp takes at most, with the longest offset and the blank."""

_SECONDS_KEPT = 64
"""Seconds whose beginnings are remembered: lines come in order, more or less."""

NS = 1_000_000_000

_FARTHEST = 2**63 - NS
"""Nanoseconds from the epoch, of a time that all columns of times can hold: the year 2262, and 1677."""

_EPOCH = dt.datetime(1970, 1, 1)
_LEAST = int((dt.datetime.min - _EPOCH).total_seconds())

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")


class Batch(NamedTuple):
    """Lines in the order they came.

    Attributes:
        stamps: Nanoseconds since the epoch.
        texts: What stands behind the time stamps, without the line's end.
        cut: Indices of lines that were longer than `MAX_LINE`.
        remarks: Lines without a time stamp, which are not the container's but a server's own words.
    """

    stamps: list[int]
    texts: list[bytes]
    cut: list[int]
    remarks: list[bytes]

    def behind(self, number: int) -> Batch:
        """All but the first `number` lines."""
        if not number:
            return self
        cut = [at - number for at in self.cut if at >= number]
        return Batch(self.stamps[number:], self.texts[number:], cut, self.remarks)

    def begins_as(self, other: Batch) -> bool:
        """Whether both begin with the same line."""
        return (self.stamps[:1], self.texts[:1]) == (other.stamps[:1], other.texts[:1])


NOTHING = Batch([], [], [], [])


def parse_stamp(text: bytes | str) -> int | None:
    """Nanoseconds since the epoch of an RFC 3339 time; None where it is none, or one that 64 bits cannot hold."""
    raw = text.encode() if isinstance(text, str) else text
    found = _STAMP.match(raw + b" ")
    return _moment(found) if found is not None else None


def say_stamp(moment: int) -> str:
    """RFC 3339 with nine digits of nanoseconds since the epoch."""
    return f"{say_second(moment)[:-1]}.{moment % NS:09d}Z"


def say_second(moment: int) -> str:
    """RFC 3339, cut to the whole second: an API server takes no more of a time."""
    return (_EPOCH + dt.timedelta(seconds=max(_LEAST, moment // NS))).isoformat() + "Z"


def _moment(found: re.Match[bytes]) -> int | None:
    second = _second(found[1])
    if second is None:
        return None
    fraction, zone = found[2], found[3]
    if fraction:
        second += int(fraction.ljust(9, b"0"))
    if zone != b"Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * 60 * NS
        second += -offset if zone[:1] == b"+" else offset
    return second if -_FARTHEST <= second < _FARTHEST else None


def _second(text: bytes) -> int | None:
    """Of ``2026-11-29T19:30:05``, in nanoseconds."""
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60 and year):
        return None
    return calendar.timegm((year, month, day, hour, minute, second)) * NS


class Lines:
    """What has come of one answer. A new answer begins with a new one.

    Args:
        max_line: Bytes of a line's text that are kept.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max = max_line
        self._room = max_line + _STAMP_ROOM
        self._rest = b""
        self._seconds: dict[bytes, int] = {}

    def feed(self, data: bytes) -> Batch:
        """The lines that are complete with these bytes."""
        at = data.find(b"\n")
        if at < 0:
            self._rest = (self._rest + data)[: self._room + 1]
            return NOTHING
        if self._rest:
            data = self._rest[: self._room + 1] + data
        rows = data.split(b"\n")
        self._rest = rows.pop()[: self._room + 1]
        return self._take(rows, len(data) > self._max)

    def rest(self) -> Batch:
        """The line that stands there without its end, when no more comes."""
        rest, self._rest = self._rest, b""
        return self._take([rest], True) if rest else NOTHING

    def _take(self, rows: list[bytes], may_be_long: bool) -> Batch:
        stamps: list[int] = []
        texts: list[bytes] = []
        cut: list[int] = []
        remarks: list[bytes] = []
        known = self._seconds.get
        add_stamp, add_text = stamps.append, texts.append
        for row in rows:
            second = known(row[:20])
            # The hot path: a second seen before, nine digits, UTC.
            if second is not None and row[29:31] == b"Z " and (digits := row[20:29]).isdigit():
                add_stamp(second + int(digits))
                add_text(row[31:])
                continue
            found = _STAMP.match(row)
            moment = _moment(found) if found is not None else None
            if found is None or moment is None:
                if row:
                    remarks.append(row)
                continue
            if found[3] == b"Z" and found[2]:
                if len(self._seconds) >= _SECONDS_KEPT:
                    self._seconds.clear()
                self._seconds[row[:20]] = moment // NS * NS
            add_stamp(moment)
            add_text(row[found.end() :])
        if may_be_long:
            for at, text in enumerate(texts):
                if len(text) > self._max:
                    texts[at] = text[: self._max]
                    cut.append(at)
        return Batch(stamps, texts, cut, remarks)
