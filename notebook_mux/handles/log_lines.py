"""Lines of logs as readers get them: from the core's columns to a frozen record a line, and the fields in its text."""

from __future__ import annotations

import json
import re
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

LEVELS = ("", "trace", "debug", "info", "warning", "error", "fatal")
"""By the number in a line's flags; "" where none was recognised."""

LEVEL_BITS, CONTINUED, MARK, OBJECT, CUT = 0b111, 1 << 3, 1 << 4, 1 << 5, 1 << 6
"""Of a line's flags: its level; that it belongs to the line above; that it is ours and not the container's; that it is
a JSON object; that it was longer than what is kept of one."""

NANOSECONDS = 1_000_000_000

MOST = 5000
"""Lines of one reading of the core: some hundred kilobytes."""

FIELDS_LENGTH = 64 * 1024
"""Characters of a line that is looked into for fields."""

_KLOG = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^\]\s]+\] ")
"""The head of a line of Kubernetes' own components (k8s.io/klog/v2)."""

_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s+|$)')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}

FEWEST_PAIRS = 2
"""``a=b`` alone is a sentence's, not a format."""

Read = Mapping[str, Any]
"""What the core gives: columns of lines as bytes."""

_decode = msgspec.json.decode


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of a container's log, or a mark between two.

    Attributes:
        ns: When the container wrote it, in nanoseconds since 1970 UTC, by its node's clock.
        cluster: The cluster's name.
        namespace: The pod's.
        pod: Its name.
        container: Its name.
        level: ``"trace" "debug" "info" "warning" "error" "fatal"``, as recognised; "" where none was.
        text: What was written, without a line's end; of a mark, what it says.
        mark: "" for a line of the container's. Else the line says what happened between two: ``"gap" "restarted"
            "ended" "waiting" "failed" "joined" "bound"``.
        number: In the order of arrival; those of one `Logs` are never used twice.
        cut: Whether it was longer than what is kept of a line.
    """

    ns: int
    cluster: str
    namespace: str
    pod: str
    container: str
    level: str
    text: str
    mark: str = ""
    number: int = 0
    cut: bool = False

    @property
    def time(self) -> datetime:
        """When it was written, in UTC, cut to microseconds; `ns` has all nine digits."""
        seconds, rest = divmod(self.ns, NANOSECONDS)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)

    @property
    def stamp(self) -> str:
        """When it was written, as the server says it: RFC 3339 with nine digits."""
        seconds, rest = divmod(self.ns, NANOSECONDS)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a JSON object, of logfmt and of structured klog; empty for any other line."""
        return {} if self.mark else fields_of(self.text)


class Batch(NamedTuple):
    """Lines as columns, each of one length; see the core's ``logs_read``."""

    numbers: Sequence[int]
    times: Sequence[int]
    sources: Sequence[int]
    flags: Sequence[int]
    texts: Sequence[str]


def batch_of(reads: Iterable[Read]) -> Batch:
    """What was read, in one."""
    numbers: list[int] = []
    times, sources, flags = array("q"), array("I"), array("H")
    texts: list[str] = []
    for read in reads:
        columns = zip((times, sources, flags), ("times", "sources", "flags"), strict=True)
        for column, name in columns:
            column.extend(_numbers(column.typecode, read[name]))
        text, start = bytes(read["text"]), 0
        for end in _numbers("I", read["ends"]):
            texts.append(text[start:end].decode(errors="replace"))
            start = end
        numbers += range(read["first"], read["first"] + len(times) - len(numbers))
    return Batch(numbers, times, sources, flags, texts)


def lines_of(read: Read, sources: Sequence[Mapping[str, Any]], uid: str = "") -> list[Line]:
    """The lines of one reading, in the order of arrival.

    Args:
        read: The core's columns.
        sources: The core's state of them, of the same moment or later.
        uid: Of the only pod whose lines are wanted; empty is all.
    """
    batch = batch_of([read])
    places = [tuple(str(one[name]) for name in ("cluster", "namespace", "pod", "container")) for one in sources]
    others = {at for at, one in enumerate(sources) if uid and one["uid"] != uid}
    made = []
    for number, ns, source, flags, text in zip(*batch, strict=True):
        if source in others:
            continue
        mark = ""
        if flags & MARK:
            mark, text = mark_of(text)
        cluster, namespace, pod, container = places[source] if source < len(places) else ("", "", "", "")
        level = LEVELS[min(flags & LEVEL_BITS, len(LEVELS) - 1)]
        made.append(Line(ns, cluster, namespace, pod, container, level, text, mark, number, bool(flags & CUT)))
    return made


def by_time(lines: Iterable[Line]) -> list[Line]:
    """By the server's time; what is of one time stays in the order of arrival."""
    return sorted(lines, key=_ns)


def _ns(line: Line) -> int:
    return line.ns


def mark_of(text: str) -> tuple[str, str]:
    """A mark's kind and words, of the JSON object that the core writes."""
    try:
        found = _decode(text)
        return str(found.get("mark") or "gap"), str(found.get("text") or "")
    except (msgspec.DecodeError, AttributeError):
        return "gap", text


def everything(read: Callable[[int, int], Read], end: int) -> list[Read]:
    """All lines that are kept below a number, a part at a time.

    Args:
        read: Of the core: the lines behind a number, at most so many.
        end: The number behind the last one wanted: a fast writer must not keep the reader for ever.
    """
    found: list[Read] = []
    after = -1
    while after < end - 1:
        part = read(after, MOST)
        if part["end"] - 1 <= after or not len(part["ends"]):
            break
        found.append(part)
        after = part["end"] - 1
    return found


def fields_of(text: str) -> dict[str, Any]:
    """The fields of a line: a JSON object's, or logfmt's (``a=1 b="two words"``), or structured klog's.

    Nested objects' names are joined by dots: ``{"http": {"status": 200}}`` has the field ``http.status``.
    """
    text = text.strip()
    if not text or len(text) > FIELDS_LENGTH:
        return {}
    if text[0] == "{":
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return _flat(found)
    return _pairs(text)


DEEP = 4
"""Objects within objects that fields are looked for in."""


def _flat(content: Mapping[str, Any], before: str = "", deep: int = 0) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict) and value and deep < DEEP:
            flat |= _flat(value, f"{before}{name}.", deep + 1)
        else:
            flat[f"{before}{name}"] = value
    return flat


def _pairs(text: str) -> dict[str, Any]:
    """The pairs of a line that has nothing else in it, but for klog's head and message."""
    fields: dict[str, Any] = {}
    head = _KLOG.match(text)
    at = head.end() if head else 0
    message = _QUOTED.match(text, at) if head else None
    if message is not None:
        fields["msg"], at = _unquoted(message[0].rstrip()), message.end()
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            return {}
        fields[pair[1]], at = _value(pair[2]), pair.end()
    return fields if len(fields) >= FEWEST_PAIRS else {}


def _value(text: str) -> Any:
    if text.startswith('"'):
        return _unquoted(text)
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return float(text) if set(text) & set(".eE") else int(text)
    return text


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]


def _numbers(code: str, data: bytes | bytearray | memoryview) -> Any:
    """Little-endian integers."""
    found = array(code)
    found.frombytes(bytes(data))
    if sys.byteorder == "big":
        found.byteswap()
    return found
