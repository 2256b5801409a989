"""What goes with something that goes: dependents of a deleted owner, the content of a deleted namespace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.accounts.given import give
from notebook_mux.playground.controllers import emptying
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.deletes import FOREGROUND, ORPHAN, Deleter
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import ANY, Key, Stored

Json = dict[str, Any]

Place = tuple[str, str, str]
"""Resource, namespace and name."""

OWNER, DEPENDENT = "owner", "dependent"
MARK = {name: f'"{name}"'.encode() for name in (FOREGROUND, ORPHAN)}


class Garbage(Controller):
    """The garbage collector: what an owner's end means for its dependents, of any kind.

    It follows the documentation, "Garbage Collection" and "Use Cascading Deletion": an object goes when the last of its
    owners has gone; with foreground deletion an owner waits for dependents that block it; orphans are let go.
    """

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._places: dict[str, Place] = {}
        self._dependents: dict[str, dict[str, None]] = {}

    def start(self) -> None:
        """Begin to watch all kinds; what is there already is looked at too."""
        self.store.listen(ANY, self._changed)
        for kind in self.cluster.kinds:
            for stored in self.store.items(kind.resource):
                self._note(stored)
        for kind in self.cluster.kinds:
            for stored in self.store.items(kind.resource):
                self.mark(*self.keys(Change(stored.revision, "ADDED", stored, None)))

    def keys(self, change: Change) -> Iterable[Key]:
        """The uids of owners that end, and of dependents that may have none."""
        new, old = change.new, change.old
        if change.type == "DELETED":
            self._places.pop(new.uid, None)
            for owner in new.owners:
                self._dependents.get(owner, {}).pop(new.uid, None)
            found = [(OWNER, new.uid)] if new.uid in self._dependents else []
            return [*found, *((OWNER, owner) for owner in new.owners if self._is_ending(owner))]
        if old is None or old.owners != new.owners:
            for owner in old.owners if old is not None else ():
                self._dependents.get(owner, {}).pop(new.uid, None)
            self._note(new)
        found = [(OWNER, new.uid)] if new.deleting and _waits(new) else []
        if any(owner not in self._places for owner in new.owners):
            found.append((DEPENDENT, new.uid))
        return found

    def sync(self, key: Key) -> None:
        """Look at an owner that ends, or at a dependent without owners."""
        what, uid = key
        if what == DEPENDENT:
            self._collect(uid)
            return
        owner = self._object(uid)
        dependents = list(self._dependents.get(uid, ()))
        if owner is None:
            for one in dependents:
                self._collect(one)
            if not self._dependents.get(uid):
                self._dependents.pop(uid, None)
            return
        finalizers = owner.decode()["metadata"].get("finalizers") or []
        if not owner.deleting:
            return
        if ORPHAN in finalizers:
            for one in dependents:
                self._let_go(one, {uid})
            self._release(owner, ORPHAN)
        elif FOREGROUND in finalizers:
            for one in dependents:
                self._collect(one)
            if not any(self._blocks(one, uid) for one in list(self._dependents.get(uid, ()))):
                self._release(owner, FOREGROUND)

    def _collect(self, uid: str) -> None:
        """Delete a dependent, unless one of its owners lives; then it only forgets the others."""
        stored = self._object(uid)
        if stored is None:
            return
        waiting = {owner for owner in stored.owners if self._is_ending(owner)}
        gone = {owner for owner in stored.owners if owner not in self._places}
        if len(waiting | gone) < len(set(stored.owners)):
            self._let_go(uid, waiting | gone)
            return
        if stored.deleting:
            return
        foreground = bool(waiting) and any(self._blocks(one, uid) for one in self._dependents.get(uid, ()))
        Deleter(self.cluster).begin(stored, {"propagationPolicy": "Foreground"} if foreground else {})

    def _let_go(self, uid: str, owners: set[str]) -> None:
        stored = self._object(uid)
        if stored is None or not owners & set(stored.owners):
            return
        obj = stored.decode()
        kept = [one for one in obj["metadata"]["ownerReferences"] if one["uid"] not in owners]
        if kept:
            obj["metadata"]["ownerReferences"] = kept
        else:
            del obj["metadata"]["ownerReferences"]
        self.cluster.put(stored, obj)

    def _release(self, stored: Stored, finalizer: str) -> None:
        obj = stored.decode()
        left = [one for one in obj["metadata"].get("finalizers") or () if one != finalizer]
        if left:
            obj["metadata"]["finalizers"] = left
            self.cluster.put(stored, obj)
        else:
            self.store.remove(stored.kind, stored.key)

    def _blocks(self, uid: str, owner: str) -> bool:
        """Whether a dependent has its owner wait for its end."""
        stored = self._object(uid)
        if stored is None:
            return False
        references = stored.decode()["metadata"].get("ownerReferences") or ()
        return any(one["uid"] == owner and one.get("blockOwnerDeletion") for one in references)

    def _is_ending(self, uid: str) -> bool:
        """Whether an owner waits for its dependents to go."""
        stored = self._object(uid)
        return stored is not None and stored.deleting and MARK[FOREGROUND] in stored.body

    def _object(self, uid: str) -> Stored | None:
        place = self._places.get(uid)
        stored = self.store.get(*place) if place is not None else None
        return stored if stored is not None and stored.uid == uid else None

    def _note(self, stored: Stored) -> None:
        self._places[stored.uid] = (stored.kind.resource, *stored.key)
        for owner in stored.owners:
            self._dependents.setdefault(owner, {})[stored.uid] = None


def _waits(stored: Stored) -> bool:
    """Whether a deleted object has the garbage collector's mark; its body is asked, which is cheaper than decoding."""
    return MARK[FOREGROUND] in stored.body or MARK[ORPHAN] in stored.body


EMPTY_AGAIN_S = 0.5
"""Between two looks at what is left in a namespace that is being deleted."""


class Namespaces(Controller):
    """What each namespace has from its beginning, and the end of one that is deleted."""

    watches = ("namespaces",)

    def sync(self, key: Key) -> None:
        """Fill a new namespace, empty one that is being deleted."""
        stored = self.store.get("namespaces", *key)
        if stored is None:
            return
        if not stored.deleting:
            give(self.cluster, stored.name)
            return
        if emptying.empty(self.cluster, stored):
            emptying.finish(self.cluster, self.store.get("namespaces", *key) or stored)
        else:
            self.later(EMPTY_AGAIN_S, key)
