"""Nodes: heartbeats, the conditions and taints of one that stops, and what cordoning and deleting one means.

A node stops when it gets the annotation ``playground.notebook-mux/silent``, and is back when it is taken away: `stop`
and `resume` do that. Its value is how many seconds it takes to be noticed: a real cluster's are `GRACE_S`; a word that
is no number is `SOON_S`. Evicting the pods is `taints`'.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.clock import rfc3339_micro, since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import condition, set_condition
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

LEASE_S = 10.0
"""A kubelet renews its lease every ten seconds ..."""

STATUS_S = 300.0
"""... and its node's status every five minutes, if nothing changed."""

GRACE_S = 50.0
"""node-monitor-grace-period of the controller manager."""

SOON_S = 0.5
"""The grace of a node that is stopped without a number: a scenario does not wait."""

LEASES = "leases.coordination.k8s.io"
LEASE_NAMESPACE = "kube-node-lease"
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OURS = frozenset({NOT_READY, UNREACHABLE, UNSCHEDULABLE})
"""Taints that the node lifecycle controller gives and takes; all others are people's."""

COMPONENT = "node-controller"
SILENT = "playground.notebook-mux/silent"
"""An annotation of a node whose kubelet says nothing, for as long as it is there."""


def is_node_ready(obj: Json) -> bool:
    """Whether a node is ready."""
    return condition((obj.get("status") or {}).get("conditions"), "Ready").get("status") == "True"


def is_silent(obj: Json) -> bool:
    """Whether a node's kubelet has stopped, noticed or not."""
    return SILENT in (obj["metadata"].get("annotations") or {})


def stop(cluster: Cluster, node: str, *, grace: float | None = None) -> None:
    """Let a node's kubelet stop.

    Args:
        cluster: The cluster.
        node: The node's name.
        grace: Seconds until the control plane notices; None is at once, a real cluster has `GRACE_S`.
    """
    said = "true" if grace is None else f"{grace:g}"
    cluster.update("nodes", "", node, lambda obj: obj["metadata"].setdefault("annotations", {}).update({SILENT: said}))


def resume(cluster: Cluster, node: str) -> None:
    """Let a node's kubelet work again."""
    cluster.update("nodes", "", node, lambda obj: (obj["metadata"].get("annotations") or {}).pop(SILENT, None))


