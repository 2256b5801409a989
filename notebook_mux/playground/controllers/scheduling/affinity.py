"""Affinity and anti-affinity between pods: the domains of topology where a pod has to be, and must not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from notebook_mux.playground.controllers.scheduling.nodes import NodeInfo, Snapshot
from notebook_mux.playground.controllers.scheduling.pods import PodInfo, Term
from notebook_mux.playground.label_selectors import selects

Namespaces = Callable[[str], Mapping[str, str]]
"""The labels of a namespace."""
Domain = tuple[str, str]
"""A topology key and its value."""


def concerns(term: Term, pod: PodInfo, namespaces: Namespaces) -> bool:
    """Whether a term is about a pod."""
    here = pod.namespace in term.namespaces or (
        term.namespace_selector is not None and selects(term.namespace_selector, namespaces(pod.namespace))
    )
    return here and selects(term.selector, pod.labels)


@dataclass
class Affinity:
    """What the pods that there are mean for one more."""

    pod: PodInfo
    namespaces: Namespaces
    wanted: Counter[Domain] = field(default_factory=Counter)
    unwanted: Counter[Domain] = field(default_factory=Counter)
    unwelcome: Counter[Domain] = field(default_factory=Counter)

    @classmethod
    def begin(cls, pod: PodInfo, snapshot: Snapshot, nodes: Iterable[NodeInfo], namespaces: Namespaces) -> Affinity:
        """Count what is in each domain."""
        found = cls(pod, namespaces)
        attracted = pod.terms("podAffinity", required=True)
        repelled = pod.terms("podAntiAffinity", required=True)
        for node in nodes if attracted or repelled else ():
            for other in node.pods.values():
                found.add(other, node, 1)
        if not (attracted or repelled):
            for uid in snapshot.with_affinity:
                if (placed := snapshot.placed(uid)) is not None:
                    found.add(*placed, 1)
        return found

    def add(self, other: PodInfo, node: NodeInfo, count: int) -> None:
        """Count a pod in, or out with -1."""
        attracted = self.pod.terms("podAffinity", required=True)
        if attracted and all(concerns(term, other, self.namespaces) for term in attracted):
            self._count(self.wanted, attracted, node, count)
        repelled = self.pod.terms("podAntiAffinity", required=True)
        self._count(self.unwanted, [one for one in repelled if concerns(one, other, self.namespaces)], node, count)
        theirs = other.terms("podAntiAffinity", required=True)
        about = [one for one in theirs if concerns(one, self.pod, self.namespaces)]
        self._count(self.unwelcome, about, node, count)

    @staticmethod
    def _count(into: Counter[Domain], terms: Iterable[Term], node: NodeInfo, count: int) -> None:
        for term in terms:
            if term.topology in node.labels:
                into[(term.topology, node.labels[term.topology])] += count

    def ruling(self, node: NodeInfo) -> tuple[tuple[str, ...], bool] | None:
        """Why a node does not do."""
        attracted = self.pod.terms("podAffinity", required=True)
        if attracted and not self._is_attracted(attracted, node):
            return ("node(s) didn't match pod affinity rules",), True
        for term in self.pod.terms("podAntiAffinity", required=True):
            if self._has(self.unwanted, term, node):
                return ("node(s) didn't match pod anti-affinity rules",), False
        if any(count > 0 and node.labels.get(key) == value for (key, value), count in self.unwelcome.items()):
            return ("node(s) didn't satisfy existing pods anti-affinity rules",), False
        return None

    def _is_attracted(self, terms: tuple[Term, ...], node: NodeInfo) -> bool:
        if any(term.topology not in node.labels for term in terms):
            return False
        if all(self._has(self.wanted, term, node) for term in terms):
            return True
        # The first of a group that wants to be together may be anywhere.
        first = not any(count > 0 for count in self.wanted.values())
        return first and all(concerns(term, self.pod, self.namespaces) for term in terms)

    @staticmethod
    def _has(counts: Counter[Domain], term: Term, node: NodeInfo) -> bool:
        value = node.labels.get(term.topology)
        return value is not None and counts[(term.topology, value)] > 0


HARD_WEIGHT = 1
"""How much it speaks for a node that a pod there requires ones like this (InterPodAffinityArgs)."""


def preference(pod: PodInfo, snapshot: Snapshot, nodes: Iterable[NodeInfo], namespaces: Namespaces) -> Counter[Domain]:
    """How much the pods that there are speak for each domain."""
    found: Counter[Domain] = Counter()
    likes = pod.terms("podAffinity", required=False), pod.terms("podAntiAffinity", required=False)
    everyone = any(likes)
    pairs = (
        ((other, node) for node in nodes for other in node.pods.values())
        if everyone
        else (pair for uid in snapshot.with_affinity if (pair := snapshot.placed(uid)) is not None)
    )
    for other, node in pairs:
        for terms, sign in zip(likes, (1, -1), strict=True):
            for term in terms:
                _weigh(found, term, node, sign * term.weight, concerns(term, other, namespaces))
        for kind, sign in (("podAffinity", 1), ("podAntiAffinity", -1)):
            for term in other.terms(kind, required=False):
                _weigh(found, term, node, sign * term.weight, concerns(term, pod, namespaces))
        for term in other.terms("podAffinity", required=True):
            _weigh(found, term, node, HARD_WEIGHT, concerns(term, pod, namespaces))
    return found


def _weigh(into: Counter[Domain], term: Term, node: NodeInfo, weight: int, holds: bool) -> None:
    if holds and term.topology in node.labels:
        into[(term.topology, node.labels[term.topology])] += weight
