"""The scheduler: a node for each pod, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.admission.storage import CLAIMS, CLASSES, VOLUMES
from notebook_mux.playground.clock import Entry
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import begin_deletion, set_condition
from notebook_mux.playground.controllers.scheduling import binding
from notebook_mux.playground.controllers.scheduling.cycle import Cycle, Found, Nowhere
from notebook_mux.playground.controllers.scheduling.likes import selector_of_like
from notebook_mux.playground.controllers.scheduling.nodes import Snapshot
from notebook_mux.playground.controllers.scheduling.pods import PodInfo, read
from notebook_mux.playground.controllers.scheduling.preemption import BY_SCHEDULER, Candidate
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

COMPONENT = "default-scheduler"
MANAGER = "kube-scheduler"
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 1.0, 10.0
"""How long a pod without a place waits at least (podInitialBackoffSeconds, podMaxBackoffSeconds): twice as long each
time."""
AGAIN_S = 300.0
"""A pod without a place is looked at again after so long, though nothing has changed."""

BUDGETS = "poddisruptionbudgets.policy"
NODES, GONE, CAME, STORAGE, NAMES = "nodes", "gone", "came", "storage", "namespaces"
HINTS: dict[str, frozenset[str]] = {
    GONE: frozenset({"NodeResourcesFit", "NodePorts", "InterPodAffinity", "PodTopologySpread", "VolumeRestrictions"}),
    CAME: frozenset({"InterPodAffinity", "PodTopologySpread"}),
    STORAGE: frozenset({"VolumeBinding", "VolumeRestrictions"}),
    NAMES: frozenset({"InterPodAffinity"}),
}
"""Which rules' refusals a change can undo; one of the nodes can undo them all."""


@dataclass
class _Waiting:
    """A pod that found no place: how often, because of which rules, and from when on it may try again."""

    attempts: int = 0
    plugins: frozenset[str] = frozenset()
    until: float = 0.0
    again: Entry | None = None


