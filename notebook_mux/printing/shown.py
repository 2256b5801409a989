"""A stream or snapshot as text and HTML: what is known at this moment, how old it is, and what is in trouble.

Nothing here waits, and nothing of a cluster gets into HTML without being escaped.
"""

from __future__ import annotations

from html import escape
from typing import Any

from notebook_mux import ages, clocks
from notebook_mux.handles.entries import Entry, scopes
from notebook_mux.printing import cells

MAX_ROWS = 50
"""Rows of a copy in a notebook's file; the table widget shows all."""

MAX_CELL = 120
"""Characters of one cell in such a copy."""


def line(name: str, words: str, view: Any) -> str:
    """One line: ``<Stream of pods in default: 3 objects, live>``."""
    return f"<{name} of {words}: {_count(view)}, {_state(view)}>"


def text(words: str, view: Any, entries: list[Entry], now: float) -> str:
    """A table in plain text."""
    titles, rows = _grid(view, entries, now)
    parts = [_caption(words, view, now), *_troubles(view)]
    if rows:
        widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
        parts += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (titles, *rows)
        ]
    if len(entries) > MAX_ROWS:
        parts.append(f"… {len(entries) - MAX_ROWS} more")
    return "\n".join(parts)


def html(words: str, view: Any, entries: list[Entry], now: float) -> str:
    """A table in HTML, all of it escaped."""
    titles, rows = _grid(view, entries, now)
    parts = [f"<div><div>{escape(_caption(words, view, now))}</div>"]
    parts += [f"<div><b>{escape(trouble)}</b></div>" for trouble in _troubles(view)]
    if rows:
        head = "".join(f'<th style="text-align:left">{escape(title)}</th>' for title in titles)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>")
        for row in rows:
            cells_ = "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row)
            parts.append(f"<tr>{cells_}</tr>")
        parts.append("</tbody></table>")
    if len(entries) > MAX_ROWS:
        parts.append(f"<div>… {len(entries) - MAX_ROWS} more</div>")
    parts.append("</div>")
    return "".join(parts)


def _grid(view: Any, entries: list[Entry], now: float) -> tuple[list[str], list[list[str]]]:
    """Titles and rows of text: the server's columns but the wide ones, at most `MAX_ROWS`."""
    columns = cells.effective(view.columns)
    narrow = [at for at, column in enumerate(columns) if not column.get("priority")]
    several_clusters, several_namespaces = scopes(view)
    titles = [columns[at]["name"] for at in narrow]
    moments, skewed = clocks.moments(view.states, now), clocks.skewed(view.states)
    titles = ["Cluster"] * several_clusters + ["Namespace"] * several_namespaces + titles
    rows = []
    for cluster, record in entries[:MAX_ROWS]:
        state = view.states.get(cluster)
        resource = state.resource if state is not None else None
        printed, alive = cells.live(columns, resource, record, skewed=cluster in skewed)
        whole = cells.at(printed, alive, moments.get(cluster, now))
        row = [cluster] * several_clusters + [record.namespace] * several_namespaces
        row += [cells.text(whole[at]) for at in narrow]
        rows.append([_clean(cell) for cell in row])
    return titles, rows


def _clean(cell: str) -> str:
    """One line of printable characters: nothing that drives a terminal."""
    shown = "".join(character if character.isprintable() else "�" for character in cell)
    return shown if len(shown) <= MAX_CELL else shown[: MAX_CELL - 1] + "…"


def _caption(words: str, view: Any, now: float) -> str:
    moment = ages.utc(now).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{words} · {_count(view)} · {_state(view)} · as of {moment}"


def _count(view: Any) -> str:
    if not any(state.synced for state in view.states.values()):
        return "nothing read yet"
    number = sum(map(len, view.records.values()))
    return f"{number} object{'' if number == 1 else 's'}"


def _state(view: Any) -> str:
    states = {state.state for state in view.states.values()}
    if len(states) == 1:
        return str(states.pop())
    return ", ".join(f"{name} {state.state}" for name, state in view.states.items()) or "no cluster"


def _troubles(view: Any) -> list[str]:
    lines = []
    for name, state in view.states.items():
        words = ": ".join(dict.fromkeys(_clean(part) for part in (state.reason, state.said) if part))
        if state.state == "live":
            if words:
                lines.append(f"{name}: {words}")
            continue
        parts = [f"{name}: {state.state}{f' since {_clock(state.since)}' if state.since else ''}"]
        parts += [words] if words else []
        parts += [f"rows are from {_clock(state.fresh)}"] if state.fresh else []
        parts += [f"next try at {_clock(state.retry_at)}"] if state.retry_at else []
        parts += [_clean(state.todo)] if state.todo else []
        lines.append(", ".join(parts))
    return lines


def _clock(seconds: float) -> str:
    return ages.utc(seconds).strftime("%H:%M:%S UTC")
