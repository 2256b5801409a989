"""Changes gathered for a few milliseconds, then given to all readers as one run of bytes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from notebook_mux.kube.states import Item, Sink
from notebook_mux.wire.frames import MAX_PAYLOAD

FLUSH_SECONDS = 0.008
"""Between batches. The first change after a pause goes out at once; no eye sees 8 ms, and at 1,000 changes a second
each batch has eight of them."""

FLUSH_BYTES = MAX_PAYLOAD
"""At most in a batch, but for a single longer change: it fills a frame, so that the same bytes are each reader's."""

_log = logging.getLogger(__name__)


class Flusher:
    """The readers and what waits for them. On the gateway's loop.

    Args:
        interval: See `FLUSH_SECONDS`.
        size: See `FLUSH_BYTES`.

    Attributes:
        sinks: The readers, in the order they came.
    """

    def __init__(self, *, interval: float = FLUSH_SECONDS, size: int = FLUSH_BYTES) -> None:
        self.sinks: dict[Sink, None] = {}
        self._interval = interval
        self._size = size
        self._items: list[Item] = []
        self._bytes = 0
        self._flushed = -float("inf")
        self._timer: asyncio.TimerHandle | None = None

    def put(self, items: Sequence[Item]) -> None:
        """Take changes in; they go out soon."""
        if not items or not self.sinks:
            return
        for item in items:
            size = len(item[3])
            if self._items and self._bytes + size > self._size:
                self.flush()
            self._items.append(item)
            self._bytes += size
        if self._bytes >= self._size:
            self.flush()
        elif self._timer is None:
            wait = self._interval - (time.monotonic() - self._flushed)
            if wait <= 0:
                self.flush()
            else:
                self._timer = asyncio.get_running_loop().call_later(wait, self.flush)

    def flush(self) -> None:
        """Give the readers what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._items:
            return
        items, self._items, self._bytes = self._items, [], 0
        self._flushed = time.monotonic()
        payload = b"".join([item[3] for item in items])
        for sink in list(self.sinks):
            try:
                sink.batch(items, payload)
            except Exception:  # noqa: BLE001 - a reader's mistake must not end the watch of all others
                _log.exception("a reader failed")

    def tell(self, call: Callable[[Sink], None]) -> None:
        """Call each reader, after it got all changes so far."""
        self.flush()
        for sink in list(self.sinks):
            try:
                call(sink)
            except Exception:  # noqa: BLE001 - a reader's mistake must not end the watch of all others
                _log.exception("a reader failed")
