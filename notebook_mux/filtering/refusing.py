"""A filter that cannot be read, as an error that shows the place."""

from __future__ import annotations

from collections.abc import Iterable

from notebook_mux.errors import BadFilter
from notebook_mux.filtering.judging import Column, Filter, Judge
from notebook_mux.filtering.terms import Mistake

AROUND = 60
"""Characters of the filter that are shown before and behind the place."""


def refusal(text: str, mistake: Mistake) -> BadFilter:
    """The error for a mistake in a filter."""
    line = "".join(char if char.isprintable() else " " for char in text)
    first = max(0, mistake.start - AROUND)
    shown = ("…" if first else "") + line[first : mistake.end + AROUND]
    at = mistake.start - first + (first > 0)
    caret = " " * at + "^" * max(1, min(mistake.end, len(line)) - mistake.start)
    error = BadFilter(mistake.what, said=f"{shown}\n{caret}", todo=mistake.todo)
    error.start, error.end = mistake.start, mistake.end
    return error


def checked(
    text: str,
    columns: Iterable[Column] | None = None,
    *,
    faults: bool = False,
    fault: Judge | None = None,
    several: tuple[bool, bool] = (True, True),
) -> Filter:
    """A `Filter` with nothing wrong in it; the arguments are its own.

    Raises:
        BadFilter: Its first mistake, with the place.
    """
    made = Filter(text, columns, faults=faults, fault=fault, several=several)
    if made.mistakes:
        raise refusal(text, made.mistakes[0])
    return made
