"""A table's filter, for the columns that it has."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from notebook_mux import filtering
from notebook_mux.errors import MuxError
from notebook_mux.handles.entries import scopes
from notebook_mux.printing.rows import Header, Row, Rows, Source, kind_of
from notebook_mux.widgets.columns import Column, titles_of


def check(table: Any, text: str, **as_if: Any) -> None:
    """Refuse a filter that a table's rows cannot be judged by.

    Args:
        table: The table.
        text: The filter.
        as_if: As for the table's `_extras`.

    Raises:
        BadFilter: With the place.
    """
    view = None
    with contextlib.suppress(MuxError):  # a stream that cannot be had says so where it is read
        view = table.stream._view()
    known = view is not None and view.columns
    filtering.checked(text, _plain(table._all_columns(view, **as_if)) if known else None)


def passing(
    rows: Sequence[Source], text: str, view: Any, columns: Sequence[Column], *, faults: bool, strict: bool
) -> list[Source]:
    """The rows that pass.

    Args:
        rows: All of them.
        text: The filter.
        view: The core's, that they were read from.
        columns: One for each cell.
        faults: Whether only rows with a fault pass.
        strict: Whether a filter that cannot be read is refused; else what can be read of it counts.

    Raises:
        BadFilter: It cannot be read.
    """
    header = _header(view, columns)
    made = filtering.Filter(text, header.columns, faults=faults, fault=header.fault, several=header.several)
    if strict and made.mistakes:
        raise filtering.refusal(text, made.mistakes[0])
    return [row for row in rows if made.passes(row)] if made else list(rows)


def listed(rows: Sequence[Source], view: Any, columns: Sequence[Column]) -> Rows:
    """Rows as their users have them."""
    header = _header(view, columns)
    titles = [column.title for column in columns]
    places = [(title, titles.index(title)) for title in titles_of(columns)]
    lead = [title for title, shown in zip(("Cluster", "Namespace"), header.several, strict=True) if shown]
    return Rows(
        (
            Row.of(
                {**{title: row.cell(title, ()) for title in lead}, **{title: row.cells[at] for title, at in places}},
                row,
            )
            for row in rows
        ),
        header,
    )


def _header(view: Any, columns: Sequence[Column]) -> Header:
    kind = kind_of(state.resource for state in view.states.values())
    served = sum(column.source == "server" for column in columns)
    return Header(tuple(_plain(columns)), scopes(view), kind, served)


def _plain(columns: Sequence[Column]) -> list[filtering.Column]:
    return [filtering.Column(column.title, column.type) for column in columns]
