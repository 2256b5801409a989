"""The wait of an `expect`: watches that wake it, questions asked again now and then, and what it ends with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from notebook_mux import errors
from notebook_mux.handles.expecting import explaining, hints, workloads
from notebook_mux.handles.expecting.looks import Look, Things
from notebook_mux.handles.expecting.target import Target
from notebook_mux.handles.expecting.wish import Wish
from notebook_mux.handles.folding import Folded
from notebook_mux.handles.objects import Object
from notebook_mux.handles.source import READ_SECONDS, standing
from notebook_mux.handles.stream import Stream
from notebook_mux.handles.waiting import Alarm, Wait, deadline_in
from notebook_mux.printing.check import Check, seconds

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

ASK_SECONDS = 0.5
"""Between two questions of what no watch tells, such as rights: a person does not notice, and an API server neither."""

REST_SECONDS = 0.1
"""Between two looks at what changes all the time; a first look and the first change after a silence do not wait."""

SERVICE_LABEL = "kubernetes.io/service-name"
"""What ties endpoint slices to their service (k8s.io/api/discovery/v1/well_known_labels.go)."""

GONE = ("exists", "that it is gone")

Looks = list[tuple[str, str, Look]]
"""Of each expectation: its name, what is wanted, what is seen."""


async def check(wish: Wish, manager: Manager | None) -> Check:
    """Wait until all holds at once; a coroutine of `waiting`'s kind.

    Args:
        wish: What is expected.
        manager: None where no cluster is looked at.

    Raises:
        ExpectationFailed: It did not come to be so within the time.
        MuxError: It cannot be looked at.
    """
    began = time.monotonic()
    if wish.answer is not None:
        look = wish.answer()
        if not look.ok:
            raise _failure(wish, [("value", "the right answer", look)])
        return Check(wish.title, {"value": look.words}, {"value": look.value}, time.monotonic() - began)
    assert manager is not None
    deadline = deadline_in(wish.timeout)
    alarm = Alarm()
    views: list[_Watching] = []
    try:
        if wish.target is not None:
            views.append(await _Watching.open(manager, wish.target, alarm))
        if wish.slices and wish.target is not None:
            views.append(await _Watching.open(manager, _slices_of(wish.target), alarm))
        while True:
            looks = _look(wish, views)
            if all(look.ok for _, _, look in looks) and wish.asked:
                asked = [(one.name, one.wanted, await one.ask(manager, deadline)) for one in wish.asked]
                looks = _look(wish, views) + asked  # all must hold at once, and asking takes a while
            if all(look.ok for _, _, look in looks):
                return Check(
                    wish.title,
                    {name: look.words for name, _, look in looks},
                    {name: look.value for name, _, look in looks},
                    time.monotonic() - began,
                )
            if deadline is not None and time.monotonic() >= deadline:
                break
            await _next(alarm, deadline, bool(wish.asked), lambda: _waiting(wish, looks))  # noqa: B023 - read in it
            await _rest(deadline)
        took = time.monotonic() - began
        objects = views[0].objects() if views else []
    finally:
        for view in views:
            view.close()
    raise _failure(wish, looks, await _explained(manager, wish, objects), took)


# --- the wait ---------------------------------------------------------------------------------------------------------


class _Watching:
    """A watch of the target's objects that wakes who waits. Each object is decoded once for each of its states."""

    def __init__(self, stream: Stream, alarm: Alarm) -> None:
        self._source = stream._source
        self._stream = stream  # which lets its watch go with its last reference
        self._feed = self._source.held_feed(alarm.ring, False, "expect")
        self._forget = self._source.on_close(alarm.ring)
        self._known: dict[tuple[str, str], tuple[str, Object]] = {}

    @classmethod
    async def open(cls, manager: Manager, target: Target, alarm: Alarm) -> _Watching:
        """Watch it."""
        stream = await manager._watch(
            target.kind, target.namespace, target.cluster, target.selector or None, target.fields or None, READ_SECONDS
        )
        return cls(stream, alarm)

    def objects(self) -> list[Object]:
        """All that are there now."""
        self._feed.drain()
        view = self._source.view()
        if view.closed:
            raise errors.Closed(f"the stream of {self._source.words} was closed during the wait")
        known: dict[tuple[str, str], tuple[str, Object]] = {}
        for cluster, records in view.records.items():
            resource = view.states[cluster].resource
            for uid, record in sorted(records.items(), key=lambda item: (item[1].namespace, item[1].name)):
                before = self._known.get((cluster, uid))
                if before is None or before[0] != record.version:
                    before = (record.version, Object.of(record, cluster, resource))
                known[cluster, uid] = before
        self._known = known
        return [obj for _, obj in known.values()]

    def unread(self) -> str:
        """Why what it shows may not be what is there now; "" where it is live on each cluster."""
        view = self._source.view()
        if all(state.synced and state.state == "live" for state in view.states.values()):
            return ""
        return f"{self._source.words} cannot be read now: {standing(view)}"

    def close(self) -> None:
        """Let it go."""
        self._forget()
        self._feed.close()


