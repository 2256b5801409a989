"""What `apply`, `scale`, `restart` and `delete` give: what was done, object by object, and the exact difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from notebook_mux.handles.objects import Object
from notebook_mux.printing.differences import difference
from notebook_mux.printing.listing import MAX_ROWS, Listing, clean

DRY = " (server dry run)"
"""Behind what would be done, as kubectl says it."""

SHOWN_LINES = 200
"""Of a difference in a notebook; `Outcome.diff` has all."""

COLUMNS = ("Cluster", "Kind", "Namespace", "Name", "Result", "Said")

FAILED, NOT_TRIED, UNKNOWN, UNCHANGED = "failed", "not tried", "unknown", "unchanged"

_RESULT = {
    FAILED: "color:var(--jp-error-color1,#b71c1c);font-weight:600",
    UNKNOWN: "color:var(--jp-error-color1,#b71c1c);font-weight:600",
    NOT_TRIED: "opacity:.8",
    UNCHANGED: "opacity:.8",
}
_DONE = "font-weight:600"

_PRE = (
    "margin:2px 0;max-height:400px;overflow:auto;line-height:1.35;background:transparent;"
    "color:var(--jp-ui-font-color1,inherit);font-family:var(--jp-code-font-family,monospace);"
    "font-size:var(--jp-code-font-size,13px);white-space:pre"
)
_SUMMARY = (
    '<summary style="color:var(--jp-ui-font-color1,inherit);font-size:var(--jp-ui-font-size1,13px);cursor:pointer">'
    "the exact difference</summary>"
)
_LINES = {
    "+": "background:rgba(46,160,67,.22)",
    "-": "background:rgba(248,81,73,.22)",
    "@": "opacity:.75",
    "h": "font-weight:600",
}


@dataclass(frozen=True)
class Done:
    """What became of one object.

    Args:
        cluster: The cluster's name.
        kind: Such as ``Deployment``.
        namespace: "" for what is in none.
        name: Its name.
        result: ``created``, ``configured``, ``unchanged``, ``scaled 2 → 3``, ``restarted``, ``deleted``, ``deleting``;
            ``failed``, ``not tried``, or ``unknown`` where nobody can tell.
        before: Its state before; None where it was not there.
        after: Its state after, None where it is gone.
        said: What the server, or a failure, says besides.
        subject: What the difference is of, where it is not the object itself: ``scale``.
    """

    cluster: str
    kind: str
    namespace: str
    name: str
    result: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    said: Sequence[str] = ()
    subject: str = ""
    shown: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def changes(self) -> bool:
        """Whether it is, or would be, another than before."""
        return self.result not in (FAILED, NOT_TRIED, UNKNOWN, UNCHANGED)

    @property
    def words(self) -> str:
        """Which object, in words."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        part = f" ({self.subject})" if self.subject else ""
        return clean(f"{self.kind} {where}{part} in {self.cluster}")

    @property
    def diff(self) -> str:
        """The exact difference; "" for none."""
        return difference(self.before, self.after, self.words) if self.changes else ""

    @property
    def object(self) -> Object | None:
        """The object after the change, or its last state."""
        content = self.shown or self.after or self.before
        return Object(content, self.cluster) if content is not None else None


class Outcome(Listing):
    """What was done, one row for each object. Any thread may read it.

    Args:
        title: What was asked for, such as ``scale deploy/web``.
        done: What became of each.
        dry_run: Whether nothing was changed.
        notes: Sentences below the table.
    """

    def __init__(self, title: str, done: Iterable[Done], *, dry_run: bool = False, notes: Iterable[str] = ()) -> None:
        self._done = list(done)
        self._dry_run = dry_run
        rows = [
            {
                "Cluster": one.cluster,
                "Kind": one.kind,
                "Namespace": one.namespace or None,
                "Name": one.name,
                "Result": one.result + (DRY if dry_run and one.result not in (FAILED, NOT_TRIED) else ""),
                "Said": "; ".join(clean(words) for words in one.said) or None,
            }
            for one in self._done
        ]
        super().__init__(title, COLUMNS, rows, notes)

    @property
    def dry_run(self) -> bool:
        """Whether the servers were only asked what would be, and nothing was changed."""
        return self._dry_run

    @property
    def diff(self) -> str:
        """The exact difference as unified diffs of YAML, one for each object that changes; "" for none.

        Without managed fields, status and what else the server keeps for itself; a Secret's values are hidden.
        """
        return "\n".join(filter(None, (one.diff for one in self._done)))

    @property
    def objects(self) -> list[Object]:
        """The objects as they are after the change; of one that was deleted its last state."""
        return [found for one in self._done if (found := one.object) is not None]

    # --- how it looks ---------------------------------------------------------------------------------------------

    def _shown_columns(self) -> list[str]:
        several = len({one.cluster for one in self._done}) > 1
        return [name for name in super()._shown_columns() if several or name != "Cluster"]

    def _diff_lines(self) -> tuple[list[str], list[str]]:
        """Those that are shown, and a sentence about the others."""
        lines = [clean(line) if not line.isprintable() else line for line in self.diff.split("\n") if line]
        left = len(lines) - SHOWN_LINES
        return lines[:SHOWN_LINES], [f"… {left} more lines, see .diff"] if left > 0 else []

    def __repr__(self) -> str:
        lines, left = self._diff_lines()
        return "\n".join([*self._lines(MAX_ROWS), *([""] if lines else []), *lines, *left])

    def _repr_html_(self) -> str:
        return self._html(MAX_ROWS) + self._html_diff()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _html_diff(self) -> str:
        lines, left = self._diff_lines()
        if not lines:
            return ""
        shown = []
        for line in lines:
            style = _LINES.get("h" if line.startswith(("+++", "---")) else line[:1], "")
            shown.append(f'<div style="{style}">{escape(line)}</div>' if style else f"<div>{escape(line)}</div>")
        more = "".join(f"<div>{escape(words)}</div>" for words in left)
        return f'<details open>{_SUMMARY}<pre style="{_PRE}">{"".join(shown)}{more}</pre></details>'

    def _style(self, row: Mapping[str, Any], title: str) -> str:
        if title != "Result":
            return ""
        return _RESULT.get(str(row["Result"]).removesuffix(DRY), _DONE)
