"""Watches: what one watcher is to be told, in its form. Without a socket; `streaming` sends it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from notebook_mux.playground import tables
from notebook_mux.playground.cluster import CRDS, Cluster
from notebook_mux.playground.history import Change
from notebook_mux.playground.lists import Filter
from notebook_mux.playground.options import ListOptions
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import expired
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

BACKLOG = 20_000
"""Changes that wait for a watcher that does not read; then its watch is ended, as the real server ends it."""


class Watcher:
    """One watch.

    Args:
        target: What is watched.
        options: Its query.
        form: In which form.
        wake: Called when there is something to send, or the watch is over.

    Attributes:
        ended: Whether nothing more will come.
        gzip_members: Whether the real server would compress this watch when asked.

    Raises:
        ApiError: 400, a bad selector.
    """

    def __init__(self, cluster: Cluster, target: Target, options: ListOptions, form: str, wake: Callable[[], None]):
        self.cluster = self._cluster = cluster
        self._target = target
        self._options = options
        self._form = form
        self._wake = wake
        self._wanted = Filter(target, options)
        self._columns = True
        self._backlog: deque[Change] = deque()
        self._first: Iterator[bytes] = iter(())
        self.ended = False
        self.gzip_members = bool(options.initial and options.bookmarks)
        self._unlisten = cluster.store.listen(target.kind.resource, self._changed)
        self._unlisten_too = (
            cluster.store.listen(CRDS, self._definition_changed) if target.kind.custom else lambda: None
        )
        self._begin()

    def close(self) -> None:
        """Stop being told."""
        self._unlisten()
        self._unlisten_too()
        self.ended = True
        self._wake()

    def take(self, size: int) -> list[bytes]:
        """The next lines to be sent, of about so many bytes; none if all has been told."""
        lines: list[bytes] = []
        for line in self._first:
            lines.append(line)
            size -= len(line)
            if size <= 0:
                return lines
        while self._backlog and size > 0:
            for line in self._lines(self._backlog.popleft()):
                lines.append(line)
                size -= len(line)
        return lines

    def bookmark(self) -> bytes:
        """A bookmark line, for when all up to now has been told."""
        return self._mark(self._cluster.store.revision)

    def _mark(self, revision: int, *, initial_end: bool = False) -> bytes:
        kind = self._target.kind
        obj = tables.bookmark(
            kind,
            revision,
            self._form,
            self._options.include,
            first=self._columns,
            initial_end=initial_end,
        )
        self._columns = False
        return _line("BOOKMARK", obj)

    def _begin(self) -> None:
        store, resource = self._cluster.store, self._target.kind.resource
        if self._options.initial:
            self._first = self._all(store.items(resource, self._target.namespace), store.revision)
            return
        version = self._options.resource_version
        if not version:
            return
        history = store.history(resource)
        if version < history.floor:
            said = f"too old resource version: {version} ({history.oldest})"
            self._first = iter([_line("ERROR", msgspec.json.encode(expired(said).status()))])
            self.close()
            return
        self._backlog.extend(history.after(version))

    def _all(self, items: list[Stored], revision: int) -> Iterator[bytes]:
        """The initial events, made as they are sent."""
        for stored in items:
            if self._wanted(stored):
                yield self._event("ADDED", stored)
        if self._options.bookmarks:
            yield self._mark(revision, initial_end=True)

    def _changed(self, change: Change) -> None:
        future = self._options.resource_version
        if future and change.revision <= future:
            return  # a version that was not there yet when the watch began
        self._backlog.append(change)
        if len(self._backlog) > BACKLOG:
            self._backlog.clear()
            self.close()
        self._wake()

    def _definition_changed(self, change: Change) -> None:
        """A watch ends with what its kind was: its watcher has to ask again."""
        kind = self._target.kind
        if (
            change.new.name == kind.resource
            and self._cluster.kinds.find(kind.group, kind.version, kind.plural) is not kind
        ):
            self.close()

    def _lines(self, change: Change) -> Iterator[bytes]:
        new = change.type != "DELETED" and self._wanted(change.new)
        old = change.old is not None and self._wanted(change.old)
        if new:
            yield self._event("MODIFIED" if old else "ADDED", change.new)
        elif old and change.old is not None:
            yield self._event("DELETED", self._last(change))

    def _last(self, change: Change) -> Stored:
        """The last state that was wanted, with the version of the change that ended it."""
        if change.type == "DELETED" or change.old is None:
            return change.new
        return Stored(change.old.kind, change.old.decode(), change.revision)

    def _event(self, of_type: str, stored: Stored) -> bytes:
        now = self._cluster.agenda.now()
        stored = stored.seen_as(self._target.kind)
        obj = tables.one(stored, self._form, self._options.include, now, columns=self._columns)
        self._columns = False
        return _line(of_type, obj)


def _line(of_type: str, obj: bytes) -> bytes:
    return b'{"type":"' + of_type.encode() + b'","object":' + obj + b"}\n"