def _slices_of(service: Target) -> Target:
    return Target(
        f"endpoint slices of {service.words}",
        "endpointslices.discovery.k8s.io",
        "",
        service.namespace,
        service.cluster,
        f"{SERVICE_LABEL}={service.name}",
    )


def _look(wish: Wish, views: Sequence[_Watching]) -> Looks:
    if wish.target is None:
        return []
    unread = next((words for view in views if (words := view.unread())), "")
    if unread:  # nothing is said of what is not known: what is not shown may be there
        wanted = [(one.name, one.wanted) for one in wish.watched] or [GONE]
        return [(name, words, Look(False, unread, None)) for name, words in wanted]
    there, *others = [view.objects() for view in views]
    if wish.gone:
        names = ", ".join(one.name for one in there[:3])
        words = "it is not there" if not there else f"{names} {'is' if len(there) == 1 else 'are'} there"
        return [(*GONE, Look(not there, words, len(there)))]
    if wish.target.name and (missing := _missing(wish.target, there)):
        return [(one.name, one.wanted, Look(False, missing, None)) for one in wish.watched]
    things = Things(there, *others)
    return [(one.name, one.wanted, one.look(things)) for one in wish.watched]


def _missing(target: Target, there: Sequence[Object]) -> str:
    """That it is nowhere, or not in one of the clusters that were named; "" where it is."""
    if not there:
        return "it is not there"
    named = target.cluster if not isinstance(target.cluster, str) else ()
    lacking = [name for name in named or () if name not in {one.cluster for one in there}]
    return f"it is not in {', '.join(lacking)}" if lacking else ""


async def _next(alarm: Alarm, deadline: float | None, asks: bool, words: Any) -> None:
    """Until something changes, it is time to ask again, or the deadline has come."""
    until = deadline
    if asks:
        soon = time.monotonic() + ASK_SECONDS
        until = soon if deadline is None else min(soon, deadline)
    try:
        await Wait(alarm.future(), deadline=until, what=words)
    except errors.TimedOut:
        pass


async def _rest(deadline: float | None) -> None:
    until = time.monotonic() + REST_SECONDS
    never: Future[None] = Future()
    try:
        await Wait(never, deadline=until if deadline is None else min(until, deadline))
    except errors.TimedOut:
        pass


def _waiting(wish: Wish, looks: Looks) -> str:
    wrong = [f"expected {wanted}, {look.words}" for _, wanted, look in looks if not look.ok]
    return f"waiting for {wish.title}: {'; '.join(wrong)}"


# --- that it did not come ---------------------------------------------------------------------------------------------


class _Explained(NamedTuple):
    """What explains a failure: pods that do not run, warnings, and what to do about a name that is not there."""

    pods: Sequence[str] = ()
    warnings: Sequence[Folded] = ()
    near: str = ""


NOTHING = _Explained()


async def _explained(manager: Manager, wish: Wish, objects: Sequence[Object]) -> _Explained:
    """What can be read of it; a coroutine of `waiting`'s kind."""
    if wish.target is None or wish.gone:
        return NOTHING
    near = "" if objects or wish.target.several else await explaining.near(manager, wish.target)
    pods = await explaining.pods(manager, _unready(objects) if wish.target.several else objects)
    return _Explained(pods, await explaining.warnings(manager, wish.target), near)


def _unready(objects: Sequence[Object]) -> list[Object]:
    return [one for one in objects if (at := workloads.standing(one)).ready < at.wanted]


def _failure(wish: Wish, looks: Looks, explained: _Explained = NOTHING, took: float = 0.0) -> errors.ExpectationFailed:
    wrong = [(wanted, look.words) for _, wanted, look in looks if not look.ok]
    waited = f" (waited {seconds(took)})" if took >= 1 else ""
    seen = "; ".join(dict.fromkeys(words for _, words in wrong))
    what = f"{wish.title}: expected {' and '.join(wanted for wanted, _ in wrong)}, but {seen}{waited}"
    if wish.answer is not None:
        what = f"{wish.title}: {seen}"
    hint = hints.next_of(wish.key, wish.hints)
    error = errors.ExpectationFailed(what, todo=explained.near or None)
    error.seen = {name: look.value for name, _, look in looks}
    error.events = list(explained.warnings)
    error.hint = hint.text if hint is not None else None
    error.hints_left = hint.of - hint.number if hint is not None else 0
    error.details = [f"✓ {look.words}" for _, _, look in looks if look.ok]
    error.details += explained.pods
    if explained.warnings:
        error.details += ["warnings, the newest last:", *(f"  {explaining.told(one)}" for one in explained.warnings)]
    if hint is not None:
        error.details.append(hint.line)
    return error
