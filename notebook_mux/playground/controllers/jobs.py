"""Jobs: pods that end, as many as it takes.

A pod carries a finalizer until its end is counted, so that none is counted twice or not at all, whoever deletes it when
(KEP-2307). The order of the looks, the conditions and their words are those of kubernetes/pkg/controller/job.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers import job_rules as rules
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
TRACKING = "batch.kubernetes.io/job-tracking"
"""The finalizer of a pod that is not counted yet."""

MOST_AT_ONCE = 500
"""Pods created in one look (MaxPodCreateDeletePerSync)."""

MET, TARGET, COMPLETE, FAILED, SUSPENDED = "SuccessCriteriaMet", "FailureTarget", "Complete", "Failed", "Suspended"
Ending = tuple[str, str, str]
"""The condition by which a job comes to its end, its reason and its message."""

REACHED = "Reached expected number of succeeded pods"
OVER_LIMIT = "Job has reached the specified backoff limit"
OVER_TIME = "Job was active longer than specified deadline"
OVER_INDEXES = "Job has exceeded the specified maximal number of failed indexes"
FAILED_INDEXES = "Job has failed indexes"
ALWAYS_KEPT = ("startTime", "ready", "terminating", "uncountedTerminatedPods")


@dataclass(slots=True)
class _Look:
    """One look at a job.

    Attributes:
        stored: The job.
        spec: Its spec.
        status: Its status, as it becomes.
        pods: Its pods, with their content.
        released: Those whose end is counted now.
    """

    stored: Stored
    spec: Json
    status: Json
    pods: list[tuple[Stored, Json]]
    released: list[Stored] = field(default_factory=list)

    @property
    def active(self) -> list[Stored]:
        """Pods that are to run, or do."""
        return [one for one, _ in self.pods if is_active(one)]

    @property
    def terminating(self) -> int:
        """How many are on their way out."""
        return sum(one.deleting and one.fields["status.phase"] not in ("Succeeded", "Failed") for one, _ in self.pods)


class Jobs(Controller):
    """The controller of jobs."""

    watches = (KIND, "pods")

    def start(self) -> None:
        """Begin with the failures that pods which are there tell of: the wait for the next goes on."""
        self._failures: dict[str, tuple[int, float]] = {}
        ended = [one for one in self.store.items("pods")
                 if one.owner and not is_active(one) and TRACKING.encode() not in one.body]  # fmt: skip
        for one in sorted(ended, key=lambda pod: rules.ended_at(pod.content)):
            failed = one.fields["status.phase"] == "Failed"
            self._note_failures(one.owner, not failed, int(failed), rules.ended_at(one.content) if failed else 0.0)
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A job's own key, a pod's owner's; a pod without its job is let go."""
        if change.new.kind.resource == KIND:
            if change.type == "DELETED":
                self._failures.pop(change.new.uid, None)
                for one in self.owned("pods", change.new.namespace, change.new.uid):
                    self.agenda.after(0, lambda orphan=one: self._release(orphan))  # type: ignore[misc]
                return ()
            return (change.new.key,)
        if not change.new.owner or (change.type == "DELETED" and TRACKING.encode() not in change.new.body):
            return self.owner_key(change, KIND)
        found = self.owner_key(change, KIND)
        if not found and TRACKING.encode() in change.new.body and change.type != "DELETED":
            self.agenda.after(0, lambda: self._release(change.new))
        return found

    def sync(self, key: Key) -> None:
        """Count what has ended, see whether that is the end, else create the pods that are missing."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        if "selector" not in stored.content["spec"]:
            self.cluster.update(KIND, *key, select_itself)
            stored = self.store.get(KIND, *key) or stored
        obj = stored.content
        pods = [(one, one.content) for one in self.owned("pods", key[0], stored.uid)]
        if finished_at(obj) or stored.deleting:
            for one, _ in pods:
                self._release(one)
            if finished_at(obj):
                self._expire(stored, obj)
            return
        look = _Look(stored, obj["spec"], copy.deepcopy(obj.get("status") or {}), pods)
        look.status.setdefault("uncountedTerminatedPods", {})
        if not look.spec.get("suspend"):
            look.status.setdefault("startTime", self.agenda.stamp())
        self._count(look)
        ending = self._ending(look)
        if ending is not None:
            for one in look.active:
                self._delete(look, one)
        elif not stored.deleting:
            self._manage(look)
            ending = self._is_complete(look)
        self._tell(look, ending)

    # ------------------------------------------------------------------------------------------------ counting

    def _count(self, look: _Look) -> None:
        """Add the ends of pods that still carry the finalizer to the numbers of the status."""
        spec, status = look.spec, look.status
        indexed, most = rules.is_indexed(spec), spec.get("completions") or 0
        done = rules.read_indexes(status.get("completedIndexes", ""), most)
        lost = rules.read_indexes(status.get("failedIndexes", ""), most)
        succeeded, failed, failures, last = status.get("succeeded", 0), status.get("failed", 0), 0, 0.0
        good = False
        for stored, obj in sorted(look.pods, key=lambda pair: rules.ended_at(pair[1])):
            if TRACKING not in (obj["metadata"].get("finalizers") or ()):
                continue
            index = rules.index_of(obj)
            if obj["status"].get("phase") == "Succeeded":
                if indexed and index is not None and index < most:
                    done.add(index)
                succeeded += 1
                good, failures = True, 0
            elif self._has_failed(spec, stored, obj):
                action, _ = rules.policy(spec, obj)
                if action != rules.IGNORE:
                    failed += 1
                    failures, last = failures + 1, rules.ended_at(obj)
                    if "backoffLimitPerIndex" in spec and index is not None:
                        count = int((obj["metadata"].get("annotations") or {}).get(rules.FAILURES, "0")) + 1
                        if action == rules.FAIL_INDEX or count > spec["backoffLimitPerIndex"]:
                            lost.add(index)
            else:
                continue
            look.released.append(stored)
        self._note_failures(look.stored.uid, good, failures, last)
        status |= {"succeeded": len(done) if indexed else succeeded, "failed": failed}
        if indexed:
            status["completedIndexes"] = rules.write_indexes(done)
            if "backoffLimitPerIndex" in spec:
                status["failedIndexes"] = rules.write_indexes(lost)

    @staticmethod
    def _has_failed(spec: Json, stored: Stored, obj: Json) -> bool:
        if obj["status"].get("phase") == "Failed":
            return True
        return stored.deleting and spec.get("podReplacementPolicy", "TerminatingOrFailed") != "Failed"

    def _note_failures(self, uid: str, good: bool, failures: int, last: float) -> None:
        before, since = self._failures.get(uid, (0, 0.0))
        if good:
            before, since = 0, 0.0
        if failures or good:
            self._failures[uid] = (before + failures, last or since)

    # ------------------------------------------------------------------------------------------------- its end

    def _ending(self, look: _Look) -> Ending | None:
        """Why a job is over, if it is: what was said before, then its failures, then its policies."""
        spec, status = look.spec, look.status
        for kind in (MET, TARGET):
            found = condition(status.get("conditions"), kind)
            if found.get("status") == "True":
                return kind, found["reason"], found["message"]
        for stored, obj in look.pods:
            if spec.get("podFailurePolicy") and self._has_failed(spec, stored, obj):
                action, why = rules.policy(spec, obj)
                if action == rules.FAIL_JOB:
                    return TARGET, "PodFailurePolicy", why
        if status["failed"] > spec.get("backoffLimit", 6) or self._restarted_too_often(look):
            return TARGET, "BackoffLimitExceeded", OVER_LIMIT
        if (left := self._time_left(look)) is not None and left <= 0:
            return TARGET, "DeadlineExceeded", OVER_TIME
        return self._ending_of_indexes(look) if rules.is_indexed(spec) else None

    @staticmethod
    def _ending_of_indexes(look: _Look) -> Ending | None:
        spec, most = look.spec, look.spec["completions"]
        done = rules.read_indexes(look.status.get("completedIndexes", ""), most)
        lost = rules.read_indexes(look.status.get("failedIndexes", ""), most)
        if "maxFailedIndexes" in spec and len(lost) > spec["maxFailedIndexes"]:
            return TARGET, "MaxFailedIndexesExceeded", OVER_INDEXES
        if lost and len(lost) + len(done) >= most:
            return TARGET, "FailedIndexes", FAILED_INDEXES
        if done and (why := rules.success(spec, done)):
            return MET, "SuccessPolicy", why
        return None

    @staticmethod
    def _restarted_too_often(look: _Look) -> bool:
        """Whether containers of an OnFailure job were started again as often as it may fail."""
        if look.spec["template"]["spec"].get("restartPolicy") != "OnFailure":
            return False
        restarts = sum(
            one.get("restartCount", 0)
            for stored, obj in look.pods
            if stored.fields["status.phase"] in ("Running", "Pending")
            for kind in ("initContainerStatuses", "containerStatuses")
            for one in obj["status"].get(kind) or ()
        )
        limit = look.spec.get("backoffLimit", 6)
        return bool(restarts >= limit if limit else restarts > 0)

    def _time_left(self, look: _Look) -> float | None:
        seconds = look.spec.get("activeDeadlineSeconds")
        if seconds is None or look.spec.get("suspend") or "startTime" not in look.status:
            return None
        left = since_epoch(look.status["startTime"]) + float(seconds) - self.agenda.now()
        if left > 0:
            self.later(left, look.stored.key)
        return left

    @staticmethod
    def _is_complete(look: _Look) -> Ending | None:
        done, goal = look.status["succeeded"], look.spec.get("completions")
        complete = (done > 0 if goal is None else done >= goal) and not look.active
        return (MET, "CompletionsReached", REACHED) if complete else None

    # ------------------------------------------------------------------------------------------------ its pods

    def _manage(self, look: _Look) -> None:
        """Create and delete pods, so many as are to run."""
        spec, active = look.spec, look.active
        if spec.get("suspend"):
            for one in active:
                self._delete(look, one)
            return
        parallelism, goal, done = spec.get("parallelism", 1), spec.get("completions"), look.status["succeeded"]
        left = (len(active) if done else parallelism) if goal is None else goal - done
        wanted = max(0, min(left, max(parallelism, len(active)) if goal is None else parallelism))
        for one in active[wanted:]:
            self._delete(look, one)
        leaving = look.terminating if spec.get("podReplacementPolicy") == "Failed" else 0
        missing = min(wanted - leaving - len(active), MOST_AT_ONCE)
        if missing <= 0:
            return
        if "backoffLimitPerIndex" not in spec:
            failures, last = self._failures.get(look.stored.uid, (0, 0.0))
            if (seconds := rules.wait(failures, last, self.agenda.now())) > 0:
                self.later(seconds, look.stored.key)
                return
        if rules.is_indexed(spec):
            for index, failures in self._indexes(look, missing):
                numbered = None if "backoffLimitPerIndex" not in spec else failures
                self._create(look, rules.with_index(spec["template"], look.stored.name, index, numbered), index)
        else:
            for _ in range(missing):
                self._create(look, spec["template"], None)

    def _indexes(self, look: _Look, most: int) -> list[tuple[int, int]]:
        """The lowest numbers that nobody works on, each with how often it failed; but those that have to wait."""
        goal = look.spec["completions"]
        taken = rules.read_indexes(look.status.get("completedIndexes", ""), goal)
        taken |= rules.read_indexes(look.status.get("failedIndexes", ""), goal)
        taken |= {index for one, obj in look.pods if is_active(one) and (index := rules.index_of(obj)) is not None}
        found = []
        for index in (one for one in range(goal) if one not in taken):
            failures, last = 0, 0.0
            for _, obj in look.pods:
                if rules.index_of(obj) == index and obj["status"].get("phase") == "Failed":
                    failures, last = failures + 1, max(last, rules.ended_at(obj))
            if "backoffLimitPerIndex" in look.spec:
                left = rules.wait(failures, last, self.agenda.now())
                if left > 0:
                    self.later(left, look.stored.key)
                    continue
            found.append((index, failures))
            if len(found) == most:
                break
        return found

    def _create(self, look: _Look, template: Json, index: int | None) -> None:
        new = pod(self.cluster, look.stored, template)
        if index is not None:
            new["metadata"]["generateName"] = f"{look.stored.name}-{index}-"
        new["metadata"]["finalizers"] = [*(new["metadata"].get("finalizers") or ()), TRACKING]
        made = self.cluster.create(new)
        look.pods.append((made, made.content))
        self.recorder.event(look.stored, "SuccessfulCreate", f"Created pod: {made.name}", component=COMPONENT)

    def _delete(self, look: _Look, one: Stored) -> None:
        """Delete a pod that need not be counted."""
        self._release(one)
        now = self.store.get("pods", *one.key)
        if now is not None and now.uid == one.uid and not now.deleting:
            begin_deletion(self.cluster, now)
            self.recorder.event(look.stored, "SuccessfulDelete", f"Deleted pod: {one.name}", component=COMPONENT)
        look.pods = [(self.store.get("pods", *pair[0].key) or pair[0], pair[1]) for pair in look.pods
                     if self.store.get("pods", *pair[0].key) is not None]  # fmt: skip

    def _release(self, one: Stored) -> None:
        """Take the finalizer from a pod; one that only waited for that is gone."""
        now = self.store.get("pods", *one.key)
        if now is None or now.uid != one.uid:
            return
        before = now.content["metadata"].get("finalizers") or ()
        left = [name for name in before if name != TRACKING]
        if len(left) == len(before):
            return
        if not left and now.deleting and not now.content["metadata"].get("deletionGracePeriodSeconds"):
            self.cluster.remove("pods", *now.key)
            return
        obj = now.decode()
        metadata = obj["metadata"]
        metadata.pop("finalizers")
        if left:
            metadata["finalizers"] = left
        self.cluster.put(now, obj)

    # --------------------------------------------------------------------------------------------- what it says

    def _tell(self, look: _Look, ending: Ending | None) -> None:
        """Write the status; a job is over once nothing of it runs any more."""
        stamp, status = self.agenda.stamp(), look.status
        active = look.active
        status |= {
            "active": len(active),
            "ready": sum(is_ready(one.content) for one in active),
            "terminating": look.terminating,
        }
        over = ""
        if ending is None:
            self._suspend(look, stamp)
        else:
            kind, reason, message = ending
            more = {"lastProbeTime": stamp, "reason": reason, "message": message}
            if not condition(status.get("conditions"), kind):
                set_condition(status, kind, True, stamp, **more)
            if not active and not look.terminating:
                over = COMPLETE if kind == MET else FAILED
                set_condition(status, over, True, stamp, **more)
                if over == COMPLETE:
                    status["completionTime"] = stamp

        kept = {key: value for key, value in status.items() if value or key in ALWAYS_KEPT}

        def change(obj: Json) -> None:
            set_status(obj, MANAGER, stamp, kept)

        if kept != look.stored.content.get("status"):
            self.cluster.update(KIND, *look.stored.key, change)
        for one in look.released:
            self._release(one)
        if over == COMPLETE:
            self.recorder.event(look.stored, "Completed", "Job completed", component=COMPONENT)
        elif over and ending is not None:
            self.recorder.event(look.stored, ending[1], ending[2], component=COMPONENT, warning=True)

    def _suspend(self, look: _Look, stamp: str) -> None:
        wanted, found = bool(look.spec.get("suspend")), condition(look.status.get("conditions"), SUSPENDED)
        if wanted == (found.get("status") == "True"):
            return
        reason, said = ("JobSuspended", "Job suspended") if wanted else ("JobResumed", "Job resumed")
        set_condition(look.status, SUSPENDED, wanted, stamp, lastProbeTime=stamp, reason=reason, message=said)
        self.recorder.event(look.stored, "Suspended" if wanted else "Resumed", said, component=COMPONENT)
        if wanted:
            look.status.pop("startTime", None)
        else:
            look.status["startTime"] = stamp

    def _expire(self, stored: Stored, obj: Json) -> None:
        """Delete a job that has been over for long enough (the TTL-after-finished controller)."""
        ttl = obj["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        left = since_epoch(finished_at(obj)) + float(ttl) - self.agenda.now()
        if left <= 0:
            self.cluster.remove(KIND, *stored.key)
        else:
            self.later(left, stored.key)


def select_itself(obj: Json) -> None:
    """The selector and labels that the API server gives a job (registry/batch/job/strategy.go: generateSelector)."""
    uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
    obj["spec"]["selector"] = {"matchLabels": {UID_LABEL: uid}}
    metadata = obj["spec"]["template"].setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), UID_LABEL: uid, NAME_LABEL: name,
                          "controller-uid": uid, "job-name": name}  # fmt: skip


def finished_at(obj: Json) -> str:
    """When a job ended; empty while it runs."""
    conditions = (obj.get("status") or {}).get("conditions")
    for kind in (COMPLETE, FAILED):
        if (found := condition(conditions, kind)).get("status") == "True":
            return str(found["lastTransitionTime"])
    return ""


__all__ = ["KIND", "Jobs", "finished_at", "select_itself"]
