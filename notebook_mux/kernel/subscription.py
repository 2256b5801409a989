"""One subscription: cluster, path, query; its store, its state, and the streams that read from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from notebook_mux import clocks
from notebook_mux.kernel.minute import Minute
from notebook_mux.kernel.store import Difference, Store
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel, decode_records

Key = tuple[str, str, str, str]
"""(ref of the cluster, path, query, user id)."""

FAILED = frozenset({"login", "forbidden", "unreachable", "missing", "invalid", "closed"})
"""States of an upstream that end the wait for the first list."""

_CODES = {
    "login": "login",
    "forbidden": "forbidden",
    "unreachable": "unreachable",
    "missing": "unknown-kind",
    "invalid": "bad-selector",
}
_SHOWN = {"missing": "unreachable", "invalid": "closed"}
"""What a stream shows for the gateway's finer states; `code` keeps the difference."""


@dataclass(frozen=True, slots=True)
class State:
    """The state of one subscription as its readers see it. Times are Unix seconds."""

    state: str = "connecting"
    reason: str = ""
    said: str | None = None
    code: str | None = None
    todo: str | None = None
    since: float = 0.0
    retry_at: float | None = None
    synced: bool = False
    fresh: float | None = None
    """Of when the rows are, where they are not live."""
    clock: tuple[float, float, float] | None = None
    """The cluster's, as `notebook_mux.clocks` has it in plain numbers; None where it goes as ours."""


class Reader(Protocol):
    """A stream that reads from a subscription. Calls come on the loop's thread."""

    def changed(self, subscription: Subscription, differences: list[Difference]) -> None:
        """The store changed; called under the core's lock."""

    def woken(self, subscription: Subscription) -> None:
        """Something changed, state or store; called outside the lock."""


class Subscription:
    """A `StreamHandler` of the connection, with its store.

    Args:
        key: What it is known by.
        lock: The core's lock, held while the store changes.
        current_ref: The ref that stands for `key`'s on the present gateway.
        together: The minute of all subscriptions.
    """

    def __init__(
        self, key: Key, lock: threading.RLock, current_ref: Callable[[str], str], together: Minute | None = None
    ) -> None:
        self.key = key
        self.store = Store()
        self.readers: list[Reader] = []
        self.state = State(since=time.time())
        self.bytes = 0
        self.frames = 0
        self.lag = 0.0
        self.requests = 0
        """How often it was asked for: once, and again after each cut."""
        self.seconds = 0.0
        """Of the thread's CPU, for taking in what came and for handing it on."""
        self.minute = Minute()
        self._together = together
        self.last_change = 0.0
        self._lock = lock
        self._current_ref = current_ref
        self._told: messages.State | None = None

    # --- what the connection tells --------------------------------------------------------------------------------

    def begin(self, stream: int, credit: int) -> messages.Subscribe:
        """The message that subscribes, or resumes where the store stands."""
        self.store.interrupted()
        self.requests += 1
        self._told = None
        ref, path, query, user = self.key
        return messages.Subscribe(
            stream=stream,
            cluster=self._current_ref(ref),
            path=path,
            query=query,
            user=user,
            credit=credit,
            resume=self.store.resume(),
        )

    def data(self, channel: int, payload: bytes) -> None:
        """Records for the store.

        Raises:
            ProtocolError: They are none, or come in an order that is not allowed.
        """
        if channel != Channel.CHANGES:
            return
        begun = time.thread_time()
        changes = decode_records(payload)
        if not changes:
            return
        self.bytes += len(payload)
        self.frames += 1
        store = self.store
        with self._lock:
            was_synced = store.synced
            differences = store.apply(changes)
            if differences:
                for reader in self.readers:
                    reader.changed(self, differences)
        if differences:
            self.last_change = time.time()
            latest = differences[-1][1]
            if latest is not None and was_synced:
                self.lag = max(0.0, clocks.of(self.state.clock).now(self.last_change) - latest.printed)
        come = len(differences) if was_synced else 0  # a list is no change
        self._count(come, len(payload), self.lag if come else 0.0, time.thread_time() - begun)
        if store.synced != was_synced:
            if self._told is not None and self._told.state != "live":
                self.control(self._told)  # a list whose watch is not open, or has gone, is not live
            else:
                self._set(State("live", since=time.time(), synced=True, clock=self._clock()))
        else:
            self._wake()

    def _count(self, changes: int, size: int, lag: float, seconds: float) -> None:
        now = time.monotonic()
        self.seconds += seconds
        self.minute.add(now, changes, size, lag)
        if self._together is not None:
            self._together.add(now, changes, size, lag)

    def control(self, message: messages.StreamMessage) -> None:
        """The upstream's state, or the gateway's refusal."""
        synced = self.store.synced
        if isinstance(message, messages.Ended):
            state = "login" if message.code == "login" else "closed"
            self._set(State(state, message.what, message.said, message.code, message.todo, time.time(), synced=synced,
                            clock=self._clock()))  # fmt: skip
            return
        if not isinstance(message, messages.State):
            return  # a program's, which this is none of
        state = message.state
        self._told = message
        if state == "live" and not synced:
            state = "connecting"  # the gateway has it all, we have not yet
        self._set(
            State(
                _SHOWN.get(state, state),
                message.reason,
                message.said,
                _CODES.get(state),
                message.todo,
                message.since or time.time(),
                message.retry_at,
                synced,
                (message.fresh or self._fresh()) if synced and state != "live" else None,
                message.clock,
            )
        )

    def lost(self, reason: str, retry_at: float | None) -> None:
        """The socket is gone: what was live is stale since then."""
        now, synced = self.state, self.store.synced
        if reason == "closed":
            self._set(State("closed", "closed", since=time.time(), synced=synced, clock=self._clock()))
        elif synced:
            since = now.since if now.state == "stale" else time.time()
            self._set(State("stale", reason, since=since, retry_at=retry_at, synced=True, fresh=self._fresh(),
                            clock=self._clock()))  # fmt: skip
        else:
            since = now.since if now.state == "connecting" else time.time()
            self._set(State("connecting", reason, since=since, retry_at=retry_at, clock=self._clock()))

    def _clock(self) -> tuple[float, float, float] | None:
        return self._told.clock if self._told is not None else self.state.clock

    def _fresh(self) -> float:
        """Of when the rows are, as a state that is not live begins or goes on."""
        return self.state.fresh or time.time()

    # --- for the streams ------------------------------------------------------------------------------------------

    def _set(self, state: State) -> None:
        with self._lock:
            self.state = state
        self._wake()

    def _wake(self) -> None:
        for reader in list(self.readers):
            reader.woken(self)

    def stats(self) -> dict[str, Any]:
        """Counts for the status; any thread may call."""
        store = self.store
        return {
            "path": self.key[1],
            "query": self.key[2],
            "objects": len(store.objects),
            "changes": store.changes,
            "skipped": store.skipped,
            "repeated": store.repeated,
            "relists": store.relists,
            "snapshots": store.snapshots,
            "bytes": self.bytes,
            "frames": self.frames,
            "lag": self.lag,
            "memory": store.memory,
            "requests": self.requests,
            "seconds": self.seconds,
            "shared": len(self.readers),
            "last_change": self.last_change,
            "state": self.state.state,
            "reason": self.state.reason,
        }
