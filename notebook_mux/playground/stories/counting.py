"""A program whose log can be checked: whatever is lost on the way, or comes twice, shows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from notebook_mux.playground.stories.program import Program, Said

INTERVAL_S = 0.1
"""Between two numbers: a cut of a tenth of a second falls between two, and an hour of it is read in a moment."""


class Counter(Program):
    """Says the numbers from 1, one a line, without an end."""

    def begins(self) -> Iterator[Said]:
        """The numbers, evenly."""
        for number in count(1):
            yield number * INTERVAL_S, str(number)
