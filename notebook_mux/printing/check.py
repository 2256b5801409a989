"""What `expect` gives where all is as expected: a value that says what was seen, shown as a green line."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from notebook_mux.printing.listing import clean

GREEN = "var(--jp-success-color1, #388e3c)"

_CARD = (
    f"border-left:3px solid {GREEN};padding:4px 10px;margin:2px 0;"
    "color:var(--jp-ui-font-color1,inherit);font-size:var(--jp-ui-font-size1,13px)"
)
_MARK = f"color:{GREEN};font-weight:600"
_TIME = "color:var(--jp-ui-font-color2,inherit)"


class Check:
    """A check that held. It is true; any thread may read it.

    Args:
        title: What was looked at, such as ``deploy/web``.
        found: What was seen of each expectation, in words.
        seen: The same as data.
        took: Seconds from the call until all held.
    """

    def __init__(self, title: str, found: Mapping[str, str], seen: Mapping[str, Any], took: float) -> None:
        self._title = clean(title)
        self._found = {name: clean(words) for name, words in found.items()}
        self._seen = dict(seen)
        self._took = took

    @property
    def ok(self) -> bool:
        """True: a check that does not hold is an `ExpectationFailed`."""
        return True

    @property
    def seen(self) -> dict[str, Any]:
        """What was seen of each expectation: its argument's name to the value of the cluster, or of the student."""
        return dict(self._seen)

    @property
    def took(self) -> float:
        """Seconds from the call until all held at once."""
        return self._took

    @property
    def text(self) -> str:
        """What was seen, as a line."""
        return f"✓ {self._title}: {self._words()} ({seconds(self._took)})"

    def _words(self) -> str:
        return "; ".join(self._found.values())

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return (
            f'<div style="{_CARD}"><span style="{_MARK}">✓ {escape(self._title)}</span> {escape(self._words())} '
            f'<span style="{_TIME}">· {escape(seconds(self._took))}</span></div>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self._repr_html_()}


def seconds(took: float) -> str:
    """How long it took, for people."""
    return "at once" if took < 0.5 else f"{took:.1f} s" if took < 10 else f"{took:.0f} s"
