"""What goes with something that goes: dependents of a deleted owner, the content of a deleted namespace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, begin_deletion
from notebook_mux.playground.deletes import FOREGROUND, ORPHAN
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

OWNERS = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch",
          "cronjobs.batch", "services", "nodes")  # fmt: skip
DEPENDENTS = ("replicasets.apps", "pods", "jobs.batch", "controllerrevisions.apps", "endpointslices.discovery.k8s.io",
              "leases.coordination.k8s.io")  # fmt: skip


class Garbage(Controller):
    """The garbage collector."""

    watches = OWNERS

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._gone: dict[str, bool] = {}

    def keys(self, change: Change) -> Iterable[Key]:
        """The uid of an owner that is gone, or waits for its dependents."""
        waits = change.new.deleting and FOREGROUND.encode() in change.new.body
        orphans = change.new.deleting and b'"' + ORPHAN.encode() + b'"' in change.new.body
        if change.type == "DELETED" or waits or orphans:
            return ((change.new.kind.resource, f"{change.new.uid} {change.new.namespace} {change.new.name}"),)
        return ()

    def sync(self, key: Key) -> None:
        """Delete, or let go, what a uid owned."""
        resource, words = key
        uid, namespace, name = words.split(" ")
        owner = self.store.get(resource, namespace, name)
        finalizers = [] if owner is None or owner.uid != uid else owner.decode()["metadata"].get("finalizers") or []
        dependents = self._dependents(uid, namespace)
        if ORPHAN in finalizers:
            for one in dependents:
                self.cluster.update(one.kind.resource, *one.key, _let_go)
            self._release(resource, namespace, name, ORPHAN)
            return
        for one in dependents:
            if not one.deleting:
                begin_deletion(self.cluster, one)
        if FOREGROUND in finalizers:
            if dependents:
                self.later(0.5, key)
            else:
                self._release(resource, namespace, name, FOREGROUND)

    def _dependents(self, uid: str, namespace: str) -> list[Stored]:
        return [one for resource in DEPENDENTS for one in self.store.items(resource, namespace) if one.owner == uid]

    def _release(self, resource: str, namespace: str, name: str, finalizer: str) -> None:
        stored = self.store.get(resource, namespace, name)
        if stored is None:
            return
        obj = stored.decode()
        left = [one for one in obj["metadata"].get("finalizers") or () if one != finalizer]
        if left:
            obj["metadata"]["finalizers"] = left
            self.cluster.put(stored, obj)
        else:
            self.store.remove(stored.kind, stored.key)


def _let_go(obj: Json) -> None:
    obj["metadata"].pop("ownerReferences", None)


class Namespaces(Controller):
    """What each namespace has from its beginning, and the end of one that is deleted."""

    watches = ("namespaces",)

    def sync(self, key: Key) -> None:
        """Fill a new namespace, empty one that is being deleted."""
        stored = self.store.get("namespaces", *key)
        if stored is None:
            return
        name = stored.name
        if not stored.deleting:
            self._fill(name)
            return
        left = False
        for kind in self.cluster.kinds:
            if not kind.namespaced or not kind.served:
                continue
            for one in self.store.items(kind.resource, name):
                left = True
                if kind.resource == "pods":
                    if not one.deleting:
                        begin_deletion(self.cluster, one)
                else:
                    self.store.remove(kind, one.key)
        if left:
            self.later(0.5, key)
        else:
            self.store.remove(stored.kind, stored.key)

    def _fill(self, namespace: str) -> None:
        if self.store.get("serviceaccounts", namespace, "default") is None:
            account = {"namespace": namespace, "name": "default"}
            self.cluster.create({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": account})
        if self.store.get("configmaps", namespace, "kube-root-ca.crt") is None:
            metadata = {
                "name": "kube-root-ca.crt",
                "namespace": namespace,
                "annotations": {"kubernetes.io/description": DESCRIPTION},
            }
            made: Json = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": {"ca.crt": ROOT}}
            managed.record(made, MANAGER, self.agenda.stamp(), made)
            self.cluster.create(made)


DESCRIPTION = "Contains a CA bundle that can be used to verify the kube-apiserver."
ROOT = "-----BEGIN CERTIFICATE-----\nMIIBplayground\n-----END CERTIFICATE-----\n"
"""Shaped like the real content; nothing in the playground verifies with it."""
