"""Deployments: a replica set for each template, rolled from one to the next."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, owner_reference, set_condition, set_status, template_hash
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "deployments.apps"
SETS = "replicasets.apps"
COMPONENT = "deployment-controller"
REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


def share(value: Any, of: int, *, up: bool) -> int:
    """A number or a percentage of the replicas, as maxSurge (up) and maxUnavailable (down) have it."""
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * of / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value or 0)


class Deployments(Controller):
    """The controller of deployments."""

    watches = (KIND, SETS)

    def keys(self, change: Change) -> Iterable[Key]:
        """A deployment's own key, a replica set's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)

    def sync(self, key: Key) -> None:
        """Bring the replica sets one step nearer, then tell the status."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        if not stored.deleting:
            obj = stored.decode()
            new = self._new_set(stored, obj)
            self._roll(stored, obj["spec"], new)
            self._forget_old(stored, obj, new)
        self._tell(key)

    def _new_set(self, stored: Stored, obj: Json) -> Stored:
        spec = obj["spec"]
        digest = template_hash(spec["template"])
        name = f"{stored.name}-{digest}"
        sets = self.owned(SETS, stored.namespace, stored.uid)
        revisions = [int(one.decode()["metadata"]["annotations"].get(REVISION, 0)) for one in sets]
        found = next((one for one in sets if one.name == name), None)
        revision = max(revisions, default=0)
        if found is None:
            revision += 1
            found = self.cluster.create(self._make_set(stored, spec, name, digest, revision))
        else:
            current = int(found.decode()["metadata"]["annotations"].get(REVISION, 0))
            if current < revision:  # rolled back to an older template
                revision += 1
                self._annotate(SETS, found.key, revision)
        self._annotate(KIND, stored.key, revision)
        return self.store.get(SETS, *found.key) or found

    def _annotate(self, resource: str, key: Key, revision: int) -> None:
        def change(obj: Json) -> None:
            obj["metadata"].setdefault("annotations", {})[REVISION] = str(revision)

        self.cluster.update(resource, *key, change)

    def _make_set(self, stored: Stored, spec: Json, name: str, digest: str, revision: int) -> Json:
        template = copy.deepcopy(spec["template"])
        labels = {**(template.get("metadata") or {}).get("labels", {}), HASH: digest}
        template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
        selector = copy.deepcopy(spec["selector"])
        selector.setdefault("matchLabels", {})[HASH] = digest
        obj: Json = {
            "kind": "ReplicaSet",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": name,
                "namespace": stored.namespace,
                "labels": labels,
                "annotations": {
                    "deployment.kubernetes.io/desired-replicas": str(spec["replicas"]),
                    "deployment.kubernetes.io/max-replicas": str(spec["replicas"] + self._surge(spec)),
                    REVISION: str(revision),
                },
                "ownerReferences": [owner_reference(stored)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }
        managed.record(obj, MANAGER, self.agenda.stamp(), obj)
        return obj

    @staticmethod
    def _surge(spec: Json) -> int:
        rolling = (spec.get("strategy") or {}).get("rollingUpdate")
        return share(rolling.get("maxSurge", "25%"), spec["replicas"], up=True) if rolling else 0

    def _roll(self, stored: Stored, spec: Json, new: Stored) -> None:
        wanted = spec["replicas"]
        sets = {one.uid: one.decode() for one in self.owned(SETS, stored.namespace, stored.uid)}
        newest = sets.pop(new.uid)
        old = [one for one in sets.values() if one["spec"]["replicas"] or one.get("status", {}).get("replicas")]
        if spec.get("paused") and old:
            return
        total = newest["spec"]["replicas"] + sum(one["spec"]["replicas"] for one in old)
        if not old:
            self._scale(stored, newest, wanted)
            return
        if (spec.get("strategy") or {}).get("type") == "Recreate":
            for one in old:
                self._scale(stored, one, 0)
            if not any(one.get("status", {}).get("replicas") for one in old):
                self._scale(stored, newest, wanted)
            return
        rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
        surge = self._surge(spec)
        unavailable = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
        if not surge and not unavailable:
            unavailable = 1
        if newest["spec"]["replicas"] != wanted:
            room = wanted + surge - total
            count = min(wanted, newest["spec"]["replicas"] + room) if room > 0 else newest["spec"]["replicas"]
            self._scale(stored, newest, min(wanted, count))
        available = sum((one.get("status") or {}).get("availableReplicas", 0) for one in [newest, *old])
        least = wanted - unavailable
        # Counts of what runs lag behind what was just decided, so both have to allow it.
        rising = newest["spec"]["replicas"] - (newest.get("status") or {}).get("availableReplicas", 0)
        most = newest["spec"]["replicas"] + sum(one["spec"]["replicas"] for one in old) - least - max(0, rising)
        spare = min(available - least, most)
        for one in old:
            state = one.get("status") or {}
            broken = one["spec"]["replicas"] - state.get("availableReplicas", 0)
            gone = min(one["spec"]["replicas"], max(0, broken) + max(0, spare), max(0, most))
            if gone > 0:
                spare -= gone - max(0, broken)
                most -= gone
                self._scale(stored, one, one["spec"]["replicas"] - gone)

    def _scale(self, stored: Stored, of: Json, count: int) -> None:
        before = of["spec"]["replicas"]
        if before == count:
            return
        of["spec"]["replicas"] = count

        def change(obj: Json) -> None:
            obj["spec"]["replicas"] = count

        name = of["metadata"]["name"]
        self.cluster.update(SETS, stored.namespace, name, change)
        said = f"Scaled {'up' if count > before else 'down'} replica set {name} from {before} to {count}"
        self.recorder.event(stored, "ScalingReplicaSet", said, component=COMPONENT)

    def _forget_old(self, stored: Stored, obj: Json, new: Stored) -> None:
        limit = obj["spec"].get("revisionHistoryLimit", 10)
        empty = []
        for one in self.owned(SETS, stored.namespace, stored.uid):
            found = one.decode()
            if one.uid != new.uid and not found["spec"]["replicas"] and not found.get("status", {}).get("replicas"):
                empty.append((int(found["metadata"]["annotations"].get(REVISION, 0)), one))
        for _, one in sorted(empty, key=lambda pair: pair[0])[: max(0, len(empty) - limit)]:
            self.cluster.remove(SETS, *one.key)

    def _tell(self, key: Key) -> None:
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        obj = stored.decode()
        sets = [one.decode() for one in self.owned(SETS, key[0], stored.uid)]
        newest = f"{stored.name}-{template_hash(obj['spec']['template'])}"
        states = [one.get("status") or {} for one in sets]
        updated = sum((one.get("status") or {}).get("replicas", 0) for one in sets if one["metadata"]["name"] == newest)
        total, ready, available = (
            sum(state.get(name, 0) for state in states) for name in ("replicas", "readyReplicas", "availableReplicas")
        )
        wanted = obj["spec"]["replicas"]
        counts = {
            "replicas": total,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "availableReplicas": available,
            "unavailableReplicas": max(0, max(wanted, total) - available),
        }
        rolling = (obj["spec"].get("strategy") or {}).get("rollingUpdate") or {}
        least = wanted - share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
        done = updated == wanted == available == total
        stamp = self.agenda.stamp()

        def change(target: Json) -> None:
            state = {"conditions": copy.deepcopy((target.get("status") or {}).get("conditions") or [])}
            _conditions(state, enough=available >= least, done=done, newest=newest, stamp=stamp)
            target["status"] = {}
            status = {name: count for name, count in counts.items() if count}
            generation = target["metadata"]["generation"]
            set_status(target, MANAGER, stamp, {"observedGeneration": generation, **status, **state})

        self.cluster.update(KIND, *key, change)


def _conditions(state: Json, *, enough: bool, done: bool, newest: str, stamp: str) -> None:
    has, not_yet = "Deployment has minimum availability.", "Deployment does not have minimum availability."
    set_condition(
        state,
        "Available",
        enough,
        stamp,
        reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        message=has if enough else not_yet,
        lastUpdateTime=stamp,
    )
    said = f'ReplicaSet "{newest}" has successfully progressed.' if done else f'ReplicaSet "{newest}" is progressing.'
    reason = "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"
    set_condition(state, "Progressing", True, stamp, reason=reason, message=said, lastUpdateTime=stamp)
    for one in state["conditions"]:
        one["lastUpdateTime"] = one["lastTransitionTime"]
