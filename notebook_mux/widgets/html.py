"""The static copy: rows as plain HTML that says of when it is. All text is escaped; no script."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from html import escape

MAX_ROWS = 200
"""Rows of a copy: a notebook is read by people, and each copy is kept in the file."""

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

_CELL = "text-align:left"
"""Short, for it stands in each cell: a style sheet would not outlive the cleaning of an untrusted notebook."""

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


def copy(
    *,
    key: str,
    title: str,
    states: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    total: int,
    now: float,
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
        beside: Whether a live view is in the next output.
    """
    shown: list[str] = []
    for row in rows:
        if len(shown) == MAX_ROWS:
            break
        shown.append("<tr>" + "".join(f'<td style="{_CELL}">{_text(cell)}</td>' for cell in row) + "</tr>")
    left = f", the first {len(shown)} shown" if total > len(shown) else ""
    note = f"{total} {'row' if total == 1 else 'rows'}{left} · copy of {stamp(now)} · run the cell to have it live"
    head = "".join(f'<th scope="col" style="{_CELL}">{_text(name)}</th>' for name in columns)
    lines = "".join(f'<div style="{_NOTE}">{_text(line)}</div>' for line in states)
    return (
        f"<style>{_rules(key, beside)}</style>"
        f'<div class="{MARK} notebook-mux-{escape(key)}">'
        f'<div style="{_NOTE}"><strong>{_text(title)}</strong> · {_text(note)}</div>{lines}'
        f'<div style="max-height:{MAX_HEIGHT}px;overflow:auto">'
        f'<table style="border-collapse:collapse;font-size:90%"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(shown)}</tbody></table></div></div>"
    )


def text(
    *,
    key: str,
    title: str,
    states: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    total: int,
    now: float,
) -> str:
    """The same as `copy` in lines of text, with nothing in it that drives a terminal."""
    shown = [[_clean(cell) for cell in row] for row in itertools.islice(rows, MAX_ROWS)]
    left = f", the first {len(shown)} shown" if total > len(shown) else ""
    lines = [f"{title} · {total} {'row' if total == 1 else 'rows'}{left} · as of {stamp(now)}", *states]
    table = [list(columns), *shown] if shown else []
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
    return "\n".join([*map(clean_line, lines), *padded])


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
