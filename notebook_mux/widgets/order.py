"""The table's order, the same in Python as in the page (`frontend/src/common/order.ts`)."""

from __future__ import annotations

from typing import Any

from notebook_mux.filtering.keys import SortKey, natural_key


def cell_key(cell: Any, title: str, alive: tuple[float, str] | None = None) -> SortKey:
    """As `natural_key`; an age sorts by the moment it counts from.

    Args:
        cell: As printed.
        title: The column's.
        alive: What a cell that goes on counts from, and its template.
    """
    if alive is None:
        return natural_key(cell, title)
    since, template = alive
    return (0, (-since,), "") if template == "{}" else natural_key(template.replace("{}", "0s", 1), title)


def sort_titles(sort: str | None) -> list[tuple[str, bool]]:
    """The titles of a sort such as ``Status,-Age``, each with whether it is descending."""
    parts = [part.strip() for part in (sort or "").split(",")]
    return [(part.removeprefix("-").strip(), part.startswith("-")) for part in parts if part]
