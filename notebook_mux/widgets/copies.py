"""What a table's copy in the notebook is made of: its rows as their user saw them, of when they are, and from where."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from notebook_mux.printing import cells as printing, tones
from notebook_mux.printing.rows import Source, kind_of
from notebook_mux.widgets import html
from notebook_mux.widgets.columns import Column
from notebook_mux.widgets.html import Cell, Group, Line
from notebook_mux.widgets.order import sort_titles
from notebook_mux.widgets.reading import group_of
from notebook_mux.widgets.settings import LABEL_GROUP

LINES = 2 * html.MAX_ROWS
"""Rows, and lines above groups: each group has a row at least."""

NUMBERS = {"integer", "number", "quantity"}
"""Types of columns whose cells stand at the right."""


class Look(NamedTuple):
    """How a table is looked at, as it is said in the copy."""

    filter: str = ""
    faults: bool = False
    sort: str | None = None
    group: str | None = None

    def words(self) -> list[str]:
        """In the order in which one would say it."""
        by = [f"{title}{' descending' if down else ''}" for title, down in sort_titles(self.sort)]
        found = {
            f"filter: {self.filter}": self.filter,
            "faults only": self.faults,
            f"grouped by {self.group}": self.group,
            f"sorted by {', '.join(by)}": by,
        }
        return [words for words, holds in found.items() if holds]


def parts(
    view: Any,
    rows: Sequence[Source],
    columns: Sequence[Column],
    shown: Sequence[str],
    look: Look,
    notes: Sequence[str],
) -> dict[str, Any]:
    """The arguments of `html.copy` and `html.text`, but for the widget's own.

    Args:
        view: The stream's.
        rows: Those that pass the filter, in order.
        columns: Of their cells.
        shown: The titles to show, in order.
        look: How they are looked at.
        notes: What is said beside the table.
    """
    states = [
        html.standing(name, state.state, state.reason, state.said, state.fresh)
        for name, state in view.states.items()
        if state.state != "live" or state.reason
    ]
    return {
        "states": [*states, *notes],
        "columns": list(shown),
        "rows": list(islice(_lines(view, rows, columns, shown, look.group), LINES)),
        "total": len(rows),
        "now": time.time(),
        "about": look.words(),
        "origin": ", ".join(view.states),
    }


def _lines(
    view: Any, rows: Sequence[Source], columns: Sequence[Column], shown: Sequence[str], group: str | None
) -> Iterator[Line]:
    titles = [column.title for column in columns]
    makers = [_maker(kind_of(state.resource for state in view.states.values()), columns, titles, one) for one in shown]
    if not group:
        yield from ([make(row) for make in makers] for row in rows)
        return
    for name, found in groupby(rows, lambda row: group_of(row, titles, group)):
        members = list(found)
        yield Group(group_title(group, name), len(members))
        yield from ([make(row) for make in makers] for row in members)


def group_title(group: str, name: str) -> str:
    """What stands above a group, as in the page (`frontend/src/table/groups.ts`)."""
    if group.startswith(LABEL_GROUP):
        key = group.removeprefix(LABEL_GROUP)
        return f"{key}={name}" if name else f"no label {key}"
    return name or f"no {group}"


def _maker(kind: str, columns: Sequence[Column], titles: Sequence[str], title: str) -> Any:
    """Makes the cells of one column."""
    if title not in titles:
        return lambda row: printing.text(row.cell(title, titles))
    at = titles.index(title)
    column, shaped = columns[at], tones.shaped(title)
    beside = (tones.partner(kind, title) or "").lower()
    state_at = next((index for index, one in enumerate(titles) if one.lower() == beside), None)
    own = column.source in ("server", "usage")

    def make(row: Source) -> Cell:
        said = printing.text(row.cells[at])
        state = row.cells[state_at] if state_at is not None else ""
        tone, meaning = tones.look(kind, title, said, state) if own else ("", "")
        return Cell(said, tone, meaning, column.type in NUMBERS, shaped and own)

    return make
