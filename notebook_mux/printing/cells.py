"""The cells of a row as the server printed them, with those that go on by themselves: ages and what holds one.

A cell such as ``5m30s`` was right when the server printed it. Here it is traced to the moment it counts from, taken
from the object where that is known and else from the text and the time of printing, so that Python and the browser can
print it anew at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from notebook_mux import jsonpath
from notebook_mux.ages import human_duration, parse_duration, parse_time
from notebook_mux.errors import MuxError
from notebook_mux.printing.lineage import Seen
from notebook_mux.printing.moments import Times, moments, seen as read

Live = dict[int, tuple[float, str]]
"""A live cell's index → (Unix seconds it counts from, template with one ``{}`` for the age)."""

Going = tuple[int, dict[str, Any], Callable[[Any], Times | None] | None]
"""A column whose cells may be alive; see `going`."""

NAME_COLUMN = {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
AGE_COLUMN = {"name": "Age", "type": "string", "format": "", "description": "", "priority": 0}
DEFAULT_COLUMNS: list[dict[str, Any]] = [NAME_COLUMN, AGE_COLUMN]
"""What kubectl shows where a server makes no tables."""

CREATION_PATH = ".metadata.creationTimestamp"

TOLERANCE, LOOSE = 2.0, 30.0
"""Seconds by which the time of printing may differ from what it was by the server's clock: where that goes as the
gateway's, and where it goes otherwise, for the way of a row takes a while, in which a fast clock goes far."""

AGO = " ago)"

_decode = msgspec.json.Decoder(list[Any]).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def effective(columns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The server's columns, or ours (Name, Age) where it makes none."""
    return list(columns) or DEFAULT_COLUMNS


def live(
    columns: Sequence[dict[str, Any]],
    resource: dict[str, Any] | None,
    record: Any,
    *,
    skewed: bool = False,
    seen: Seen | None = None,
    where: Sequence[Going] | None = None,
) -> tuple[list[Any], Live]:
    """A record's cells, and those among them that are alive.

    Args:
        columns: The server's columnDefinitions; a column may say its ``jsonPath``.
        resource: The resource of discovery (``name`` and ``group`` are used).
        record: A `notebook_mux.wire.frames.Record`, or anything with its fields.
        skewed: Whether the server's clock does not go as ours.
        seen: What `moments.seen` gave for the record's object, where it was asked already.
        where: What `going` gave for these columns and this resource, where many rows are asked for.

    Returns:
        The cells, one for each column, and for each live one (Unix seconds it counts from, template).
    """
    printed = shown(columns, record)
    alive: Live = {}
    tolerance = LOOSE if skewed else TOLERANCE
    for index, column, times_of in going(columns, resource) if where is None else where:
        cell = printed[index]
        if not isinstance(cell, str):
            continue
        if times_of is None:
            found = from_date(cell, record, column, tolerance)
        else:
            age, template = age_in(cell)
            span = parse_duration(age)
            if span is None:
                continue
            seen = read(resource, record.object) if seen is None else seen
            times = times_of(seen) if seen is not None else None
            found = (_latest(times, span, record, tolerance), template) if times is not None else None
        if found is not None:
            alive[index] = found
    return printed, alive


def shown(columns: Sequence[dict[str, Any]], record: Any) -> list[Any]:
    """A record's cells, one for each column: what is printed where the server made none.

    Args:
        columns: As for `live`.
        record: As for `live`.
    """
    printed = decoded(record.cells)
    if not columns or not printed:
        own = {"Name": record.name, "Age": "<unknown>"}
        return [own.get(column["name"]) for column in effective(columns)]
    if len(printed) != len(columns):  # of another version of the kind
        return [*printed, *[None] * (len(columns) - len(printed))][: len(columns)]
    return printed


def going(columns: Sequence[dict[str, Any]], resource: dict[str, Any] | None) -> list[Going]:
    """The columns whose cells may go on by themselves: index, column, and the times behind it where these are others.

    Args:
        columns: As for `live`.
        resource: As for `live`.
    """
    known = moments(resource).columns
    return [
        (index, column, known.get(column["name"]))
        for index, column in enumerate(effective(columns))
        if column["name"] in known or column["name"] == "Age" or column["type"] == "date"
    ]


def decoded(cells: bytes) -> list[Any]:
    """A row's cells as the server printed them; none where they cannot be read, as text with half a character."""
    try:
        return _decode(cells) if cells else []
    except (msgspec.MsgspecError, UnicodeError):
        return []


def text(cell: Any) -> str:
    """A cell as kubectl prints it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, dict | list):
        return msgspec.json.encode(cell).decode()
    return str(cell)


def at(cells: Sequence[Any], alive: Live, now: float) -> list[Any]:
    """The cells as they are to be printed at `now` (Unix seconds)."""
    shown = list(cells)
    for index, (since, template) in alive.items():
        shown[index] = template.replace("{}", human_duration(now - since), 1)
    return shown


def from_date(cell: str, record: Any, column: dict[str, Any], tolerance: float) -> tuple[float, str] | None:
    """What `live` finds in an Age, or in a custom resource's column of the type date."""
    created = parse_time(record.created)
    if not record.cells or cell == "<unknown>":
        return None if created is None else (created, "{}")
    span = parse_duration(cell)
    if span is None:
        return None  # Created At prints the time itself
    path = column.get("jsonPath")
    moment = _at_path(record, path) if path and path != CREATION_PATH else created
    return _checked(moment, span, record.printed, tolerance), "{}"


def age_in(cell: str) -> tuple[str, str]:
    """What may be an age in the cell of a column whose times are in the object, and the cell without it."""
    if not cell.endswith(AGO):
        return cell, "{}"
    before, _, age = cell.removesuffix(AGO).rpartition("(")
    return age, f"{before}({{}}{AGO}"


def _latest(times: Times, span: tuple[float, float], record: Any, tolerance: float) -> float:
    """The latest of the times that explains what was printed, else the one that the text gives."""
    fitting = [t for t in map(parse_time, times) if t is not None and _explains(t, span, record.printed, tolerance)]
    return max(fitting) if fitting else record.printed - span[0]


def _checked(moment: float | None, span: tuple[float, float], printed: float, tolerance: float) -> float:
    """The moment where it explains what was printed, else the one that the text gives."""
    if moment is not None and _explains(moment, span, printed, tolerance):
        return moment
    return printed - span[0]


def _explains(moment: float, span: tuple[float, float], printed: float, tolerance: float) -> bool:
    return span[0] - tolerance <= printed - moment < span[1] + tolerance


def _at_path(record: Any, path: str) -> float | None:
    try:
        found = jsonpath.compiled(path)(_decode_object(record.object))
    except (MuxError, msgspec.MsgspecError):
        return None
    return parse_time(found[0]) if found and isinstance(found[0], str) else None
