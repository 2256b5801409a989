"""The static copy: rows as plain HTML that says of when it is. All text is escaped; no script."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from notebook_mux.printing import tones

MAX_ROWS = 200
"""Rows of a copy: a notebook is read by people, and each copy is kept in the file."""

TEXT_ROWS = 50
"""Rows of a copy in lines of text beside the one in HTML: for a reader who has nothing better."""

MAX_CELL = 200
"""Characters of one cell in a copy."""

MAX_HEIGHT = 400
"""Pixels, as a live table by default; Notebook 7 puts an output that began longer into a box of its own, for good."""

MARK = "notebook-mux-copy"
"""The class by which a live view finds the copy beside it, and hides it."""

MISSING = (
    "No live view: this page has no anywidget extension. Install anywidget where the Jupyter server runs "
    "(pip install anywidget), then load the page again."
)
"""Said only where the page has shown that it lacks it."""

_CELL, _RIGHT = "text-align:left", "text-align:right"
"""Short, for it stands in each cell: a style sheet would not outlive the cleaning of an untrusted notebook."""

_BOLD = "font-weight:600"

_NOTE = "font-size:85%;opacity:.75;margin:2px 0"


def stamp(now: float) -> str:
    """A moment as a reader of a saved notebook needs it: with date and time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(now))


def standing(name: str, state: str, reason: str | None, said: str | None = None, fresh: float | None = None) -> str:
    """How a cluster stood, in one line of a copy.

    Args:
        name: The cluster's.
        state: Its state.
        reason: Why, in our words.
        said: The server's own.
        fresh: Unix seconds of when the rows are, where they were not live.
    """
    why = ": ".join(dict.fromkeys(filter(None, (reason, said))))
    rows = f" · rows are from {stamp(fresh)}" if fresh else ""
    return f"{name}: {state}{f' ({why})' if why else ''}{rows}"


class Cell(NamedTuple):
    """One cell of a copy.

    Attributes:
        tone: As of `tones.tone`.
        meaning: What it says in words, where that is more.
        right: Whether it stands at the right, as numbers do.
        shaped: Whether its tone's shape stands before it at all times, so that all of its column begin alike.
    """

    text: str
    tone: str = ""
    meaning: str = ""
    right: bool = False
    shaped: bool = False

    @property
    def shape(self) -> str:
        """The sign of its tone, for those who do not see its colour."""
        if self.shaped:
            return tones.SHAPES.get(self.tone, "○" if self.text else "")
        return tones.SHAPES[self.tone] if self.tone in ("warn", "bad") else ""


class Group(NamedTuple):
    """A line above the rows of a group, with the number of all its rows."""

    title: str
    size: int


Line = Sequence[str | Cell] | Group


def copy(
    *,
    key: str,
    title: str,
    states: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Line],
    total: int,
    now: float,
    about: Sequence[str] = (),
    origin: str = "",
    beside: bool = True,
) -> str:
    """A table's static copy.

    Args:
        key: The widget's, for its live view to find the copy.
        title: Such as ``pods``.
        states: One line each, such as ``kind-a: live``.
        columns: Titles.
        rows: At most `MAX_ROWS` are taken.
        total: All rows there are.
        now: Unix seconds.
        about: How they were looked at, such as ``sorted by Age``.
        origin: From which clusters they are.
        beside: Whether a live view is in the next output.
    """
    lines, left = _bounded(rows, total, MAX_ROWS)
    shown = [_group(line, len(columns)) if isinstance(line, Group) else _row(line) for line in lines]
    if left:
        shown.append(f'<tr><td colspan="{max(1, len(columns))}" style="{_CELL}">{_text(_more(left))}</td></tr>')
    numbers = {at for line in lines if not isinstance(line, Group) for at, cell in enumerate(line) if _right(cell)}
    head = "".join(
        f'<th scope="col" style="{_RIGHT if at in numbers else _CELL}">{_text(name)}</th>'
        for at, name in enumerate(columns)
    )
    above = "".join(f'<div style="{_NOTE}">{_text(line)}</div>' for line in states)
    note = _note(total, left, about)
    when = f"copy of {stamp(now)}{f' from {origin}' if origin else ''} · run the cell to have it live"
    return (
        f"<style>{_rules(key, beside)}</style>"
        f'<div class="{MARK} notebook-mux-{escape(key)}">'
        f'<div style="{_NOTE}"><strong>{_text(title)}</strong> · {_text(note)}</div>'
        f'<div style="{_NOTE}">{_text(when)}</div>{above}'
        f'<div style="max-height:{MAX_HEIGHT}px;overflow:auto" role="region" tabindex="0" aria-label="{_text(title)}">'
        f'<table style="border-collapse:collapse;font-size:90%;white-space:nowrap"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(shown)}</tbody></table></div></div>"
    )


def _bounded(rows: Iterable[Line], total: int, most: int) -> tuple[list[Line], int]:
    """The lines to show, and how many rows are left out."""
    lines: list[Line] = []
    shown = 0
    for line in rows:
        if shown == most:
            break
        lines.append(line)
        shown += not isinstance(line, Group)
    return lines, max(0, total - shown)


def _more(left: int) -> str:
    return f"… and {left} more {'row' if left == 1 else 'rows'}"


def _note(total: int, left: int, about: Sequence[str]) -> str:
    rows = f"{total} {'row' if total == 1 else 'rows'}{f', the first {total - left} shown' if left else ''}"
    return " · ".join([rows, *about])


def _right(cell: str | Cell) -> bool:
    return isinstance(cell, Cell) and cell.right


