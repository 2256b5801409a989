"""The changes of a stream as an asynchronous iterator, on whichever loop it is used."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import Any, Self

from notebook_mux.errors import MuxError
from notebook_mux.handles.objects import Change
from notebook_mux.handles.source import Source
from notebook_mux.handles.waiting import Alarm


class Changes:
    """``async for change in stream.changes()``: ends when the stream is closed; left unused it lets the stream go.

    Args:
        source: The stream.
        initial: Whether each object that is there comes first, as ADDED.
    """

    def __init__(self, source: Source, initial: bool) -> None:
        self._source = source
        self._alarm = Alarm()
        self._waiting: deque[Change] = deque()
        holder = source.hold("iterator")
        try:
            self._feed = source.feed(self._alarm.ring, initial)
        except BaseException:
            source.release(holder)
            raise
        forget = source.on_close(self._alarm.ring)
        self._parts = (self._feed, source, holder, forget)
        self._finalizer = weakref.finalize(self, source.later, _end, *self._parts)
        self._finalizer.atexit = False

    @property
    def missed(self) -> int:
        """States left out so far because this reader fell behind; the last state of each object never is."""
        return int(self._feed.missed)

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> Change:
        while not self._waiting:
            if not self._finalizer.alive:
                raise StopAsyncIteration
            changes = self._feed.drain()
            if changes:
                resources = self._source.resources()
                self._waiting.extend(Change(kind, at, new, old, resources.get(at)) for kind, at, new, old in changes)
            elif self._ended():
                await self.aclose()
            else:
                await asyncio.shield(asyncio.wrap_future(self._alarm.future()))
        return self._waiting.popleft()

    async def aclose(self) -> None:
        """End it; idempotent."""
        if self._finalizer.detach() is not None:
            _end(*self._parts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _ended(self) -> bool:
        try:
            return self._source.closed or bool(self._source.view().closed)
        except MuxError:  # its connection has gone
            return True


def _end(feed: Any, source: Source, holder: str, forget: Any) -> None:
    forget()
    feed.close()
    source.release(holder)
