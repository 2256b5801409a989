"""A table's rows read at one moment, in the table's order, for Python and for the copy in the notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from notebook_mux import clocks
from notebook_mux.filtering.keys import natural_key, text_key
from notebook_mux.printing import cells as printing
from notebook_mux.printing.lineage import Lineage, lineage_of
from notebook_mux.printing.moments import seen
from notebook_mux.printing.rows import Source
from notebook_mux.widgets.columns import LEAD, Extra
from notebook_mux.widgets.computing import PENDING
from notebook_mux.widgets.extras import told, values_of
from notebook_mux.widgets.order import cell_key, sort_titles
from notebook_mux.widgets.settings import LABEL_GROUP
from notebook_mux.widgets.usage import Usage
from notebook_mux.widgets.values import Kind, Value

Made = Callable[[str, Any, Any, Lineage], Sequence[Value]]
"""Makes the cells besides the server's: from cluster, record, resource and lineage."""


def made_of(
    extras: Sequence[Extra],
    usage: Usage | None = None,
    known: Callable[[str, Any], Sequence[Value] | None] | None = None,
    seconds: float | None = None,
) -> Made:
    """Makes them of the object, and of what is known already.

    Args:
        extras: The columns.
        usage: Knows what is used.
        known: Gives what the users' functions gave for a record.
        seconds: How long functions may be called, all in all; a cell that is not there then stays open.
    """
    until = None if seconds is None else time.monotonic() + seconds

    def made(cluster: str, record: Any, resource: Any, its: Lineage) -> Sequence[Value]:
        values = known(cluster, record) if known is not None else None
        if values is not None:
            ready = iter(values)
            return values_of(extras, cluster, record, resource, its, lambda _: next(ready), usage)
        if until is not None and time.monotonic() >= until:
            return values_of(extras, cluster, record, resource, its, lambda _: PENDING, usage)
        return values_of(extras, cluster, record, resource, its, None, usage)

    return made


def read(view: Any, made: Made, kinds: list[Kind], now: float | None = None) -> list[Source]:
    """All rows of a view, by cluster, namespace and name.

    Args:
        view: The core's.
        made: Makes the cells besides the server's.
        kinds: One for each of these cells; gets what they are.
        now: Unix seconds; of now by default.
    """
    now = time.time() if now is None else now
    moments, skewed = clocks.moments(view.states, now), clocks.skewed(view.states)
    columns = printing.effective(view.columns)
    rows = []
    for cluster, records in view.records.items():
        state = view.states.get(cluster)
        resource = state.resource if state is not None else None
        its = moments.get(cluster, now)
        where = printing.going(columns, resource)
        for record in sorted(records.values(), key=lambda r: (r.namespace, text_key(r.name))):
            found = seen(resource, record.object)
            shown, alive = printing.live(columns, resource, record, skewed=cluster in skewed, seen=found, where=where)
            known = lineage_of(found)
            values = made(cluster, record, resource, known)
            more, also = told(values)
            alive |= {len(shown) + at: moment for at, moment in also.items()}
            shown = shown + more
            for at, value in enumerate(values):
                kinds[at] |= value.kind
            rows.append(Source(cluster, record, printing.at(shown, alive, its), alive, its, known))
    return rows


def arranged(rows: list[Source], titles: Sequence[str], sort: str | None, group: str | None) -> list[Source]:
    """The rows by their groups and, in them, as they are sorted; what is the same stays as it was."""
    rows = list(rows)
    for title, descending in reversed(sort_titles(sort)):
        at = titles.index(title) if title in titles else None
        if at is None and title not in LEAD:
            continue

        def key(row: Source, title: str = title, at: int | None = at) -> Any:
            alive = row.alive.get(at) if at is not None else None
            return cell_key(row.cell(title, titles), title, alive)

        keyed = sorted(((key(row), row) for row in rows), key=lambda one: one[0], reverse=descending)
        rows = [row for _, row in sorted(keyed, key=lambda one: one[0][0] == 2)]  # nothing is last, whichever way
    if group:
        rows.sort(key=lambda row: natural_key(group_of(row, titles, group)))
    return rows


def group_of(row: Source, titles: Sequence[str], group: str) -> str:
    """The name of a row's group; "" for what belongs to none."""
    if group == "cluster":
        return row.cluster
    if group == "namespace":
        return row.namespace
    if group == "owner":
        return row.lineage.owner or ""
    if group.startswith(LABEL_GROUP):
        return row.labels.get(group.removeprefix(LABEL_GROUP), "")
    node = printing.text(row.cell("Node", titles))
    return "" if node == "<none>" else node
