"""A stream's rows on their way to the pages: folded by uid between two messages, encoded when they are sent.

Deltas and the parts of a whole state both come from the latest record at the moment of sending, so they may be mixed
in any order: a page that takes them in as they come never goes back in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from notebook_mux.printing import cells as printing
from notebook_mux.wire.frames import Record

Key = tuple[int, str]
"""(index of the cluster among the stream's, uid)."""

FIRST_PART = 64 * 1024
"""Bytes of a whole state's first part: some hundred rows, for a screen to look at while the rest is on its way."""

PART = 512 * 1024
"""Bytes of each further part: the comm carries 64 KB to 1 MB well."""

DELTA_ROWS = 2000
"""Changed rows in one message, about half a megabyte; what is more waits for the next."""

_encode = msgspec.json.Encoder().encode


class Rows:
    """The latest records of a stream, and what the pages lack of them. Not thread-safe: under the widget's lock."""

    def __init__(self) -> None:
        self.latest: dict[Key, Record] = {}
        self.columns: Sequence[dict[str, Any]] = ()
        self.changes = 0
        self._clusters: dict[str, int] = {}
        self._resources: list[dict[str, Any] | None] = []
        self._dirty: dict[Key, bool] = {}
        self._rest: Iterator[Key] | None = None
        self._part = 0

    def described(self, columns: Sequence[dict[str, Any]], resources: dict[str, dict[str, Any] | None]) -> None:
        """Columns, and each cluster's resource in the order shown."""
        if self._resources != list(resources.values()) or list(self.columns) != list(columns):
            self._dirty |= dict.fromkeys(self.latest, True)  # what was encoded with the old ones is not right any more
        self.columns = columns
        self._clusters = {name: index for index, name in enumerate(resources)}
        self._resources = list(resources.values())

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
        self._rest = iter(list(self.latest))
        self._part = 0

    @property
    def pending(self) -> bool:
        """Whether a page lacks something."""
        return bool(self._dirty) or self._rest is not None

    @property
    def sending_all(self) -> bool:
        """Whether parts of a whole state are still to be sent."""
        return self._rest is not None

    def delta(self) -> bytes:
        """The rows that changed and the keys of those that are gone: ``[[row, ...], [key, ...]]``."""
        keys = list(islice(self._dirty, DELTA_ROWS))
        put, gone = [], []
        for key in keys:
            del self._dirty[key]
            record = self.latest.get(key)
            if record is None:
                gone.append(key)
            else:
                put.append(self.row(key, record))
        return b"[[%b],%b]" % (b",".join(put), _encode(gone))

    def part(self) -> tuple[bytes, int, bool]:
        """The next part of the whole state: ``[row, ...]``, its index, and whether it is the last."""
        assert self._rest is not None
        limit = PART if self._part else FIRST_PART
        rows, size, last = [], 0, True
        for key in self._rest:
            record = self.latest.get(key)
            if record is None:
                continue
            row = self.row(key, record)
            rows.append(row)
            size += len(row)
            if size >= limit:
                last = False
                break
        index, self._part = self._part, self._part + 1
        if last:
            self._rest = None
        return b"[%b]" % b",".join(rows), index, last

    def row(self, key: Key, record: Record) -> bytes:
        """One row: ``[cluster, uid, namespace, name, cells, {index: [since, template]}]``."""
        index, uid = key
        resource = self._resources[index] if index < len(self._resources) else None
        shown, alive = printing.live(self.columns, resource, record)
        return _encode((index, uid, record.namespace, record.name, shown, alive))


def standings(view: Any) -> list[dict[str, Any]]:
    """How a stream's clusters stand, as a page's head has it; times are Unix seconds."""
    return [
        {
            "name": name,
            "state": state.state,
            "reason": state.reason or "",
            "said": state.said or "",
            "todo": state.todo or "",
            "since": state.since,
            "retryAt": state.retry_at,
            "fresh": state.fresh,
            "synced": state.synced,
        }
        for name, state in view.states.items()
    ]
