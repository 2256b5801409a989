"""CronJobs: a job at each time of a schedule (kubernetes/pkg/controller/cronjob)."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from notebook_mux.playground import defaults, managed
from notebook_mux.playground.clock import Entry, rfc3339, since_epoch
from notebook_mux.playground.controllers import schedules
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.jobs import KIND as JOBS, finished_at
from notebook_mux.playground.controllers.parts import (
    MANAGER,
    begin_deletion,
    condition,
    owner_reference,
    set_status,
)
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "cronjobs.batch"
COMPONENT = "cronjob-controller"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
LATE_S = 0.1
"""After its time a job is made (nextScheduleDelta)."""

MANY_MISSED = 100
TOO_MANY = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"


def is_due(schedule: str, moment: datetime) -> bool:
    """Whether a schedule names this minute; one that cannot be read names none."""
    try:
        return schedules.parse(schedule).names(moment)
    except schedules.BadSchedule:
        return False


class CronJobs(Controller):
    """The controller of cron jobs."""

    watches = (KIND, JOBS)

    def start(self) -> None:
        """Begin with nothing planned."""
        self._waiting: dict[Key, Entry] = {}
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A cron job's own key, a job's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)

    def sync(self, key: Key) -> None:
        """Look at the jobs there are, make the one that is due, forget old ones, and plan the next look."""
        if (entry := self._waiting.pop(key, None)) is not None:
            entry.cancel()
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        obj = stored.decode()
        status: Json = copy.deepcopy(obj.get("status") or {})
        jobs = [(one, one.decode()) for one in self.owned(JOBS, key[0], stored.uid)]
        self._look(stored, status, jobs)
        following = None if stored.deleting else self._run(stored, obj, status)
        self._write(key, status)
        self._clean(stored, obj["spec"], jobs)
        if following is not None:
            wait = following - self.agenda.now() + LATE_S
            self._waiting[key] = self.agenda.after(wait, lambda: self.mark(key))

    # ------------------------------------------------------------------------------------------ what there is

    def _look(self, stored: Stored, status: Json, jobs: list[tuple[Stored, Json]]) -> None:
        """Bring the list of active jobs up to date."""
        active = {one["uid"]: one for one in status.get("active") or ()}
        for job, obj in jobs:
            ended = finished_at(obj)
            if not ended:
                if job.uid not in active:
                    said = f"Saw a job that the controller did not create or forgot: {job.name}"
                    self._say(stored, "UnexpectedJob", said, warning=True)
                continue
            good = bool(condition((obj.get("status") or {}).get("conditions"), "Complete"))
            if active.pop(job.uid, None) is not None:
                how = "Complete" if good else "Failed"
                self._say(stored, "SawCompletedJob", f"Saw completed job: {job.name}, condition: {how}")
            if good:
                last = obj["status"].get("completionTime", ended)
                status["lastSuccessfulTime"] = max(last, status.get("lastSuccessfulTime", ""))
        known = {job.uid for job, _ in jobs}
        for uid in [one for one in active if one not in known]:
            self._say(stored, "MissingJob", f"Active job went missing: {active.pop(uid)['name']}")
        status.pop("active", None)
        if active:
            status["active"] = list(active.values())

    def _clean(self, stored: Stored, spec: Json, jobs: list[tuple[Stored, Json]]) -> None:
        """Delete the oldest jobs that are over, down to the history's limits."""
        for kind, limit in (
            ("Complete", spec.get("successfulJobsHistoryLimit", 3)),
            ("Failed", spec.get("failedJobsHistoryLimit", 1)),
        ):
            done = [
                (obj["status"].get("startTime") or obj["metadata"]["creationTimestamp"], job.name, job)
                for job, obj in jobs
                if condition((obj.get("status") or {}).get("conditions"), kind).get("status") == "True"
            ]
            for _, _, job in sorted(done)[: max(0, len(done) - limit)]:
                self._delete(stored, job)

    def _delete(self, stored: Stored, job: Stored) -> None:
        begin_deletion(self.cluster, job)
        self._say(stored, "SuccessfulDelete", f"Deleted job {job.name}")

    # ---------------------------------------------------------------------------------------------- what is due

    def _run(self, stored: Stored, obj: Json, status: Json) -> float | None:
        """Make the job that is due, if one is; when to look again, Unix seconds, None if not by the clock."""
        spec, now = obj["spec"], self.agenda.now()
        zone = self._zone(stored, spec)
        if zone is None or spec.get("suspend"):
            return None
        try:
            schedule = schedules.parse(spec["schedule"])
        except schedules.BadSchedule as why:
            self._say(
                stored, "UnparseableSchedule", f'unparseable schedule: "{spec["schedule"]}" : {why}', warning=True
            )
            return None
        due, missed = self._due(obj, status, schedule, zone)
        following = schedule.after(now, zone)
        if missed > MANY_MISSED:
            self._say(stored, "TooManyMissedTimes", TOO_MANY, warning=True)
        if due is None or rfc3339(due) == status.get("lastScheduleTime"):
            return following
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and due + deadline < now:
            moment = format_datetime(datetime.fromtimestamp(due, UTC)).replace("+0000", "UTC")
            self._say(stored, "MissSchedule", f"Missed scheduled time to start a job: {moment}", warning=True)
            return following
        self._start(stored, spec, status, due, zone)
        return following

    def _zone(self, stored: Stored, spec: Json) -> tzinfo | None:
        name = spec.get("timeZone")
        if name is None:
            return UTC
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            said = f'invalid timeZone: "{name}": unknown time zone {name}'
            self._say(stored, "UnknownTimeZone", said, warning=True)
            return None

    def _due(
        self, obj: Json, status: Json, schedule: schedules.Schedule, zone: tzinfo
    ) -> tuple[float | None, int]:  # fmt: skip
        """The last time that has passed and was not served, and about how many there were."""
        now = self.agenda.now()
        since = status.get("lastScheduleTime") or obj["metadata"]["creationTimestamp"]
        at = since_epoch(since)
        deadline = obj["spec"].get("startingDeadlineSeconds")
        if deadline is not None:
            at = max(at, now - deadline)
        first = schedule.after(at, zone)
        if first is None or first > now:
            return None, 0
        second = schedule.after(first, zone)
        if second is None or second > now:
            return first, 1
        # About so many; the last of them is then looked for by the schedule itself.
        count = int((now - first) / (second - first)) + 1
        last, following = first, schedule.after(max(first, first + (count - 2) * (second - first)) - 1, zone)
        while following is not None and following <= now:
            last, following = following, schedule.after(following, zone)
        return last, count

    def _start(self, stored: Stored, spec: Json, status: Json, due: float, zone: tzinfo) -> None:
        """Make the job of a time, as the policy for jobs that still run says."""
        active = status.get("active") or []
        policy = spec.get("concurrencyPolicy", "Allow")
        if policy == "Forbid" and active:
            said = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._say(stored, "JobAlreadyActive", said)
            return
        if policy == "Replace":
            for one in active:
                running = self.store.get(JOBS, stored.namespace, one["name"])
                if running is not None:
                    self._delete(stored, running)
            active = []
        name = f"{stored.name}-{int(due) // 60}"
        if self.store.get(JOBS, stored.namespace, name) is not None:
            return
        template = copy.deepcopy(spec["jobTemplate"])
        metadata = {**(template.get("metadata") or {}), "name": name, "namespace": stored.namespace}
        moment = datetime.fromtimestamp(due, zone).isoformat().replace("+00:00", "Z")
        metadata["annotations"] = {**(metadata.get("annotations") or {}), SCHEDULED: moment}
        metadata["ownerReferences"] = [owner_reference(stored)]
        job: Json = {"kind": "Job", "apiVersion": "batch/v1", "metadata": metadata, "spec": template["spec"]}
        managed.record(job, MANAGER, self.agenda.stamp(), job)
        defaults.apply(JOBS, job)
        made = self.cluster.create(job)
        self._say(stored, "SuccessfulCreate", f"Created job {name}")
        reference = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "namespace": stored.namespace}
        status["active"] = [*active, {**reference, "uid": made.uid, "resourceVersion": str(made.revision)}]
        status["lastScheduleTime"] = rfc3339(due)

    # --------------------------------------------------------------------------------------------- what it says

    def _write(self, key: Key, status: Json) -> None:
        def change(obj: Json) -> None:
            if status != (obj.get("status") or {}):
                set_status(obj, MANAGER, self.agenda.stamp(), status)

        self.cluster.update(KIND, *key, change)

    def _say(self, stored: Stored, reason: str, said: str, *, warning: bool = False) -> None:
        self.recorder.event(stored, reason, said, component=COMPONENT, warning=warning)
