"""What a check found, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from notebook_mux.errors import MuxError
from notebook_mux.life.privacy import Privacy

Row = dict[str, Any]
"""``Area Check State Found Next``; a text each, Next may be None."""

State = Literal["ok", "warning", "wrong", "info"]

Say = Callable[[Mapping[str, Any]], None]
"""Tells whoever asked what is going on: ``{"t": "now", "what": ...}`` or ``{"t": "rows", "rows": [...]}``."""

SAID_LIMIT = 400
"""Characters of a server's, a plugin's or the system's words in a report."""


class Findings:
    """The rows of one area, in order, with nothing private in them.

    Args:
        area: Such as ``versions`` or ``context dev``.
        privacy: What to take out of all texts.
    """

    def __init__(self, area: str, privacy: Privacy) -> None:
        self.rows: list[Row] = []
        self._privacy = privacy
        self._area = privacy.clean(area)

    def add(self, state: State, check: str, found: str, todo: str | None = None) -> None:
        """A finding; `todo` is what to do about it."""
        clean = self._privacy.clean
        row = {"Area": self._area, "Check": check, "State": state, "Found": clean(" ".join(found.split()))}
        self.rows.append({**row, "Next": clean(" ".join(todo.split())) if todo else None})

    def error(self, check: str, error: MuxError, state: State = "wrong", todo: str | None = None) -> None:
        """A finding that is an error: what happened, the other side's words, what to do."""
        said = " ".join(error.said.split())[:SAID_LIMIT] if error.said else ""
        self.add(state, check, f"{error.what}{f' (said: {said})' if said else ''}", todo or error.todo)
