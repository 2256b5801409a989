"""Where the times behind printed ages lie in the objects of the kinds that print more than one.

Only the fields that a row needs are decoded: a table of 10,000 must not cost 10,000 whole objects. The rules are those
of kubernetes/pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from notebook_mux.printing.lineage import Seen

Times = Sequence[str | None]


class _Terminated(msgspec.Struct):
    finishedAt: str | None = None  # noqa: N815 - the API's names, here and below


class _LastState(msgspec.Struct):
    terminated: _Terminated | None = None


class _Container(msgspec.Struct):
    lastState: _LastState | None = None  # noqa: N815


class _PodStatus(msgspec.Struct):
    containerStatuses: list[_Container] | None = None  # noqa: N815
    initContainerStatuses: list[_Container] | None = None  # noqa: N815


class _Pod(Seen):
    status: _PodStatus | None = None


class _Series(msgspec.Struct):
    lastObservedTime: str | None = None  # noqa: N815


class _Event(Seen):
    series: _Series | None = None
    lastTimestamp: str | None = None  # noqa: N815
    firstTimestamp: str | None = None  # noqa: N815
    deprecatedLastTimestamp: str | None = None  # noqa: N815 - these two are events.k8s.io/v1's
    deprecatedFirstTimestamp: str | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815


class _CronJobStatus(msgspec.Struct):
    lastScheduleTime: str | None = None  # noqa: N815


class _CronJob(Seen):
    status: _CronJobStatus | None = None


class _JobStatus(msgspec.Struct):
    startTime: str | None = None  # noqa: N815
    completionTime: str | None = None  # noqa: N815


class _Job(Seen):
    status: _JobStatus | None = None


def restarts(pod: _Pod) -> Times:
    """When the containers of a pod ended last; which of them counts is seen from the printed age."""
    status = pod.status or _PodStatus()
    return [
        container.lastState.terminated.finishedAt
        for container in [*(status.containerStatuses or ()), *(status.initContainerStatuses or ())]
        if container.lastState is not None and container.lastState.terminated is not None
    ]


def first_seen(event: _Event) -> Times:
    """When an event was seen first."""
    return [event.firstTimestamp or event.deprecatedFirstTimestamp or event.eventTime]


def last_seen(event: _Event) -> Times:
    """When an event was seen last: of its series, else its last, else its first time."""
    if event.series is not None and event.series.lastObservedTime:
        return [event.series.lastObservedTime]
    last = event.lastTimestamp or event.deprecatedLastTimestamp
    return [last or event.firstTimestamp or event.deprecatedFirstTimestamp or event.eventTime]


def last_schedule(cron_job: _CronJob) -> Times:
    """When a CronJob last made a Job."""
    return [cron_job.status.lastScheduleTime if cron_job.status is not None else None]


def job_start(job: _Job) -> Times | None:
    """When a Job that is not complete began; None for one whose duration stands still."""
    status = job.status or _JobStatus()
    return None if status.completionTime else [status.startTime]


class Moments(NamedTuple):
    """Where the times of one kind lie.

    Attributes:
        decode: Reads of an object what a row needs.
        nothing: What it would read of one that says nothing.
        columns: Column title → the times that may be behind its cell, or None for a cell that stands still.
    """

    decode: Callable[[bytes], Any]
    nothing: Any
    columns: Mapping[str, Callable[[Any], Times | None]]


def _moments(type_: type[Seen], columns: Mapping[str, Callable[[Any], Times | None]]) -> Moments:
    return Moments(msgspec.json.Decoder(type_).decode, type_(), columns)


_EVENTS = _moments(_Event, {"Last Seen": last_seen, "First Seen": first_seen})

MOMENTS: dict[tuple[str, str], Moments] = {
    ("", "pods"): _moments(_Pod, {"Restarts": restarts}),
    ("", "events"): _EVENTS,
    ("events.k8s.io", "events"): _EVENTS,
    ("batch", "cronjobs"): _moments(_CronJob, {"Last Schedule": last_schedule}),
    ("batch", "jobs"): _moments(_Job, {"Duration": job_start}),
}
"""(group, resource) → where its times lie."""

OTHERS = _moments(Seen, {})


def moments(resource: Mapping[str, Any] | None) -> Moments:
    """Where the times of a kind lie, by its resource of discovery."""
    return MOMENTS.get((resource["group"], resource["name"]), OTHERS) if resource else OTHERS


def seen(resource: Mapping[str, Any] | None, data: bytes) -> Seen | None:
    """What a row needs of an object; None of one that cannot be read."""
    try:
        found: Seen = moments(resource).decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return found
