"""Deployments: a replica set for each template, rolled from one to the next."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.creating import ApiError, Patience, create
from notebook_mux.playground.controllers.parts import MANAGER, begin_deletion, condition, owner_reference, set_status
from notebook_mux.playground.controllers.rollouts import progress, sizes
from notebook_mux.playground.controllers.rollouts.sets import (
    DESIRED,
    HASH,
    MAX,
    NOT_COPIED,
    REVISION,
    Set,
    digest_of,
    is_of_template,
    revision_of,
)
from notebook_mux.playground.controllers.rollouts.sizes import share
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "deployments.apps"
SETS = "replicasets.apps"
COMPONENT = "deployment-controller"
FAILURE = "ReplicaFailure"


class Deployments(Controller):
    """The controller of deployments."""

    watches = (KIND, SETS)

    def start(self) -> None:
        """Begin with no failures remembered."""
        self._patience = Patience()
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A deployment's own key, a replica set's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)

    def sync(self, key: Key) -> None:
        """Bring the replica sets one step nearer, then tell the status."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            self._patience.forget(key)
            return
        if stored.deleting:
            self._tell(key)
            return
        progress.note_pause(self.cluster, stored)
        obj = stored.content
        found = self._sets(stored)
        paused = bool(obj["spec"].get("paused"))
        new = self._new_set(stored, obj, found, make=not paused)
        if paused or self._is_scaling(obj, found):
            self._scale_all(stored, obj, found, new)
        elif new is not None:
            self._roll(stored, obj, found, new)
        self._tell(key)
        self._clean_up(stored, new)

    def _sets(self, stored: Stored) -> list[Set]:
        return [Set.read(one) for one in self.owned(SETS, stored.namespace, stored.uid)]

    # ------------------------------------------------------------------------------------------- the newest set

    def _new_set(self, stored: Stored, obj: Json, found: list[Set], *, make: bool) -> Set | None:
        spec = obj["spec"]
        new = next((one for one in found if is_of_template(one, spec["template"])), None)
        old = max((one.revision for one in found if new is None or one.name != new.name), default=0)
        if new is not None:
            revision = max(new.revision, old + 1) if old >= new.revision else new.revision
            self._annotate(obj, new, revision)
            self._tell_revision(stored, revision)
            progress.note_set(self.cluster, stored, f'Found new replica set "{new.name}"', "FoundNewReplicaSet",
                              only_first=True)  # fmt: skip
            return new
        if not make:
            return None
        made = self._make_set(stored, obj, found, old + 1)
        try:
            created = create(self.cluster, made)
        except ApiError as error:
            self._not_made(stored, made["metadata"]["name"], error)
            return None
        self._patience.forget(stored.key)
        new = Set.read(created)
        if new.replicas:
            said = f"Scaled up replica set {new.name} from 0 to {new.replicas}"
            self.recorder.event(stored, "ScalingReplicaSet", said, component=COMPONENT)
        self._tell_revision(stored, old + 1)
        progress.note_set(self.cluster, stored, f'Created new replica set "{new.name}"', "NewReplicaSetCreated")
        found.append(new)
        return new

    def _not_made(self, stored: Stored, name: str, error: ApiError) -> None:
        if error.reason == "AlreadyExists":
            # Another set has the name that this template's hash gives: another hash next time.
            def collide(obj: Json) -> None:
                status = obj.setdefault("status", {})
                status["collisionCount"] = status.get("collisionCount", 0) + 1

            self.cluster.update(KIND, *stored.key, collide)
            return
        said = f'Failed to create new replica set "{name}": {error.message}'
        progress.note_set(self.cluster, stored, said, "ReplicaSetCreateError", value=False)
        self.recorder.event(stored, "ReplicaSetCreateError", said, component=COMPONENT, warning=True)
        self.later(self._patience.wait(stored.key), stored.key)

    def _annotations(self, obj: Json, revision: int) -> Json:
        own = obj["metadata"].get("annotations") or {}
        spec = obj["spec"]
        kept = {key: value for key, value in own.items() if key not in NOT_COPIED}
        most = spec["replicas"] + sizes.surge(spec)
        return {**kept, DESIRED: str(spec["replicas"]), MAX: str(most), REVISION: str(revision)}

    def _annotate(self, obj: Json, new: Set, revision: int) -> None:
        before, least = new.obj["metadata"].get("annotations") or {}, obj["spec"].get("minReadySeconds", 0)
        sized = {key: before[key] for key in (DESIRED, MAX) if key in before}
        wanted = {**before, **self._annotations(obj, revision), **sized}

        def change(one: Json) -> None:
            one["metadata"]["annotations"] = wanted
            one["spec"].pop("minReadySeconds", None)
            if least:
                one["spec"]["minReadySeconds"] = least

        if wanted != before or least != new.obj["spec"].get("minReadySeconds", 0):
            self.cluster.update(SETS, *new.stored.key, change)
        new.revision = revision

    def _tell_revision(self, stored: Stored, revision: int) -> None:
        def change(obj: Json) -> None:
            obj["metadata"].setdefault("annotations", {})[REVISION] = str(revision)

        if revision_of(stored.content) != revision:
            self.cluster.update(KIND, *stored.key, change)

    def _make_set(self, stored: Stored, obj: Json, found: list[Set], revision: int) -> Json:
        spec = obj["spec"]
        digest = digest_of(spec["template"], (obj.get("status") or {}).get("collisionCount"))
        template = copy.deepcopy(spec["template"])
        labels = {**(template.get("metadata") or {}).get("labels", {}), HASH: digest}
        template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
        selector = copy.deepcopy(spec["selector"])
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: digest}
        made: Json = {
            "kind": "ReplicaSet",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": f"{stored.name}-{digest}",
                "namespace": stored.namespace,
                "labels": dict(labels),
                "annotations": self._annotations(obj, revision),
                "ownerReferences": [owner_reference(stored)],
            },
            "spec": {"replicas": sizes.of_new(spec, found, None), "selector": selector, "template": template},
        }
        if spec.get("minReadySeconds"):
            made["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        managed.record(made, MANAGER, self.agenda.stamp(), made)
        return made

    # --------------------------------------------------------------------------------------------------- sizes

    @staticmethod
    def _is_scaling(obj: Json, found: list[Set]) -> bool:
        """Whether the wish for another number is what there is to do, and not another template."""
        return any(one.replicas and one.desired not in (None, obj["spec"]["replicas"]) for one in found)

    def _scale_all(self, stored: Stored, obj: Json, found: list[Set], new: Set | None) -> None:
        for one, count in sizes.proportional(obj["spec"], found, new):
            self._scale(stored, obj, one, count)

    def _roll(self, stored: Stored, obj: Json, found: list[Set], new: Set) -> None:
        spec = obj["spec"]
        old = [one for one in found if one.name != new.name]
        if (spec.get("strategy") or {}).get("type") == "Recreate":
            for one in old:
                self._scale(stored, obj, one, 0)
            pods = [pod for one in old for pod in self.owned("pods", stored.namespace, one.stored.uid)]
            if all(pod.fields["status.phase"] in ("Succeeded", "Failed") for pod in pods):
                self._scale(stored, obj, new, spec["replicas"])
            return
        if self._scale(stored, obj, new, sizes.of_new(spec, found, new)):
            return
        for one, count in sizes.of_old(spec, old, new):
            self._scale(stored, obj, one, count)

    def _scale(self, stored: Stored, obj: Json, one: Set, count: int) -> bool:
        before, spec = one.replicas, obj["spec"]
        sized = {DESIRED: str(spec["replicas"]), MAX: str(spec["replicas"] + sizes.surge(spec))}

        def change(target: Json) -> None:
            target["spec"]["replicas"] = count
            target["metadata"].setdefault("annotations", {}).update(sized)

        if before != count or any(one.annotation(name) != value for name, value in sized.items()):
            self.cluster.update(SETS, *one.stored.key, change)
        if before == count:
            return False
        one.replicas = count
        said = f"Scaled {'up' if count > before else 'down'} replica set {one.name} from {before} to {count}"
        self.recorder.event(stored, "ScalingReplicaSet", said, component=COMPONENT)
        return True

    def _clean_up(self, stored: Stored, new: Set | None) -> None:
        """Forget the oldest templates, when a roll-out is complete."""
        now = self.store.get(KIND, *stored.key)
        if new is None or now is None or not progress.is_complete(now.content):
            return
        limit = now.content["spec"].get("revisionHistoryLimit", 10)
        empty = [one for one in self._sets(stored)
                 if one.name != new.name and not one.replicas and not one.count("replicas")]  # fmt: skip
        for one in sorted(empty, key=lambda found: found.revision)[: max(0, len(empty) - limit)]:
            begin_deletion(self.cluster, one.stored)

    # -------------------------------------------------------------------------------------------------- status

    def _tell(self, key: Key) -> None:
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        obj = stored.content
        found = self._sets(stored)
        new = next((one for one in found if is_of_template(one, obj["spec"]["template"])), None)
        total, ready, available, going = (
            sum(one.count(name) for one in found)
            for name in ("replicas", "readyReplicas", "availableReplicas", "terminatingReplicas")
        )
        wanted = sum(one.replicas for one in found)
        counts = {
            "replicas": total,
            "updatedReplicas": new.count("replicas") if new is not None else 0,
            "readyReplicas": ready,
            "availableReplicas": available,
            "unavailableReplicas": max(0, wanted - available),
            "terminatingReplicas": going,
        }
        failure = next((one for held in found if (one := condition((held.obj.get("status") or {}).get("conditions"),
                                                                   FAILURE))), None)  # fmt: skip
        before, always = obj.get("status") or {}, ("terminatingReplicas",)
        status: Json = {
            "observedGeneration": obj["metadata"]["generation"],
            **{name: count for name, count in counts.items() if count or name in always},
            "conditions": progress.conditions(obj, counts, new.name if new is not None else "", failure,
                                              self.agenda.now()),
        }  # fmt: skip
        if "collisionCount" in before:
            status["collisionCount"] = before["collisionCount"]
        told: Stored | None = stored
        if status != before:

            def change(target: Json) -> None:
                set_status(target, MANAGER, self.agenda.stamp(), status)

            told = self.tell(KIND, key, change)
        if told is not None and (wait := progress.until_late(told.content, self.agenda.now())) is not None:
            self.later(wait, key)


__all__ = ["COMPONENT", "HASH", "KIND", "REVISION", "SETS", "Deployments", "revision_of", "share"]
