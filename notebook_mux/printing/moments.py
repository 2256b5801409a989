"""Where the times behind printed ages lie in the objects of the kinds that print more than one.

Each function decodes only the fields it needs: a row of 10,000 must not cost 10,000 whole objects. The rules are
those of kubernetes/pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

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


class _Pod(msgspec.Struct):
    status: _PodStatus | None = None


class _Series(msgspec.Struct):
    lastObservedTime: str | None = None  # noqa: N815


class _Event(msgspec.Struct):
    series: _Series | None = None
    lastTimestamp: str | None = None  # noqa: N815
    firstTimestamp: str | None = None  # noqa: N815
    deprecatedLastTimestamp: str | None = None  # noqa: N815 - these two are events.k8s.io/v1's
    deprecatedFirstTimestamp: str | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815


class _CronJobStatus(msgspec.Struct):
    lastScheduleTime: str | None = None  # noqa: N815


class _CronJob(msgspec.Struct):
    status: _CronJobStatus | None = None


class _JobStatus(msgspec.Struct):
    startTime: str | None = None  # noqa: N815
    completionTime: str | None = None  # noqa: N815


class _Job(msgspec.Struct):
    status: _JobStatus | None = None


_pod = msgspec.json.Decoder(_Pod).decode
_event = msgspec.json.Decoder(_Event).decode
_cronjob = msgspec.json.Decoder(_CronJob).decode
_job = msgspec.json.Decoder(_Job).decode


def restarts(data: bytes) -> Times:
    """When the containers of a pod ended last; which of them counts is seen from the printed age."""
    status = _pod(data).status or _PodStatus()
    return [
        container.lastState.terminated.finishedAt
        for container in [*(status.containerStatuses or ()), *(status.initContainerStatuses or ())]
        if container.lastState is not None and container.lastState.terminated is not None
    ]


def first_seen(data: bytes) -> Times:
    """When an event was seen first."""
    event = _event(data)
    return [event.firstTimestamp or event.deprecatedFirstTimestamp or event.eventTime]


def last_seen(data: bytes) -> Times:
    """When an event was seen last: of its series, else its last, else its first time."""
    event = _event(data)
    if event.series is not None and event.series.lastObservedTime:
        return [event.series.lastObservedTime]
    last = event.lastTimestamp or event.deprecatedLastTimestamp
    return [last or event.firstTimestamp or event.deprecatedFirstTimestamp or event.eventTime]


def last_schedule(data: bytes) -> Times:
    """When a CronJob last made a Job."""
    status = _cronjob(data).status
    return [status.lastScheduleTime if status is not None else None]


def job_start(data: bytes) -> Times | None:
    """When a Job that is not complete began; None for one whose duration stands still."""
    status = _job(data).status or _JobStatus()
    return None if status.completionTime else [status.startTime]


Moments = dict[str, Callable[[bytes], Times | None]]

_EVENTS: Moments = {"Last Seen": last_seen, "First Seen": first_seen}

MOMENTS: dict[tuple[str, str], Moments] = {
    ("", "pods"): {"Restarts": restarts},
    ("", "events"): _EVENTS,
    ("events.k8s.io", "events"): _EVENTS,
    ("batch", "cronjobs"): {"Last Schedule": last_schedule},
    ("batch", "jobs"): {"Duration": job_start},
}
"""(group, resource) → column title → the times that may be behind its cell, or None for a cell that stands still."""