class Nodes(Controller):
    """All kubelets' heartbeats, and the node lifecycle controller."""

    watches = ("nodes",)

    def start(self) -> None:
        """Begin the heartbeats."""
        self._silent_since: dict[str, float] = {}
        for node in self.store.items("nodes"):
            lease = self.cluster.get(LEASES, LEASE_NAMESPACE, node.name) if is_silent(node.content) else None
            if lease is not None:  # since when it is away, of one that was so before
                self._silent_since[node.name] = since_epoch(lease["spec"]["renewTime"])
        super().start()
        self.agenda.every(LEASE_S, self._renew)
        self.agenda.every(STATUS_S, self._report)

    def keys(self, change: Change) -> Iterable[Key]:
        """A node's own key; one that is new or gone is said at once."""
        if change.type == "DELETED":
            said = f"Removing Node {change.new.name} from Controller"
            self._say(change.new, "RemovingNode", f"Node {change.new.name} event: {said}")
            self.cluster.remove(LEASES, LEASE_NAMESPACE, change.new.name)
            return ()
        return (change.new.key,)

    def sync(self, key: Key) -> None:
        """Mark a node that fell silent, or came back, or is cordoned, and its pods."""
        stored = self.store.get("nodes", *key)
        if stored is None:
            return
        obj = stored.decode()
        silent = is_silent(obj)
        if not silent:
            self._silent_since.pop(stored.name, None)
        elif (left := self._grace_left(stored.name, obj)) > 0:
            self.later(left, key)
            silent = False
            if not is_node_ready(obj):
                return
        stamp = self.agenda.stamp()
        changed = bool(obj.get("status", {}).get("conditions")) and silent == is_node_ready(obj)

        def change(node: Json) -> None:
            if changed and silent:
                for one in node["status"]["conditions"]:
                    one |= {"status": "Unknown", "reason": "NodeStatusUnknown",
                            "message": "Kubelet stopped posting node status.", "lastTransitionTime": stamp}  # fmt: skip
            elif changed:
                node["status"]["conditions"] = healthy(stamp)
            _taint(node, stamp)

        self.cluster.update("nodes", *key, change)
        if changed:
            reason = "NodeNotReady" if silent else "NodeReady"
            said = f"Node {stored.name} status is now: {reason}"
            self.recorder.event(stored, reason, said, component=COMPONENT if silent else "kubelet",
                                host="" if silent else stored.name)  # fmt: skip
            self._mark_pods(stored.name, silent, stamp)

    def _grace_left(self, name: str, obj: Json) -> float:
        said = (obj["metadata"].get("annotations") or {}).get(SILENT, "")
        try:
            grace = float(said)
        except ValueError:
            grace = SOON_S
        since = self._silent_since.setdefault(name, self.agenda.now())
        return max(0.0, since + grace - self.agenda.now())

    def _mark_pods(self, node: str, silent: bool, stamp: str) -> None:
        for pod in self.store.items("pods"):
            if pod.fields["spec.nodeName"] != node or pod.fields["status.phase"] != "Running":
                continue

            def change(obj: Json) -> None:
                status = obj["status"]
                statuses = status.get("containerStatuses") or ()
                ready = not silent and all(one.get("ready") for one in statuses)
                if condition(status.get("conditions"), "Ready").get("status") != str(ready):
                    set_condition(status, "Ready", ready, stamp, lastProbeTime=None,
                                  observedGeneration=obj["metadata"].get("generation", 1))  # fmt: skip

            self.cluster.update("pods", *pod.key, change)
            if silent:
                self.recorder.event(pod, "NodeNotReady", "Node is not ready", component=COMPONENT, warning=True)

    def _say(self, node: Stored, reason: str, said: str) -> None:
        self.recorder.event(node, reason, said, component=COMPONENT)

    def _renew(self) -> None:
        now = rfc3339_micro(self.agenda.now())
        for node in self.store.items("nodes"):
            if SILENT.encode() in node.body:
                continue

            def change(lease: Json) -> None:
                lease["spec"]["renewTime"] = now

            self.cluster.update(LEASES, LEASE_NAMESPACE, node.name, change)

    def _report(self) -> None:
        stamp = self.agenda.stamp()
        for node in self.store.items("nodes"):
            if SILENT.encode() in node.body:
                continue

            def change(obj: Json) -> None:
                for one in (obj.get("status") or {}).get("conditions") or ():
                    one["lastHeartbeatTime"] = stamp

            self.cluster.update("nodes", *node.key, change)


def _taint(node: Json, stamp: str) -> None:
    """Give a node the taints that its conditions and its spec mean, and leave all others alone.

    A cordoned one is tainted too.
    """
    ready = condition((node.get("status") or {}).get("conditions"), "Ready").get("status")
    wanted: list[tuple[str, str]] = []
    if node["spec"].get("unschedulable"):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    if ready in ("Unknown", "False"):
        key = UNREACHABLE if ready == "Unknown" else NOT_READY
        wanted += [(key, "NoSchedule"), (key, "NoExecute")]
    old = node["spec"].get("taints") or []
    kept = [one for one in old if one["key"] not in OURS or (one["key"], one["effect"]) in wanted]
    there = {(one["key"], one["effect"]) for one in kept}
    taints = kept + [{"key": key, "effect": effect, "timeAdded": stamp} for key, effect in wanted
                     if (key, effect) not in there]  # fmt: skip
    if taints:
        node["spec"]["taints"] = taints
    else:
        node["spec"].pop("taints", None)


_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def healthy(stamp: str) -> list[Json]:
    """The conditions of a healthy node."""
    return copy.deepcopy(
        [
            {
                "type": kind,
                "status": value,
                "lastHeartbeatTime": stamp,
                "lastTransitionTime": stamp,
                "reason": reason,
                "message": message,
            }
            for kind, value, reason, message in _HEALTHY
        ]
    )
