"""Changes on their way to one reader: in order and complete while it keeps up, folded by uid when it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from notebook_mux.wire.frames import Record

FeedChange = tuple[str, str, "Record | None", "Record | None"]
"""("ADDED" | "MODIFIED" | "DELETED", cluster, the object now or in its last state, the one before)."""

FEED_LIMIT = 10_000
"""Changes kept one by one for a slow reader: ten seconds of a busy cluster; from then on by uid, which bounds them
by the number of objects."""


class Feed:
    """One reader's queue of changes.

    `push` and `nudge` belong to the loop's thread; `drain` and `close` to the reader's, whichever that is.

    Args:
        wake: Called on the loop's thread when there is something to drain; must not block or raise.
        closed: Called once when the reader closes the feed.
        limit: Changes kept one by one.
    """

    def __init__(self, wake: Callable[[], None], closed: Callable[[Feed], None], *, limit: int = FEED_LIMIT) -> None:
        self.version = 0
        self.missed = 0
        self._wake = wake
        self._closed = closed
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: list[FeedChange] = []
        self._folded: dict[tuple[str, str], FeedChange] | None = None
        self._told = False
        self._open = True

    def push(self, changes: Iterable[FeedChange]) -> None:
        """Queue changes without waking the reader; `nudge` does that, outside the owner's lock."""
        with self._lock:
            if self._folded is not None:
                self._fold(changes)
                return
            self._queue.extend(changes)
            if len(self._queue) > self._limit:
                queue, self._queue, self._folded = self._queue, [], {}
                self._fold(queue)

    def nudge(self) -> None:
        """Wake the reader unless it was woken and has not drained since."""
        with self._lock:
            self.version += 1
            told, self._told = self._told, True
        if not told and self._open:
            self._wake()

    def drain(self) -> list[FeedChange]:
        """All that is queued, in order; any thread may call."""
        with self._lock:
            self._told = False
            if self._folded is not None:
                changes, self._folded = list(self._folded.values()), None
            else:
                changes, self._queue = self._queue, []
            return changes

    def close(self) -> None:
        """Take no more; idempotent."""
        if self._open:
            self._open = False
            self._closed(self)
            with self._lock:
                self._queue, self._folded = [], None

    def _fold(self, changes: Iterable[FeedChange]) -> None:
        folded = self._folded
        assert folded is not None
        for change in changes:
            kind, cluster, new, old = change
            known = new or old
            assert known is not None
            key = (cluster, known.uid)
            earlier = folded.pop(key, None)
            if earlier is None:
                folded[key] = change
                continue
            self.missed += 1
            if earlier[0] == "ADDED":
                if kind != "DELETED":
                    folded[key] = ("ADDED", cluster, new, None)
            elif kind == "DELETED":
                folded[key] = ("DELETED", cluster, new, earlier[3])
            else:
                folded[key] = ("MODIFIED", cluster, new, earlier[3])
