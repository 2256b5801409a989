"""The frame of a controller: a queue of keys that something happened to, each looked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.recorder import Recorder
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

DELAY_S = 0.05
"""Between a change and the look at it: several changes at once are one look, and watchers see the steps."""


class Controller:
    """A control loop.

    Attributes:
        watches: The resources whose changes matter.
    """

    watches: tuple[str, ...] = ()

    def __init__(self, cluster: Cluster, recorder: Recorder):
        self.cluster = cluster
        self.store = cluster.store
        self.agenda = cluster.agenda
        self.random = cluster.random
        self.recorder = recorder
        self._dirty: dict[Key, None] = {}
        self._told: tuple[str, Key] | None = None
        self._planned = False

    def start(self) -> None:
        """Begin to watch; what is there already is looked at too."""
        for resource in self.watches:
            self.store.listen(resource, self._changed)
            for stored in self.store.items(resource):
                self.mark(*self.keys(Change(stored.revision, "ADDED", stored, None)))

    def keys(self, change: Change) -> Iterable[Key]:
        """Which keys a change matters to; its own by default."""
        return (change.new.key,)

    def sync(self, key: Key) -> None:
        """Look at a key."""
        raise NotImplementedError

    def mark(self, *keys: Key) -> None:
        """Have keys looked at soon."""
        for key in keys:
            self._dirty[key] = None
        if self._dirty and not self._planned:
            self._planned = True
            self.agenda.after(DELAY_S, self._drain)

    def tell(self, resource: str, key: Key, change: Callable[[Json], object]) -> Stored | None:
        """Write the status that a look has come to: no reason for another look."""
        self._told = resource, key
        try:
            return self.cluster.update(resource, *key, change)
        finally:
            self._told = None

    def later(self, seconds: float, key: Key) -> None:
        """Have a key looked at later."""
        self.agenda.after(seconds, lambda: self.mark(key))

    def owned(self, resource: str, namespace: str, uid: str) -> list[Stored]:
        """The objects that an owner controls."""
        return [one for one in self.store.items(resource, namespace) if one.owner == uid]

    def owner_key(self, change: Change, resource: str) -> Iterable[Key]:
        """The key of the owner of a changed object, if it is of that resource."""
        if change.new.owner:
            for owner in self.store.items(resource, change.new.namespace):
                if owner.uid == change.new.owner:
                    return (owner.key,)
        return ()

    def _changed(self, change: Change) -> None:
        if self._told is not None and self._told == (change.new.kind.resource, change.new.key):
            return
        self.mark(*self.keys(change))

    def _drain(self) -> None:
        self._planned = False
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            self.sync(key)
