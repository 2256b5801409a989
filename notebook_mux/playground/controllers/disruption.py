"""Disruption budgets: how many pods of each may be evicted at this moment.

The sums are those of kubernetes/pkg/controller/disruption; the eviction itself is `notebook_mux.playground.eviction`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.deployments import share
from notebook_mux.playground.controllers.parts import MANAGER, is_ready, set_condition, set_status
from notebook_mux.playground.history import Change
from notebook_mux.playground.selectors import match_expressions
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "poddisruptionbudgets.policy"
COMPONENT = "controllermanager"
DELETION_S = 120.0
"""A pod that was evicted counts as gone for so long (disruption.DeletionTimeout)."""

SCALED = {"Deployment": "deployments.apps", "ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps",
          "ReplicationController": "replicationcontrollers"}  # fmt: skip
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of "
    "the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please "
    'set ".spec.minAvailable" field of the PDB to an integer value.'
)


class Unknown(Exception):
    """How many pods there are to be cannot be found out; the message says why."""


def selects(budget: Json, pod: Stored) -> bool:
    """Whether a budget is for a pod: an empty selector selects all of a namespace, none at all selects none."""
    selector = budget["spec"].get("selector")
    return selector is not None and (not selector or match_expressions(selector)(pod.labels))


class Disruption(Controller):
    """The controller of disruption budgets."""

    watches = (KIND, "pods")

    def keys(self, change: Change) -> Iterable[Key]:
        """A budget's own key; those that select a pod."""
        if change.new.kind.resource == KIND:
            return (change.new.key,)
        budgets = self.store.items(KIND, change.new.namespace) if self.store.count(KIND) else ()
        return [one.key for one in budgets if selects(one.decode(), change.new)]

    def sync(self, key: Key) -> None:
        """Count, and tell."""
        stored = self.store.get(KIND, *key)
        if stored is None or stored.deleting:
            return
        budget = stored.decode()
        pods = [one for one in self.store.items("pods", key[0]) if selects(budget, one)]
        if not pods:
            self.recorder.event(stored, "NoPods", "No matching pods found", component=COMPONENT)
        try:
            expected, desired = self._wanted(stored, budget["spec"], pods)
        except Unknown as why:
            said = f"Failed to calculate the number of expected pods: {why}"
            self.recorder.event(stored, "CalculateExpectedPodCountFailed", said, component=COMPONENT, warning=True)
            self._tell_failure(key, str(why))
            return
        disrupted = self._disrupted(key, budget, pods)
        healthy = sum(not one.deleting and one.name not in disrupted and is_ready(one.decode()) for one in pods)
        self._tell(key, healthy, desired, expected, disrupted)

    def _wanted(self, stored: Stored, spec: Json, pods: list[Stored]) -> tuple[int, int]:
        """How many pods there should be, and how many of them healthy."""
        most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
        if most is not None:
            expected = self._scale(stored, spec, pods)
            return expected, max(0, expected - share(most, expected, up=True))
        if isinstance(least, int):
            return len(pods), least
        if least is None:
            return 0, 0
        expected = self._scale(stored, spec, pods)
        return expected, share(least, expected, up=True)

    def _scale(self, stored: Stored, spec: Json, pods: list[Stored]) -> int:
        """The sum of the replicas of all that control the pods."""
        scales: dict[str, int] = {}
        unmanaged = False
        for pod in pods:
            owner = next((one for one in pod.decode()["metadata"].get("ownerReferences") or ()
                          if one.get("controller")), None)  # fmt: skip
            if owner is None:
                unmanaged = True
            elif owner["uid"] not in scales:
                scales |= self._scale_of(pod, owner)
        if unmanaged:
            said = UNMANAGED.format(_go(spec.get("selector") or {}))
            self.recorder.event(stored, "UnmanagedPods", said, component=COMPONENT, warning=True)
        return sum(scales.values())

    def _scale_of(self, pod: Stored, owner: Json) -> dict[str, int]:
        resource = SCALED.get(owner["kind"], "")
        found = self.cluster.get(resource, pod.namespace, owner["name"]) if resource else None
        if found is None or found["metadata"]["uid"] != owner["uid"]:
            raise Unknown(f'found no controllers for pod "{pod.name}"')
        above = next((one for one in found["metadata"].get("ownerReferences") or ()
                      if one.get("controller") and one["kind"] == "Deployment"), None)  # fmt: skip
        deployment = self.cluster.get("deployments.apps", pod.namespace, above["name"]) if above else None
        top = deployment or found
        # A replica set's uid is noted too, so that its other pods are not looked up again.
        return {owner["uid"]: 0, top["metadata"]["uid"]: int(top["spec"].get("replicas", 1))}

    def _disrupted(self, key: Key, budget: Json, pods: list[Stored]) -> dict[str, str]:
        """Pods that were evicted and are still there, for a while."""
        now, found = self.agenda.now(), dict[str, str]()
        known = {one.name for one in pods if not one.deleting}
        for name, stamp in ((budget.get("status") or {}).get("disruptedPods") or {}).items():
            left = since_epoch(stamp) + DELETION_S - now
            if name in known and left > 0:
                found[name] = stamp
                self.later(left, key)
        return found

    def _tell(self, key: Key, healthy: int, desired: int, expected: int, disrupted: dict[str, str]) -> None:
        allowed = max(0, healthy - desired) if expected > 0 else 0
        stamp = self.agenda.stamp()

        def change(obj: Json) -> None:
            generation = obj["metadata"].get("generation", 1)
            status: Json = {
                "conditions": list((obj.get("status") or {}).get("conditions") or ()),
                "currentHealthy": healthy,
                "desiredHealthy": desired,
                "disruptionsAllowed": allowed,
                "expectedPods": expected,
                "observedGeneration": generation,
            }
            reason = "SufficientPods" if allowed else "InsufficientPods"
            set_condition(status, "DisruptionAllowed", bool(allowed), stamp, reason=reason, message="",
                          observedGeneration=generation)  # fmt: skip
            if disrupted:
                status["disruptedPods"] = disrupted
            set_status(obj, MANAGER, stamp, status)

        self.cluster.update(KIND, *key, change)

    def _tell_failure(self, key: Key, why: str) -> None:
        stamp = self.agenda.stamp()

        def change(obj: Json) -> None:
            before = obj.get("status") or {}
            none = {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
            status: Json = {
                **none,
                **before,
                "disruptionsAllowed": 0,
                "conditions": list(before.get("conditions") or ()),
            }
            set_condition(status, "DisruptionAllowed", False, stamp, reason="SyncFailed", message=why,
                          observedGeneration=before.get("observedGeneration", 0))  # fmt: skip
            set_status(obj, MANAGER, stamp, status)

        self.cluster.update(KIND, *key, change)


def _go(selector: Json) -> str:
    """A selector as Go prints it."""
    labels = "".join(f"{name}: {value}," for name, value in sorted((selector.get("matchLabels") or {}).items()))
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{}},}}"
    )
