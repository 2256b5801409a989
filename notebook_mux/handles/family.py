"""Who belongs to a target, followed live: its replica sets, jobs and pods, from streams shared as any other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from notebook_mux import clocks
from notebook_mux.errors import MuxError
from notebook_mux.forksafe import ForkSafeLock
from notebook_mux.handles.entries import Described
from notebook_mux.handles.held import Owner
from notebook_mux.handles.kin import Kin, Thing, owner_in
from notebook_mux.handles.lifelines import Lifeline, read
from notebook_mux.handles.source import HeldFeed, Source

POD = "Pod"

GONE_KEPT = 500
"""Pods that have gone whose states are kept for a time line: a rollout of a hundred replicas, five times."""


OWNERS_KEPT = 5_000
"""Objects that have gone whose owners are remembered: their events are kept for an hour, in which few clusters end more
of one target's."""


class Asked(NamedTuple):
    """One stream that tells who belongs here.

    Attributes:
        spec: The core's `StreamSpec`, of one cluster or of several.
        kind: Of its objects, such as ``Pod``.
        chosen: Whether all of it belongs here, as what a service selects does.
    """

    spec: tuple[Any, ...]
    kind: str
    chosen: bool = False


class Family:
    """What belongs to a target on each cluster. Any thread may call; nothing waits but `settled`.

    It listens while somebody has joined. What it has learnt it keeps; of what has gone, that of the last ones.

    Args:
        owner: The manager.
        kin: By cluster: the target there; a cluster that is not named has nothing of it.
        asked: The streams that tell.

    Attributes:
        lifelines: The pods' states, by cluster and pod.
        lines: Moves with each change of a lifeline.
        touched: What `lines` was when a lifeline changed last.
    """

    def __init__(self, owner: Owner, kin: dict[str, Kin], asked: Sequence[Asked]) -> None:
        self.kin = kin
        self.lifelines: dict[tuple[str, Thing], Lifeline] = {}
        self._lock = ForkSafeLock()
        self._streams = [_Told(owner, one) for one in asked]
        self._wakes: tuple[Callable[[], None], ...] = ()
        self.touched: dict[tuple[str, Thing], int] = {}
        self.lines = 0
        self._gone: dict[tuple[str, Thing], None] = {}
        self._pid = os.getpid()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return all(one.everything for one in self.kin.values())

    @property
    def version(self) -> int:
        """Moves whenever something has joined, or an owner became known."""
        return sum(one.version for one in self.kin.values())

    def has(self, cluster: str, thing: Thing) -> bool:
        """Whether it belongs here."""
        kin = self.kin.get(cluster)
        return kin is not None and kin.has(thing)

    def way(self, cluster: str, thing: Thing) -> tuple[Thing, ...]:
        """What it belongs to, the nearest first."""
        kin = self.kin.get(cluster)
        return kin.way(thing) if kin is not None else ()

    # --- listening ----------------------------------------------------------------------------------------------------

    def join(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Listen, and have `wake` called when there is news for `refresh`; it must not block. Returns the undo."""
        with self._lock:
            self._wakes = (*self._wakes, wake)
        self.refresh()

        def leave() -> None:
            with self._lock:
                wakes = list(self._wakes)
                if wake in wakes:
                    wakes.remove(wake)
                self._wakes = tuple(wakes)
                idle = not wakes
            if idle:
                self.close()

        return leave

    def close(self) -> None:
        """Listen no more; what is known stays. Idempotent."""
        for stream in self._streams:
            stream.close()

    def refresh(self) -> None:
        """Take in what the streams have told since the last look; never raises."""
        with self._lock:
            if self._pid != os.getpid():  # a forked child: what was opened is its parent's
                self._pid = os.getpid()
                self._wakes = ()
                for stream in self._streams:
                    stream.forget()
            for stream in self._streams:
                if self._wakes:
                    stream.open(self._wake)
                ours = time.time()
                now = stream.moments(ours)
                for kind, cluster, new, old in stream.drain():
                    self._take(stream.asked, kind, cluster, new or old, now.get(cluster, ours))
                if stream.asked.kind == POD:
                    self._look_for_gone(stream, ours)

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()

    def _take(self, asked: Asked, kind: str, cluster: str, record: Any, now: float) -> None:
        kin = self.kin.get(cluster)
        if kin is None:
            return
        thing = Thing(asked.kind, record.namespace, record.name)
        kin.learn(thing, owner_in(record.object, record.namespace), chosen=asked.chosen)
        self._gone.pop((cluster, thing), None)
        if kind == "DELETED":
            self._has_gone(cluster, thing)
        if asked.kind != POD or not kin.has(thing):
            return
        key = (cluster, thing)
        line = self.lifelines.get(key)
        if kind == "DELETED":
            if line is None or line.uid != record.uid:
                return
            line.gone(now)
            self._forget_gone()
        else:
            self.lifelines[key] = read(record, line, now)
        self.lines += 1
        self.touched[key] = self.lines

    def _look_for_gone(self, stream: _Told, ours: float) -> None:
        """Pods that went while nobody listened: nothing tells of them."""
        there = stream.first_list()
        if there is None:
            return
        now = stream.moments(ours)
        for (cluster, thing), line in self.lifelines.items():
            if cluster in there and line.end is None and line.uid not in there[cluster]:
                line.gone(now.get(cluster, ours))
                self._has_gone(cluster, thing)
                self.lines += 1
                self.touched[cluster, thing] = self.lines

    def _has_gone(self, cluster: str, thing: Thing) -> None:
        self._gone[cluster, thing] = None
        while len(self._gone) > OWNERS_KEPT:
            first = next(iter(self._gone))
            del self._gone[first]
            self.kin[first[0]].forget(first[1])

    def _forget_gone(self) -> None:
        gone = sorted((line.end, key) for key, line in self.lifelines.items() if line.end is not None)
        for _, key in gone[: max(0, len(gone) - GONE_KEPT)]:
            del self.lifelines[key], self.touched[key]

    async def settled(self, seconds: float | None) -> None:
        """Until each stream has been read or has failed; a coroutine of `waiting`'s kind. Never raises `MuxError`."""
        for stream in self._streams:
            await stream.settled(seconds)
        self.refresh()

    @property
    def notes(self) -> list[str]:
        """What cannot be read of who belongs here, in words."""
        return [note for stream in self._streams for note in stream.notes(self.everything)]


class _Told:
    """One of the streams."""

    def __init__(self, owner: Owner, asked: Asked) -> None:
        self.asked = asked
        self._owner = owner
        self._source: Source | None = None
        self._feed: HeldFeed | None = None
        self._at: Any = None
        self._unseen = False

    def open(self, wake: Callable[[], None]) -> None:
        """Listen, if it does not yet; again, where the stream was closed by somebody else who had it."""
        try:
            if self._feed is not None and self._source is not None and self._source.opened() == self._at:
                return
        except MuxError:
            pass  # whoever had it too has closed it
        self.close()
        self._source = Source(self._owner, self.asked.spec, Described(self.asked.spec[2], "", ""))
        try:
            self._feed = self._source.held_feed(wake, True, "kin")
            self._at = self._source.opened()
            self._unseen = True
        except MuxError:
            self._feed = None  # the connection is closed: so is what this is for

    def moments(self, ours: float) -> dict[str, float]:
        """What the clusters' clocks show at a moment of ours."""
        if self._source is None or self._feed is None:
            return {}
        return clocks.moments(self._source.last_view().states, ours)

    def drain(self) -> list[Any]:
        return self._feed.drain() if self._feed is not None else []

    def first_list(self) -> dict[str, Any] | None:
        """Once after each opening, when the lists are complete: what is there, by cluster and uid."""
        if not self._unseen or self._source is None or self._feed is None:
            return None
        view = self._source.last_view()
        if not all(state.synced for state in view.states.values()):
            return None
        self._unseen = False
        records: dict[str, Any] = view.records
        return records

    def close(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()

    def forget(self) -> None:
        self._feed = self._source = None

    async def settled(self, seconds: float | None) -> None:
        if self._source is not None and self._feed is not None:
            try:
                await self._source.settle(seconds)
            except MuxError:
                pass  # then it is told by names who belongs here

    def notes(self, everything: bool) -> list[str]:
        if self._source is None or self._feed is None:
            return []
        found = []
        for cluster, state in self._source.last_view().states.items():
            if state.synced or state.state in ("connecting", "closed"):
                continue
            what = (state.resource or {}).get("name") or self.asked.spec[2]
            why = ": ".join(filter(None, (state.reason, state.said)))
            lacking = "their states are not shown" if self.asked.kind == POD else "what belongs to them is not known"
            if not everything:
                lacking = f"whose events are meant is told by names, and {lacking}"
            found.append(f"{cluster}: {what} cannot be read ({state.state}{f', {why}' if why else ''}), so {lacking}")
        return found
