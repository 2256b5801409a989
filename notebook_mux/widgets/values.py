"""A user's own column: what a JSONPath or a function gave, as a cell, and what type the column is of.

Numbers stay numbers, moments go on as ages, spans are printed as kubectl prints them, and all else is text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntFlag
from typing import Any, NamedTuple

import msgspec

from notebook_mux import jsonpath
from notebook_mux.ages import human_duration, parse_time
from notebook_mux.handles.objects import Object, veiled

NOTHING = "<none>"
"""What kubectl prints where there is nothing."""

MAX_TEXT = 1000
"""Characters of a cell: one more is cut, or a column of whole manifests would fill the page."""

MAX_WORDS = 200
"""Characters of an error that a note repeats."""

LEEWAY = 30.0
"""Seconds by which a moment may lie ahead and still be now, by a clock that goes otherwise."""

_QUANTITY = re.compile(r"[+-]?\d+(?:\.\d+)?(?:n|u|m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Kind(IntFlag):
    """What cells of a column have been."""

    INTEGER = 1
    NUMBER = 2
    BOOLEAN = 4
    QUANTITY = 8
    MOMENT = 16
    TEXT = 32


class Value(NamedTuple):
    """A cell.

    Attributes:
        cell: As it is told to a page.
        kind: What it is; 0 where there is nothing.
        since: Unix seconds that an age counts from; None for all else.
        failed: The error where there is no value.
    """

    cell: Any
    kind: Kind = Kind(0)
    since: float | None = None
    failed: str = ""


EMPTY = Value(NOTHING)


def column_type(kinds: Kind) -> str:
    """The type of a column whose cells have been of these kinds."""
    if kinds == Kind.INTEGER:
        return "integer"
    if kinds and not kinds & ~(Kind.INTEGER | Kind.NUMBER):
        return "number"
    if kinds and not kinds & ~(Kind.INTEGER | Kind.NUMBER | Kind.QUANTITY):
        return "quantity"
    return {Kind.BOOLEAN: "boolean", Kind.MOMENT: "date"}.get(kinds, "string")


def object_of(record: Any, cluster: str, resource: Mapping[str, Any] | None) -> Object:
    """The object that a column is made of; a Secret's values are veiled: cells go into pages and notebooks."""
    found = Object.of(record, cluster, resource)
    return Object(veiled(found), cluster) if found.kind == "Secret" else found


def at_path(path: str, content: Object, now: float) -> Value:
    """What a JSONPath finds; several things stand side by side, as kubectl prints them."""
    try:
        found = jsonpath.compiled(path)(content)
        return value_of(found[0] if len(found) == 1 else found or None, now)
    except Exception as error:  # noqa: BLE001 - of what others have written into their objects
        return failure(error)


def value_of(value: Any, now: float) -> Value:
    """Whatever a column was made of, as a cell."""
    match value:
        case None | "":
            return EMPTY
        case bool():
            return Value(value, Kind.BOOLEAN)
        case int():
            return Value(int(value), Kind.INTEGER) if abs(value) < 2**53 else Value(str(value), Kind.TEXT)
        case float() | Decimal():
            number = float(value)
            return Value(number, Kind.NUMBER) if math.isfinite(number) else Value(str(number), Kind.TEXT)
        case str():
            return _text(value, now)
        case datetime():
            since = (value if value.tzinfo else value.astimezone(UTC)).timestamp()
            return _moment(value.isoformat(), since, now)
        case date():
            return Value(value.isoformat(), Kind.TEXT)
        case timedelta():
            return Value(human_duration(value.total_seconds()), Kind.TEXT)
        case list() | tuple() | set() | frozenset():
            texts = [_plain(one) for one in value]
            return Value(_cut(",".join(texts)), Kind.TEXT) if texts else EMPTY
    return Value(_cut(_plain(value)), Kind.TEXT)


def failure(error: BaseException) -> Value:
    """A cell that could not be made."""
    words = " ".join(_sayable(str(error)).split())[:MAX_WORDS]
    name = type(error).__name__
    return Value(f"!{name}", failed=f"{name}: {words}" if words else name)


def _text(text: str, now: float) -> Value:
    if _TIME.fullmatch(text):
        since = parse_time(text)
        if since is not None:
            return _moment(text, since, now)
    return Value(_cut(text), Kind.QUANTITY if _QUANTITY.fullmatch(text) else Kind.TEXT)


def _moment(text: str, since: float, now: float) -> Value:
    """What lies ahead, such as the end of a certificate, has no age."""
    return Value(text, Kind.MOMENT, since) if since <= now + LEEWAY else Value(text, Kind.TEXT)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | int | float | Mapping | list | tuple):
        return _encode(value).decode()
    return str(value)


def _cut(text: str) -> str:
    text = _sayable(text)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _sayable(text: str) -> str:
    """Half characters, which no page can be told, as question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
