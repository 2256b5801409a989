"""One look for a place for one pod."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.controllers.scheduling import preemption, scores
from notebook_mux.playground.controllers.scheduling.affinity import Namespaces
from notebook_mux.playground.controllers.scheduling.filters import Attempt, Refusal, histogram
from notebook_mux.playground.controllers.scheduling.nodes import NodeInfo, Snapshot
from notebook_mux.playground.controllers.scheduling.pods import PodInfo
from notebook_mux.playground.controllers.scheduling.volumes import PodVolumes
from notebook_mux.playground.store import Store

Json = dict[str, Any]

NO_NODES = "no nodes available to schedule pods"


@dataclass(frozen=True)
class Found:
    """A node, and the claims that get their volume with it (claim, volume; an empty volume is to be made)."""

    node: str
    volumes: list[tuple[Json, str]]


@dataclass(frozen=True)
class Nowhere:
    """Why there is no place.

    Args:
        said: In the scheduler's words.
        plugins: The rules that said so: what could change that.
        candidate: Whom to preempt.
    """

    said: str
    plugins: frozenset[str]
    candidate: preemption.Candidate | None = None


@dataclass
class Cycle:
    """Looks for places.

    Args:
        store: The cluster's objects.
        snapshot: Its nodes.
        chance: Chooses among nodes that are equally good.
        namespaces: Tells a namespace's labels.
    """

    store: Store
    snapshot: Snapshot
    chance: random.Random
    namespaces: Namespaces
    nominated: dict[str, PodInfo] = field(default_factory=dict)

    def schedule(self, pod: PodInfo, selector: Json | None, budgets: Callable[[], Sequence[Json]]) -> Found | Nowhere:
        """Find a node for a pod, or say why there is none, and who would have to go.

        Args:
            pod: The pod.
            selector: Of the pod's like, by its owner.
            budgets: Tells all disruption budgets.
        """
        if not len(self.snapshot):
            return Nowhere(NO_NODES, frozenset({"Nodes"}))
        volumes = PodVolumes.begin(pod, self.store)
        if volumes.problem:
            return self._nowhere_at_all(volumes)
        attempt = Attempt.begin(pod, self.snapshot, volumes, self.namespaces)
        refusals: dict[str, Refusal] = {}
        fitting: list[NodeInfo] = []
        for node in self._in_order(pod):
            refusal = self._refusal(attempt, pod, node)
            if refusal is not None:
                refusals[node.name] = refusal
                continue
            fitting.append(node)
            if node.name == pod.nominated:
                break  # it was made free for this pod
        if fitting:
            if fitting[-1].name == pod.nominated:
                fitting = fitting[-1:]
            chosen = fitting[0] if len(fitting) == 1 else self._best(attempt, fitting, selector)
            return Found(chosen.name, volumes.plan(chosen) or [])
        return self._nowhere(pod, attempt, refusals, budgets)

    def _in_order(self, pod: PodInfo) -> list[NodeInfo]:
        return sorted(self.snapshot.nodes(), key=lambda node: node.name != pod.nominated)

    def _best(self, attempt: Attempt, nodes: list[NodeInfo], selector: Json | None) -> NodeInfo:
        equal = scores.best(attempt, nodes, selector)
        return equal[0] if len(equal) == 1 else self.chance.choice(equal)

    def _refusal(self, attempt: Attempt, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if attempt.names is not None and node.name not in attempt.names:
            return Refusal("NodeAffinity", ("node(s) didn't satisfy plugin(s) [NodeAffinity]",), True)
        # Who was promised this node counts as if there, unless this pod is more important.
        promised = [
            one for uid, one in self.nominated.items()
            if one.nominated == node.name and one.priority >= pod.priority and uid != pod.stored.uid
        ]  # fmt: skip
        if promised and (refusal := attempt.refusal(node.beside(promised))) is not None:
            return refusal
        return attempt.refusal(node)

    def _nowhere_at_all(self, volumes: PodVolumes) -> Nowhere:
        # The real scheduler (1.37) looks for pods to preempt even so, and ends with what that says: "not found".
        said = f"0/{len(self.snapshot)} nodes are available: {volumes.problem}. not found"
        return Nowhere(said, frozenset({"VolumeBinding"}))

    def _nowhere(
        self, pod: PodInfo, attempt: Attempt, refusals: dict[str, Refusal], budgets: Callable[[], Sequence[Json]]
    ) -> Nowhere:
        def again() -> Attempt:
            return Attempt.begin(pod, self.snapshot, attempt.volumes, self.namespaces)

        outcome = preemption.preempt(pod, refusals, self.snapshot, again, budgets())
        head = f"0/{len(self.snapshot)} nodes are available: {histogram(iter(refusals.values()))}."
        plugins = frozenset(one.plugin for one in refusals.values())
        return Nowhere(f"{head} {outcome.said}", plugins, outcome.candidate)
