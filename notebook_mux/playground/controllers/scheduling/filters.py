"""What rules a node out, in the order in which it is asked; the first rule that does says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.controllers.scheduling import affinity, spreading
from notebook_mux.playground.controllers.scheduling.affinity import Namespaces
from notebook_mux.playground.controllers.scheduling.matching import fits_labels, required_terms, tolerates, untolerated
from notebook_mux.playground.controllers.scheduling.nodes import NodeInfo, Snapshot
from notebook_mux.playground.controllers.scheduling.pods import PodInfo
from notebook_mux.playground.controllers.scheduling.volumes import PodVolumes

Json = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Why a node does not do.

    Args:
        plugin: Which rule says so.
        reasons: In its words.
        helpless: Whether it would not do without any other pod either, so that preemption does not help.
    """

    plugin: str
    reasons: tuple[str, ...]
    helpless: bool


@dataclass
class Attempt:
    """What is looked up once for a pod, and then asked of each node."""

    pod: PodInfo
    snapshot: Snapshot
    volumes: PodVolumes
    affinity: affinity.Affinity
    spread: spreading.Spread
    names: frozenset[str] | None = field(default=None)

    @classmethod
    def begin(cls, pod: PodInfo, snapshot: Snapshot, volumes: PodVolumes, namespaces: Namespaces) -> Attempt:
        """Look up what a pod's rules need to know of the cluster."""
        nodes = snapshot.nodes()
        return cls(pod, snapshot, volumes, affinity.Affinity.begin(pod, snapshot, nodes, namespaces),
                   spreading.Spread.begin(pod, nodes), _names(pod))  # fmt: skip

    def refusal(self, node: NodeInfo) -> Refusal | None:
        """Why a node does not do; None if it does."""
        for plugin, rule in RULES:
            found = rule(self, node)
            if found is not None:
                reasons, helpless = found
                return Refusal(plugin, reasons, helpless)
        return None


Ruling = tuple[tuple[str, ...], bool] | None
Rule = Callable[[Attempt, NodeInfo], Ruling]


def _names(pod: PodInfo) -> frozenset[str] | None:
    """The only nodes that a pod can be on, where each of its terms names some (as those of daemon sets do)."""
    terms = required_terms(pod.spec)
    if terms is None or not terms.get("nodeSelectorTerms"):
        return None
    found: set[str] = set()
    for term in terms["nodeSelectorTerms"]:
        fields = [one for one in term.get("matchFields") or () if one.get("operator") == "In"]
        if not fields:
            return None
        found |= frozenset.intersection(*(frozenset(one.get("values") or ()) for one in fields))
    return frozenset(found)


UNSCHEDULABLE: Json = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def _unschedulable(attempt: Attempt, node: NodeInfo) -> Ruling:
    if node.unschedulable and not tolerates(attempt.pod.spec.get("tolerations") or (), UNSCHEDULABLE):
        return ("node(s) were unschedulable",), True
    return None


def _taints(attempt: Attempt, node: NodeInfo) -> Ruling:
    return (("node(s) had untolerated taint(s)",), True) if untolerated(attempt.pod.spec, node.taints) else None


def _labels(attempt: Attempt, node: NodeInfo) -> Ruling:
    if fits_labels(attempt.pod.spec, node.name, node.labels):
        return None
    return ("node(s) didn't match Pod's node affinity/selector",), True


def _ports(attempt: Attempt, node: NodeInfo) -> Ruling:
    if node.takes(attempt.pod.ports):
        return ("node(s) didn't have free ports for the requested pod ports",), False
    return None


def _resources(attempt: Attempt, node: NodeInfo) -> Ruling:
    allocatable = node.allocatable
    reasons, helpless = [], False
    if len(node.pods) + 1 > allocatable.get("pods", 0):
        reasons.append("Too many pods")
    used = node.requested()
    for name in sorted(attempt.pod.requests, key=_as_asked):
        wanted, there = attempt.pod.requests[name], allocatable.get(name, 0)
        if wanted > there - used.get(name, 0):
            reasons.append(f"Insufficient {name}")
            helpless = helpless or wanted > there
    return (tuple(reasons), helpless) if reasons else None


def _as_asked(name: str) -> tuple[int, str]:
    first = ("cpu", "memory", "ephemeral-storage")
    return (first.index(name) if name in first else len(first)), name


def _volumes(attempt: Attempt, node: NodeInfo) -> Ruling:
    reasons = attempt.volumes.problems(node)
    return (reasons, True) if reasons else None


def _one_pod(attempt: Attempt, node: NodeInfo) -> Ruling:
    return attempt.volumes.used_elsewhere(attempt.snapshot)


def _spread(attempt: Attempt, node: NodeInfo) -> Ruling:
    return attempt.spread.ruling(node)


def _affinity(attempt: Attempt, node: NodeInfo) -> Ruling:
    return attempt.affinity.ruling(node)


RULES: tuple[tuple[str, Rule], ...] = (
    ("NodeUnschedulable", _unschedulable),
    ("TaintToleration", _taints),
    ("NodeAffinity", _labels),
    ("NodePorts", _ports),
    ("NodeResourcesFit", _resources),
    ("VolumeRestrictions", _one_pod),
    ("VolumeBinding", _volumes),
    ("PodTopologySpread", _spread),
    ("InterPodAffinity", _affinity),
)


def histogram(refusals: Iterator[Refusal]) -> str:
    """How many nodes have which reason: ``1 Insufficient cpu, 2 node(s) were unschedulable``."""
    counts: dict[str, int] = {}
    for one in refusals:
        for reason in one.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
