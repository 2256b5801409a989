"""A stream's rows on their way to the pages: folded by uid between two messages, encoded when they are sent.

Deltas and the parts of a whole state both come from the latest record at the moment of sending, so they may be mixed
in any order: a page that takes them in as they come never goes back in time. Of a row that the pages have, a delta
says what has changed since it was sent last, as it is now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import msgspec

from notebook_mux.printing import cells as printing
from notebook_mux.printing.lineage import lineage_of
from notebook_mux.printing.moments import moments, seen
from notebook_mux.widgets.ahead import Known, ahead
from notebook_mux.widgets.columns import all_columns, server_columns
from notebook_mux.widgets.computing import Job
from notebook_mux.widgets.extras import Extras
from notebook_mux.widgets.values import Value
from notebook_mux.wire.frames import Record

log = logging.getLogger(__name__)

Key = tuple[int, str]
"""(index of the cluster among the stream's, uid)."""

FIRST_PART = 64 * 1024
"""Bytes of a whole state's first part: some hundred rows, for a screen to look at while the rest is on its way."""

PART = 512 * 1024
"""Bytes of each further part: the comm carries 64 KB to 1 MB well."""

DELTA_ROWS = 1000
"""Changed rows in one message, some 130 KB: where there are more, the page takes one in while the next is made."""

MANY = 500
"""Changed rows above which those on a screen go ahead: fewer are there as soon."""

MANY_GONE = 10_000
"""Rows that are gone, some 450 KB of keys, above which nothing goes ahead: all of them go with it in one message."""

GONE = 0
"""In the place of a moment: the cell goes on by itself no more."""

BATCH = 256
"""Rows of a part that are prepared at once, before it is known how many it will have."""

_encode = msgspec.json.Encoder().encode
_decode_alive = msgspec.json.Decoder(printing.Live).decode


class _Told(msgspec.Struct, gc=False):
    """A row as it was sent last. There are as many as rows: the cyclic collector need not look at them.

    Attributes:
        cells: The server's, as JSON.
        extras: Those behind them.
        alive: Those that go on by themselves, as JSON.
        lineage: A hash of its labels and owner: they seldom change, and weigh most.
    """

    cells: bytes
    extras: Sequence[Any]
    alive: bytes
    lineage: int

    def shown(self) -> list[Any]:
        """Its cells."""
        return [*printing.decoded(self.cells), *self.extras]


class Rows:
    """The latest records of a stream, and what the pages lack of them. Not thread-safe: under the widget's lock."""

    def __init__(self, poke: Callable[[], None] = lambda: None) -> None:
        self.latest: dict[Key, Record] = {}
        self.columns: Sequence[dict[str, Any]] = ()
        self.changes = 0
        self.extras = Extras(poke)
        self._clusters: dict[str, int] = {}
        self._names: list[str] = []
        self._resources: list[dict[str, Any] | None] = []
        self._skews: list[bool] = []
        self._going: list[list[printing.Going]] = []
        self._dirty: dict[Key, bool] = {}
        """What the pages lack, and whether its object is gone through at once."""
        self._later: dict[Key, bool] = {}
        """What they have but for what is in its object."""
        self._second = False
        """Whether what they lack is no more than that."""
        self._told: dict[Key, _Told] = {}
        """What all pages have that lack nothing but changes: only what goes to everybody is noted."""
        self._rest: Iterator[Key] | None = None
        self._part = 0
        self._everybody = False

    def described(
        self,
        columns: Sequence[dict[str, Any]],
        resources: dict[str, dict[str, Any] | None],
        skewed: Collection[str] = (),
    ) -> None:
        """Columns, each cluster's resource in the order shown, and those whose clocks do not go as ours."""
        skews = [name in skewed for name in resources]
        if (self._resources, self._skews) != (list(resources.values()), skews) or list(self.columns) != list(columns):
            self.again()
        self.columns = columns
        self._clusters = {name: index for index, name in enumerate(resources)}
        self._names = list(resources)
        self._resources, self._skews = list(resources.values()), skews
        self._going = [printing.going(columns, resource) for resource in self._resources]

    def known(self, cluster: str, record: Record) -> Sequence[Value] | None:
        """What users' functions gave for a record as it is now, if they have come back."""
        return self.extras.known((self._clusters.get(cluster, -1), record.uid), record)

    def late(self) -> None:
        """Rows whose other cells came after they were sent are sent again."""
        self._dirty |= {key: True for key in self.extras.late() if key in self.latest}
        moved = self.extras.usage.changed()
        if moved:
            by_index = {index: moved[name] for index, name in enumerate(self._names) if name in moved}
            for key, record in self.latest.items():
                if (record.namespace, record.name) in by_index.get(key[0], ()):
                    self._dirty[key] = True

    def again(self) -> None:
        """All rows are to be sent again, whole: what they were encoded with is not right any more."""
        self._told.clear()
        self._dirty |= dict.fromkeys(self.latest, True)

    def take(self, changes: Iterable[tuple[str, str, Record | None, Record | None]]) -> None:
        """Take in a feed's changes."""
        latest, dirty, clusters = self.latest, self._dirty, self._clusters
        for kind, cluster, new, old in changes:
            record = new or old
            assert record is not None
            key = (clusters.setdefault(cluster, len(clusters)), record.uid)
            self.changes += 1
            if kind == "DELETED":
                latest.pop(key, None)
                self._told.pop(key, None)
                self.extras.forget(key)
            else:
                latest[key] = record
            dirty[key] = True

    def rewind(self, *, everybody: bool) -> None:
        """Send the whole state, from its first part on.

        Args:
            everybody: It is for all pages, so that nobody waits for what has changed besides.
        """
        if everybody:
            self._dirty.clear()
            self._later.clear()
            self._told.clear()
        self._rest = iter(list(self.latest))
        self._part = 0
        self._everybody = everybody

    def hasten(self) -> None:
        """Somebody waits for what has changed: cells first, and what takes longer after all of them.

        Most of the time of a row goes into its object, which says what belongs to whom and the moments that ages count
        from to the second; of the latter a cell's own words are near enough for the first look.
        """
        self._second = False  # with what changed since
        if not self.extras.all:  # these are made of objects
            self._dirty = dict.fromkeys(self._dirty, False)

    def ahead(self, sort: str, first: int, last: int) -> list[Key] | None:
        """The rows at some places of a page's order, where many have changed and that can be told.

        Args:
            sort: The page's, as in ``Status,-Age``.
            first: The first place, from 0.
            last: The one behind the last.
        """
        if self._rest is not None or len(self._dirty) <= MANY:
            return None
        if len(self._gone()) > MANY_GONE:
            return None
        server = server_columns(self.columns)
        titles = [column.title for column in all_columns(server, self.extras.columns())]
        served = len(server)
        told = Known(self.columns, titles[:served], titles[served:], self._names, self._going, self._skews)
        return ahead(self.latest, told, sort, first, last)

    def _gone(self) -> list[Key]:
        """The rows that are gone, which pages have still."""
        return [key for key in self._dirty if key not in self.latest]

    @property
    def more(self) -> bool:
        """Whether pages lack rows or cells."""
        return self._rest is not None or (bool(self._dirty) and not self._second)

    @property
    def pending(self) -> bool:
        """Whether a page lacks something."""
        return bool(self._dirty) or self._rest is not None

    @property
    def sending_all(self) -> bool:
        """Whether parts of a whole state are still to be sent."""
        return self._rest is not None

    def delta(self, ahead: Iterable[Key] | None = None) -> bytes:
        """The rows that changed and the keys of those that are gone: ``[[row or change, ...], [key, ...]]``.

        Args:
            ahead: Those of them that go now, with all that is in their objects, and besides only what is gone.
        """
        if ahead is None:
            keys = list(islice(self._dirty, DELTA_ROWS))
        else:
            keys = [*self._gone(), *(key for key in ahead if key in self._dirty)]
            self._dirty |= dict.fromkeys(keys, True)
        put, gone = [], []
        first = ahead is not None
        self._prepare(keys)
        for key in keys:
            at_once = self._dirty.pop(key)
            first |= not at_once
            record = self.latest.get(key)
            if record is None:
                gone.append(key)
            else:
                put.append(self._made(key, record, change=True, hasty=not at_once))
        if not self._dirty:
            self._second = bool(self._later)
        if not first or not self._dirty:  # what was to come before has gone
            self._dirty |= self._later
            self._later = {}
        return b"[[%b],%b]" % (b",".join(filter(None, put)), _encode(gone))

    def part(self) -> tuple[bytes, int, bool]:
        """The next part of the whole state: ``[row, ...]``, its index, and whether it is the last."""
        assert self._rest is not None
        limit = PART if self._part else FIRST_PART
        rows: list[bytes] = []
        size, last = 0, True
        while size < limit and (keys := list(islice(self._rest, BATCH))):
            self._prepare(keys)
            for at, key in enumerate(keys):
                record = self.latest.get(key)
                if record is None:
                    continue
                row = self._made(key, record)
                rows.append(row)
                size += len(row)
                if size >= limit:
                    self._rest = chain(keys[at + 1 :], self._rest)
                    last = False
                    break
        index, self._part = self._part, self._part + 1
        if last:
            self._rest = None
        return b"[%b]" % b",".join(rows), index, last

    def _prepare(self, keys: Iterable[Key]) -> None:
        if self.extras.computes:
            self.extras.prepare(
                (key, Job(self._name(key[0]), record, self._resource(key[0])))
                for key in keys
                if (record := self.latest.get(key)) is not None
            )

    def _name(self, cluster: int) -> str:
        return self._names[cluster] if cluster < len(self._names) else ""

    def _resource(self, cluster: int) -> dict[str, Any] | None:
        return self._resources[cluster] if cluster < len(self._resources) else None

    def _made(self, key: Key, record: Record, *, change: bool = False, hasty: bool = False) -> bytes:
        """One row; with its name alone where it cannot be made: no object may keep others from being seen."""
        try:
            return self.row(key, record, change=change, hasty=hasty)
        except Exception:
            log.exception("a row cannot be made")
            self._told.pop(key, None)
            cells = [record.name if column["name"] == "Name" else None for column in self.columns]
            nothing = [None] * len(self.extras.all)
            return _encode((*key, record.namespace, record.name, [*cells, *nothing], {}, None, None))

    def row(self, key: Key, record: Record, *, change: bool = False, hasty: bool = False) -> bytes:
        """One row: ``[cluster, uid, namespace, name, cells, {index: [since, template]}, labels, owner]``.

        Args:
            change: It is enough what has changed since all pages were told of it, if they were:
                ``[cluster, uid, {index: cell}, {index: [since, template] or GONE}]``; nothing where nothing has.
            hasty: Of such a change what is in its object may come later.
        """
        index, uid = key
        resource = self._resource(index)
        skewed = index < len(self._skews) and self._skews[index]
        where = self._going[index] if index < len(self._going) else None
        before = self._told.get(key)
        hasty = hasty and before is not None
        read = moments(resource).nothing if hasty else seen(resource, record.object)
        shown, alive = printing.live(self.columns, resource, record, skewed=skewed, seen=read, where=where)
        known = lineage_of(read)
        made: Sequence[Any] = ()
        if self.extras.all:
            made, also = self.extras.cells(key, self._name(index), record, resource, known)
            alive |= {len(shown) + at: moment for at, moment in also.items()}
            shown += made
        lineage = before.lineage if hasty and before is not None else hash(_encode(known))
        had = None
        if change and before is not None and before.lineage == lineage:
            had = shown if before.cells == record.cells and not made else before.shown()
        if had is None or len(had) != len(shown):
            if hasty:
                return self.row(key, record, change=change)  # whole, with what is in its object
            had = None
        if hasty:
            self._later[key] = True
        lives = _encode(alive)
        if change or self._everybody:
            self._told[key] = _Told(record.cells, made, lives, lineage)
        elif key in self._dirty or key in self._later:
            # those that this is for have it now, and the others do not: no change is the same for all of them
            self._told.pop(key, None)
        if had is not None and before is not None:
            return _change(key, shown, had, alive, alive if lives == before.alive else _decode_alive(before.alive))
        return _encode((index, uid, record.namespace, record.name, shown, alive, known.labels, known.owner))


def _change(
    key: Key, cells: Sequence[Any], had: Sequence[Any], alive: Mapping[int, Any], lived: Mapping[int, Any]
) -> bytes:
    other = {at: cell for at, (cell, was) in enumerate(zip(cells, had, strict=True)) if cell != was}
    moments: dict[int, Any] = {at: moment for at, moment in alive.items() if lived.get(at) != moment}
    moments |= {at: GONE for at in lived if at not in alive}
    return _encode((*key, other, moments)) if other or moments else b""