def _row(cells: Sequence[str | Cell]) -> str:
    return "<tr>" + "".join(map(_cell, cells)) + "</tr>"


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return f'<td style="{_CELL}">{_text(cell)}</td>'
    style, about = _RIGHT if cell.right else _CELL, f' title="{_text(cell.meaning)}"' if cell.meaning else ""
    shape = f'<span style="{tones.STYLES[cell.tone]}">{cell.shape}</span> ' if cell.shape else ""
    words = f'<span style="{_BOLD}">{_text(cell.text)}</span>' if cell.tone == "bad" else _text(cell.text)
    return f'<td style="{style}"{about}>{shape}{words}</td>'


def _group(group: Group, columns: int) -> str:
    return (
        f'<tr><th scope="rowgroup" colspan="{max(1, columns)}" style="{_CELL}">{_text(group.title)} '
        f'<span style="font-weight:normal">· {group.size}</span></th></tr>'
    )


def text(
    *,
    key: str,
    title: str,
    states: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Line],
    total: int,
    now: float,
    about: Sequence[str] = (),
    origin: str = "",
    most: int = MAX_ROWS,
) -> str:
    """The same as `copy` in lines of text of at most so many rows, with nothing in it that drives a terminal."""
    lines, left = _bounded(rows, total, most)
    heads = [
        f"{title} · {_note(total, left, about)} · as of {stamp(now)}{f' from {origin}' if origin else ''}",
        *states,
    ]
    cells = [[_said(cell) for cell in line] for line in lines if not isinstance(line, Group)]
    table = [[*map(_clean, columns)], *cells] if cells else []
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = iter(["  ".join(map(str.ljust, row, widths)).rstrip() for row in table])
    out = [*map(clean_line, heads)]
    if table:
        out.append(next(padded))
    out += [clean_line(f"— {line.title} · {line.size}") if isinstance(line, Group) else next(padded) for line in lines]
    return "\n".join([*out, *([_more(left)] if left else [])])


def _said(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return _clean(cell)
    return f"{cell.shape} {_clean(cell.text)}" if cell.shape else _clean(cell.text)


def clean_line(line: str) -> str:
    """A line with nothing in it that drives a terminal."""
    return "".join(c if c.isprintable() else " " for c in line)


def _clean(value: str) -> str:
    # Line breaks and other control characters would leave the row
    clean = clean_line(value[: MAX_CELL + 1])
    return clean if len(value) <= MAX_CELL else clean[:MAX_CELL] + "…"


def _rules(key: str, beside: bool) -> str:
    """The copy's style sheet, for what no text can know: what became of the view in the next output.

    JupyterLab says "Loading widget..." or "model not found" there while the kernel that had the widget is not there,
    beside a copy that says it better: words alone are hidden. Where the page has no extension for the widget it shows
    an error to click at, or nothing: then the copy says what is missing. And on paper all rows are printed. A notebook
    that is not trusted loses these rules, and shows neither view nor words of its own there.
    """
    area, own = ".jp-OutputArea-child", f".notebook-mux-{escape(key)}"
    paper = f"@media print{{{own}>div{{max-height:none!important}}}}"
    if not beside:
        return paper
    failed = (f"{area} .jupyter-widgets-error-widget", f"{area}>.jp-RenderedText>pre:empty")
    return (
        f"{area}:has({own})+{area}>.jp-OutputArea-output:not(:has(*)){{display:none}}"
        f"{','.join(f'{area}:has(+{one}) {own}::before' for one in failed)}"
        f'{{content:"{MISSING}";display:block;font-weight:600}}'
        f"{paper}"
    )


def _text(value: str) -> str:
    return escape(_clean(value))


def screen(*, key: str, title: str, state: str, text: str, now: float, beside: bool = True) -> str:
    """A terminal's static copy: what it is and how it stands, and what it showed only where its user saved that.

    Args:
        key: The widget's, for its live view to find the copy.
        title: Such as ``bash in web-0``.
        state: How it stands, in words.
        text: Lines of the screen; "" for none.
        now: Unix seconds.
        beside: Whether a live view is in the next output.
    """
    note = f"{state} · as of {stamp(now)} · run the cell to have it live"
    lines = "\n".join(map(clean_line, text.split("\n")))
    shown = (
        f'<pre style="max-height:{MAX_HEIGHT}px;overflow:auto;margin:2px 0;white-space:pre">{escape(lines)}</pre>'
        if text
        else ""
    )
    return (
        f"<style>{_rules(key, beside)}</style>"
        f'<div class="{MARK} notebook-mux-{escape(key)}">'
        f'<div style="{_NOTE}"><strong>{_text(title)}</strong> · {_text(note)}</div>{shown}</div>'
    )


def lines(
    *, key: str, title: str, note: str, states: Sequence[str], shown: str, now: float, beside: bool = True
) -> str:
    """The static copy of logs.

    Args:
        key: The widget's, for its live view to find the copy.
        title: Such as ``logs of deployment web in default``.
        note: How many lines there are, and are shown.
        states: One line each, such as ``kind-a · default/web-0 · main: waiting (ContainerCreating)``.
        shown: The lines as HTML, escaped already.
        now: Unix seconds.
        beside: Whether a live view is in the next output.
    """
    said = "".join(f'<div style="{_NOTE}">{_text(line)}</div>' for line in states)
    about = f"{note} · copy of {stamp(now)} · run the cell to have it live"
    return (
        f"<style>{_rules(key, beside)}</style>"
        f'<div class="{MARK} notebook-mux-{escape(key)}">'
        f'<div style="{_NOTE}"><strong>{_text(title)}</strong> · {_text(about)}</div>{said}'
        f'<div style="max-height:{MAX_HEIGHT}px;overflow:auto">'
        f'<pre style="margin:2px 0;white-space:pre;line-height:1.42">{shown}</pre></div></div>'
    )
