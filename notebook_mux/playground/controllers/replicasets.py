"""ReplicaSets, and ReplicationControllers before them: as many pods as wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.claiming import claim
from notebook_mux.playground.controllers.creating import ApiError, Patience, create
from notebook_mux.playground.controllers.parts import (
    MANAGER,
    begin_deletion,
    condition,
    draft,
    is_active,
    is_ready,
    news_of,
    set_condition,
    set_status,
)
from notebook_mux.playground.history import Change
from notebook_mux.playground.selectors import Predicate, match_expressions, selector_of
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "replicasets.apps"
COST = "controller.kubernetes.io/pod-deletion-cost"
FAILURE = "ReplicaFailure"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class ReplicaSets(Controller):
    """The controller of replica sets.

    Attributes:
        kind: What it looks after.
        component: Of its events.
    """

    kind = KIND
    component = "replicaset-controller"
    watches = (KIND, "pods")

    def start(self) -> None:
        """Begin with no failures remembered."""
        self._patience = Patience()
        self._selectors: dict[Key, Predicate] = {}
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A set's own key, a pod's owner's; for a pod without one, those of the sets that select it."""
        new, old = change.new, change.old
        if new.kind.resource == self.kind:
            if change.type == "DELETED":
                self._selectors.pop(new.key, None)
            else:
                self._selectors[new.key] = match_expressions(selector_of(new.kind, new.part("spec")))
            return (new.key,)
        if new.owner:
            return self.owner_key(change, self.kind) if news_of(change) else ()
        if change.type == "DELETED" or (old is not None and not old.owner and old.labels == new.labels):
            return ()
        return [key for key, selects in self._selectors.items() if key[0] == new.namespace and selects(new.labels)]

    def sync(self, key: Key) -> None:
        """Create or delete pods, then tell the status."""
        stored = self.store.get(self.kind, *key)
        if stored is None:
            self._patience.forget(key)
            return
        obj = stored.content
        failure = ""
        selects = match_expressions(selector_of(stored.kind, obj["spec"]))
        pods = [one for one in claim(self.cluster, stored, selects) if is_active(one)]
        if not stored.deleting:
            wanted = obj["spec"].get("replicas", 1)
            failure = self._create(stored, obj, wanted - len(pods))
            if len(pods) > wanted:
                self._delete(stored, pods, len(pods) - wanted)
        self._tell(key, failure)
        if failure:
            self.later(self._patience.wait(key), key)
        else:
            self._patience.forget(key)

    def _create(self, stored: Stored, obj: Json, count: int) -> str:
        """Create pods; returns why the first that is refused is, with which it ends for now."""
        for _ in range(count):
            try:
                made = create(self.cluster, draft(self.cluster, stored, obj["spec"]["template"]))
            except ApiError as error:
                said = f"Error creating: {error.message}"
                self.recorder.event(stored, "FailedCreate", said, component=self.component, warning=True)
                return error.message
            self.recorder.event(stored, "SuccessfulCreate", f"Created pod: {made.name}", component=self.component)
        return ""

    def _delete(self, stored: Stored, pods: list[Stored], count: int) -> None:
        """Delete those that are missed least; of equals those whose node has more of the same."""
        beside = Counter(one.fields["spec.nodeName"] for one in pods)
        for one in sorted(pods, key=lambda pod: _worth(pod, beside))[:count]:
            begin_deletion(self.cluster, one)
            self.recorder.event(stored, "SuccessfulDelete", f"Deleted pod: {one.name}", component=self.component)

    def _tell(self, key: Key, failure: str) -> None:
        stored = self.store.get(self.kind, *key)
        if stored is None:
            return
        owned = self.owned("pods", key[0], stored.uid)
        pods = [one for one in owned if is_active(one)]
        spec = stored.content["spec"]
        least = spec.get("minReadySeconds", 0)
        waits = [wait for one in pods if least and one.ready and (wait := self._until_available(one, least)) > 0]
        ready = sum(one.ready for one in pods)
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        stamp, before = self.agenda.stamp(), stored.content.get("status") or {}
        status: Json = {
            "replicas": len(pods),
            "fullyLabeledReplicas": sum(labels.items() <= dict(one.labels).items() for one in pods),
            "readyReplicas": ready,
            "availableReplicas": ready - len(waits),
            "terminatingReplicas": sum(one.deleting for one in owned),
            "observedGeneration": stored.content["metadata"]["generation"],
        }
        if self.kind != KIND:
            del status["terminatingReplicas"]  # which came after replication controllers
        always = ("replicas", "terminatingReplicas")
        kept = {name: value for name, value in status.items() if value or name in always}
        conditions = [one for one in before.get("conditions") or () if one["type"] != FAILURE]
        if failure:
            # The first message stays (replica_set_utils.go: SetCondition): each try names another pod.
            more: Json = {"conditions": [condition(before.get("conditions"), FAILURE)]}
            if not more["conditions"][0]:
                more = {}
                set_condition(more, FAILURE, True, stamp, reason="FailedCreate", message=failure)
            conditions += more["conditions"]
        if conditions:
            kept["conditions"] = conditions

        def change(obj: Json) -> None:
            set_status(obj, MANAGER, stamp, kept)

        if kept != before:
            self.tell(self.kind, key, change)
        if waits:
            self.later(min(waits), key)

    def _until_available(self, one: Stored, least: int) -> float:
        return until_available(one.content, least, self.agenda.now())


class ReplicationControllers(ReplicaSets):
    """The controller of replication controllers: the same, with a selector that is a plain map of labels."""

    kind = "replicationcontrollers"
    component = "replication-controller"
    watches = ("replicationcontrollers", "pods")


def until_available(obj: Json, least: int, now: float) -> float:
    """Seconds until a pod that is ready has been so for ``minReadySeconds``; zero or less if it has."""
    since = condition((obj.get("status") or {}).get("conditions"), "Ready").get("lastTransitionTime")
    return since_epoch(since) + least - now if least and since else 0.0


def _worth(stored: Stored, beside: Counter[str]) -> tuple[Any, ...]:
    """How much a pod is missed (docs: "ReplicaSet", "Scaling a ReplicaSet"): the least goes first.

    Without a node, by phase, not ready, by its deletion cost, with more of the same on its node, ready since shortly,
    more restarts, younger.
    """
    obj = stored.content
    status, node = obj.get("status") or {}, stored.fields["spec.nodeName"]
    try:
        cost = int((obj["metadata"].get("annotations") or {}).get(COST, "0"))
    except ValueError:
        cost = 0
    ready = is_ready(obj)
    since = since_epoch(condition(status.get("conditions"), "Ready")["lastTransitionTime"]) if ready else 0.0
    restarts = max((one.get("restartCount", 0) for one in status.get("containerStatuses") or ()), default=0)
    made = since_epoch(obj["metadata"]["creationTimestamp"])
    return (bool(node), _PHASES.get(status.get("phase", ""), 0), ready, cost, -beside[node], -since, -restarts, -made,
            stored.name)  # fmt: skip
