"""Callbacks: one thread a manager, which calls them one after another."""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.handles.objects import Change
from notebook_mux.handles.source import Source
from notebook_mux.handles.waiting import forbid_here

IDLE_SECONDS = 5.0
"""A thread with no callback left ends after this."""


class Callback:
    """One callback of one stream.

    While it is slow, the feed behind it folds changes by object, so it is given fewer and the newest.

    Args:
        source: The stream.
        function: Called with each `Change`.
        thread: Where it is called.
        initial: Whether it gets each object that is there as ADDED first; what follows goes on without a gap.
    """

    def __init__(self, source: Source, function: Callable[[Change], Any], thread: CallbackThread, initial: bool):
        self.function = function
        self.failures = 0
        self._source = source
        self._thread = thread
        self._lock = threading.Lock()
        self._queued = False
        self._ended = False
        self._holder = source.hold("callback", getattr(function, "__qualname__", type(function).__name__))
        self._forget = source.on_close(self.undo)
        thread.add(self)
        try:
            self._feed = source.feed(self._wake, initial)
        except BaseException:
            self.undo()
            raise
        self._wake()  # a first wake may have come before there was a feed to drain

    def undo(self) -> None:
        """Stop calling it; idempotent, any thread, also from inside the callback."""
        with self._lock:
            ended, self._ended = self._ended, True
        if ended:
            return
        self._thread.remove(self)
        self._forget()
        feed = getattr(self, "_feed", None)
        if feed is not None:
            feed.close()
        self._source.release(self._holder)

    def run(self) -> None:
        """Call it with what has come; on the manager's thread."""
        with self._lock:
            self._queued = False
        feed = getattr(self, "_feed", None)
        if feed is None or self._ended:
            return
        changes = feed.drain()
        if not changes:
            return
        resources = self._source.resources()
        for kind, cluster, new, old in changes:
            if self._ended:
                return
            try:
                self.function(Change(kind, cluster, new, old, resources.get(cluster)))
            except Exception as error:  # noqa: BLE001 - the user's; shown, and the others go on
                self._failed(error)

    def _wake(self) -> None:
        with self._lock:
            queued, self._queued = self._queued, True
        if not queued:
            self._thread.call(self)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if self.failures > 1:
            return
        lines = error.lines() if isinstance(error, MuxError) else traceback.format_exception(error)
        name = getattr(self.function, "__qualname__", repr(self.function))
        text = "\n".join(line.rstrip("\n") for line in lines)
        sys.stderr.write(
            f"notebook_mux: the callback {name} for {self._source.words} failed; it goes on being called, and further "
            f"failures of it are not shown\n{text}\n"
        )


class CallbackThread:
    """The thread of a manager's callbacks: there while there are any."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.RLock()
        self._callbacks: set[Callback] = set()
        self._queue: queue.SimpleQueue[Callback] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def add(self, callback: Callback) -> None:
        """A callback that will be called here."""
        if self._pid != os.getpid():  # a forked child has neither the thread nor, surely, a free lock
            self._pid, self._lock, self._thread = os.getpid(), threading.RLock(), None
            self._queue, self._callbacks = queue.SimpleQueue(), set()
        with self._lock:
            self._callbacks.add(callback)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def remove(self, callback: Callback) -> None:
        """It is not called any more."""
        with self._lock:
            self._callbacks.discard(callback)

    def call(self, callback: Callback) -> None:
        """Run a callback soon; any thread may call, and does not block."""
        self._queue.put(callback)

    def _run(self) -> None:
        forbid_here("in a callback, on the one thread that calls them all")
        while True:
            try:
                callback = self._queue.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if not self._callbacks and self._queue.empty():
                        self._thread = None
                        return
                continue
            try:
                callback.run()
            except Exception:  # noqa: BLE001 - the stream was closed meanwhile, or its core has gone
                callback.undo()
