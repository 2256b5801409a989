"""What the scheduler knows of nodes and of the pods on them, kept up to date as these change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.controllers.scheduling.pods import ANY_ADDRESS, HostPort, PodInfo, read
from notebook_mux.playground.history import Change
from notebook_mux.playground.quantities import amounts
from notebook_mux.playground.store import Store, Stored

Json = dict[str, Any]


@dataclass
class NodeInfo:
    """One node, and the pods that are on it or about to be."""

    stored: Stored
    obj: Json = field(repr=False)
    pods: dict[str, PodInfo] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.stored.name

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.stored.labels

    @property
    def taints(self) -> list[Json]:
        """Its taints."""
        return list(self.obj["spec"].get("taints") or ())

    @property
    def unschedulable(self) -> bool:
        """Whether it is cordoned."""
        return bool(self.obj["spec"].get("unschedulable"))

    @property
    def allocatable(self) -> dict[str, int]:
        """What it has for pods: CPU in thousandths, all else in units."""
        status = self.obj.get("status") or {}
        found = amounts(status.get("allocatable") or status.get("capacity"))
        return {name: one.milli if name == "cpu" else one.value for name, one in found.items()}

    def requested(self) -> dict[str, int]:
        """What its pods ask for together."""
        total: dict[str, int] = {}
        for pod in self.pods.values():
            for name, value in pod.requests.items():
                total[name] = total.get(name, 0) + value
        return total

    def takes(self, wanted: Iterable[HostPort]) -> bool:
        """Whether one of the ports is taken: by the same port of an address that overlaps."""
        used = [port for pod in self.pods.values() for port in pod.ports]
        return any(
            (protocol == other[1] and number == other[2] and ANY_ADDRESS in (address, other[0]))
            or (address, protocol, number) == other
            for address, protocol, number in wanted
            for other in used
        )  # fmt: skip

    def without(self, gone: Iterable[str]) -> NodeInfo:
        """The same without some pods, by uid."""
        left = set(gone)
        return NodeInfo(self.stored, self.obj, {uid: pod for uid, pod in self.pods.items() if uid not in left})

    def beside(self, more: Iterable[PodInfo]) -> NodeInfo:
        """The same with more pods."""
        return NodeInfo(self.stored, self.obj, {**self.pods, **{one.stored.uid: one for one in more}})


class Snapshot:
    """All nodes with their pods.

    Args:
        store: The cluster's objects; it is listened to.
    """

    def __init__(self, store: Store):
        self._store = store
        self._nodes: dict[str, NodeInfo] = {}
        self._where: dict[str, str] = {}
        self._lost: dict[str, dict[str, PodInfo]] = {}
        self.with_affinity: set[str] = set()
        for stored in store.items("nodes"):
            self._put_node(stored)
        for stored in store.items("pods"):
            self._put_pod(stored)
        store.listen("nodes", self._node_changed)
        store.listen("pods", self._pod_changed)

    def __len__(self) -> int:
        return len(self._nodes)

    def nodes(self) -> list[NodeInfo]:
        """All nodes, by name."""
        return [self._nodes[name] for name in sorted(self._nodes)]

    def get(self, name: str) -> NodeInfo | None:
        """One node."""
        return self._nodes.get(name)

    def assume(self, pod: PodInfo, node: str) -> None:
        """Count a pod as on a node before it is bound."""
        self._place(pod, node)

    def forget(self, uid: str) -> None:
        """Count a pod no more."""
        node = self._where.pop(uid, None)
        self.with_affinity.discard(uid)
        if node in self._nodes:
            self._nodes[node].pods.pop(uid, None)
        elif node in self._lost:
            self._lost[node].pop(uid, None)

    def _place(self, pod: PodInfo, node: str) -> None:
        uid = pod.stored.uid
        if self._where.get(uid, node) != node:
            self.forget(uid)
        self._where[uid] = node
        if pod.has_affinity:
            self.with_affinity.add(uid)
        # A pod's node may not be there yet, or no more.
        there = self._nodes[node].pods if node in self._nodes else self._lost.setdefault(node, {})
        there[uid] = pod

    def placed(self, uid: str) -> tuple[PodInfo, NodeInfo] | None:
        """A pod and its node."""
        node = self._nodes.get(self._where.get(uid, ""))
        return (node.pods[uid], node) if node is not None and uid in node.pods else None

    def _put_node(self, stored: Stored) -> None:
        old = self._nodes.get(stored.name)
        pods = old.pods if old is not None else self._lost.pop(stored.name, {})
        self._nodes[stored.name] = NodeInfo(stored, stored.decode(), pods)

    def _put_pod(self, stored: Stored) -> None:
        node, uid = stored.fields["spec.nodeName"], stored.uid
        if not node:
            return
        if stored.fields["status.phase"] in ("Succeeded", "Failed"):
            self.forget(uid)
            return
        known = self._nodes[node].pods.get(uid) if node in self._nodes else None
        if known is not None and known.labels == stored.labels and known.stored.fields["spec.nodeName"] == node:
            known.stored = stored  # its spec cannot have changed
            return
        self._place(read(stored), node)

    def _node_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            if (old := self._nodes.pop(change.new.name, None)) is not None:
                self._lost[change.new.name] = old.pods
        else:
            self._put_node(change.new)

    def _pod_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self.forget(change.new.uid)
        else:
            self._put_pod(change.new)
