"""StatefulSets: pods with numbers, one after the other."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import (
    MANAGER,
    begin_deletion,
    is_active,
    is_ready,
    owner_reference,
    pod,
    set_status,
    template_hash,
)
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "statefulsets.apps"
COMPONENT = "statefulset-controller"
HASH = "controller-revision-hash"


class StatefulSets(Controller):
    """The controller of stateful sets."""

    watches = (KIND, "pods")

    def keys(self, change: Change) -> Iterable[Key]:
        """A stateful set's own key, a pod's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)

    def sync(self, key: Key) -> None:
        """One step: create the next pod, delete the last, or replace one of an older template."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        obj = stored.decode()
        spec = obj["spec"]
        revision = f"{stored.name}-{template_hash(spec['template'])}"
        pods = {one.name: one for one in self.owned("pods", key[0], stored.uid)}
        if not stored.deleting:
            self._revision(stored, spec, revision)
            self._step(stored, spec, revision, pods)
        self._tell(key, revision)

    def _step(self, stored: Stored, spec: Json, revision: str, pods: dict[str, Stored]) -> None:
        wanted = spec["replicas"]
        names = [f"{stored.name}-{number}" for number in range(wanted)]
        for number, name in enumerate(names):
            one = pods.get(name)
            if one is None:
                self._claims(stored, spec, name)
                labels = {
                    HASH: revision,
                    "statefulset.kubernetes.io/pod-name": name,
                    "apps.kubernetes.io/pod-index": str(number),
                }
                made = pod(self.cluster, stored, spec["template"], name=name, labels=labels)
                made["spec"] |= {"hostname": name, "subdomain": spec.get("serviceName", "")}
                for template in spec.get("volumeClaimTemplates") or ():
                    claim = f"{template['metadata']['name']}-{name}"
                    volume = {"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim}}
                    made["spec"]["volumes"].insert(0, volume)
                self.cluster.create(made)
                said = f"create Pod {name} in StatefulSet {stored.name} successful"
                self.recorder.event(stored, "SuccessfulCreate", said, component=COMPONENT)
                return
            if not is_active(one) or not is_ready(one.decode()):
                return  # in order: the next only when this one is ready
        for name in sorted(pods, reverse=True):
            one = pods[name]
            if one.deleting:
                return
            if name not in names or one.labels.get(HASH) != revision:
                begin_deletion(self.cluster, one)
                said = f"delete Pod {name} in StatefulSet {stored.name} successful"
                self.recorder.event(stored, "SuccessfulDelete", said, component=COMPONENT)
                return

    def _claims(self, stored: Stored, spec: Json, name: str) -> None:
        for template in spec.get("volumeClaimTemplates") or ():
            claim = f"{template['metadata']['name']}-{name}"
            if self.store.get("persistentvolumeclaims", stored.namespace, claim) is not None:
                continue
            self._bind(stored, template, claim)

    def _bind(self, stored: Stored, template: Json, claim: str) -> None:
        """A claim with its volume, as a provisioner makes it."""
        volume = f"pvc-{self.cluster.uid()}"
        want = copy.deepcopy(template["spec"])
        size = want["resources"]["requests"]["storage"]
        status = {"phase": "Bound", "accessModes": want["accessModes"], "capacity": {"storage": size}}
        made = self.cluster.create(
            {
                "kind": "PersistentVolumeClaim",
                "apiVersion": "v1",
                "metadata": {
                    "name": claim,
                    "namespace": stored.namespace,
                    "labels": dict(stored.labels),
                    "finalizers": ["kubernetes.io/pvc-protection"],
                },
                "spec": {**want, "volumeName": volume, "volumeMode": "Filesystem"},
                "status": status,
            }
        )
        self.cluster.create(
            {
                "kind": "PersistentVolume",
                "apiVersion": "v1",
                "metadata": {"name": volume, "finalizers": ["kubernetes.io/pv-protection"]},
                "spec": {
                    "capacity": {"storage": size},
                    "accessModes": want["accessModes"],
                    "persistentVolumeReclaimPolicy": "Delete",
                    "storageClassName": want.get("storageClassName", "standard"),
                    "volumeMode": "Filesystem",
                    "claimRef": {
                        "kind": "PersistentVolumeClaim",
                        "apiVersion": "v1",
                        "namespace": made.namespace,
                        "name": made.name,
                        "uid": made.uid,
                    },
                    "hostPath": {"path": f"/var/local/{volume}", "type": "DirectoryOrCreate"},
                },
                "status": {"phase": "Bound"},
            }
        )

    def _revision(self, stored: Stored, spec: Json, name: str) -> None:
        if self.store.get("controllerrevisions.apps", stored.namespace, name) is not None:
            return
        others = self.owned("controllerrevisions.apps", stored.namespace, stored.uid)
        obj: Json = {
            "kind": "ControllerRevision",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": name,
                "namespace": stored.namespace,
                "labels": dict(stored.labels),
                "ownerReferences": [owner_reference(stored)],
            },
            "data": {"spec": {"template": {**spec["template"], "$patch": "replace"}}},
            "revision": len(others) + 1,
        }
        managed.record(obj, MANAGER, self.agenda.stamp(), obj)
        self.cluster.create(obj)

    def _tell(self, key: Key, revision: str) -> None:
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        pods = [one for one in self.owned("pods", key[0], stored.uid) if is_active(one)]
        ready = sum(is_ready(one.decode()) for one in pods)
        updated = sum(one.labels.get(HASH) == revision for one in pods)

        def change(obj: Json) -> None:
            before = (obj.get("status") or {}).get("currentRevision", revision)
            done = updated == len(pods) == obj["spec"]["replicas"]
            status = {
                "observedGeneration": obj["metadata"]["generation"],
                "replicas": len(pods),
                "readyReplicas": ready,
                "availableReplicas": ready,
                "currentReplicas": updated if done else len(pods) - updated,
                "updatedReplicas": updated,
                "currentRevision": revision if done else before,
                "updateRevision": revision,
                "collisionCount": 0,
            }
            set_status(obj, MANAGER, self.agenda.stamp(), status)

        self.cluster.update(KIND, *key, change)