class Scheduler(Controller):
    """The scheduler."""

    watches = ("pods",)

    def start(self) -> None:
        """Begin with what there is."""
        self._snapshot = Snapshot(self.store)
        self._cycle = Cycle(self.store, self._snapshot, self.random, self._labels_of)
        self._waiting: dict[Key, _Waiting] = {}
        self._reserved: dict[Key, str] = {}
        super().start()
        self.store.listen("nodes", self._node_changed)
        for resource in (CLAIMS, VOLUMES, CLASSES):
            self.store.listen(resource, lambda _: self._moved(STORAGE))
        self.store.listen("namespaces", self._namespace_changed)

    # ------------------------------------------------------------------------------------------------- the queue

    def keys(self, change: Change) -> Iterable[Key]:
        """A pod's own key while it has no node, unless only its status changed; others are news for those that wait."""
        new, old = change.new, change.old
        if change.type == "DELETED":
            self._forget(new)
            if new.fields["spec.nodeName"]:
                self._moved(GONE)
            return ()
        if new.fields["spec.nodeName"]:
            ended = new.fields["status.phase"] in ("Succeeded", "Failed")
            if ended and old is not None and old.fields["status.phase"] != new.fields["status.phase"]:
                self._moved(GONE)
            elif old is None or not old.fields["spec.nodeName"] or old.labels != new.labels:
                self._moved(CAME)
            return ()
        if old is not None and new.key in self._waiting and _is_status_only(old, new):
            return ()
        return (new.key,)

    def _drain(self) -> None:
        """The most important first, then as they came."""
        self._planned = False
        dirty, self._dirty = self._dirty, {}
        for key in sorted(dirty, key=lambda one: -self._priority(one)):
            self.sync(key)

    def _priority(self, key: Key) -> int:
        stored = self.store.get("pods", *key)
        return read(stored).priority if stored is not None else 0

    def _moved(self, what: str) -> None:
        """Something changed that may make room: those that it may help try again, when their time has come."""
        for key, entry in self._waiting.items():
            if what == NODES or entry.plugins & HINTS[what]:
                self._soon(key, entry)
        if what == STORAGE and self._reserved:
            self.mark(*self._reserved)

    def _soon(self, key: Key, entry: _Waiting) -> None:
        wait = max(0.0, entry.until - self.agenda.now())
        if entry.again is None or entry.again.due > self.agenda.now() + wait:
            self._try_again(wait, key, entry)

    def _try_again(self, seconds: float, key: Key, entry: _Waiting) -> None:
        if entry.again is not None:
            entry.again.cancel()
        entry.again = self.agenda.after(seconds, lambda: self.mark(key))

    def _forget(self, stored: Stored) -> None:
        entry = self._waiting.pop(stored.key, None)
        if entry is not None and entry.again is not None:
            entry.again.cancel()
        self._cycle.nominated.pop(stored.uid, None)
        if self._reserved.pop(stored.key, None) is not None:
            self._snapshot.forget(stored.uid)

    def _node_changed(self, change: Change) -> None:
        if change.type == "ADDED" or (change.old is not None and _matters(change.old) != _matters(change.new)):
            self._moved(NODES)

    def _namespace_changed(self, change: Change) -> None:
        if change.old is not None and change.old.labels != change.new.labels:
            self._moved(NAMES)

    def _labels_of(self, namespace: str) -> Mapping[str, str]:
        stored = self.store.get("namespaces", "", namespace)
        return stored.labels if stored is not None else {}

    # ---------------------------------------------------------------------------------------------- a pod's turn

    def sync(self, key: Key) -> None:
        """Find a node for a pod that has none."""
        stored = self.store.get("pods", *key)
        if stored is None:
            return
        if stored.deleting or stored.fields["spec.nodeName"]:
            self._forget(stored)
            return
        pod = read(stored)
        if (pod.spec.get("schedulerName") or COMPONENT) != COMPONENT or pod.spec.get("schedulingGates"):
            return
        if (node := self._reserved.get(key)) is not None:
            if binding.is_ready(self.cluster, pod):
                del self._reserved[key]
                self._bind(pod, node)
            return
        found = self._cycle.schedule(pod, selector_of_like(self.store, pod), self._budgets)
        if isinstance(found, Found):
            self._place(pod, found)
        else:
            self._no_place(pod, found)

    def _budgets(self) -> list[Json]:
        return [one.decode() for one in self.store.items(BUDGETS)]

    def _place(self, pod: PodInfo, found: Found) -> None:
        self._snapshot.assume(pod, found.node)
        if found.volumes:
            self._reserved[pod.key] = found.node
            binding.reserve(self.cluster, found.node, found.volumes)
        else:
            self._bind(pod, found.node)

    def _bind(self, pod: PodInfo, node: str) -> None:
        def place(obj: Json) -> None:
            obj["spec"]["nodeName"] = node
            status = obj.setdefault("status", {})
            status.pop("nominatedNodeName", None)
            set_condition(status, "PodScheduled", True, self.agenda.stamp(), lastProbeTime=None,
                          observedGeneration=obj["metadata"].get("generation", 1))  # fmt: skip

        stored = binding.bind(self.cluster, pod.key, place)
        if stored is None:
            self._snapshot.forget(pod.stored.uid)
            return
        self._forget(stored)
        said = f"Successfully assigned {stored.namespace}/{stored.name} to {node}"
        self.recorder.event(stored, "Scheduled", said, component=COMPONENT, action="Binding")

    def _no_place(self, pod: PodInfo, why: Nowhere) -> None:
        entry = self._waiting.setdefault(pod.key, _Waiting())
        entry.attempts += 1
        entry.plugins = why.plugins
        wait = min(LAST_BACK_OFF_S, FIRST_BACK_OFF_S * 2 ** (entry.attempts - 1))
        entry.until = self.agenda.now() + wait
        self._try_again(AGAIN_S, pod.key, entry)
        nominated = why.candidate.node if why.candidate is not None else None
        stamp = self.agenda.stamp()

        def change(obj: Json) -> None:
            status = obj.setdefault("status", {})
            before = dict(status)
            set_condition(status, "PodScheduled", False, stamp, lastProbeTime=None, reason="Unschedulable",
                          message=why.said, observedGeneration=obj["metadata"].get("generation", 1))  # fmt: skip
            told: Json = {"conditions": [one for one in status["conditions"] if one["type"] == "PodScheduled"]}
            if nominated is not None:
                told["nominatedNodeName"] = status["nominatedNodeName"] = nominated
            if status != before:
                managed.record(obj, MANAGER, stamp, {"status": told}, subresource="status")

        stored = self.cluster.update("pods", *pod.key, change) or pod.stored
        self.recorder.event(stored, "FailedScheduling", why.said, component=COMPONENT, warning=True,
                            action="Scheduling")  # fmt: skip
        if why.candidate is not None:
            self._cycle.nominated[pod.stored.uid] = read(stored)
            self._preempt(read(stored), why.candidate)

    # ------------------------------------------------------------------------------------------------ preemption

    def _preempt(self, pod: PodInfo, candidate: Candidate) -> None:
        for uid, other in list(self._cycle.nominated.items()):
            if other.nominated == candidate.node and other.priority < pod.priority:
                del self._cycle.nominated[uid]
                self.cluster.update("pods", *other.key, lambda obj: obj["status"].pop("nominatedNodeName", None))
        for victim in candidate.victims:
            stamp = self.agenda.stamp()

            def tell(obj: Json, stamp: str = stamp) -> None:
                said = f"{COMPONENT}: preempting to accommodate a higher priority pod"
                set_condition(obj["status"], "DisruptionTarget", True, stamp, lastProbeTime=None, reason=BY_SCHEDULER,
                              message=said, observedGeneration=obj["metadata"].get("generation", 1))  # fmt: skip
                told = {"conditions": [one for one in obj["status"]["conditions"] if one["type"] == "DisruptionTarget"]}
                managed.record(obj, MANAGER, stamp, {"status": told}, subresource="status")

            stored = self.store.get("pods", *victim.key)
            if stored is None or stored.deleting:
                continue
            stored = self.cluster.update("pods", *victim.key, tell)
            if stored is None:
                continue
            begin_deletion(self.cluster, stored)
            said = f"Preempted by pod {pod.stored.uid} on node {candidate.node}"
            self.recorder.event(stored, "Preempted", said, component=COMPONENT, action="Preempting")


def _matters(stored: Stored) -> tuple[Any, ...]:
    """What of a node the scheduler looks at."""
    obj = stored.decode()
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return spec.get("taints"), spec.get("unschedulable"), status.get("allocatable"), dict(stored.labels)


def _is_status_only(old: Stored, new: Stored) -> bool:
    return old.labels == new.labels and old.deleting == new.deleting and old.decode()["spec"] == new.decode()["spec"]
