"""Resource quotas: what is used, in their status."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import usage
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, set_status
from notebook_mux.playground.history import Change
from notebook_mux.playground.quantities import amounts, written
from notebook_mux.playground.store import ANY, Key

Json = dict[str, Any]

QUOTAS = "resourcequotas"


class ResourceQuotas(Controller):
    """The controller of resource quotas: admission adds to what is used, this takes away."""

    watches = (QUOTAS,)

    def start(self) -> None:
        """Begin to watch quotas, and all that can be counted: kinds that are defined later too."""
        super().start()
        self.store.listen(ANY, self._counted)

    def _counted(self, change: Change) -> None:
        """Something came or went; of what only changed, pods can stop to count and others count another way."""
        new = change.new
        if self.store.count(QUOTAS) and new.namespace and new.kind.resource not in (QUOTAS, "events"):
            self.mark(*(one.key for one in self.store.items(QUOTAS, new.namespace)))

    def keys(self, change: Change) -> Iterable[Key]:
        """A quota's own key; a quota that comes or goes counts in others of its namespace."""
        if change.type == "MODIFIED":
            return (change.new.key,)
        return [one.key for one in self.store.items(QUOTAS, change.new.namespace)]

    def sync(self, key: Key) -> None:
        """Count anew."""
        stored = self.store.get(QUOTAS, *key)
        if stored is None or stored.deleting:
            return
        spec = stored.decode().get("spec") or {}
        hard = spec.get("hard") or {}
        resources = dict.fromkeys(  # a kind of several versions once
            kind.resource for kind in self.cluster.kinds if kind.namespaced and usage.counted(kind.resource, hard)
        )
        found = ((resource, one.decode()) for resource in resources for one in self.store.items(resource, key[0]))
        used = usage.total(found, spec)

        def change(obj: Json) -> None:
            before = obj.get("status") or {}
            same = {name: one.nano for name, one in used.items()} == {
                name: one.nano for name, one in amounts(before.get("used")).items()
            }
            if not same or before.get("hard") != hard:
                set_status(obj, MANAGER, self.agenda.stamp(), {"hard": dict(hard), "used": written(used)})

        self.cluster.update(QUOTAS, *key, change)
