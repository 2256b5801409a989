"""DaemonSets: a pod on each node."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.controllers import revisions
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.creating import ApiError, Patience, create
from notebook_mux.playground.controllers.deployments import share
from notebook_mux.playground.controllers.parts import MANAGER, begin_deletion, draft, is_ready, set_status
from notebook_mux.playground.controllers.replicasets import until_available
from notebook_mux.playground.controllers.scheduling.matching import fits_labels, tolerates
from notebook_mux.playground.controllers.scheduling.pods import REQUIRED
from notebook_mux.playground.defaults import GENERATION
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "daemonsets.apps"
COMPONENT = "daemonset-controller"
HASH = revisions.HASH
TEMPLATE_GENERATION = "pod-template-generation"

TOLERATED = (
    ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
)  # fmt: skip
"""Taints of nodes that a daemon's pods do not mind (docs: "DaemonSet", "Taints and tolerations")."""
ON_HOST_NETWORK = ("network-unavailable", "NoSchedule")
REQUIRED_COUNTS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
"""These are there even when they are zero."""


class DaemonSets(Controller):
    """The controller of daemon sets."""

    watches = (KIND, "pods", "nodes")

    def start(self) -> None:
        """Begin with no failures remembered."""
        self._patience = Patience()
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A daemon set's own key, a pod's owner's, all of them when a node comes, goes, or is another place."""
        resource = change.new.kind.resource
        if resource == KIND:
            return (change.new.key,)
        if resource == "pods":
            return self.owner_key(change, KIND)
        if change.old is not None and change.type == "MODIFIED" and _place(change.old) == _place(change.new):
            return ()
        return [one.key for one in self.store.items(KIND)]

    def sync(self, key: Key) -> None:
        """Create and delete pods, replace those of an older template, then tell the status."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            self._patience.forget(key)
            return
        obj = stored.decode()
        template = obj["spec"]["template"]
        revision = revisions.current(self.cluster, stored, template).removeprefix(f"{stored.name}-")
        model = _with_tolerations(template.get("spec") or {})
        nodes = {one.name: one.decode() for one in self.store.items("nodes") if not one.deleting}
        wanted = {name for name, node in nodes.items() if _wants(model, node)}
        kept = {name for name, node in nodes.items() if _wants(model, node, ("NoExecute",))}
        if not stored.deleting:
            self._bump_generation(stored, obj, revision)
            self._manage(stored, obj, model, revision, wanted, kept)
        self._tell(key, wanted, revision)

    def _bump_generation(self, stored: Stored, obj: Json, revision: str) -> None:
        """Count the template's states in an annotation."""
        annotations = obj["metadata"].get("annotations") or {}
        pods = self.owned("pods", stored.namespace, stored.uid)
        generation = obj["metadata"].get("generation", 1)
        if annotations.get(GENERATION) is None or (
            any(one.labels.get(HASH) != revision for one in pods) and annotations[GENERATION] != str(generation)
        ):
            self.cluster.update(KIND, *stored.key, lambda one: one["metadata"].setdefault("annotations", {}).update(
                {GENERATION: str(generation)}))  # fmt: skip

    def _manage(self, stored: Stored, obj: Json, model: Json, revision: str, wanted: set[str], kept: set[str]) -> None:
        by_node: dict[str, list[Stored]] = {}
        for one in self.owned("pods", stored.namespace, stored.uid):
            by_node.setdefault(_node_of(one), []).append(one)
        for node, pods in by_node.items():
            alive = [one for one in pods if not one.deleting]
            ended = [one for one in alive if one.fields["status.phase"] in ("Failed", "Succeeded")]
            surplus = alive if node not in kept else [*ended, *[one for one in alive if one not in ended][1:]]
            for one in surplus:
                self._delete(stored, one)
        missing = sorted(node for node in wanted if not by_node.get(node))
        if missing and not self._create(stored, obj, model, revision, missing):
            self.later(self._patience.wait(stored.key), stored.key)
            return
        self._patience.forget(stored.key)
        strategy = obj["spec"].get("updateStrategy") or {}
        if strategy.get("type") != "OnDelete" and not missing:
            self._roll(stored, obj, by_node, wanted, revision)

    def _roll(
        self, stored: Stored, obj: Json, by_node: dict[str, list[Stored]], wanted: set[str], revision: str
    ) -> None:
        rolling = (obj["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        room = max(1, share(rolling.get("maxUnavailable", 1), len(wanted), up=True))
        least = obj["spec"].get("minReadySeconds", 0)
        old: list[Stored] = []
        broken: list[Stored] = []
        for node in sorted(wanted):
            pods = by_node.get(node) or []
            one = next((pod for pod in pods if not pod.deleting), None)
            up = one is not None and is_ready(one.decode()) and self._is_available(one, least)
            room -= not up
            if one is not None and one.labels.get(HASH) != revision:
                (old if up else broken).append(one)
        for one in broken + old[: max(0, room)]:
            self._delete(stored, one)

    def _is_available(self, one: Stored, least: int) -> bool:
        return until_available(one.decode(), least, self.agenda.now()) <= 0

    def _create(self, stored: Stored, obj: Json, model: Json, revision: str, nodes: list[str]) -> bool:
        template = {**obj["spec"]["template"], "spec": model}
        now = self.cluster.get(KIND, *stored.key) or obj
        generation = (now["metadata"].get("annotations") or {}).get(GENERATION, "1")
        for node in nodes:
            labels = {HASH: revision, TEMPLATE_GENERATION: generation}
            made = draft(self.cluster, stored, template, labels=labels)
            _pin(made["spec"], node)
            try:
                name = create(self.cluster, made).name
            except ApiError as error:
                said = f"Error creating: {error.message}"
                self.recorder.event(stored, "FailedCreate", said, component=COMPONENT, warning=True)
                return False
            self.recorder.event(stored, "SuccessfulCreate", f"Created pod: {name}", component=COMPONENT)
        return True

    def _delete(self, stored: Stored, one: Stored) -> None:
        begin_deletion(self.cluster, one)
        self.recorder.event(stored, "SuccessfulDelete", f"Deleted pod: {one.name}", component=COMPONENT)

    def _tell(self, key: Key, wanted: set[str], revision: str) -> None:
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        obj = stored.decode()
        least = obj["spec"].get("minReadySeconds", 0)
        by_node: dict[str, Stored] = {}
        for one in self.owned("pods", key[0], stored.uid):
            if not one.deleting and one.fields["status.phase"] not in ("Succeeded", "Failed"):
                by_node[_node_of(one)] = one
        right = {node: one for node, one in by_node.items() if node in wanted}
        ready = [one for one in right.values() if is_ready(one.decode())]
        waits = [wait for one in ready if (wait := until_available(one.decode(), least, self.agenda.now())) > 0]
        available = len(ready) - len(waits)

        def change(target: Json) -> None:
            status = {
                "currentNumberScheduled": len(right),
                "numberMisscheduled": len(by_node) - len(right),
                "desiredNumberScheduled": len(wanted),
                "numberReady": len(ready),
                "observedGeneration": target["metadata"]["generation"],
                "updatedNumberScheduled": sum(one.labels.get(HASH) == revision for one in right.values()),
                "numberAvailable": available,
                "numberUnavailable": max(0, len(wanted) - available),
            }
            kept = {name: value for name, value in status.items() if value or name in REQUIRED_COUNTS}
            set_status(target, MANAGER, self.agenda.stamp(), kept)

        self.cluster.update(KIND, *key, change)
        if waits:
            self.later(min(waits), key)
        used = {f"{stored.name}-{one.labels.get(HASH, '')}" for one in by_node.values()} | {f"{stored.name}-{revision}"}
        revisions.forget(self.cluster, stored, used, obj["spec"].get("revisionHistoryLimit", 10))


def _place(stored: Stored) -> tuple[Any, ...]:
    """What of a node decides whether a daemon runs there."""
    spec = stored.decode().get("spec") or {}
    return dict(stored.labels), spec.get("taints"), spec.get("unschedulable"), stored.deleting


def _with_tolerations(spec: Json) -> Json:
    """A template's spec with the tolerations that a daemon's pods have besides their own."""
    found = copy.deepcopy(spec)
    more = [*TOLERATED, ON_HOST_NETWORK] if spec.get("hostNetwork") else TOLERATED
    own = list(found.get("tolerations") or ())
    for key, effect in more:
        added = {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect}
        if added not in own:
            own.append(added)
    found["tolerations"] = own
    return found


def _wants(model: Json, node: Json, effects: tuple[str, ...] = ("NoSchedule", "NoExecute")) -> bool:
    """Whether a daemon is to run on a node; a pod that is there stays unless a taint drives it away."""
    metadata = node["metadata"]
    if model.get("nodeName") and model["nodeName"] != metadata["name"]:
        return False
    if not fits_labels(model, metadata["name"], metadata.get("labels") or {}):
        return False
    taints = node["spec"].get("taints") or ()
    return all(tolerates(model["tolerations"], one) for one in taints if one.get("effect") in effects)


def _pin(spec: Json, node: str) -> None:
    """Have a pod scheduled to one node: the scheduler does the rest."""
    fields = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    affinity[REQUIRED] = {"nodeSelectorTerms": [fields]}  # what the template wants of a node has been looked at


def _node_of(stored: Stored) -> str:
    """The node that a daemon's pod is on, or is for."""
    if stored.fields["spec.nodeName"]:
        return stored.fields["spec.nodeName"]
    affinity = (stored.decode()["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""
