"""What a pod's claims on volumes mean for where it can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.admission.storage import CLAIMS, CLASSES, VOLUMES, class_of
from notebook_mux.playground.controllers.scheduling.matching import selector_holds
from notebook_mux.playground.controllers.scheduling.nodes import NodeInfo, Snapshot
from notebook_mux.playground.controllers.scheduling.pods import PodInfo
from notebook_mux.playground.controllers.volumes.matching import NO_PROVISIONER, WAITS, find, is_reachable
from notebook_mux.playground.store import Store

Json = dict[str, Any]

ONCE = "ReadWriteOncePod"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
OTHER_NODE = "node(s) didn't match PersistentVolume's node affinity"
NO_SUCH_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
IN_USE = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)


@dataclass
class PodVolumes:
    """A pod's claims: those that have their volume, and those that wait for its node.

    Attributes:
        problem: Why the pod can be nowhere; empty if it can.
    """

    pod: PodInfo
    store: Store
    problem: str = ""
    bound: list[Json] = field(default_factory=list)
    waiting: list[Json] = field(default_factory=list)

    @classmethod
    def begin(cls, pod: PodInfo, store: Store) -> PodVolumes:
        """Look a pod's claims up."""
        found = cls(pod, store)
        immediate = False
        for name in pod.claims:
            stored = store.get(CLAIMS, pod.namespace, name)
            if stored is None:
                found.problem = _absent(pod, name)
                return found
            claim = stored.decode()
            volume = claim["spec"].get("volumeName")
            if (claim.get("status") or {}).get("phase") == "Lost":
                found.problem = f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
                return found
            if stored.deleting:
                found.problem = f'persistentvolumeclaim "{name}" is being deleted'
                return found
            if volume and (claim.get("status") or {}).get("phase") == "Bound":
                found.bound.append(claim)
            elif not volume and found.mode(claim) == WAITS:
                found.waiting.append(claim)
            else:
                immediate = True
        if immediate:
            found.problem = UNBOUND
        return found

    def mode(self, claim: Json) -> str:
        """When a claim gets its volume."""
        return str((self.storage_class(claim) or {}).get("volumeBindingMode", "Immediate"))

    def storage_class(self, claim: Json) -> Json | None:
        """A claim's class."""
        stored = self.store.get(CLASSES, "", class_of(claim) or "")
        return stored.decode() if stored is not None else None

    def problems(self, node: NodeInfo) -> tuple[str, ...]:
        """Why the volumes cannot be on a node."""
        found: list[str] = []
        for claim in self.bound:
            volume = self.store.get(VOLUMES, "", claim["spec"]["volumeName"])
            if volume is None:
                return (NO_SUCH_VOLUME,)
            if not is_reachable(volume.decode(), node.name, node.labels):
                found.append(OTHER_NODE)
        if self.waiting and self.plan(node) is None:
            found.append(NO_VOLUME)
        return tuple(dict.fromkeys(found))

    def plan(self, node: NodeInfo) -> list[tuple[Json, str]] | None:
        """Each claim that waits, and the volume that it will get there: empty is one to be made; None if one cannot."""
        if not self.waiting:
            return []
        volumes = [one.decode() for one in self.store.items(VOLUMES)]
        taken: set[str] = set()
        planned = []
        for claim in sorted(self.waiting, key=lambda one: str(one["metadata"]["name"])):
            volume = find(claim, volumes, (node.name, node.labels), taken)
            name = volume["metadata"]["name"] if volume is not None else ""
            if not name and not self._can_make(claim, node):
                return None
            taken.add(name)
            planned.append((claim, name))
        return planned

    def _can_make(self, claim: Json, node: NodeInfo) -> bool:
        found = self.storage_class(claim) or {}
        if found.get("provisioner", NO_PROVISIONER) == NO_PROVISIONER:
            return False
        topologies = found.get("allowedTopologies") or ()
        terms = [
            {"matchExpressions": [{**one, "operator": "In"} for one in topology.get("matchLabelExpressions") or ()]}
            for topology in topologies
        ]
        return not terms or selector_holds({"nodeSelectorTerms": terms}, node.name, node.labels)

    def used_elsewhere(self, snapshot: Snapshot) -> tuple[tuple[str, ...], bool] | None:
        """Why a claim that is for one pod only cannot be used by this one."""
        once = {one["metadata"]["name"] for one in (*self.bound, *self.waiting)
                if ONCE in (one["spec"].get("accessModes") or ())}  # fmt: skip
        if not once:
            return None
        for node in snapshot.nodes():
            for other in node.pods.values():
                if other.namespace == self.pod.namespace and once.intersection(other.claims):
                    return (IN_USE,), False
        return None


def _absent(pod: PodInfo, name: str) -> str:
    for volume in pod.spec.get("volumes") or ():
        if volume.get("ephemeral") is not None and f"{pod.stored.name}-{volume['name']}" == name:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
    return f'persistentvolumeclaim "{name}" not found'
