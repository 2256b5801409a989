"""A definition's life: its names are accepted, it is established, and at its end its objects go first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.crds.conditions import FINALIZER, condition, is_true
from notebook_mux.playground.crds.names import Names, accepted
from notebook_mux.playground.crds.versions import CRDS
from notebook_mux.playground.deletes import Deleter
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

LOOK_AGAIN_S = 0.5
"""Until it is looked again whether the objects of a definition that goes are gone."""


class Definitions(Controller):
    """The controllers of definitions: naming, establishing, finalizing."""

    watches = (CRDS,)

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._deleter = Deleter(self.cluster)

    def keys(self, change: Change) -> Iterable[Key]:
        """A definition, and when it goes those that may have wanted its names."""
        if change.type != "DELETED":
            return (change.new.key,)
        group = Names.of(change.new.decode()).group
        return [one.key for one in self.store.items(CRDS) if one.name.endswith(f".{group}")]

    def sync(self, key: Key) -> None:
        """Look at a definition."""
        stored = self.store.get(CRDS, *key)
        if stored is None:
            return
        crd = stored.decode()
        if FINALIZER in (crd["metadata"].get("finalizers") or ()) and stored.deleting:
            self._empty(stored, crd)
        elif not stored.deleting:
            self._accept(stored, crd)

    def _accept(self, stored: Stored, crd: Json) -> None:
        stamp, spec = self.agenda.stamp(), crd["spec"]
        status = crd.setdefault("status", {})
        status.setdefault(
            "storedVersions", [one["name"] for one in spec.get("versions") or () if one.get("storage")][:1]
        )
        found = self.cluster.kinds.conflict(crd)
        others = self.cluster.kinds.claimed_by_others(crd)
        status["acceptedNames"] = accepted(spec["names"], status.get("acceptedNames") or {}, others, spec["group"])
        if found is None:
            condition(crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found", stamp)
            if not is_true(crd, "Established"):
                said = "the initial names have been accepted"
                condition(crd, "Established", "True", "InitialNamesAccepted", said, stamp)
        else:
            condition(crd, "NamesAccepted", "False", *found, stamp)
            if not is_true(crd, "Established"):
                condition(crd, "Established", "False", "NotAccepted", "not all names are accepted", stamp)
        self.cluster.put(stored, crd)

    def _empty(self, stored: Stored, crd: Json) -> None:
        stamp, spec = self.agenda.stamp(), crd["spec"]
        resource = f"{spec['names']['plural']}.{spec['group']}"
        left = self.store.items(resource) if is_true(crd, "Established") else []
        for one in left:
            if not one.deleting:
                self._deleter.begin(one, {})
        if self.store.count(resource) and left:
            said = "CustomResource deletion is in progress"
            condition(crd, "Terminating", "True", "InstanceDeletionInProgress", said, stamp)
            self.cluster.put(stored, crd)
            self.later(LOOK_AGAIN_S, stored.key)
            return
        finalizers = [one for one in crd["metadata"]["finalizers"] if one != FINALIZER]
        if not finalizers:
            self.store.remove(stored.kind, stored.key)
            return
        crd["metadata"]["finalizers"] = finalizers
        condition(crd, "Terminating", "False", "InstanceDeletionCompleted", "removed all instances", stamp)
        self.cluster.put(stored, crd)
