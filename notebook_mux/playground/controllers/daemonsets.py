"""DaemonSets: a pod on each node."""

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
    template_hash,
)
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key

Json = dict[str, Any]

KIND = "daemonsets.apps"
COMPONENT = "daemonset-controller"
HASH = "controller-revision-hash"


class DaemonSets(Controller):
    """The controller of daemon sets."""

    watches = (KIND, "pods", "nodes")

    def keys(self, change: Change) -> Iterable[Key]:
        """A daemon set's own key, a pod's owner's, all of them when a node comes or goes."""
        resource = change.new.kind.resource
        if resource == KIND:
            return (change.new.key,)
        if resource == "pods":
            return self.owner_key(change, KIND)
        return () if change.type == "MODIFIED" else [one.key for one in self.store.items(KIND)]

    def sync(self, key: Key) -> None:
        """Create and delete pods, then tell the status."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        obj = stored.decode()
        template = obj["spec"]["template"]
        revision = template_hash(template)
        wanted = (template.get("spec") or {}).get("nodeSelector") or {}
        nodes = [one.name for one in self.store.items("nodes")
                 if not one.deleting and wanted.items() <= dict(one.labels).items()]  # fmt: skip
        pods = [one for one in self.owned("pods", key[0], stored.uid) if is_active(one)]
        if not stored.deleting:
            there = {one.fields["spec.nodeName"] for one in pods}
            for node in nodes:
                if node not in there:
                    made = pod(self.cluster, stored, template, labels={HASH: revision, "pod-template-generation": "1"})
                    made["spec"]["nodeName"] = node
                    name = self.cluster.create(made).name
                    self.recorder.event(stored, "SuccessfulCreate", f"Created pod: {name}", component=COMPONENT)
            old = [one for one in pods if one.labels.get(HASH) != revision or one.fields["spec.nodeName"] not in nodes]
            if old and all(is_ready(one.decode()) for one in pods):
                begin_deletion(self.cluster, old[0])
        self._tell(key, len(nodes), revision)

    def _tell(self, key: Key, nodes: int, revision: str) -> None:
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        pods = [one for one in self.owned("pods", key[0], stored.uid) if is_active(one)]
        ready = sum(is_ready(one.decode()) for one in pods)

        def change(obj: Json) -> None:
            status = {
                "currentNumberScheduled": len(pods),
                "numberMisscheduled": 0,
                "desiredNumberScheduled": nodes,
                "numberReady": ready,
                "observedGeneration": obj["metadata"]["generation"],
                "updatedNumberScheduled": sum(one.labels.get(HASH) == revision for one in pods),
                "numberAvailable": ready,
                "numberUnavailable": max(0, nodes - ready),
            }
            kept = {name: value for name, value in status.items() if value or name in REQUIRED}
            obj["status"] = {}
            set_status(obj, MANAGER, self.agenda.stamp(), kept)

        self.cluster.update(KIND, *key, change)


REQUIRED = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
"""These are there even when they are zero."""
