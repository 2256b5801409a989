"""What was: the changes of one kind, kept for watches that come back and for lists at an exact version.

The real server keeps 75 s of changes in memory and etcd five to ten minutes; here a number of changes and of bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notebook_mux.playground.store import Stored

CHANGES = 102_400
"""The most that a watch cache of the real server grows to (apiserver/pkg/storage/cacher/watch_cache_history.go)."""

BYTES = 64 * 1024 * 1024
"""Of encoded objects, for one kind: a change storm of 10,000 pods must not fill a small machine."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as a watch tells it.

    Args:
        revision: Of the whole store; each change has its own.
        type: ``ADDED``, ``MODIFIED`` or ``DELETED``.
        new: The object after it; for ``DELETED`` the last state with the deletion's version.
        old: The object before it; None for ``ADDED``.
    """

    revision: int
    type: str
    new: Stored
    old: Stored | None


class History:
    """The changes of one kind.

    Args:
        changes: The most that are kept.
        size: The most bytes of encoded objects that are kept.

    Attributes:
        floor: The oldest version that can be asked for: what came after it is all here.
    """

    def __init__(self, floor: int, changes: int = CHANGES, size: int = BYTES):
        self.floor = floor
        self._limit = changes
        self._size_limit = size
        self._size = 0
        self._changes: deque[Change] = deque()

    def __len__(self) -> int:
        return len(self._changes)

    def add(self, change: Change) -> None:
        """Remember a change."""
        self._changes.append(change)
        self._size += len(change.new.body)
        while len(self._changes) > self._limit or self._size > self._size_limit:
            gone = self._changes.popleft()
            self._size -= len(gone.new.body)
            self.floor = gone.revision

    def compact(self, revision: int, keep: int = 0) -> None:
        """Forget all up to a version, but for so many of the newest changes."""
        while len(self._changes) > keep and self._changes[0].revision <= revision:
            gone = self._changes.popleft()
            self._size -= len(gone.new.body)
            self.floor = max(self.floor, gone.revision)
        if not keep:
            self.floor = max(self.floor, revision)

    @property
    def oldest(self) -> int:
        """The version of the oldest change that is kept, as errors name it."""
        return self._changes[0].revision if self._changes else self.floor + 1

    def after(self, revision: int) -> list[Change]:
        """The changes after a version, oldest first."""
        if not self._changes or self._changes[-1].revision <= revision:
            return []
        if self._changes[0].revision > revision:
            return list(self._changes)
        ordered = list(self._changes)
        return ordered[bisect_right(ordered, revision, key=lambda change: change.revision) :]
