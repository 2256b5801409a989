"""An examination's findings: by area, each with a mark and a word, and what to do below what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, ClassVar

from notebook_mux.printing.listing import Listing, clean, stamp

COLUMNS = ("Area", "Check", "State", "Found", "Next")

WRONG, WARNING = "wrong", "warning"

MARKS = {"ok": "✓", WARNING: "!", WRONG: "✗", "info": "·"}
"""Beside the word, never in its place where colour or font would be needed to tell them apart."""

PLAIN_MARKS = {ord("✓"): "+", ord("✗"): "x", ord("·"): "-", ord("…"): "..."}
"""For a terminal that has not these characters."""

INKS = {"ok": "32", WARNING: "33", WRONG: "31", "info": "2"}
"""Of a terminal: ECMA-48, select graphic rendition."""

COLOURS = {
    "ok": "var(--jp-success-color1,#2e7d32)",
    WARNING: "var(--jp-warn-color1,#b26a00)",
    WRONG: "var(--jp-error-color1,#c62828)",
    "info": "inherit",
}
"""JupyterLab's theme variables, and what is readable on white and on black where there are none."""

MAX_WORDS = 1000
"""Characters of one finding; an error's words and what to do next have some hundreds, and none may be lost."""

LABEL = 20
"""Characters of a check's name in text."""

Paint = Callable[[str, str], str]
"""A text and a state to the text as it is shown."""


def plain(text: str, state: str) -> str:
    """No colour."""
    return text


def inked(text: str, state: str) -> str:
    """For a terminal that has colours."""
    return f"\x1b[{INKS.get(state, '0')}m{text}\x1b[0m"


def lines(rows: Iterable[Mapping[str, Any]], paint: Paint = plain) -> list[str]:
    """Rows as text, a heading for each area."""
    found: list[str] = []
    for area, its in groupby(rows, key=lambda row: row["Area"]):
        found.append(clean(str(area)))
        for row in its:
            state = str(row["State"])
            mark = paint(MARKS.get(state, "?"), state)
            words = clean(str(row["Found"]))
            words = f"{state}: {words}" if state in (WRONG, WARNING) else words
            found.append(f"  {mark} {clean(str(row['Check'])).ljust(LABEL)} {words}")
            if row.get("Next"):
                found.append(f"  {' ' * (LABEL + 2)} next: {clean(str(row['Next']))}")
    return found


def verdict(rows: Iterable[Mapping[str, Any]]) -> str:
    """The whole in one line."""
    states = [row["State"] for row in rows]
    wrong, warnings = states.count(WRONG), states.count(WARNING)
    if wrong:
        said = f"{wrong} thing{' is' if wrong == 1 else 's are'} wrong"
        return f"{said}, and {warnings} to look at" if warnings else said
    return f"nothing is wrong; {warnings} to look at" if warnings else "all is well"


class Report(Listing):
    """What `doctor` found. ``rows`` have ``Area Check State Found Next``; see `Listing`.

    A state is ``ok``, ``warning``, ``wrong`` or ``info``. No secret is in it, and no name of a user, of a machine or of
    a cluster's server: it can be pasted into a bug report.
    """

    _most_characters: ClassVar[int] = MAX_WORDS

    def __init__(self, rows: Iterable[Mapping[str, Any]], notes: Iterable[str] = ()) -> None:
        super().__init__("doctor", COLUMNS, rows, notes)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; a warning is not."""
        return all(row["State"] != WRONG for row in self._rows)

    def _caption(self) -> str:
        return f"{self._title} · {verdict(self._rows)} · {stamp(self._at)}"

    def _lines(self, most: int) -> list[str]:
        return [self._caption(), *lines(self._rows[:most]), *self._left_out(most), *self._notes]

    def _style(self, row: Mapping[str, Any], title: str) -> str:
        if title != "State":
            return ""
        return f"color:{COLOURS.get(str(row['State']), 'inherit')};font-weight:600"
