"""What a pod went through: pending, started, ready, restarted, killed; by what its status remembers and what was seen.

A status remembers the last change of each condition and the last end of each container, and no more. So the first look
makes what it can of that, and each look after it adds what has changed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from notebook_mux.ages import parse_time

KEPT = 60
"""States, and marks, of one pod: a pod that restarts every five minutes has 24 in the two hours that one looks at."""

PENDING, STARTED, READY, UNREADY, FAILING, ENDING, DONE, FAILED, AWAY = (
    "pending", "started", "ready", "unready", "failing", "ending", "done", "failed", "away",
)  # fmt: skip
"""A pod's states here. Started: its containers run, and it has not been ready yet, or nobody remembers. Away: one of
this name was deleted, and another one is not there yet."""

RESTARTED, KILLED, GONE = "restarted", "killed", "gone"
"""What can happen to it at one moment."""

KILLS = ("OOMKilled", "Evicted", "ContainerStatusUnknown")
SIGNALS = (137, 143)
"""Exit codes of what was ended by SIGKILL and SIGTERM."""

UNSCHEDULED = "PodScheduled"


class _Running(msgspec.Struct):
    startedAt: str | None = None  # noqa: N815 - the API's names, here and below


class _Waiting(msgspec.Struct):
    reason: str | None = None


class _Terminated(msgspec.Struct):
    exitCode: int | None = None  # noqa: N815
    reason: str | None = None
    startedAt: str | None = None  # noqa: N815
    finishedAt: str | None = None  # noqa: N815


class _State(msgspec.Struct):
    running: _Running | None = None
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _Container(msgspec.Struct):
    name: str = ""
    restartCount: int = 0  # noqa: N815
    state: _State | None = None
    lastState: _State | None = None  # noqa: N815


class _Condition(msgspec.Struct):
    type: str = ""
    status: str = ""
    reason: str | None = None
    lastTransitionTime: str | None = None  # noqa: N815


class _Status(msgspec.Struct):
    phase: str | None = None
    reason: str | None = None
    startTime: str | None = None  # noqa: N815
    conditions: list[_Condition] | None = None
    containerStatuses: list[_Container] | None = None  # noqa: N815


class _Metadata(msgspec.Struct):
    creationTimestamp: str | None = None  # noqa: N815
    deletionTimestamp: str | None = None  # noqa: N815
    deletionGracePeriodSeconds: int | None = None  # noqa: N815


class _Pod(msgspec.Struct):
    metadata: _Metadata | None = None
    status: _Status | None = None


_decode = msgspec.json.Decoder(_Pod).decode


class Stretch(NamedTuple):
    """A state and when it began, in Unix seconds; it lasts until the next one begins."""

    since: float
    state: str
    words: str = ""


class Mark(NamedTuple):
    """What happened at one moment."""

    at: float
    what: str
    words: str = ""


class Lifeline:
    """One pod's states and marks. Not thread-safe.

    Attributes:
        stretches: Its states in order; the last one lasts until `end`, or until now.
        marks: What happened to it at one moment, in order.
        end: When it was seen to have gone; None while it is there.
    """

    __slots__ = ("_ends", "_known", "_restarts", "end", "marks", "stretches", "uid")

    def __init__(self, uid: str = "") -> None:
        self.uid = uid
        self._known = False
        self.stretches: list[Stretch] = []
        self.marks: list[Mark] = []
        self.end: float | None = None
        self._ends: set[tuple[str, float]] = set()
        self._restarts: dict[str, int] = {}

    def see(self, data: bytes, now: float) -> bool:
        """Take in the pod as it is now, as its JSON; returns whether that says anything new."""
        try:
            pod = _decode(data)
        except (msgspec.MsgspecError, UnicodeError):
            return False
        before = (self.marks[-1:], self.stretches[-1:], self.end)
        self.end = None
        status, metadata = pod.status or _Status(), pod.metadata or _Metadata()
        if not self._known:
            self._known = True
            floor = self.stretches[-1].since if self.stretches else 0.0
            self.stretches += [one._replace(since=max(one.since, floor)) for one in _history(status, metadata)]
        state = standing(status, metadata, now)
        last = self.stretches[-1] if self.stretches else None
        if last is None or (last.state, last.words) != (state.state, state.words):
            since = state.since if last is None else max(state.since, last.since)
            if last is not None and since == last.since:
                self.stretches.pop()  # that one took no time
            self.stretches.append(state._replace(since=since))
            del self.stretches[:-KEPT]
        self._look_at_ends(status, now)
        return before != (self.marks[-1:], self.stretches[-1:], self.end)

    def gone(self, now: float) -> None:
        """It is not there any more."""
        if self.end is None:
            self.end = now
            self._mark(Mark(now, GONE, "deleted"))

    def again(self, uid: str, now: float) -> None:
        """Another pod has its name, as those of a stateful set have one after another."""
        self.gone(now)
        self.stretches.append(Stretch(self.end or now, AWAY))
        self.uid, self._known = uid, False
        self._ends.clear()
        self._restarts.clear()

    def _look_at_ends(self, status: _Status, now: float) -> None:
        """Mark each end of a container that is not marked yet."""
        for container in status.containerStatuses or ():
            ended = [one.terminated for one in (container.lastState, container.state) if one is not None]
            known = self._restarts.get(container.name)
            told = False
            for one in ended:
                if one is None:
                    continue
                at = parse_time(one.finishedAt)
                key = (container.name, at or 0.0)
                if at is None or key in self._ends:
                    continue
                self._ends.add(key)
                told = True
                self._mark(_end(container, one, at))
            if known is not None and container.restartCount > known and not told:
                self._mark(Mark(now, RESTARTED, f"{container.name} was restarted"))
            self._restarts[container.name] = container.restartCount

    def _mark(self, mark: Mark) -> None:
        self.marks.append(mark)
        self.marks.sort()
        del self.marks[:-KEPT]


def _end(container: _Container, ended: _Terminated, at: float) -> Mark:
    reason, code = ended.reason or "", ended.exitCode
    killed = reason in KILLS or code in SIGNALS
    what = KILLED if killed else RESTARTED if container.restartCount else DONE if code == 0 else FAILED
    said = ", ".join(filter(None, (reason, f"exit code {code}" if code is not None else "")))
    return Mark(at, what, f"{container.name} ended{f' ({said})' if said else ''}")


def standing(status: _Status, metadata: _Metadata, now: float) -> Stretch:
    """The state that a pod is in, and since when as far as its status knows."""
    created = parse_time(metadata.creationTimestamp) or now
    containers = status.containerStatuses or ()
    ready = _condition(status, "Ready")
    turned = parse_time(ready.lastTransitionTime) if ready is not None else None
    deleted = parse_time(metadata.deletionTimestamp)
    if deleted is not None:  # it says when the pod is to be gone at the latest
        return Stretch(min(now, deleted - (metadata.deletionGracePeriodSeconds or 0)), ENDING, "being deleted")
    if status.phase in ("Succeeded", "Failed"):
        ends = [t for t in (parse_time(one.finishedAt) for one in _ended(containers)) if t is not None]
        done = status.phase == "Succeeded"
        why = status.reason or ", ".join(dict.fromkeys(one.reason for one in _ended(containers) if one.reason))
        return Stretch(max(ends, default=turned or now), DONE if done else FAILED, why or status.phase)
    waiting = [one.state.waiting.reason or "" for one in containers if one.state is not None and one.state.waiting]
    trouble = next((reason for reason in waiting if "BackOff" in reason or "Err" in reason), "")
    if trouble:
        ends = [t for t in (parse_time(one.finishedAt) for one in _ended(containers, last=True)) if t is not None]
        return Stretch(max(ends, default=turned or created), FAILING, trouble)
    if ready is not None and ready.status == "True":
        return Stretch(turned or now, READY)
    starts = _starts(containers)
    if starts and any(one.state is not None and one.state.running for one in containers):
        if turned is not None and turned > starts[0] + 1:  # it was ready before, or would not have turned
            return Stretch(turned, UNREADY, (ready.reason or "") if ready is not None else "")
        return Stretch(starts[0], STARTED)
    placed = _condition(status, UNSCHEDULED)
    reason = (placed.reason or "") if placed is not None and placed.status == "False" else next(iter(waiting), "")
    return Stretch(created, PENDING, reason)


def _history(status: _Status, metadata: _Metadata) -> list[Stretch]:
    """What was before the state of now, as far as the status remembers."""
    created = parse_time(metadata.creationTimestamp)
    starts = _starts(status.containerStatuses or ())
    found = [Stretch(created, PENDING)] if created is not None else []
    began = starts[0] if starts else None
    if any(one.restartCount > 1 for one in status.containerStatuses or ()):
        began = parse_time(status.startTime) or began  # the first ends of its containers are forgotten
    if began is not None and (created is None or began >= created):
        found.append(Stretch(began, STARTED))
    return found


def _starts(containers: Sequence[_Container]) -> list[float]:
    """When containers are known to have started, in order."""
    found: list[float | None] = []
    for one in containers:
        for state in (one.state, one.lastState):
            if state is not None and state.running is not None:
                found.append(parse_time(state.running.startedAt))
            if state is not None and state.terminated is not None:
                found.append(parse_time(state.terminated.startedAt))
    return sorted(at for at in found if at is not None)


def _ended(containers: Sequence[_Container], *, last: bool = False) -> list[_Terminated]:
    states = [one.lastState if last else one.state for one in containers]
    return [state.terminated for state in states if state is not None and state.terminated is not None]


def _condition(status: _Status, kind: str) -> _Condition | None:
    return next((one for one in status.conditions or () if one.type == kind), None)


def read(record: Any, lifeline: Lifeline | None, now: float) -> Lifeline:
    """The lifeline of a pod's record, gone on with where there is one already."""
    found = lifeline if lifeline is not None else Lifeline(record.uid)
    if found.uid != record.uid:
        found.again(record.uid, now)
    found.see(record.object, now)
    return found
