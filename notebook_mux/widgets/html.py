"""The static copy: rows as plain HTML that says of when it is. All text is escaped; no script, no style sheet."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape

MAX_ROWS = 200
"""Rows of a copy: a notebook is read by people, and each copy is kept in the file."""

MAX_CELL = 200
"""Characters of one cell in a copy."""

MARK = "notebook-mux-copy"
"""The class by which a live view finds the copy beside it, and hides it."""

_CELL = "text-align:left"
"""Short, for it stands in each cell: a style sheet would not outlive the cleaning of an untrusted notebook."""

_NOTE = "font-size:85%;opacity:.75;margin:2px 0"


def stamp(now: float) -> str:
    """A moment as a reader of a saved notebook needs it: with date and time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(now))


def copy(
    *,
    key: str,
    title: str,
    states: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    total: int,
    now: float,
) -> str:
    """A table's static copy.

    Args:
        key: The widget's, for its live view to find the copy.
        title: Such as ``pods``.
        states: One line each, such as ``kind-a: live``.
        columns: Titles.
        rows: At most `MAX_ROWS` are taken.
        total: All rows there are.
        now: Unix seconds.
    """
    shown: list[str] = []
    for row in rows:
        if len(shown) == MAX_ROWS:
            break
        shown.append("<tr>" + "".join(f'<td style="{_CELL}">{_text(cell)}</td>' for cell in row) + "</tr>")
    left = f", the first {len(shown)} shown" if total > len(shown) else ""
    note = f"{total} {'row' if total == 1 else 'rows'}{left} · copy of {stamp(now)} · run the cell for the live table"
    head = "".join(f'<th scope="col" style="{_CELL}">{_text(name)}</th>' for name in columns)
    lines = "".join(f'<div style="{_NOTE}">{_text(line)}</div>' for line in states)
    return (
        f'<div class="{MARK} notebook-mux-{escape(key)}">'
        f'<div style="{_NOTE}"><strong>{_text(title)}</strong> · {_text(note)}</div>{lines}'
        f'<table style="border-collapse:collapse;font-size:90%"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(shown)}</tbody></table></div>"
    )


def _text(value: str) -> str:
    # Line breaks and other control characters would leave the row
    clean = "".join(c if c.isprintable() else " " for c in value[: MAX_CELL + 1])
    return escape(clean if len(value) <= MAX_CELL else clean[:MAX_CELL] + "…")
