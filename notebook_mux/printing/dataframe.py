"""Rows as a pandas DataFrame, typed. The only module that needs pandas, imported when someone asks for a frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from notebook_mux import ages, clocks
from notebook_mux.errors import InvalidArgument
from notebook_mux.handles.entries import Entry, unique_titles
from notebook_mux.printing import cells

if TYPE_CHECKING:
    import pandas as pd

INDEX = ["cluster", "namespace", "name"]
CREATED = "Created"

_LEADING = re.compile(r"\d+")
_COUNTS = {("", "pods"): "Restarts"}
"""Columns that print a number and more."""


def require_pandas() -> None:
    """Import pandas, which nothing else does.

    Raises:
        InvalidArgument: It is not installed.
    """
    try:
        import pandas  # noqa: F401
    except ImportError as error:
        raise InvalidArgument(
            "a data frame needs pandas, which is not installed",
            said=str(error),
            todo="install it: %pip install 'notebook-mux[pandas]', or use .rows",
        ) from None


def frame(view: Any, entries: list[Entry], now: float, *, text: bool) -> pd.DataFrame:
    """The entries of a view as a frame; see `Readers.df`."""
    require_pandas()
    import pandas as pd

    columns = cells.effective(view.columns)
    titles = unique_titles(columns)
    resources = {name: state.resource for name, state in view.states.items()}
    index = pd.MultiIndex.from_tuples([(c, r.namespace, r.name) for c, r in entries], names=INDEX)
    skewed = clocks.skewed(view.states)
    going = {name: cells.going(columns, resource) for name, resource in resources.items()}
    rows = [
        cells.live(columns, resources.get(name), record, skewed=name in skewed, where=going.get(name))
        for name, record in entries
    ]
    moments = clocks.moments(view.states, now)
    nows = [moments.get(cluster, now) for cluster, _ in entries]
    data: dict[str, Any] = {}
    for at, (title, column) in enumerate(zip(titles, columns, strict=True)):
        if title == "Name" and column.get("format") == "name":
            continue  # it is the index
        if text:
            data[title] = [cells.text(cells.at(*row, its)[at]) for row, its in zip(rows, nows, strict=True)]
        else:
            kind = next((r for r in resources.values() if r is not None), None)
            data[title] = _typed(pd, column, kind, at, rows, nows)
    if not text and CREATED not in data:
        created = [ages.parse_time(record.created) for _, record in entries]
        data[CREATED] = _times(pd, created)
    for title, values in data.items():
        if not isinstance(values, list):
            values.index = index
        else:
            data[title] = pd.Series(values, index=index, dtype="object" if not values else None)
    return pd.DataFrame(data, index=index)


def _typed(pd: Any, column: dict[str, Any], resource: Any, at: int, rows: list[Any], nows: list[float]) -> Any:
    """One column as a Series of the type that fits."""
    values = [printed[at] for printed, _ in rows]
    title, kind = column["name"], column["type"]
    if resource is not None and _COUNTS.get((resource["group"], resource["name"])) == title:
        found = [_LEADING.match(str(value)) for value in values]
        return pd.Series([int(match[0]) if match else None for match in found], dtype="Int64")
    if any(at in alive for _, alive in rows) or (title == "Age" and not values):
        found_ = [_seconds(row[0][at], row[1].get(at), its) for row, its in zip(rows, nows, strict=True)]
        return _spans(pd, found_)
    if kind == "date":
        times = [ages.parse_time(value) if isinstance(value, str) else None for value in values]
        if all(time is not None or value in (None, "") for time, value in zip(times, values, strict=True)):
            return _times(pd, times)
    if kind == "integer" and all(value is None or isinstance(value, int) for value in values):
        return pd.Series(values, dtype="Int64")
    if kind == "number" and all(value is None or isinstance(value, int | float) for value in values):
        return pd.Series(values, dtype="Float64")
    if kind == "boolean" and all(value is None or isinstance(value, bool) for value in values):
        return pd.Series(values, dtype="boolean")
    return values


def _seconds(cell: Any, alive: tuple[float, str] | None, now: float) -> float | None:
    """The age in a cell, or the duration that stands still in it."""
    if alive is not None:
        return max(0.0, now - alive[0])
    span = ages.parse_duration(cell) if isinstance(cell, str) else None
    return span[0] if span is not None else None


def _spans(pd: Any, seconds: list[float | None]) -> Any:
    return pd.Series(pd.to_timedelta(pd.Series(seconds, dtype="float64"), unit="s"))


def _times(pd: Any, seconds: list[float | None]) -> Any:
    return pd.Series(pd.to_datetime(pd.Series(seconds, dtype="float64"), unit="s", utc=True))
