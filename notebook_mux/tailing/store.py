"""The lines that were read, in the order they came: columns of plain numbers and one run of bytes, bounded.

A line costs its text and 18 bytes, and no object of Python's. Numbers begin at 1, go up by one, and are never used
again. Whole segments are dropped at the bounds, the oldest first.
"""

from __future__ import annotations

import sys
import threading
from array import array
from collections import deque
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

MAX_LINES = 200_000
"""Lines kept: twice what a view scrolls."""

MAX_BYTES = 64 * 1024 * 1024
"""Bytes kept, with the columns: lines of 300 bytes, `MAX_LINES` of them."""

SEGMENT_LINES = 4096
SEGMENT_BYTES = MAX_BYTES // 16
"""A segment is closed past one of them: a twentieth and less of what is kept."""

LINE_COST = 18
"""Bytes of a line in the columns."""

READ_BYTES = 4 * 1024 * 1024
"""Bytes of text that one reading gives; one line at least."""


class Segment:
    """A run of lines. `ends` are the ends of their texts in `text`."""

    __slots__ = ("ends", "first", "flags", "sources", "text", "times")

    def __init__(self, first: int) -> None:
        self.first = first
        self.times = array("q")
        self.sources = array("I")
        self.flags = array("H")
        self.ends = array("I")
        self.text = bytearray()

    @property
    def cost(self) -> int:
        """Bytes."""
        return len(self.text) + LINE_COST * len(self.times)


class LogStore:
    """Written on one thread, read from any.

    Args:
        max_lines: Lines kept at most.
        max_bytes: Bytes kept at most.
        segment_lines: See `SEGMENT_LINES`.
        segment_bytes: See `SEGMENT_BYTES`.

    Attributes:
        end: The number behind the last line.
        oldest: The number of the oldest line kept.
        bytes: Kept now.
        dropped: Lines dropped so far.
    """

    def __init__(
        self,
        max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES,
        *,
        segment_lines: int = SEGMENT_LINES,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self.max_lines = max_lines
        self.max_bytes = max_bytes
        self.end = 1
        self.oldest = 1
        self.bytes = 0
        self._segment_lines = max(1, min(segment_lines, max_lines // 8))
        self._segment_bytes = max(1, min(segment_bytes, max_bytes // 8))
        self._segments: deque[Segment] = deque([Segment(1)])
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """Lines dropped so far."""
        return self.oldest - 1

    def __len__(self) -> int:
        return self.end - self.oldest

    def add(self, source: int, times: Sequence[int], flags: Sequence[int], texts: Sequence[bytes]) -> None:
        """Append lines of one source."""
        at, number = 0, len(times)
        while at < number:
            with self._lock:
                at = self._add(source, times, flags, texts, at)
                self._drop()

    def _add(self, source: int, times: Sequence[int], flags: Sequence[int], texts: Sequence[bytes], start: int) -> int:
        """Append as much as fits into a segment; gives the place of the rest."""
        segment = self._segments[-1]
        if len(segment.times) >= self._segment_lines or len(segment.text) >= self._segment_bytes:
            segment = Segment(self.end)
            self._segments.append(segment)
        stop = min(len(times), start + self._segment_lines - len(segment.times))
        ends = list(accumulate(map(len, texts[start:stop]), initial=len(segment.text)))
        del ends[0]
        if ends[-1] > self._segment_bytes:  # as many as fit, and one at least
            stop = start + 1 + sum(1 for end in ends[1:] if end <= self._segment_bytes)
            del ends[stop - start :]
        segment.times.extend(times[start:stop])
        segment.flags.extend(flags[start:stop])
        segment.sources.extend((source,) * (stop - start))
        segment.ends.extend(ends)
        segment.text += b"".join(texts[start:stop])
        self.end += stop - start
        self.bytes += sum(map(len, texts[start:stop])) + LINE_COST * (stop - start)
        return stop

    def _drop(self) -> None:
        segments = self._segments
        while len(segments) > 1 and (self.end - self.oldest > self.max_lines or self.bytes > self.max_bytes):
            gone = segments.popleft()
            self.bytes -= gone.cost
            self.oldest = segments[0].first

    def read(self, after: int, most: int) -> dict[str, Any]:
        """Lines numbered above `after`, the oldest first, at most `most` and about `READ_BYTES`; see `LogsRead`."""
        times, sources, flags, ends = array("q"), array("I"), array("H"), array("I")
        text = bytearray()
        with self._lock:
            first = at = min(max(after + 1, self.oldest), self.end)
            oldest = self.oldest
            for segment in self._segments:
                size = len(segment.times)
                if segment.first + size <= at:
                    continue
                if len(times) >= most or len(text) >= READ_BYTES:
                    break
                start = at - segment.first
                stop = min(size, start + most - len(times))
                base = segment.ends[start - 1] if start else 0
                room = base + READ_BYTES - len(text)
                if segment.ends[stop - 1] > room:
                    stop = start + max(1, sum(1 for end in segment.ends[start:stop] if end <= room))
                times += segment.times[start:stop]
                sources += segment.sources[start:stop]
                flags += segment.flags[start:stop]
                shift = len(text) - base
                ends.extend([end + shift for end in segment.ends[start:stop]])
                text += segment.text[base : segment.ends[stop - 1]]
                at = segment.first + stop
                if stop < size:
                    break
        columns = (times, sources, flags, ends)
        if sys.byteorder == "big":
            for column in columns:
                column.byteswap()
        named = dict(zip(("times", "sources", "flags", "ends"), (c.tobytes() for c in columns), strict=True))
        return {"first": first, "end": at, "oldest": oldest, **named, "text": bytes(text)}

    def counts(self) -> dict[str, int]:
        """What is kept, as `LogsState` says it."""
        with self._lock:
            return {
                "end": self.end,
                "oldest": self.oldest,
                "lines": self.end - self.oldest,
                "bytes": self.bytes,
                "dropped": self.oldest - 1,
                "max_lines": self.max_lines,
                "max_bytes": self.max_bytes,
            }

    def unlock(self) -> None:
        """In a forked child: the parent's lock may have been held at the fork."""
        self._lock = threading.Lock()
