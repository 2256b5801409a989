"""kubectl's tables, read from their text: columns stand below their titles, and a cell may have blanks in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

TITLE = re.compile(r"\S+(?: \S+)*")
"""Titles have one blank within (``LAST SEEN``) and two at least between them."""

_GAP = re.compile(r"\s{2,}")


@dataclass
class Table:
    """One table.

    Attributes:
        columns: The titles, as kubectl prints them; one that stands twice has a number behind it.
        rows: A dict for each line.
    """

    columns: list[str]
    rows: list[dict[str, str]] = field(default_factory=list)


def read(text: str) -> list[Table]:
    """The tables of an output that has nothing else in it; an empty line parts them, and a first line is titles."""
    found: list[Table] = []
    starts: list[int] | None = None
    for line in text.splitlines():
        if not line.strip():
            starts = None
        elif starts is None:
            starts = [match.start() for match in TITLE.finditer(line)]
            found.append(Table(_unique([match[0] for match in TITLE.finditer(line)])))
        else:
            table = found[-1]
            table.rows.append(dict(zip(table.columns, _cells(line, starts), strict=True)))
    return found


def _cells(line: str, starts: Sequence[int]) -> list[str]:
    """A line's cells; where it keeps not to the titles' places, as later lines of a watch, larger gaps part them."""
    ends = [*starts[1:], len(line)]
    cells = [line[start:end] for start, end in zip(starts, ends, strict=True)]
    behind_gaps = all(not line[start - 2 : start].strip() for start in starts[1:])
    if behind_gaps and not any(cell.startswith(" ") and cell.strip() for cell in cells):
        return [cell.strip() for cell in cells]
    cells = _GAP.split(line.strip(), len(starts) - 1)
    return [*cells, *[""] * (len(starts) - len(cells))]


def _unique(titles: list[str]) -> list[str]:
    return [f"{title}.{titles[:at].count(title) + 1}" if title in titles[:at] else title
            for at, title in enumerate(titles)]  # fmt: skip
