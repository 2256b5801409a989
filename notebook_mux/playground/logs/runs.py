"""Which life of which container a log is of, and what a kubelet says where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers import behaviour
from notebook_mux.playground.logs.options import LogOptions
from notebook_mux.playground.status import bad_request

Json = dict[str, Any]

KINDS = ("initContainers", "containers", "ephemeralContainers")
"""In the order in which the real server names them."""

STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
IMAGES = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
"""What a kubelet says of the most common reasons to wait (kubernetes/pkg/kubelet/kubelet_pods.go:1585)."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended.

    Args:
        at: Unix seconds, whole ones.
        code: The exit code.
        reason: ``Error``, ``OOMKilled`` ...
    """

    at: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    """One life of a container. Two states of its pod in which nothing has happened to it are equal.

    Args:
        pod: The pod, as it was last seen.
        container: Of its spec.
        number: How many there were before it.
        started: Unix seconds, whole ones.
        end: None while it runs.
        planned: Seconds after which it ends by itself; None if it would run for ever.
        stopping: When its pod was told to go, Unix seconds; None if it was not.
    """

    pod: Json = field(compare=False)
    container: Json = field(compare=False)
    number: int
    started: int
    end: End | None = None
    planned: float | None = None
    stopping: int | None = None


def container_of(pod: Json, name: str) -> Json:
    """The container that is asked for; the only one if no name is given.

    Raises:
        ApiError: 400, in the API server's words (kubernetes/pkg/registry/core/pod/strategy.go: validateContainer).
    """
    called = pod["metadata"]["name"]
    known: list[Json] = [one for kind in KINDS for one in pod["spec"].get(kind) or ()]
    if not name and len(pod["spec"]["containers"]) == 1:
        name = pod["spec"]["containers"][0]["name"]
    if not name:
        names = " ".join(one["name"] for one in known)
        raise bad_request(f"a container name must be specified for pod {called}, choose one of: [{names}]")
    for one in known:
        if one["name"] == name:
            return one
    raise bad_request(f"container {name} is not valid for pod {called}")


def choose(pod: Json, options: LogOptions) -> Run | None:
    """The run that is asked for; None for a pod that no node has yet, whose log is nothing.

    Raises:
        ApiError: 400: no such container, or it has not run.
    """
    container = container_of(pod, options.container)
    if not pod["spec"].get("nodeName"):
        return None
    what = f'container "{container["name"]}" in pod "{pod["metadata"]["name"]}"'
    status = _status(pod, container["name"])
    if status is None:
        raise bad_request(f"{what} is not available")
    runs = {run.number: run for run in _runs(pod, container, status)}
    last = (status.get("lastState") or {}).get("terminated")
    if options.previous:
        if not (last and last.get("containerID")):
            raise bad_request(f"previous terminated {what} not found")
        return runs[min(runs)]
    if runs:
        return runs[max(runs)]
    waiting = (status.get("state") or {}).get("waiting")
    if waiting is None:
        raise bad_request(f"{what} is waiting to start - no logs yet")
    reason = waiting.get("reason", "")
    raise bad_request(f"{what} is waiting to start: {IMAGES.get(reason, reason)}")


def again(pod: Json, run: Run) -> Run | None:
    """The same run by a newer state of its pod; None where the pod's status does not speak of it any more."""
    status = _status(pod, run.container["name"])
    if status is None:
        return None
    return next((one for one in _runs(pod, run.container, status) if one.number == run.number), None)


def _status(pod: Json, name: str) -> Json | None:
    found = (one for kind in STATUSES for one in (pod.get("status") or {}).get(kind) or ())
    return next((one for one in found if one["name"] == name), None)


def _runs(pod: Json, container: Json, status: Json) -> Iterator[Run]:
    """What a container's status speaks of: the run of now and the one before."""
    count = status.get("restartCount", 0)
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    current = state.get("running") or state.get("terminated")
    if current:
        yield _run(pod, container, count, current)
    if last:
        yield _run(pod, container, max(0, count - 1) if current else count, last)


def _run(pod: Json, container: Json, number: int, state: Json) -> Run:
    metadata = pod["metadata"]
    begun = state.get("startedAt") or (pod.get("status") or {}).get("startTime") or metadata["creationTimestamp"]
    end = None
    if "exitCode" in state:
        end = End(_seconds(state.get("finishedAt") or begun), state["exitCode"], state.get("reason", ""))
    stopping = None
    if gone := metadata.get("deletionTimestamp"):
        stopping = _seconds(gone) - metadata.get("deletionGracePeriodSeconds", 0)
    planned = behaviour.seconds_of(pod, container)
    return Run(pod, container, number, _seconds(begun), end, planned, stopping)


def _seconds(stamp: str) -> int:
    return int(since_epoch(stamp))
