"""Hints of a teacher: one more at each failure of the same check in this kernel, never all at once."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from notebook_mux.kernel import holder

GIVEN = "hints"
"""In the core's memo: how many each check has had. It survives a reload of the module, and not a new kernel."""


class Hint(NamedTuple):
    """A hint that is due.

    Attributes:
        text: Its words.
        number: Which one, from 1.
        of: Of how many.
    """

    text: str
    number: int
    of: int

    @property
    def line(self) -> str:
        """As it is shown."""
        return f"hint {self.number} of {self.of}: {self.text}"


def next_of(key: str, hints: tuple[str, ...]) -> Hint | None:
    """The next hint of a check that failed once more; after the last one it is that again. None where there is none."""
    if not hints:
        return None
    memo: dict[str, Any] = vars(holder.core()).setdefault("memo", {})
    given: dict[str, int] = memo.setdefault(GIVEN, {})
    short = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    number = given[short] = min(given.get(short, 0) + 1, len(hints))
    return Hint(hints[number - 1], number, len(hints))
