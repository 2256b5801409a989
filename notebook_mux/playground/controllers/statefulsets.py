"""StatefulSets: pods with numbers, one after the other."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.controllers import revisions
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.creating import ApiError, Patience, create
from notebook_mux.playground.controllers.parts import (
    MANAGER,
    begin_deletion,
    draft,
    is_active,
    is_ready,
    owner_reference,
    set_status,
)
from notebook_mux.playground.controllers.replicasets import until_available
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "statefulsets.apps"
CLAIMS = "persistentvolumeclaims"
COMPONENT = "statefulset-controller"
HASH = revisions.HASH
POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


class StatefulSets(Controller):
    """The controller of stateful sets."""

    watches = (KIND, "pods")

    def start(self) -> None:
        """Begin with no failures remembered."""
        self._patience = Patience()
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A stateful set's own key, a pod's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)

    def sync(self, key: Key) -> None:
        """Bring pods and claims one step nearer, or all at once where the set says Parallel."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            self._patience.forget(key)
            return
        obj = stored.decode()
        spec = obj["spec"]
        update = revisions.current(self.cluster, stored, spec["template"])
        current = (obj.get("status") or {}).get("currentRevision") or update
        pods = {one.name: one for one in self.owned("pods", key[0], stored.uid)}
        if not stored.deleting:
            try:
                _Step(self, stored, spec, pods, current, update).take()
                self._patience.forget(key)
            except _Failed:
                self.later(self._patience.wait(key), key)
        self._tell(key, current, update)

    def is_available(self, stored: Stored, spec: Json) -> bool:
        """Whether a pod is ready, and has been so for as long as the set wants."""
        pod = stored.decode()
        if not is_active(stored) or not is_ready(pod):
            return False
        wait = until_available(pod, spec.get("minReadySeconds", 0), self.agenda.now())
        if wait > 0:
            self.later(wait, (stored.namespace, stored.name.rpartition("-")[0]))
        return wait <= 0

    def _tell(self, key: Key, current: str, update: str) -> None:
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        spec = stored.decode()["spec"]
        pods = [one for one in self.owned("pods", key[0], stored.uid) if is_active(one)]
        ready = sum(is_ready(one.decode()) for one in pods)
        available = sum(self.is_available(one, spec) for one in pods)
        updated = sum(one.labels.get(HASH) == update for one in pods)
        before = sum(one.labels.get(HASH) == current for one in pods)
        whole = updated == len(pods) == spec["replicas"] and ready == spec["replicas"]
        rolled = whole and (spec.get("updateStrategy") or {}).get("type") != "OnDelete" and not _partition(spec)
        if rolled:
            current, before = update, updated

        def change(obj: Json) -> None:
            status = {
                "observedGeneration": obj["metadata"]["generation"],
                "replicas": len(pods),
                "readyReplicas": ready,
                "availableReplicas": available,
                "currentReplicas": before,
                "updatedReplicas": updated,
                "currentRevision": current,
                "updateRevision": update,
                "collisionCount": 0,
            }
            always = ("replicas", "availableReplicas", "collisionCount")
            set_status(obj, MANAGER, self.agenda.stamp(),
                       {name: value for name, value in status.items() if value or name in always})  # fmt: skip

        self.cluster.update(KIND, *key, change)
        used = {current, update, *(one.labels.get(HASH, "") for one in self.owned("pods", key[0], stored.uid))}
        revisions.forget(self.cluster, stored, used, spec.get("revisionHistoryLimit", 10))


