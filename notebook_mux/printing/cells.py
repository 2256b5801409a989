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
from notebook_mux.printing.moments import MOMENTS

Live = dict[int, tuple[float, str]]
"""A live cell's index → (Unix seconds it counts from, template with one ``{}`` for the age)."""

NAME_COLUMN = {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
AGE_COLUMN = {"name": "Age", "type": "string", "format": "", "description": "", "priority": 0}
DEFAULT_COLUMNS: list[dict[str, Any]] = [NAME_COLUMN, AGE_COLUMN]
"""What kubectl shows where a server makes no tables."""

CREATION_PATH = ".metadata.creationTimestamp"

TOLERANCE = 2.0
"""Seconds by which a server's clock and the gateway's, which times the printing, may differ in a comparison."""

AGO = " ago)"

_decode = msgspec.json.Decoder(list[Any]).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def effective(columns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The server's columns, or ours (Name, Age) where it makes none."""
    return list(columns) or DEFAULT_COLUMNS


def live(columns: Sequence[dict[str, Any]], resource: dict[str, Any] | None, record: Any) -> tuple[list[Any], Live]:
    """A record's cells, and those among them that are alive.

    Args:
        columns: The server's columnDefinitions; a column may say its ``jsonPath``.
        resource: The resource of discovery (``name`` and ``group`` are used).
        record: A `notebook_mux.wire.frames.Record`, or anything with its fields.

    Returns:
        The cells, one for each column, and for each live one (Unix seconds it counts from, template).
    """
    printed = _decode(record.cells) if record.cells else []
    if not columns or not printed:
        columns = effective(columns)
        own = {"Name": record.name, "Age": "<unknown>"}
        printed = [own.get(column["name"]) for column in columns]
    elif len(printed) < len(columns):
        printed = printed + [None] * (len(columns) - len(printed))
    alive: Live = {}
    known = MOMENTS.get((resource["group"], resource["name"])) if resource else None
    for index, column in enumerate(columns):
        cell = printed[index]
        if not isinstance(cell, str):
            continue
        title = column["name"]
        if known is not None and title in known:
            found = _from_moments(cell, record, known[title])
        elif title == "Age" or column["type"] == "date":
            found = _from_date(cell, record, column)
        else:
            continue
        if found is not None:
            alive[index] = found
    return printed, alive


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


def _from_date(cell: str, record: Any, column: dict[str, Any]) -> tuple[float, str] | None:
    """An Age, or a custom resource's column of the type date."""
    created = parse_time(record.created)
    if not record.cells or cell == "<unknown>":
        return None if created is None else (created, "{}")
    span = parse_duration(cell)
    if span is None:
        return None  # Created At prints the time itself
    path = column.get("jsonPath")
    moment = _at_path(record, path) if path and path != CREATION_PATH else created
    return _checked(moment, span, record.printed), "{}"


def _from_moments(
    cell: str, record: Any, moments: Callable[[bytes], Sequence[str | None] | None]
) -> tuple[float, str] | None:
    """A column whose times are in the object: the latest that explains the cell, else the cell's own words."""
    if cell.endswith(AGO):
        before, _, age = cell.removesuffix(AGO).rpartition("(")
        template = f"{before}({{}}{AGO}"
    else:
        age, template = cell, "{}"
    span = parse_duration(age)
    if span is None:
        return None
    try:
        times = moments(record.object)
    except msgspec.MsgspecError:
        times = None
    if times is None:
        return None
    fitting = [t for t in map(parse_time, times) if t is not None and _explains(t, span, record.printed)]
    since = max(fitting) if fitting else record.printed - span[0]
    return since, template


def _checked(moment: float | None, span: tuple[float, float], printed: float) -> float:
    """The moment where it explains what was printed, else the one that the text gives."""
    if moment is not None and _explains(moment, span, printed):
        return moment
    return printed - span[0]


def _explains(moment: float, span: tuple[float, float], printed: float) -> bool:
    return span[0] - TOLERANCE <= printed - moment < span[1] + TOLERANCE


def _at_path(record: Any, path: str) -> float | None:
    try:
        found = jsonpath.compiled(path)(_decode_object(record.object))
    except (MuxError, msgspec.MsgspecError):
        return None
    return parse_time(found[0]) if found and isinstance(found[0], str) else None
