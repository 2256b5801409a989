"""The events of a target: of a stream of events, those of the target and of what belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notebook_mux.handles.entries import Described
from notebook_mux.handles.family import Family
from notebook_mux.handles.folding import read
from notebook_mux.handles.held import Owner
from notebook_mux.handles.kin import Thing
from notebook_mux.handles.snapshot import ReadView
from notebook_mux.handles.source import READ_SECONDS, Source

Change = tuple[str, str, Any, Any]
Key = tuple[str, str]


class EventSource(Source):
    """See `source.Source`. The core's stream is shared with whoever else reads these events, so closing leaves it.

    Args:
        owner: Its manager.
        spec: The core's `StreamSpec` of the events, as a tuple.
        described: What it reads, for people.
        words: The same in words, such as "events of deploy/web in default".
        family: Whose events.
    """

    def __init__(self, owner: Owner, spec: tuple[Any, ...], described: Described, words: str, family: Family) -> None:
        super().__init__(owner, spec, described)
        self.family = family
        self._words = words
        self._leave: dict[str, Callable[[], None]] = {}
        self._things: dict[Key, Thing] = {}
        self._chosen: tuple[Any, int, ReadView] | None = None

    @property
    def words(self) -> str:
        """What it reads, such as "events of deploy/web in default"."""
        return self._words

    # --- holding ------------------------------------------------------------------------------------------------------

    def hold(self, kind: str, what: str = "") -> str:
        """Keep the stream, and those that tell who belongs here, for a new holder."""
        name = super().hold(kind, what)
        if not self.family.everything:
            self._leave[name] = self.family.join(_nothing)
        return name

    def release(self, name: str) -> None:
        """A holder has gone."""
        leave = self._leave.pop(name, None)
        super().release(name)
        if leave is not None:
            leave()

    def close(self) -> None:
        """End it for all who hold it; idempotent."""
        if self.closed:
            return
        self.closed = True
        for undo in list(self._undone):
            undo()
        for name in list(self._holders):
            self.release(name)

    # --- reading ------------------------------------------------------------------------------------------------------

    def view(self) -> Any:
        """The core's view of now, with the family's events alone. Never waits."""
        view = super().view()
        family = self.family
        if family.everything:
            return view
        family.refresh()
        known = self._chosen
        if known is not None and known[0] is view and known[1] == family.version:
            return known[2]
        version = family.version
        records = {
            cluster: {uid: record for uid, record in its.items() if self.has(cluster, record)}
            for cluster, its in view.records.items()
        }
        chosen = ReadView(records, view.columns, view.states, view.version, view.closed)
        if len(self._things) > 2 * sum(map(len, view.records.values())) + 1000:
            self._things.clear()  # of events that have gone; it is told anew
        self._chosen = (view, version, chosen)
        return chosen

    def has(self, cluster: str, record: Any) -> bool:
        """Whether an event is the family's."""
        key = (cluster, record.uid)
        thing = self._things.get(key)
        if thing is None:
            thing = self._things[key] = read(cluster, record).cause.about
        return self.family.has(cluster, thing)

    async def settle(self, seconds: float | None = READ_SECONDS) -> Any:
        """Wait until each cluster has synced or failed once, and it is known who belongs here."""
        await super().settle(seconds)
        if not self.family.everything:
            await self.family.settled(seconds)
        return self.view()

    def feed(self, wake: Callable[[], None], initial: bool) -> Any:
        """The core's feed, with the family's events alone."""
        if self.family.everything:
            return super().feed(wake, initial)
        return ChosenFeed(self, lambda ring: Source.feed(self, ring, initial), wake)


class ChosenFeed:
    """A feed with the changes of a family's events alone; those of who joins later come when it joins.

    Args:
        source: Says whose an event is.
        open_: Opens the feed of all events.
        wake: Called when there may be something to drain; must not block.
    """

    def __init__(
        self, source: EventSource, open_: Callable[[Callable[[], None]], Any], wake: Callable[[], None]
    ) -> None:
        self._source = source
        self._shown: set[Key] = set()
        self._aside: dict[Key, tuple[str, Any]] = {}
        self._version = -1
        self._feed = open_(wake)
        self._leave = source.family.join(wake)

    @property
    def version(self) -> int:
        """Moves with every change of store or state."""
        return int(self._feed.version)

    @property
    def missed(self) -> int:
        """States folded into later ones because the reader fell behind."""
        return int(self._feed.missed)

    def drain(self) -> list[Change]:
        """All that is queued, in order."""
        source, passed = self._source, []
        source.family.refresh()
        for kind, cluster, new, old in self._feed.drain():
            record = new or old
            key = (cluster, record.uid)
            aside = self._aside.pop(key, None)
            if key not in self._shown and not source.has(cluster, record):
                if kind != "DELETED":
                    self._aside[key] = (cluster, record)
            elif kind == "DELETED":
                self._shown.discard(key)
                if aside is None:
                    passed.append((kind, cluster, new, old))
            else:
                self._shown.add(key)
                passed.append((kind, cluster, new, old) if aside is None else ("ADDED", cluster, new, None))
        version = source.family.version
        if version != self._version:
            self._version = version
            for key, (cluster, record) in list(self._aside.items()):
                if source.has(cluster, record):
                    del self._aside[key]
                    self._shown.add(key)
                    passed.append(("ADDED", cluster, record, None))
        return passed

    def close(self) -> None:
        """Take no more; idempotent."""
        self._feed.close()
        leave, self._leave = self._leave, _nothing
        leave()
        self._aside.clear()


def _nothing() -> None:
    """For who reads when it likes, and need not be woken."""
