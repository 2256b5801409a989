"""Nodes: heartbeats, and what happens when one stops."""

from __future__ import annotations

import copy
from typing import Any

from notebook_mux.playground.clock import rfc3339_micro
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import condition, set_condition
from notebook_mux.playground.store import Key

Json = dict[str, Any]

LEASE_S = 10.0
"""A kubelet renews its lease every ten seconds ..."""

STATUS_S = 300.0
"""... and its node's status every five minutes, if nothing changed."""

LEASES = "leases.coordination.k8s.io"
LEASE_NAMESPACE = "kube-node-lease"
UNREACHABLE = "node.kubernetes.io/unreachable"
COMPONENT = "node-controller"
SILENT = "playground.notebook-mux/silent"
"""An annotation of a node whose kubelet says nothing, for as long as it is there."""


def is_node_ready(obj: Json) -> bool:
    """Whether a node is ready."""
    return condition((obj.get("status") or {}).get("conditions"), "Ready").get("status") == "True"


class Nodes(Controller):
    """All kubelets' heartbeats, and the node lifecycle controller."""

    watches = ("nodes",)

    def start(self) -> None:
        """Begin the heartbeats."""
        super().start()
        self.agenda.every(LEASE_S, self._renew)
        self.agenda.every(STATUS_S, self._report)

    def sync(self, key: Key) -> None:
        """Mark a node that fell silent, or came back, and its pods."""
        stored = self.store.get("nodes", *key)
        if stored is None:
            return
        obj = stored.decode()
        silent = SILENT in (obj["metadata"].get("annotations") or {})
        if silent == (not is_node_ready(obj)):
            return
        stamp = self.agenda.stamp()

        def change(node: Json) -> None:
            if silent:
                for one in node["status"]["conditions"]:
                    one |= {"status": "Unknown", "reason": "NodeStatusUnknown",
                            "message": "Kubelet stopped posting node status.", "lastTransitionTime": stamp}  # fmt: skip
                node["spec"]["taints"] = [
                    {"key": UNREACHABLE, "effect": effect, "timeAdded": stamp} for effect in ("NoSchedule", "NoExecute")
                ]
            else:
                node["spec"].pop("taints", None)
                node["status"]["conditions"] = healthy(stamp)

        self.cluster.update("nodes", *key, change)
        said = f"Node {stored.name} status is now: {'NodeNotReady' if silent else 'NodeReady'}"
        self.recorder.event(stored, "NodeNotReady" if silent else "NodeReady", said, component=COMPONENT)
        self._mark_pods(stored.name, silent, stamp)

    def _mark_pods(self, node: str, silent: bool, stamp: str) -> None:
        for pod in self.store.items("pods"):
            if pod.fields["spec.nodeName"] != node or pod.fields["status.phase"] != "Running":
                continue

            def change(obj: Json) -> None:
                status = obj["status"]
                statuses = status.get("containerStatuses") or ()
                ready = not silent and all(one.get("ready") for one in statuses)
                set_condition(status, "Ready", ready, stamp, lastProbeTime=None)

            self.cluster.update("pods", *pod.key, change)
            if silent:
                self.recorder.event(pod, "NodeNotReady", "Node is not ready", component=COMPONENT, warning=True)

    def _renew(self) -> None:
        now = rfc3339_micro(self.agenda.now())
        for node in self.store.items("nodes"):
            if not is_node_ready(node.decode()):
                continue

            def change(lease: Json) -> None:
                lease["spec"]["renewTime"] = now

            self.cluster.update(LEASES, LEASE_NAMESPACE, node.name, change)

    def _report(self) -> None:
        stamp = self.agenda.stamp()
        for node in self.store.items("nodes"):

            def change(obj: Json) -> None:
                if is_node_ready(obj):
                    for one in obj["status"]["conditions"]:
                        one["lastHeartbeatTime"] = stamp

            self.cluster.update("nodes", *node.key, change)


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