def _partition(spec: Json) -> int:
    return int(((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition") or 0)


class _Failed(Exception):
    """Something was refused; it is tried again later."""


class _Step:
    """One look at one set."""

    def __init__(
        self, sets: StatefulSets, stored: Stored, spec: Json, pods: dict[str, Stored], current: str, update: str
    ):
        self._sets = sets
        self._cluster = sets.cluster
        self._stored = stored
        self._spec = spec
        self._pods = pods
        self._current = current
        self._update = update
        self._ordered = spec.get("podManagementPolicy", "OrderedReady") != "Parallel"
        self._start = int((spec.get("ordinals") or {}).get("start") or 0)

    def take(self) -> None:
        """Create what is missing, delete what is too much, then replace what is of an older template."""
        numbers = range(self._start, self._start + self._spec["replicas"])
        names = {f"{self._stored.name}-{number}": number for number in numbers}
        for name, number in names.items():
            if not self._is_up(name, number) and self._ordered:
                return
        if not self._scale_down(names):
            return
        if (self._spec.get("updateStrategy") or {}).get("type") != "OnDelete":
            self._replace(names)

    def _is_up(self, name: str, number: int) -> bool:
        one = self._pods.get(name)
        if one is None:
            self._create(name, number)
            return False
        if one.fields["status.phase"] in ("Failed", "Succeeded"):
            if not one.deleting:
                self._delete(one)
            return False
        return self._sets.is_available(one, self._spec)

    def _scale_down(self, names: dict[str, int]) -> bool:
        """Delete the pods with the highest numbers; whether there is nothing left to wait for."""
        over = sorted((one for one in self._pods.values() if one.name not in names), key=_number, reverse=True)
        for one in over:
            if not one.deleting:
                self._delete(one)
                self._claims_go(one)
            if self._ordered:
                return False
        return not over

    def _replace(self, names: dict[str, int]) -> None:
        room = 1 if self._ordered else max(1, self._most_unavailable())
        for name, number in sorted(names.items(), key=lambda pair: -pair[1]):
            one = self._pods.get(name)
            if one is None or number < self._start + _partition(self._spec):
                continue
            if one.labels.get(HASH) != self._update and not one.deleting:
                self._delete(one)
                room -= 1
            elif not self._sets.is_available(one, self._spec):
                room -= 1
            if room <= 0:
                return

    def _most_unavailable(self) -> int:
        from notebook_mux.playground.controllers.deployments import share

        rolling = (self._spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
        return share(rolling.get("maxUnavailable", 1), self._spec["replicas"], up=True)

    def _delete(self, one: Stored) -> None:
        begin_deletion(self._cluster, one)
        said = f"Delete Pod {one.name} in StatefulSet {self._stored.name} successful"
        self._sets.recorder.event(self._stored, "SuccessfulDelete", said, component=COMPONENT)

    def _create(self, name: str, number: int) -> None:
        revision, template = self._update, self._spec["template"]
        if number < self._start + _partition(self._spec) and self._current != self._update:
            old = revisions.template_of(self._cluster, self._stored, self._current)
            revision, template = (self._current, old) if old is not None else (revision, template)
        for claim in self._spec.get("volumeClaimTemplates") or ():
            self._claim(claim, name)
        labels = {HASH: revision, POD_NAME: name, POD_INDEX: str(number)}
        made = draft(self._cluster, self._stored, template, name=name, labels=labels)
        made["spec"]["hostname"] = name
        if self._spec.get("serviceName"):
            made["spec"]["subdomain"] = self._spec["serviceName"]
        claims = [
            {"name": one["metadata"]["name"],
             "persistentVolumeClaim": {"claimName": f"{one['metadata']['name']}-{name}"}}
            for one in self._spec.get("volumeClaimTemplates") or ()
        ]  # fmt: skip
        own = {one["name"] for one in claims}
        others = [one for one in made["spec"].get("volumes") or () if one["name"] not in own]
        if claims or others:
            made["spec"]["volumes"] = [*claims, *others]
        words = f"Create Pod {name} in StatefulSet {self._stored.name}"
        try:
            create(self._cluster, made)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                raise _Failed from None
            self._failed(f"{words} failed error: {error.message}")
        self._sets.recorder.event(self._stored, "SuccessfulCreate", f"{words} successful", component=COMPONENT)

    def _failed(self, said: str) -> None:
        self._sets.recorder.event(self._stored, "FailedCreate", said, component=COMPONENT, warning=True)
        raise _Failed from None

    def _claim(self, template: Json, pod: str) -> None:
        name = f"{template['metadata']['name']}-{pod}"
        if self._cluster.store.get(CLAIMS, self._stored.namespace, name) is not None:
            return
        selector = (self._spec.get("selector") or {}).get("matchLabels") or {}
        metadata = copy.deepcopy(template["metadata"])
        metadata |= {"name": name, "namespace": self._stored.namespace,
                     "labels": {**(metadata.get("labels") or {}), **selector}}  # fmt: skip
        retention = self._spec.get("persistentVolumeClaimRetentionPolicy") or {}
        if retention.get("whenDeleted") == "Delete":
            metadata["ownerReferences"] = [owner_reference(self._stored)]
        made = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": metadata,
                "spec": copy.deepcopy(template["spec"])}  # fmt: skip
        words = f"Create Claim {name} Pod {pod} in StatefulSet {self._stored.name}"
        try:
            create(self._cluster, made)
        except ApiError as error:
            where = f"Create Claim {name} for Pod {pod} in StatefulSet {self._stored.name}"
            self._failed(f"{where} failed error: {error.message}")
        self._sets.recorder.event(self._stored, "SuccessfulCreate", f"{words} success", component=COMPONENT)

    def _claims_go(self, pod: Stored) -> None:
        """A pod that is scaled away takes its claims with it, where the set says so."""
        if (self._spec.get("persistentVolumeClaimRetentionPolicy") or {}).get("whenScaled") != "Delete":
            return
        for template in self._spec.get("volumeClaimTemplates") or ():
            name = f"{template['metadata']['name']}-{pod.name}"
            stored = self._cluster.store.get(CLAIMS, pod.namespace, name)
            if stored is not None:
                begin_deletion(self._cluster, stored)  # the claim's own finalizer keeps it until the pod is gone


def _number(stored: Stored) -> int:
    tail = stored.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1
