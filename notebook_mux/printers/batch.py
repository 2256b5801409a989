"""Jobs and cron jobs."""

from __future__ import annotations

from typing import Any

from notebook_mux.ages import human_duration, parse_time
from notebook_mux.printers.common import (
    NONE,
    UNSET,
    Json,
    age,
    containers,
    is_true,
    name,
    number,
    selector_cell,
    since,
    spec,
    status,
)


def print_job(obj: Json, now: float) -> list[Any]:
    """printers.go:1293."""
    wanted, state = spec(obj), status(obj)
    return [
        name(obj),
        _job_status(obj),
        _completions(wanted, number(state.get("succeeded"))),
        _duration(state, now),
        age(obj, now),
        *containers(wanted.get("template")),
        selector_cell(wanted.get("selector")),
    ]


def _completions(wanted: Json, succeeded: int) -> str:
    if (goal := wanted.get("completions")) is not None:
        return f"{succeeded}/{goal}"
    parallel = number(wanted.get("parallelism"))
    return f"{succeeded}/1 of {parallel}" if parallel > 1 else f"{succeeded}/1"


def _duration(state: Json, now: float) -> str:
    begun, ended = parse_time(state.get("startTime")), parse_time(state.get("completionTime"))
    if begun is None:
        return ""
    return human_duration((now if ended is None else ended) - begun)


def _job_status(obj: Json) -> str:
    conditions = status(obj).get("conditions")
    for condition in ("Complete", "Failed"):
        if is_true(conditions, condition):
            return condition
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for condition in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if is_true(conditions, condition):
            return condition
    return "Running"


def print_cron_job(obj: Json, now: float) -> list[Any]:
    """printers.go:1357."""
    wanted, state = spec(obj), status(obj)
    job = spec(wanted.get("jobTemplate") or {})
    last, suspend = state.get("lastScheduleTime"), wanted.get("suspend")
    return [
        name(obj),
        wanted.get("schedule", ""),
        wanted.get("timeZone", NONE),
        UNSET if suspend is None else str(bool(suspend)),
        len(state.get("active") or ()),
        NONE if last is None else since(last, now),
        age(obj, now),
        *containers(job.get("template")),
        selector_cell(job.get("selector")),
    ]


PRINTERS = {"jobs.batch": print_job, "cronjobs.batch": print_cron_job}
