"""The columns behind the server's: a user's own, of labels, of usage; and their cells."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from notebook_mux.printing.cells import Live
from notebook_mux.printing.lineage import Lineage
from notebook_mux.widgets.columns import Column, Extra, Wish, label_titles
from notebook_mux.widgets.computing import Computing, Job
from notebook_mux.widgets.usage import Usage
from notebook_mux.widgets.values import NOTHING, Kind, Value, at_path, column_type, failure, object_of, value_of

WAIT_SECONDS = 0.025
"""For users' functions before a message is sent without what they have not given yet: half the time between two."""

USAGE_TITLES = {
    ("", "pods"): ("CPU", "%CPU/R", "%CPU/L", "Mem", "%Mem/R", "%Mem/L"),
    ("", "nodes"): ("CPU", "%CPU", "Mem", "%Mem"),
}
"""Kinds that the metrics API measures, and the columns of that."""


class Extras:
    """The columns besides the server's, and their cells. Not thread-safe: under the widget's lock.

    Args:
        poke: Called, on any thread, when there are new cells for rows that have not changed.
    """

    def __init__(self, poke: Callable[[], None] = lambda: None) -> None:
        self.all: tuple[Extra, ...] = ()
        self._poke = poke
        self._kinds: dict[str, Kind] = {}
        self._computing: Computing | None = None
        self.usage = Usage(poke)

    def described(self, found: tuple[Extra, ...]) -> bool:
        """Take in what is asked for; returns whether that is anything new."""
        if found == self.all:
            return False
        self.stop()
        self.all = found
        self._kinds = {}
        functions = {e.wish.title: e.wish.function for e in found if e.wish is not None and e.wish.function is not None}
        self._computing = Computing(functions, self._poke) if functions else None
        return True

    def stop(self) -> None:
        """Call no functions any more, and ask for no usage."""
        self.usage.close()
        if self._computing is not None:
            self._computing.stop()
            self._computing = None
            self.all = ()  # described anew before anything is made again

    def columns(self) -> list[Column]:
        """The columns, of the types that their cells have shown so far."""
        return typed(self.all, [self._kinds.get(extra.column.title, Kind(0)) for extra in self.all])

    def prepare(self, jobs: Iterable[tuple[Hashable, Job]]) -> None:
        """Have the functions called for rows that are about to be sent."""
        if self._computing is not None:
            self._computing.prepare(jobs, WAIT_SECONDS)

    @property
    def computes(self) -> bool:
        """Whether there are functions to call."""
        return self._computing is not None

    @property
    def busy(self) -> bool:
        """Whether functions have rows to come."""
        return self._computing is not None and self._computing.busy

    def late(self) -> list[Any]:
        """Rows with cells that came after they were sent."""
        return self._computing.late() if self._computing is not None else []

    def forget(self, key: Hashable) -> None:
        """The row has gone."""
        if self._computing is not None:
            self._computing.forget(key)

    def known(self, key: Hashable, record: Any) -> Sequence[Value] | None:
        """What the functions gave for a row as it is now; None where they have not come back, or are not asked."""
        return self._computing.known(key, record) if self._computing is not None else None

    def notes(self) -> list[str]:
        """What to tell beside the table."""
        return [*self.usage.notes(), *(self._computing.notes() if self._computing is not None else [])]

    def cells(
        self, key: Hashable, cluster: str, record: Any, resource: Mapping[str, Any] | None, lineage: Lineage
    ) -> tuple[list[Any], Live]:
        """One row's."""
        computed = iter(self._computing.values(key)) if self._computing is not None else iter(())
        values = values_of(self.all, cluster, record, resource, lineage, lambda _: next(computed), self.usage)
        for extra, value in zip(self.all, values, strict=True):
            if extra.wish is not None:
                title = extra.column.title
                self._kinds[title] = self._kinds.get(title, Kind(0)) | value.kind
        return told(values)


def extras(
    server: Sequence[Column],
    wishes: Sequence[Wish],
    labels: Sequence[str],
    usage: bool,
    resource: Mapping[str, Any] | None,
) -> tuple[Extra, ...]:
    """The columns that were asked for besides the server's."""
    own = [wish for wish in wishes if wish.own]
    taken = [*(column.title for column in server), *(wish.title for wish in own)]
    measured = USAGE_TITLES.get((resource["group"], resource["name"]), ()) if usage and resource else ()
    return (
        *(Extra(Column(wish.title, "string", wish.path, False, "custom"), wish=wish) for wish in own),
        *(
            Extra(Column(title, "string", f"the label {key}", False, "label"), key=key)
            for key, title in zip(labels, label_titles(labels, taken), strict=True)
        ),
        *(Extra(Column(title, *USAGE_ABOUT[title], False, "usage"), key=title) for title in measured),
    )


USAGE_ABOUT = {
    "CPU": ("quantity", "CPU in use, in thousandths of a core"),
    "%CPU/R": ("integer", "CPU in use, percent of what the containers request"),
    "%CPU/L": ("integer", "CPU in use, percent of the containers' limits"),
    "%CPU": ("integer", "CPU in use, percent of what the node can give to pods"),
    "Mem": ("quantity", "memory in use"),
    "%Mem/R": ("integer", "memory in use, percent of what the containers request"),
    "%Mem/L": ("integer", "memory in use, percent of the containers' limits"),
    "%Mem": ("integer", "memory in use, percent of what the node can give to pods"),
}
"""Types and words of the columns of usage."""


def typed(all_: Sequence[Extra], kinds: Sequence[Kind]) -> list[Column]:
    """The columns, a user's own of the types that their cells are."""
    return [
        extra.column if extra.wish is None else extra.column._replace(type=column_type(kinds[at]))
        for at, extra in enumerate(all_)
    ]


def values_of(
    all_: Sequence[Extra],
    cluster: str,
    record: Any,
    resource: Mapping[str, Any] | None,
    lineage: Lineage,
    computed: Callable[[Wish], Value] | None = None,
    usage: Usage | None = None,
) -> list[Value]:
    """The values of one row.

    Args:
        all_: The columns.
        cluster: Its cluster's name.
        record: As the core keeps it.
        resource: Its kind, as discovery has it.
        lineage: Its labels and owner.
        computed: Gives the values of functions in their order; without it they are called here.
        usage: Knows what is used.
    """
    made: list[Value] = []
    content: Any = None
    now = time.time()
    used = iter(usage.cells(cluster, record, resource) if usage is not None else ())
    for extra in all_:
        if extra.column.source == "label":
            made.append(Value((lineage.labels or {}).get(extra.key, NOTHING)))
        elif extra.wish is None:
            made.append(Value(next(used, None)))
        elif extra.wish.function is not None and computed is not None:
            made.append(computed(extra.wish))
        elif extra.wish.function is not None:
            made.append(_called(extra.wish, cluster, record, resource, now))
        else:
            content = object_of(record, cluster, resource) if content is None else content
            made.append(at_path(extra.wish.path, content, now))
    return made


def _called(wish: Wish, cluster: str, record: Any, resource: Mapping[str, Any] | None, now: float) -> Value:
    assert wish.function is not None
    try:
        return value_of(wish.function(object_of(record, cluster, resource)), now)
    except Exception as error:  # noqa: BLE001 - a user's own
        return failure(error)


def told(values: Sequence[Value]) -> tuple[list[Any], Live]:
    """Values as a row's cells, and those among them that go on."""
    alive = {at: (value.since, "{}") for at, value in enumerate(values) if value.since is not None}
    return [value.cell for value in values], alive
