"""Topology spread constraints: how unevenly a pod's like are over the domains of a topology (KEP-895)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.controllers.scheduling.matching import fits_labels, untolerated
from notebook_mux.playground.controllers.scheduling.nodes import NodeInfo
from notebook_mux.playground.controllers.scheduling.pods import PodInfo
from notebook_mux.playground.label_selectors import selects

Json = dict[str, Any]

NOT_SATISFIED = "node(s) didn't match pod topology spread constraints"


def selector_of(constraint: Json, labels: Mapping[str, str]) -> Json | None:
    """Whom a constraint counts, with what it takes from the pod's own labels (KEP-3243)."""
    selector: Json | None = constraint.get("labelSelector")
    added = [
        {"key": key, "operator": "In", "values": [labels[key]]}
        for key in constraint.get("matchLabelKeys") or ()
        if key in labels
    ]
    if selector is None or not added:
        return selector
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *added]}


def counts_node(constraint: Json, pod: PodInfo, node: NodeInfo) -> bool:
    """Whether a node is one that a constraint looks at (KEP-3094)."""
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not fits_labels(pod.spec, node.name, node.labels):
        return False
    return constraint.get("nodeTaintsPolicy") != "Honor" or not untolerated(pod.spec, node.taints)


def like(pod: PodInfo, selector: Json | None, node: NodeInfo) -> int:
    """How many pods on a node a constraint counts."""
    return sum(
        one.namespace == pod.namespace and not one.stored.deleting and selects(selector, one.labels)
        for one in node.pods.values()
    )


@dataclass
class Spread:
    """The constraints of one pod that rule nodes out, and what is in each domain."""

    pod: PodInfo
    constraints: list[Json]
    counts: list[Counter[str]] = field(default_factory=list)

    @classmethod
    def begin(cls, pod: PodInfo, nodes: Iterable[NodeInfo]) -> Spread:
        """Count what is in each domain."""
        wanted = [one for one in pod.spec.get("topologySpreadConstraints") or ()
                  if one.get("whenUnsatisfiable") == "DoNotSchedule"]  # fmt: skip
        found = cls(pod, wanted, [Counter() for _ in wanted])
        keys = [one.get("topologyKey") for one in wanted]
        for node in nodes if wanted else ():
            if not all(key in node.labels for key in keys):
                continue
            for constraint, counts in zip(wanted, found.counts, strict=True):
                if counts_node(constraint, pod, node):
                    selector = selector_of(constraint, pod.labels)
                    counts[node.labels[constraint["topologyKey"]]] += like(pod, selector, node)
        return found

    def take(self, other: PodInfo, node: NodeInfo, count: int) -> None:
        """Count a pod in, or out with -1."""
        for constraint, counts in zip(self.constraints, self.counts, strict=True):
            value = node.labels.get(constraint["topologyKey"], "")
            selector = selector_of(constraint, self.pod.labels)
            mine = other.namespace == self.pod.namespace and selects(selector, other.labels)
            if value in counts and mine and not other.stored.deleting:
                counts[value] += count

    def ruling(self, node: NodeInfo) -> tuple[tuple[str, ...], bool] | None:
        """Why a node does not do."""
        for constraint, counts in zip(self.constraints, self.counts, strict=True):
            value = node.labels.get(constraint["topologyKey"])
            if value is None:
                return (f"{NOT_SATISFIED} (missing required label)",), True
            own = selects(selector_of(constraint, self.pod.labels), self.pod.labels)
            few = len(counts) < (constraint.get("minDomains") or 1)
            least = 0 if few else min(counts.values(), default=0)
            if counts[value] + own - least > constraint.get("maxSkew", 1):
                return (NOT_SATISFIED,), False
        return None
