"""Taints that evict, and pods whose node is gone: the taint eviction controller and the pods' garbage collector.

A pod that tolerates a NoExecute taint stays, for ``tolerationSeconds`` where it says so (300 s of not-ready and
unreachable by default); the others are deleted. Where their kubelet does not answer they stay Terminating until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.clock import Entry
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import begin_deletion, set_condition
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

COMPONENT = "taint-eviction-controller"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
QUARANTINE_S = 40.0
"""After which pods of a node that is gone are deleted (podgc: quarantineTime)."""

FOR_EVER = -1.0


def tolerates(toleration: Json, taint: Json) -> bool:
    """Whether a toleration is for a taint (component-helpers/scheduling/corev1)."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def seconds_tolerated(tolerations: Iterable[Json], taints: Iterable[Json]) -> float | None:
    """How long a pod may stay with NoExecute taints: seconds, `FOR_EVER`, or None: not at all."""
    least = FOR_EVER
    for taint in taints:
        used = [one for one in tolerations if tolerates(one, taint)]
        if not used:
            return None
        for one in used:
            if (seconds := one.get("tolerationSeconds")) is not None:
                seconds = max(0.0, float(seconds))
                least = seconds if least < 0 else min(least, seconds)
    return least


class TaintEviction(Controller):
    """Evicts pods from nodes with NoExecute taints."""

    watches = ("nodes", "pods")

    def start(self) -> None:
        """Begin with nobody to be evicted."""
        self._waiting: dict[Key, tuple[str, Entry, float]] = {}
        self._tainted: dict[str, list[Json]] = {}
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A pod's key, or those of the pods of a node whose taints are others now."""
        new = change.new
        if new.kind.resource == "pods":
            known = new.key in self._waiting
            return (new.key,) if known or new.fields["spec.nodeName"] in self._tainted else ()
        taints: list[Json] = []
        if change.type != "DELETED" and b'"NoExecute"' in new.body:
            taints = [one for one in new.decode()["spec"].get("taints") or () if one["effect"] == "NoExecute"]
        if taints == self._tainted.get(new.name, []):
            return ()
        if taints:
            self._tainted[new.name] = taints
        else:
            self._tainted.pop(new.name, None)
        return [one.key for one in self.store.items("pods") if one.fields["spec.nodeName"] == new.name]

    def sync(self, key: Key) -> None:
        """Plan a pod's eviction, or plan it no more."""
        stored = self.store.get("pods", *key)
        planned = self._waiting.get(key)
        if stored is None or stored.deleting or (planned is not None and planned[0] != stored.uid):
            self._cancel(key)
        if stored is None or stored.deleting:
            return
        taints = self._tainted.get(stored.fields["spec.nodeName"], [])
        seconds = seconds_tolerated(stored.decode()["spec"].get("tolerations") or (), taints) if taints else FOR_EVER
        if seconds == FOR_EVER:
            if self._cancel(key):
                said = f"Cancelling deletion of Pod {stored.namespace}/{stored.name}"
                self.recorder.event(stored, "TaintManagerEviction", said, component=COMPONENT)
            return
        wait = seconds or 0.0
        now = self.agenda.now()
        begun = self._waiting[key][2] if key in self._waiting else now
        self._cancel(key)
        entry = self.agenda.after(max(0.0, begun + wait - now), lambda: self._evict(stored))
        self._waiting[key] = (stored.uid, entry, begun)

    def _cancel(self, key: Key) -> bool:
        planned = self._waiting.pop(key, None)
        if planned is None:
            return False
        planned[1].cancel()
        return True

    def _evict(self, stored: Stored) -> None:
        self._waiting.pop(stored.key, None)
        now = self.store.get("pods", *stored.key)
        if now is None or now.uid != stored.uid or now.deleting:
            return
        said = f"Marking for deletion Pod {stored.namespace}/{stored.name}"
        self.recorder.event(stored, "TaintManagerEviction", said, component=COMPONENT)
        disrupt(self, now, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
        if (now := self.store.get("pods", *stored.key)) is not None:
            begin_deletion(self.cluster, now)


class PodGarbage(Controller):
    """Deletes pods whose node is gone, or out of service."""

    watches = ("nodes",)

    def start(self) -> None:
        """Look at pods of nodes that were gone before, too."""
        super().start()
        self.agenda.after(QUARANTINE_S, self._look)

    def keys(self, change: Change) -> Iterable[Key]:
        """None: a node that goes is looked at after a while."""
        if change.type == "DELETED":
            self.agenda.after(QUARANTINE_S, self._look)
            return ()
        return (change.new.key,) if OUT_OF_SERVICE.encode() in change.new.body else ()

    def sync(self, key: Key) -> None:
        """Forget the pods that are Terminating on a node that is out of service and not ready."""
        node = self.store.get("nodes", *key)
        if node is None or not any(one["key"] == OUT_OF_SERVICE for one in node.decode()["spec"].get("taints") or ()):
            return
        for pod in self.store.items("pods"):
            if pod.fields["spec.nodeName"] == node.name and pod.deleting:
                self.cluster.remove("pods", *pod.key)

    def _look(self) -> None:
        for pod in self.store.items("pods"):
            node = pod.fields["spec.nodeName"]
            if node and self.store.get("nodes", "", node) is None:
                disrupt(self, pod, "DeletionByPodGC", "PodGC: node no longer exists", phase="Failed")
                self.cluster.remove("pods", *pod.key)


def disrupt(controller: Controller, pod: Stored, reason: str, said: str, *, phase: str = "") -> None:
    """Say in a pod's conditions why it is going to be deleted (KEP-3329)."""
    stamp = controller.agenda.stamp()

    def change(obj: Json) -> None:
        set_condition(obj["status"], "DisruptionTarget", True, stamp, reason=reason, message=said,
                      observedGeneration=obj["metadata"].get("generation", 1), lastProbeTime=None)  # fmt: skip
        if phase and obj["status"].get("phase") not in ("Succeeded", "Failed"):
            obj["status"]["phase"] = phase

    controller.cluster.update("pods", *pod.key, change)
