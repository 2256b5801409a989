"""Jobs: pods that end."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import (
    MANAGER,
    begin_deletion,
    condition,
    is_active,
    is_ready,
    pod,
    set_condition,
    set_status,
)
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "jobs.batch"
COMPONENT = "job-controller"
UID_LABEL = "batch.kubernetes.io/controller-uid"
NAME_LABEL = "batch.kubernetes.io/job-name"


class Jobs(Controller):
    """The controller of jobs."""

    watches = (KIND, "pods")

    def keys(self, change: Change) -> Iterable[Key]:
        """A job's own key, a pod's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)

    def sync(self, key: Key) -> None:
        """Create the pods that are missing, then tell the status, and the end."""
        stored = self.store.get(KIND, *key)
        if stored is None or stored.deleting:
            return
        if "selector" not in stored.decode()["spec"]:
            self.cluster.update(KIND, *key, _select_itself)
            stored = self.store.get(KIND, *key) or stored
        obj = stored.decode()
        spec = obj["spec"]
        conditions = (obj.get("status") or {}).get("conditions")
        if condition(conditions, "Complete") or condition(conditions, "Failed"):
            return
        pods = self.owned("pods", key[0], stored.uid)
        succeeded, failed = (
            sum(one.fields["status.phase"] == phase for one in pods) for phase in ("Succeeded", "Failed")
        )
        active = [one for one in pods if is_active(one)]
        goal = spec.get("completions", 1)
        over = failed > spec.get("backoffLimit", 6)
        if spec.get("suspend") or over:
            for one in active:
                begin_deletion(self.cluster, one)
        else:
            missing = min(spec.get("parallelism", 1), goal - succeeded) - len(active)
            for _ in range(missing):
                made = self.cluster.create(pod(self.cluster, stored, spec["template"]))
                self.recorder.event(stored, "SuccessfulCreate", f"Created pod: {made.name}", component=COMPONENT)
                active.append(made)
        if succeeded >= goal:
            self.recorder.event(stored, "Completed", "Job completed", component=COMPONENT)
        elif over:
            said = "Job has reached the specified backoff limit"
            self.recorder.event(stored, "BackoffLimitExceeded", said, component=COMPONENT, warning=True)
        self._tell(stored, active, succeeded, failed, done=succeeded >= goal, over=over)

    def _tell(
        self, stored: Stored, active: list[Stored], succeeded: int, failed: int, *, done: bool, over: bool
    ) -> None:
        stamp = self.agenda.stamp()
        ready = sum(is_ready(one.decode()) for one in active)

        def change(obj: Json) -> None:
            before = obj.get("status") or {}
            status: Json = {
                "startTime": before.get("startTime", stamp),
                "active": len(active),
                "succeeded": succeeded,
                "failed": failed,
                "ready": ready,
                "terminating": 0,
                "uncountedTerminatedPods": {},
                "conditions": copy.deepcopy(before.get("conditions") or []),
            }
            if done:
                status["completionTime"] = stamp
                said = "Reached expected number of succeeded pods"
                for kind in ("SuccessCriteriaMet", "Complete"):
                    set_condition(status, kind, True, stamp, lastProbeTime=stamp, reason="CompletionsReached",
                                  message=said)  # fmt: skip
            elif over:
                said = "Job has reached the specified backoff limit"
                for kind in ("FailureTarget", "Failed"):
                    set_condition(status, kind, True, stamp, lastProbeTime=stamp, reason="BackoffLimitExceeded",
                                  message=said)  # fmt: skip
            obj["status"] = {}
            kept = ("startTime", "ready", "terminating", "uncountedTerminatedPods")
            set_status(obj, MANAGER, stamp, {key: value for key, value in status.items() if value or key in kept})

        self.cluster.update(KIND, *stored.key, change)
        ttl = stored.decode()["spec"].get("ttlSecondsAfterFinished")
        if (done or over) and ttl is not None:
            self.agenda.after(ttl, lambda: self.cluster.remove(KIND, *stored.key))


def _select_itself(obj: Json) -> None:
    """The selector and labels that the API server gives a job."""
    uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
    obj["spec"]["selector"] = {"matchLabels": {UID_LABEL: uid}}
    labels = obj["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
    labels |= {UID_LABEL: uid, NAME_LABEL: name, "controller-uid": uid, "job-name": name}


def finished_at(obj: Json) -> str:
    """When a job ended; empty while it runs."""
    conditions = (obj.get("status") or {}).get("conditions")
    for kind in ("Complete", "Failed"):
        if found := condition(conditions, kind):
            return str(found["lastTransitionTime"])
    return ""


__all__ = ["KIND", "Jobs", "finished_at"]
