"""A result as text and as HTML, for a notebook that is live, saved, or read elsewhere. All of it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from notebook_mux.magics import kinds
from notebook_mux.printing import log_text, tones
from notebook_mux.printing.listing import MAX_ROWS, Listing, stamp
from notebook_mux.printing.masking import masked_lines

if TYPE_CHECKING:
    from notebook_mux.magics.tables import Table

MAX_LINES = 1000
"""Lines of text that are shown; `KubectlResult.text` has all. A Deployment in YAML has 150 to 300."""

MAX_LENGTH = 2000
"""Characters of one shown line."""

MAX_HEIGHT = 420
"""Pixels of shown text, before it scrolls by itself."""

MAX_COLOURED = 200_000
"""Characters of text that are coloured: the page has an element for each word."""

INKS = {
    "Name.Tag": "var(--jp-mirror-editor-keyword-color,#1565c0)",
    "Literal.String": "var(--jp-mirror-editor-string-color,#b0413e)",
    "Literal.Number": "var(--jp-mirror-editor-number-color,#2e7d32)",
    "Keyword.Constant": "var(--jp-mirror-editor-atom-color,#6a1b9a)",
    "Comment": "var(--jp-mirror-editor-comment-color,#4f7f7f)",
    "Generic.Inserted": "var(--jp-success-color1,#2e7d32)",
    "Generic.Deleted": "var(--jp-error-color1,#c62828)",
    "Generic.Subheading": "var(--jp-mirror-editor-keyword-color,#1565c0)",
}
"""Pygments' kinds of tokens to the colours of JupyterLab's editor, and to what is readable where there are none."""

_BOX = "color:var(--jp-ui-font-color1,inherit);font-size:var(--jp-ui-font-size1,13px)"
_PRE = (
    f"max-height:{MAX_HEIGHT}px;overflow:auto;margin:2px 0;white-space:pre;text-align:left;line-height:1.35;"
    "color:var(--jp-content-font-color1,inherit);background:transparent;"
    "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"
)
_NOTE = "margin:2px 0;opacity:.8"
_WRONG = "border-left:3px solid var(--jp-error-color1,#c62828);background:#c6282818;padding:4px 10px;margin:4px 0"
_ODD = "border-left:3px solid var(--jp-warn-color1,#b26a00);padding:2px 10px;margin:4px 0"
_WORDS = (
    "margin:0;white-space:pre-wrap;background:transparent;color:inherit;"
    "font-family:var(--jp-code-font-family,monospace)"
)


class Sheet(Listing):
    """One of kubectl's tables: as a `Listing`, with the colours of its states."""

    def __init__(self, title: str, table: Table, at: float) -> None:
        # A title may be a cluster's too: custom resources have columns of their own.
        titles = {name: log_text.shown(name) for name in table.columns}
        rows = ({titles[name]: cell for name, cell in row.items()} for row in table.rows)
        super().__init__(title, list(titles.values()), rows)
        self._at = at

    def _style(self, row: Mapping[str, Any], title: str) -> str:
        return tones.STYLES[tones.tone("", title, row[title], row.get(tones.partner("", title) or ""))]


@dataclass(frozen=True)
class Look:
    """How one result is shown.

    Args:
        command: What was run.
        context: The cluster, where there are several to choose from.
        kind: See `kinds.kind_of`.
        notes: What is said of it besides.
        todo: What to do next, where it failed.
        at: Unix seconds.
    """

    command: str
    context: str
    kind: str
    notes: tuple[str, ...]
    todo: str
    at: float

    def text(self, stdout: str, stderr: str, failed: bool) -> str:
        """In plain text: what kubectl wrote."""
        lines = [*self._shown(stdout), *harmless(stderr), *self.notes]
        if failed and self.todo:
            lines.append(f"next: {self.todo}")
        return "\n".join(lines)

    def html(self, tables: Sequence[Table], stdout: str, stderr: str, failed: bool) -> str:
        """In HTML."""
        title = f"{self.command} · {self.context}" if self.context else self.command
        parts = [f'<div style="{_BOX}">']
        if tables:
            titles = [title, *(_kind_of(table) for table in tables[1:])]
            parts += [Sheet(*pair, self.at)._html(MAX_ROWS) for pair in zip(titles, tables, strict=True)]
        else:
            parts.append(f'<div style="{_NOTE}"><strong>{escape(title)}</strong> · {stamp(self.at)}</div>')
            if shown := "\n".join(self._shown(stdout)):
                parts.append(f'<pre style="{_PRE}">{coloured(shown, self.kind)}</pre>')
        if words := "\n".join(harmless(stderr)):
            parts.append(f'<div style="{_WRONG if failed else _ODD}"><pre style="{_WORDS}">{escape(words)}</pre></div>')
        notes = [*self.notes, *([f"next: {self.todo}"] if failed and self.todo else [])]
        return "".join([*parts, *(f'<div style="{_NOTE}">{escape(note)}</div>' for note in notes), "</div>"])

    def _shown(self, stdout: str) -> list[str]:
        return harmless(stdout, masked=self.kind == kinds.LOG)


def _kind_of(table: Table) -> str:
    """What a table is of, where kubectl puts it before each name; of several tables it does."""
    name = table.rows[0].get("NAME", "") if table.rows else ""
    return name.partition("/")[0] if "/" in name else "and"


def harmless(text: str, *, masked: bool = False) -> list[str]:
    """Lines that can be shown anywhere: nothing that drives a terminal, no more and none longer than is of use.

    Args:
        text: As it came.
        masked: Whether what looks like a secret is masked, as in all logs.
    """
    lines = text.splitlines()
    left = len(lines) - MAX_LINES
    if left > 0:
        lines = lines[:MAX_LINES]
    if masked:
        lines = masked_lines(((), log_text.without_escapes(line)) for line in lines)
    shown = [log_text.shown(line, MAX_LENGTH) for line in lines]
    return [*shown, *([f"… {left} more lines, see .text"] if left > 0 else [])]


def coloured(text: str, kind: str) -> str:
    """Text as HTML, with colours where it is JSON, YAML or a diff."""
    if kind not in (kinds.JSON, kinds.YAML, kinds.DIFF) or len(text) > MAX_COLOURED:
        return escape(text)
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]  # comes with IPython

    lexer = get_lexer_by_name(kind, stripnl=False, ensurenl=False)
    return "".join(_spans(lexer.get_tokens(text)))


def _spans(tokens: Iterable[tuple[Any, str]]) -> Iterable[str]:
    for token, value in tokens:
        name = str(token).removeprefix("Token.")
        ink = next((colour for kind, colour in INKS.items() if name == kind or name.startswith(f"{kind}.")), "")
        yield f'<span style="color:{ink}">{escape(value)}</span>' if ink and value.strip() else escape(value)
