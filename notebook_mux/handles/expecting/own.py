"""An expectation that a teacher writes as a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from notebook_mux.handles.expecting.looks import Look

SAYS = 200
"""Characters of an exception that are shown."""

MISTAKES = (NameError, ImportError, SyntaxError)
"""Of the function, not of what it looks at: waiting does not mend them."""


class Own:
    """A function of the object, of the list, or, without a target, of nothing.

    It holds where the function gives something true; an exception, an ``assert`` of its own too, is what was seen.

    Args:
        that: The function; its docstring's first line, or else its name, says what is expected.
    """

    name = "that"

    def __init__(self, that: Callable[..., Any]) -> None:
        self._that = that
        name = getattr(that, "__name__", type(that).__name__)
        said = (getattr(that, "__doc__", None) or "").strip().partition("\n")[0] if name != "<lambda>" else ""
        self.wanted = said or ("what the teacher's function says" if name == "<lambda>" else f"{name}()")

    def look(self, *arguments: Any) -> Look:
        """Call it.

        Raises:
            NameError: And its like, of the function itself.
        """
        try:
            given = self._that(*arguments)
            holds = bool(given)
        except MISTAKES:
            raise
        except Exception as error:  # noqa: BLE001 - of what it looks at, which may come to be as it expects
            said = " ".join(str(error).partition("\n")[0].split())[:SAYS]
            if isinstance(error, AssertionError) and said:
                return Look(False, said, None)
            return Look(False, f"it raised {type(error).__name__}{f': {said}' if said else ''}", None)
        if inspect.iscoroutine(given) or inspect.isgenerator(given) or inspect.isroutine(given):
            if inspect.iscoroutine(given):
                given.close()
            return Look(False, f"it gave a {type(given).__name__}, and not whether it holds", None)
        return Look(holds, "it holds" if holds else f"it does not hold ({given!r})"[:SAYS], given)

    async def ask(self, manager: Any, deadline: float | None) -> Look:
        """Call it without an argument."""
        return self.look()
