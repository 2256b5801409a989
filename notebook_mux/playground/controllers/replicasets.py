"""ReplicaSets: as many pods as wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import (
    MANAGER,
    begin_deletion,
    is_active,
    is_ready,
    pod,
    set_status,
)
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "replicasets.apps"
COMPONENT = "replicaset-controller"


class ReplicaSets(Controller):
    """The controller of replica sets."""

    watches = (KIND, "pods")

    def keys(self, change: Change) -> Iterable[Key]:
        """A replica set's own key, a pod's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)

    def sync(self, key: Key) -> None:
        """Create or delete pods, then tell the status."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        obj = stored.decode()
        pods = [one for one in self.owned("pods", key[0], stored.uid) if is_active(one)]
        if not stored.deleting:
            wanted = obj["spec"].get("replicas", 1)
            for _ in range(wanted - len(pods)):
                made = self.cluster.create(pod(self.cluster, stored, obj["spec"]["template"]))
                self.recorder.event(stored, "SuccessfulCreate", f"Created pod: {made.name}", component=COMPONENT)
            for one in sorted(pods, key=_worth)[: max(0, len(pods) - wanted)]:
                begin_deletion(self.cluster, one)
                self.recorder.event(stored, "SuccessfulDelete", f"Deleted pod: {one.name}", component=COMPONENT)
        self._tell(key)

    def _tell(self, key: Key) -> None:
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        owned = self.owned("pods", key[0], stored.uid)
        pods = [one for one in owned if is_active(one)]
        ready = sum(is_ready(one.decode()) for one in pods)

        def change(obj: Json) -> None:
            status: Json = {
                "replicas": len(pods),
                "fullyLabeledReplicas": len(pods),
                "readyReplicas": ready,
                "availableReplicas": ready,
                "terminatingReplicas": sum(one.deleting for one in owned),
                "observedGeneration": obj["metadata"]["generation"],
            }
            obj["status"] = {}
            set_status(obj, MANAGER, self.agenda.stamp(),
                       {name: value for name, value in status.items() if value or name == "replicas"})  # fmt: skip

        self.cluster.update(KIND, *key, change)


def _worth(stored: Stored) -> tuple[bool, bool, int]:
    """Pods that are not ready, and younger ones, go first."""
    return bool(stored.fields["spec.nodeName"]), is_ready(stored.decode()), -stored.revision
