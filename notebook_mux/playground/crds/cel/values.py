"""Values of CEL as Python's, and what can go wrong.

int, float, str, bytes, bool, None, list and dict are themselves; a timestamp is an aware datetime, a duration a
timedelta, an optional value an `Optional`, a type a `Type`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

_PLAIN = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\a": "\\a", "\b": "\\b", "\f": "\\f",
          "\v": "\\v"}  # fmt: skip
PLAIN_BELOW = 1e21
"""From here on numbers have an exponent (Go's ``%v``)."""

LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1
LARGEST_UINT = (1 << 64) - 1
LONGEST = 4 * 1024 * 1024
"""Characters or items of a value that an expression makes."""

_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class CelError(Exception):
    """An evaluation that has no result: no such key, index out of bounds, division by zero ..."""


class Problem(NamedTuple):
    """What is wrong with a text that should be an expression.

    Args:
        text: What is wrong.
        position: Where, from 0.
    """

    text: str
    position: int


class SyntaxProblem(Exception):
    """A text that is no expression.

    Args:
        problems: What is wrong, in the order of the text.
    """

    def __init__(self, *problems: Problem):
        super().__init__("; ".join(one.text for one in problems))
        self.problems = problems

    def told(self, text: str) -> str:
        """What a compiler says of a text: where, and the line with a mark below it."""
        said = []
        for problem in self.problems:
            before = text[: problem.position]
            line, column = before.count("\n"), len(before.rpartition("\n")[2])
            shown = text.split("\n")[line]
            said.append(f"ERROR: <input>:{line + 1}:{column + 1}: {problem.text}\n | {shown}\n | {'.' * column}^")
        return "\n".join(said)


class Uint(int):
    """A number that has no sign."""


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be missing."""

    value: Any = None
    there: bool = False


@dataclass(frozen=True, slots=True)
class Type:
    """A type as a value."""

    name: str


def type_of(value: Any) -> Type:
    """The type of a value."""
    match value:
        case None:
            return Type("null_type")
        case bool():
            return Type("bool")
        case Uint():
            return Type("uint")
        case int():
            return Type("int")
        case float():
            return Type("double")
        case str():
            return Type("string")
        case bytes():
            return Type("bytes")
        case list():
            return Type("list")
        case dict():
            return Type("map")
        case datetime():
            return Type("google.protobuf.Timestamp")
        case timedelta():
            return Type("google.protobuf.Duration")
        case Type():
            return Type("type")
        case Optional():
            return Type("optional_type")
    return Type(str(value.cel_type))


def is_number(value: Any) -> bool:
    """Whether a value is an int or a double."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def equal(one: Any, other: Any) -> bool:
    """Equality: numbers by their value, everything else only with its own type."""
    if is_number(one) and is_number(other):
        return bool(one == other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    return type(one) is type(other) and bool(one == other)


def compare(one: Any, other: Any) -> int:
    """-1, 0 or 1.

    Raises:
        CelError: These cannot be compared.
    """
    both = (is_number(one) and is_number(other)) or (
        type(one) is type(other) and isinstance(one, (str, bytes, bool, datetime, timedelta))
    )
    if not both:
        raise CelError("no such overload")
    return int(one > other) - int(one < other)


def checked(value: int) -> int:
    """An int that fits into 64 bits.

    Raises:
        CelError: It does not.
    """
    if isinstance(value, Uint):
        if not 0 <= value <= LARGEST_UINT:
            raise CelError("unsigned integer overflow")
        return value
    if not LOWEST <= value <= HIGHEST:
        raise CelError("integer overflow")
    return value


def timestamp(text: str) -> datetime:
    """A time in RFC 3339.

    Raises:
        CelError: It is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration(text: str) -> timedelta:
    """A duration as Go writes it: ``1h30m``.

    Raises:
        CelError: It is none.
    """
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    parts = _PART.findall(rest)
    if rest != "0" and (not parts or "".join(number + unit for number, unit in parts) != rest):
        raise CelError("type conversion error from 'string' to 'google.protobuf.Duration'")
    return sign * timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))


def text_of(value: Any) -> str:
    """A value as `string` makes it.

    Raises:
        CelError: It has no text.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double(value)
        case bytes():
            return value.decode("utf-8", "replace")
        case datetime():
            return _time(value)
        case timedelta():
            seconds = value.total_seconds()
            return f"{int(seconds) if seconds.is_integer() else seconds}s"
        case Type():
            return value.name
    raise CelError("no such overload")


def double(value: float) -> str:
    """A number in the shortest form that keeps it."""
    if not math.isfinite(value):
        return {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    return str(int(value)) if value.is_integer() and abs(value) < PLAIN_BELOW else repr(value)


def _time(value: datetime) -> str:
    value = value.astimezone(UTC)
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def quoted(text: str) -> str:
    """A text as Go quotes it."""
    return "".join(f"\\x{ord(char):02x}" if ord(char) < ord(" ") and char not in _PLAIN else _PLAIN.get(char, char)
                   for char in text).join('""')  # fmt: skip
