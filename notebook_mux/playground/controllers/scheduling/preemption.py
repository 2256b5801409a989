"""Preemption: which pods of less priority would have to go so that a pod finds a place (docs: "Pod Priority")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.controllers.scheduling.filters import Attempt, Refusal, histogram
from notebook_mux.playground.controllers.scheduling.nodes import NodeInfo, Snapshot
from notebook_mux.playground.controllers.scheduling.pods import PodInfo
from notebook_mux.playground.label_selectors import selects

Json = dict[str, Any]

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NEVER = "not eligible due to preemptionPolicy=Never."
WAITS = "not eligible due to a terminating pod on the nominated node."
BY_SCHEDULER = "PreemptionByScheduler"
LOWEST = 2**31
"""Added to each priority in a sum, so that a negative one counts too."""


@dataclass(frozen=True)
class Candidate:
    """A node and who has to leave it.

    Args:
        broken: How many of the victims a disruption budget protects.
    """

    node: str
    victims: tuple[PodInfo, ...]
    broken: int


@dataclass(frozen=True)
class Outcome:
    """What came of it: a candidate, or why there is none; and the sentence about it."""

    candidate: Candidate | None
    said: str


def is_leaving_for_another(pod: PodInfo) -> bool:
    """Whether a pod was preempted and is not gone yet."""
    conditions = (pod.stored.decode().get("status") or {}).get("conditions") or ()
    return pod.stored.deleting and any(
        one.get("type") == "DisruptionTarget" and one.get("status") == "True" and one.get("reason") == BY_SCHEDULER
        for one in conditions
    )


def preempt(
    pod: PodInfo, refusals: Mapping[str, Refusal], snapshot: Snapshot, begin: Callable[[], Attempt],
    budgets: Sequence[Json],
) -> Outcome:  # fmt: skip
    """Look for pods to preempt.

    Args:
        pod: Who needs a place.
        refusals: Why each node does not do as it is.
        snapshot: All nodes.
        begin: Looks up anew what the pod's rules need to know.
        budgets: The disruption budgets of all namespaces.
    """
    if pod.spec.get("preemptionPolicy") == "Never":
        return Outcome(None, f"preemption: {NEVER}")
    total = len(snapshot)
    refused = refusals.get(pod.nominated)
    node = snapshot.get(pod.nominated)
    if node is not None and not (refused is not None and refused.helpless):
        lower = (one for one in node.pods.values() if one.priority < pod.priority)
        if any(is_leaving_for_another(one) for one in lower):
            return Outcome(None, f"preemption: {WAITS}")
    reasons: list[Refusal] = []
    candidates: list[Candidate] = []
    for one in snapshot.nodes():
        found = refusals.get(one.name)
        if found is None or found.helpless:
            reasons.append(Refusal("", (NOT_HELPFUL,), True))
            continue
        result = _victims(pod, one, begin, budgets)
        if isinstance(result, Candidate):
            candidates.append(result)
        else:
            reasons.append(result)
    if not candidates:
        return Outcome(None, f"preemption: 0/{total} nodes are available: {histogram(iter(reasons))}.")
    chosen = min(candidates, key=_cost)
    said = f"found a potential placement for pod on node {chosen.node}, preempting {len(chosen.victims)} victims"
    return Outcome(chosen, f"preemption: {said}")


def _cost(candidate: Candidate) -> tuple[Any, ...]:
    """What a candidate costs: fewest broken budgets, least priorities, fewest pods, of which the first began last."""
    priorities = [one.priority for one in candidate.victims]
    top = max(priorities)
    starts = [_started(one) for one in candidate.victims if one.priority == top]
    return (candidate.broken, top, sum(one + LOWEST for one in priorities), len(priorities),
            [-ord(letter) for letter in min(starts)], candidate.node)  # fmt: skip


def _started(pod: PodInfo) -> str:
    obj = pod.stored.decode()
    return str((obj.get("status") or {}).get("startTime") or obj["metadata"]["creationTimestamp"])


def _victims(
    pod: PodInfo, node: NodeInfo, begin: Callable[[], Attempt], budgets: Sequence[Json]
) -> Candidate | Refusal:
    """Who has to leave a node: all of less priority go, and as many as there is room for come back."""
    lower = sorted((one for one in node.pods.values() if one.priority < pod.priority),
                   key=lambda one: (-one.priority, _started(one), one.key))  # fmt: skip
    if not lower:
        return Refusal("", (NO_VICTIMS,), True)
    attempt = begin()
    for one in lower:
        attempt.affinity.add(one, node, -1)
        attempt.spread.take(one, node, -1)
    empty = node.without(one.stored.uid for one in lower)
    if (refusal := attempt.refusal(empty)) is not None:
        return refusal
    broken = _protected(lower, budgets)
    victims, left = [], empty
    for one in sorted(lower, key=lambda victim: victim.stored.uid not in broken):  # the protected come back first
        attempt.affinity.add(one, node, 1)
        attempt.spread.take(one, node, 1)
        again = left.beside([one])
        if attempt.refusal(again) is None:
            left = again
            continue
        attempt.affinity.add(one, node, -1)
        attempt.spread.take(one, node, -1)
        victims.append(one)
    victims.sort(key=lambda one: (-one.priority, _started(one)))
    return Candidate(node.name, tuple(victims), sum(one.stored.uid in broken for one in victims))


def _protected(pods: Sequence[PodInfo], budgets: Sequence[Json]) -> set[str]:
    """The uids of pods that go beyond what a disruption budget allows."""
    left = {id(one): (one.get("status") or {}).get("disruptionsAllowed", 0) for one in budgets}
    found = set()
    for pod in pods:
        for one in budgets:
            if one["metadata"]["namespace"] != pod.namespace:
                continue
            if selects((one.get("spec") or {}).get("selector"), pod.labels):
                left[id(one)] -= 1
                if left[id(one)] < 0:
                    found.add(pod.stored.uid)
    return found
