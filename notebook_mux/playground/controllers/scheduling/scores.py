"""What speaks for a node among those that do: each plug-in gives 0 to 100, and counts with its weight."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from notebook_mux.playground.controllers.scheduling import affinity, spreading
from notebook_mux.playground.controllers.scheduling.filters import Attempt
from notebook_mux.playground.controllers.scheduling.matching import term_holds, untolerated
from notebook_mux.playground.controllers.scheduling.nodes import NodeInfo
from notebook_mux.playground.controllers.scheduling.pods import PREFERRED

Json = dict[str, Any]

MOST = 100
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
SYSTEM_SPREAD: tuple[Json, ...] = ({"topologyKey": HOSTNAME, "maxSkew": 3}, {"topologyKey": ZONE, "maxSkew": 5})
"""Constraints of pods that have none (docs: "Internal default constraints"); they count the pods of their owner."""

Scores = list[float]
Nodes = Sequence[NodeInfo]


def _scaled(raw: Scores, *, reverse: bool = False) -> Scores:
    """Of 0 to 100 by the greatest."""
    top = max(raw, default=0.0)
    if top <= 0:
        return [float(MOST if reverse else 0)] * len(raw)
    found = [one * MOST / top for one in raw]
    return [MOST - one for one in found] if reverse else found


def _taints(attempt: Attempt, nodes: Nodes, _: Any) -> Scores:
    raw = [float(len(untolerated(attempt.pod.spec, node.taints, ("PreferNoSchedule",)))) for node in nodes]
    return _scaled(raw, reverse=True)


def _labels(attempt: Attempt, nodes: Nodes, _: Any) -> Scores:
    terms = ((attempt.pod.spec.get("affinity") or {}).get("nodeAffinity") or {}).get(PREFERRED) or ()
    raw = [
        float(sum(one.get("weight", 0) for one in terms if _prefers(one.get("preference") or {}, node)))
        for node in nodes
    ]
    return _scaled(raw)


def _prefers(term: Json, node: NodeInfo) -> bool:
    return term_holds(term, node.name, node.labels)


def _used(attempt: Attempt, node: NodeInfo) -> list[tuple[int, int]]:
    """CPU and memory: used with the pod, and there."""
    cpu, memory = (sum(one.scored[at] for one in node.pods.values()) + attempt.pod.scored[at] for at in (0, 1))
    allocatable = node.allocatable
    return [(cpu, allocatable.get("cpu", 0)), (memory, allocatable.get("memory", 0))]


def _least_allocated(attempt: Attempt, nodes: Nodes, _: Any) -> Scores:
    def free(used: int, there: int) -> float:
        return (there - used) * MOST // there if there and used <= there else 0

    return [sum(free(*one) for one in _used(attempt, node)) / 2 for node in nodes]


def _balanced(attempt: Attempt, nodes: Nodes, _: Any) -> Scores:
    found = []
    for node in nodes:
        first, second = (min(1.0, used / there) if there else 1.0 for used, there in _used(attempt, node))
        found.append((1 - abs(first - second) / 2) * MOST)
    return found


def _spread(attempt: Attempt, nodes: Nodes, selector: Json | None) -> Scores:
    pod = attempt.pod
    wanted = [one for one in pod.spec.get("topologySpreadConstraints") or ()
              if one.get("whenUnsatisfiable") == "ScheduleAnyway"]  # fmt: skip
    if not pod.spec.get("topologySpreadConstraints") and selector is not None:
        wanted = [{**one, "labelSelector": selector} for one in SYSTEM_SPREAD]
    if not wanted:
        return [0.0] * len(nodes)
    raw = [0.0] * len(nodes)
    for constraint in wanted:
        key, counts = constraint["topologyKey"], Counter[str]()
        chosen = spreading.selector_of(constraint, pod.labels)
        for node in attempt.snapshot.nodes():
            if key in node.labels and spreading.counts_node(constraint, pod, node):
                counts[node.labels[key]] += spreading.like(pod, chosen, node)
        domains = len({node.labels[key] for node in nodes if key in node.labels})
        weight = math.log(domains + 2)  # the more domains, the more one pod matters
        for at, node in enumerate(nodes):
            if key in node.labels:
                raw[at] += counts[node.labels[key]] * weight + constraint.get("maxSkew", 1) - 1
    most, least = max(raw), min(raw)
    return [MOST * (most + least - one) / most if most > 0 else float(MOST) for one in raw]


def _affinity(attempt: Attempt, nodes: Nodes, _: Any) -> Scores:
    everywhere = attempt.snapshot.nodes()
    counts = affinity.preference(attempt.pod, attempt.snapshot, everywhere, attempt.affinity.namespaces)
    if not counts:
        return [0.0] * len(nodes)
    raw = [sum(weight for (key, value), weight in counts.items() if node.labels.get(key) == value) for node in nodes]
    most, least = max(raw), min(raw)
    return [MOST * (one - least) / (most - least) if most > least else 0.0 for one in raw]


PLUGINS: tuple[tuple[int, Callable[[Attempt, Nodes, Json | None], Scores]], ...] = (
    (3, _taints),
    (2, _labels),
    (1, _least_allocated),
    (1, _balanced),
    (2, _spread),
    (2, _affinity),
)
"""With the weights of the default profile."""


def best(attempt: Attempt, nodes: Nodes, selector: Json | None) -> list[NodeInfo]:
    """The nodes with the greatest sum, of which any will do.

    Args:
        selector: Of the pod's like, by its owner, for pods without constraints of their own.
    """
    total = [0] * len(nodes)
    for weight, plugin in PLUGINS:
        for at, score in enumerate(plugin(attempt, nodes, selector)):
            total[at] += weight * int(score)
    top = max(total)
    return [node for node, score in zip(nodes, total, strict=True) if score == top]
