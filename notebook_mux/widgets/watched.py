"""One object of a cluster, followed: as it is now, or as it was when it was deleted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from notebook_mux.handles.objects import Object
from notebook_mux.handles.questions import question
from notebook_mux.handles.selectors import field_selector
from notebook_mux.handles.source import HeldFeed, Source
from notebook_mux.handles.waiting import in_thread

log = logging.getLogger(__name__)


class Target(NamedTuple):
    """An object to look at, as it is named from without.

    Attributes:
        cluster: The cluster's name in the manager.
        namespace: "" for what is in none.
        name: Its name.
        kind: As ``Pod`` or ``Deployment.apps``.
    """

    cluster: str
    namespace: str
    name: str
    kind: str

    @classmethod
    def of(cls, other: Any) -> Target:
        """The same of anything that has these names."""
        return cls(other.cluster, other.namespace, other.name, other.kind)

    @property
    def words(self) -> str:
        """As in ``pod web-0``."""
        return f"{self.kind.partition('.')[0].lower()} {self.name}"


class Told:
    """A stream that is read while somebody looks; see `source.HeldFeed`. Any thread may call; nothing waits.

    Args:
        manager: Whose.
        target: Says the cluster.
        kind: What is read.
        namespace: Where; None is all namespaces.
        labels: A label selector, or "".
        fields: A field selector, or "".
    """

    def __init__(
        self, manager: Any, target: Target, kind: str, namespace: str | None, labels: str = "", fields: str = ""
    ) -> None:
        where = "*" if namespace is None else namespace or None
        spec, described = question(manager._identity, kind, where, target.cluster, labels or None, fields or None)
        self.cluster = target.cluster
        self._source = Source(manager, spec, described)
        self._feed: HeldFeed | None = None

    def open(self, wake: Callable[[], None]) -> None:
        """Listen.

        Raises:
            MuxError: The connection is closed.
        """
        if self._feed is None:
            self._feed = self._source.held_feed(wake, True)

    def close(self) -> None:
        """Listen no more. Idempotent."""
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()

    def drain(self) -> list[Any]:
        """(type, cluster, new record or None, old record or None), in order."""
        return self._feed.drain() if self._feed is not None else []

    @property
    def view(self) -> Any:
        """The stream's view of now; never raises."""
        return self._source.last_view()

    @property
    def state(self) -> Any:
        """How the cluster stands."""
        return self.view.states[self.cluster]


class Watched:
    """The object. Any thread may call; nothing waits.

    Args:
        manager: The `Manager` of its cluster.
        target: The object.

    Attributes:
        record: Its last state; None until it has been read, or where there is none.
        deleted: Unix seconds of when it was deleted; None while it is there.

    Raises:
        MuxError: There is no such cluster.
    """

    def __init__(self, manager: Any, target: Target) -> None:
        self.manager, self.target = manager, target
        fields = field_selector({"metadata.name": target.name})
        self._told = Told(manager, target, target.kind, target.namespace, fields=fields)
        self._lock = threading.Lock()
        self.record: Any = None
        self.deleted: float | None = None

    def open(self, wake: Callable[[], None]) -> None:
        """Follow it; `wake` is called when there is news, and must not block.

        Raises:
            MuxError: The connection is closed.
        """
        self._told.open(wake)

    def close(self) -> None:
        """Follow it no more. Idempotent."""
        self._told.close()

    def refresh(self) -> None:
        """Take in what was told since the last look."""
        with self._lock:
            changes = self._told.drain()
            for kind, _, new, old in changes:
                if kind == "DELETED":
                    self.record, self.deleted = new or old or self.record, time.time()
                else:
                    self.record, self.deleted = new, None
            if not changes and self.record is not None and self.deleted is None:
                self._look_for_gone()

    def _look_for_gone(self) -> None:
        """It went while nobody looked: nothing tells of it."""
        view = self._told.view
        state = view.states[self.target.cluster]
        if state.synced and state.state == "live" and not view.records[self.target.cluster]:
            self.deleted = time.time()

    @property
    def view(self) -> Any:
        """The view of its stream."""
        return self._told.view

    @property
    def state(self) -> Any:
        """How its cluster stands."""
        return self._told.state

    @property
    def missing(self) -> bool:
        """Whether the cluster has said that there is none."""
        return self.record is None and self.state.synced

    @property
    def object(self) -> Object | None:
        """The object, decoded for this caller."""
        if self.record is None:
            return None
        return Object.of(self.record, self.target.cluster, self.state.resource)

    @property
    def writable(self) -> bool:
        """Whether its cluster may be changed."""
        return self.target.cluster in self.manager._may_write()


class Later:
    """Work that takes a while, one at a time and never twice for the same: it goes on in a thread of its own.

    Args:
        done: Called in that thread when there is a new result; must not block.
    """

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._lock = threading.Lock()
        self._busy = False
        self.key: Any = None
        self.result: Any = None

    def want(self, key: Any, work: Callable[[], Any]) -> None:
        """Have the result of `work` as `result`, by its key, unless it is there or another one is being made."""
        with self._lock:
            if self._busy or key == self.key:
                return
            self._busy = True

        def run() -> None:
            result = None
            try:
                result = work()
            except Exception:  # what waits for it must be able to ask again
                log.exception("an object could not be written out")
            with self._lock:
                self.key, self.result, self._busy = key, result, False
            self._done()

        in_thread(run, "notebook_mux details")
