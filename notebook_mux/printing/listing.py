"""A small table that is a value: rows to compute with, text for a terminal, HTML for a notebook.

What `contexts`, `kinds` and `doctor` give. It is what was found at one moment; it waits for nothing and asks nobody.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 200
"""Rows that are shown; `rows` has all. A kubeconfig of thousands of contexts must not fill a notebook's file."""

MAX_CELL = 160
"""Characters of one shown cell; an ARN has about 100."""

_LEFT = "text-align:left;vertical-align:top;padding:2px 10px 2px 0"
_NOTE = "margin:2px 0;opacity:.8"
_INK = "color:var(--jp-ui-font-color1,inherit);font-size:var(--jp-ui-font-size1,13px)"
_RULE = "border-bottom:1px solid var(--jp-border-color2,#8884)"


class Listing:
    """A small table. Any thread may read it; `len` and iteration are over its rows.

    Args:
        title: What is listed.
        columns: The titles, in order.
        rows: One mapping a row; a title that is missing is an empty cell.
        notes: Sentences below the table: what was looked at, what is missing, what to do.
    """

    _most_characters: ClassVar[int] = MAX_CELL

    def __init__(
        self, title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], notes: Iterable[str] = ()
    ) -> None:
        self._title = clean(title)
        self._columns = list(columns)
        self._rows = [{name: row.get(name) for name in self._columns} for row in rows]
        self._notes = [clean(note) for note in notes if note]
        self._at = time.time()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict a row: the columns' titles to texts, numbers, booleans, lists of texts or None."""
        return [dict(row) for row in self._rows]

    @property
    def columns(self) -> list[str]:
        """The columns' titles."""
        return list(self._columns)

    @property
    def notes(self) -> list[str]:
        """What is said besides: what was looked at, what is missing, what to do."""
        return list(self._notes)

    @property
    def text(self) -> str:
        """All of it as plain text, as a terminal shows it."""
        return "\n".join(self._lines(len(self._rows)))

    def df(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame.

        Raises:
            InvalidArgument: pandas is not installed.
        """
        from notebook_mux.printing.dataframe import require_pandas

        require_pandas()
        import pandas as pd

        return pd.DataFrame(self.rows, columns=self._columns)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return "\n".join(self._lines(MAX_ROWS))

    def _repr_html_(self) -> str:
        return self._html(MAX_ROWS)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html(MAX_ROWS)}

    # --- how it looks ---------------------------------------------------------------------------------------------

    def _caption(self) -> str:
        return f"{self._title} · {len(self._rows)} {'row' if len(self._rows) == 1 else 'rows'} · {stamp(self._at)}"

    def _shown_columns(self) -> list[str]:
        """Those that say something: the first, and each that is not empty in all rows."""
        return [
            name
            for number, name in enumerate(self._columns)
            if number == 0 or any(self._cell(row[name]) for row in self._rows)
        ]

    def _grid(self, most: int) -> list[list[str]]:
        names = self._shown_columns()
        return [names, *([self._cell(row[name]) for name in names] for row in self._rows[:most])]

    def _cell(self, value: Any) -> str:
        return cell(value, self._most_characters)

    def _left_out(self, most: int) -> list[str]:
        left = len(self._rows) - most
        return [f"… {left} more, see .rows or .df()"] if left > 0 else []

    def _lines(self, most: int) -> list[str]:
        lines = [self._caption()]
        if self._rows:
            lines += aligned(self._grid(most))
        return [*lines, *self._left_out(most), *self._notes]

    def _html(self, most: int) -> str:
        parts = [f'<div style="{_INK}"><div style="{_NOTE}"><strong>{escape(self._title)}</strong> · ']
        parts += [escape(self._caption().partition(" · ")[2]), "</div>"]
        if self._rows:
            titles, *rows = self._grid(most)
            head = "".join(f'<th scope="col" style="{_LEFT};{_RULE}">{escape(title)}</th>' for title in titles)
            parts.append(f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>')
            for row, cells in zip(self._rows, rows, strict=False):
                parts.append(f"<tr>{''.join(self._html_cell(row, *pair) for pair in zip(titles, cells, strict=True))}")
                parts.append("</tr>")
            parts.append("</tbody></table>")
        parts += [f'<div style="{_NOTE}">{escape(note)}</div>' for note in [*self._left_out(most), *self._notes]]
        return "".join([*parts, "</div>"])

    def _html_cell(self, row: Mapping[str, Any], title: str, text: str) -> str:
        style = self._style(row, title)
        return f'<td style="{_LEFT}{f";{style}" if style else ""}">{escape(text)}</td>'

    def _style(self, row: Mapping[str, Any], title: str) -> str:
        """More CSS for one cell; for subclasses. Fixed words only, nothing of a cluster's."""
        return ""


def cell(value: Any, most: int = MAX_CELL) -> str:
    """A cell as people read it: yes and no, lists with commas, one line of at most so many printable characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    text = clean(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def clean(text: str) -> str:
    """One line of printable characters: nothing that drives a terminal or turns the direction of writing."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)


def aligned(grid: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines with columns of one width."""
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    return ["  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)).rstrip() for row in grid]


def stamp(at: float) -> str:
    """A moment with its date and time zone, as a reader of a saved notebook needs it."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(at))
