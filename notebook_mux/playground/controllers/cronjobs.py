"""CronJobs: a job at each time of a schedule."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from notebook_mux.playground import defaults, managed
from notebook_mux.playground.clock import rfc3339
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.jobs import finished_at
from notebook_mux.playground.controllers.parts import MANAGER, condition, owner_reference, set_status
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

KIND = "cronjobs.batch"
JOBS = "jobs.batch"
COMPONENT = "cronjob-controller"
MINUTE_S = 60.0
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
"""Minute, hour, day of the month, month, day of the week."""

MACROS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
          "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *"}  # fmt: skip


def is_due(schedule: str, moment: datetime) -> bool:
    """Whether a schedule names this minute; one that cannot be read names none."""
    fields = MACROS.get(schedule, schedule).split()
    if len(fields) != len(RANGES):
        return False
    actual = (moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7)
    try:
        return all(_in(field, value, *limits) for field, value, limits in zip(fields, actual, RANGES, strict=True))
    except ValueError:
        return False


def _in(field: str, value: int, low: int, high: int) -> bool:
    for part in field.split(","):
        numbers, _, step = part.partition("/")
        first, _, last = numbers.partition("-")
        begin = low if numbers == "*" else int(first)
        end = high if numbers == "*" or (step and not last) else int(last or first)
        if begin <= value <= end and (value - begin) % int(step or 1) == 0:
            return True
    return False


class CronJobs(Controller):
    """The controller of cron jobs."""

    watches = (KIND, JOBS)

    def start(self) -> None:
        """Look at all of them at each full minute too."""
        super().start()
        self._plan()

    def _plan(self) -> None:
        self.agenda.after(MINUTE_S - self.agenda.now() % MINUTE_S, self._minute)

    def _minute(self) -> None:
        self._plan()
        moment = datetime.fromtimestamp(self.agenda.now(), UTC).replace(second=0, microsecond=0)
        for stored in self.store.items(KIND):
            spec = stored.decode()["spec"]
            if not stored.deleting and not spec.get("suspend") and is_due(spec["schedule"], moment):
                self._run(stored, spec, moment)

    def _run(self, stored: Stored, spec: Json, moment: datetime) -> None:
        name = f"{stored.name}-{int(moment.timestamp()) // 60}"
        if self.store.get(JOBS, stored.namespace, name) is not None:
            return
        template = copy.deepcopy(spec["jobTemplate"])
        metadata = {**(template.get("metadata") or {}), "name": name, "namespace": stored.namespace}
        metadata["ownerReferences"] = [owner_reference(stored)]
        job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": metadata, "spec": template["spec"]}
        managed.record(job, MANAGER, self.agenda.stamp(), job)
        defaults.apply(JOBS, job)
        self.cluster.create(job)
        self.recorder.event(stored, "SuccessfulCreate", f"Created job {name}", component=COMPONENT)
        stamp = rfc3339(moment.timestamp())

        def change(obj: Json) -> None:
            set_status(obj, MANAGER, self.agenda.stamp(), {"lastScheduleTime": stamp})

        self.cluster.update(KIND, *stored.key, change)

    def sync(self, key: Key) -> None:
        """Tell which jobs run, forget old ones."""
        stored = self.store.get(KIND, *key)
        if stored is None:
            return
        spec = stored.decode()["spec"]
        jobs = [(one, one.decode()) for one in self.owned(JOBS, key[0], stored.uid)]
        active, done = [], []
        for one, obj in jobs:
            ended = finished_at(obj)
            if not ended:
                active.append({"apiVersion": "batch/v1", "kind": "Job", "name": one.name, "namespace": one.namespace,
                               "uid": one.uid, "resourceVersion": str(one.revision)})  # fmt: skip
                continue
            good = bool(condition((obj.get("status") or {}).get("conditions"), "Complete"))
            done.append((ended, good, one))

        def change(obj: Json) -> None:
            status = obj.get("status") or {}
            if good_ends := [ended for ended, good, _ in done if good]:
                status["lastSuccessfulTime"] = max(good_ends)
            names = [one["name"] for one in status.get("active") or ()]
            if names != [one["name"] for one in active]:
                status.pop("active", None)
                if active:
                    status["active"] = active
            obj["status"] = status

        self.cluster.update(KIND, *key, change)
        limits = {True: spec.get("successfulJobsHistoryLimit", 3), False: spec.get("failedJobsHistoryLimit", 1)}
        for good, limit in limits.items():
            old = sorted((pair for pair in done if pair[1] == good), key=lambda pair: pair[0])
            for _, _, one in old[: max(0, len(old) - limit)]:
                self.cluster.remove(JOBS, *one.key)

    def keys(self, change: Any) -> Any:
        """A cron job's own key, a job's owner's."""
        return (change.new.key,) if change.new.kind.resource == KIND else self.owner_key(change, KIND)
