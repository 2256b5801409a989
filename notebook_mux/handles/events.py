"""``nm.events``: what happened to a target and to all that belongs to it, folded, as data and as a view."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from notebook_mux import errors
from notebook_mux.handles.entries import Described, Entry
from notebook_mux.handles.event_source import EventSource
from notebook_mux.handles.family import Asked, Family
from notebook_mux.handles.fetching import EVERYWHERE, fetch_list, fetch_one
from notebook_mux.handles.folding import Cause, Folded, Folder, container_of, read
from notebook_mux.handles.holders import streams
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.kin import Kin, Thing
from notebook_mux.handles.log_around import Around, around
from notebook_mux.handles.objects import Object
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts, failure_of, question
from notebook_mux.handles.selectors import field_selector
from notebook_mux.handles.server import Server
from notebook_mux.handles.source import READ_SECONDS
from notebook_mux.handles.stream import Stream
from notebook_mux.handles.targets import HOW as TO_RUN_IN, Named, named, selector_of
from notebook_mux.handles.telling import most_telling
from notebook_mux.handles.waiting import awaiting, gather

if TYPE_CHECKING:
    import pandas as pd

    from notebook_mux.handles.manager import Manager
    from notebook_mux.widgets.events import EventsView

EVENTS = "events"

HOW = "write 'web-0', 'deploy/web', 'node/n1' or 'app=web', or give an object or a row; None is all of the namespace"

UNPLACED = ("default",)
"""Where the events of what is in no namespace are (kubernetes/pkg/apis/core/validation/events.go)."""

CONTROLLERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController")
"""What has pods of its own, and says by a selector which they are."""

JOB_LABEL = "job-name"
"""What each pod of a job has; cron jobs have no selector."""


class Target(NamedTuple):
    """Whose events are asked for, on one cluster.

    Attributes:
        context: The cluster's.
        kind: Such as ``Deployment``; "" for pods by a selector.
        namespaced: Whether it is in a namespace.
        found: The objects of that name, in whichever namespaces.
        error: Why there are none.
    """

    context: Context
    kind: str
    namespaced: bool
    found: tuple[Object, ...] = ()
    error: errors.MuxError | None = None


class Events(Stream):
    """The events of a target, live, and folded. Made by `notebook_mux.events`; the same arguments give the same one.

    All that `Stream` has is of the events as the server prints them, in the order of time. A notebook shows it as a
    time line of the events beside the pods' states, with a list below.
    """

    def __init__(self, source: EventSource, callbacks: Any, key: Any) -> None:
        self._shown: EventsView | None = None
        self._views: weakref.WeakSet[EventsView] = weakref.WeakSet()
        self._source: EventSource
        self._times: dict[tuple[str, str], tuple[str, float]] = {}
        super().__init__(source, callbacks, key)

    @property
    def folded(self) -> list[Folded]:
        """What happened, each thing once with its count and its first and last time; the newest last.

        Events of one object with one reason and one message are one, of however many Event objects.
        """
        view = self._ready()
        folder = Folder()
        for cluster, records in view.records.items():
            for record in records.values():
                folder.put(cluster, record)
        family = self._source.family
        folds = sorted(folder.folds.values(), key=lambda fold: (fold.total[2], fold.total[1], fold.cause))
        return [fold.folded(family.way(fold.cause.cluster, fold.cause.about)) for fold in folds]

    @property
    def notes(self) -> list[str]:
        """What limits what is shown: streams that cannot be read and tell who belongs to the target. Never waits."""
        return self._source.family.notes

    def df(self, text: bool = False, folded: bool = False) -> pd.DataFrame:
        """The events as a pandas DataFrame.

        Args:
            text: As for `Stream.df`: cells as the server prints them.
            folded: One row for each of `folded`, with the index cluster, namespace, object: Count an integer, First
                and Last in UTC, Over a timedelta.

        Raises:
            InvalidArgument: pandas is not installed.
        """
        if not folded:
            return super().df(text)
        from notebook_mux.printing.event_frame import frame

        return frame(self.folded, text=text)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _entries(self, view: Any) -> list[Entry]:
        """In the order of time, as ``kubectl events`` has it; read once for each state of an event."""
        known = self._ordered
        if known is None or known[0] is not view:
            times: dict[tuple[str, str], tuple[str, float]] = {}
            for cluster, records in view.records.items():
                for uid, record in records.items():
                    before = self._times.get((cluster, uid))
                    if before is None or before[0] != record.version:
                        before = (record.version, read(cluster, record).last)
                    times[cluster, uid] = before
            self._times = times
            entries = [
                Entry(cluster, record) for cluster, records in view.records.items() for record in records.values()
            ]
            entries.sort(key=lambda entry: (times[entry.cluster, entry.record.uid][1], entry.record.name))
            known = self._ordered = (view, entries)
        return known[1]

    def _log_around(self, cause: Cause, at: float) -> Around:
        """What the pod of an event wrote around `at`; waits, in a thread without a loop.

        Raises:
            MuxError: It cannot be read.
        """
        identity: Identity = self._source.owner._identity  # type: ignore[attr-defined]  # a manager's
        [context] = chosen_contexts(identity, cause.cluster)
        # without a word in a cell's output: a page asked, and no cell
        return asyncio.run(awaiting(around(identity, context, cause.about, container_of(cause.path), at)))

    # --- in a notebook ------------------------------------------------------------------------------------------------

    def _view_of(self) -> EventsView:
        if self._shown is None or self._shown.closed:
            self._shown = self._viewed(self._key)
        return self._shown

    def _viewed(self, key: Any = None) -> EventsView:
        """A view; without a key it is one of any number."""
        from notebook_mux.widgets.events import EventsView

        view = EventsView(self, key)
        self._views.add(view)
        return view

    @property
    def _uncounted(self) -> int:  # type: ignore[override]
        return len(self._views)  # a view's reference is no person's

    def _ipython_display_(self) -> None:
        """Show it as a widget, with its static copy beside it."""
        if self.closed:
            raise NotImplementedError  # IPython takes the next way to show it
        self._view_of()._ipython_display_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self.closed:
            return {"text/plain": repr(self)}
        return self._view_of()._repr_mimebundle_(include=include, exclude=exclude)


# --- from the call ----------------------------------------------------------------------------------------------------


async def open_(manager: Manager, target: Any, warnings: Any, namespace: Names, cluster: Names) -> Events:
    """See `api.events`. A coroutine of `waiting`'s kind."""
    if not isinstance(warnings, bool):
        raise errors.InvalidArgument(f"warnings={warnings!r}", todo="True: only warnings; False: all events")
    identity = manager._identity
    if target is None:
        wanted, targets = None, []
        namespaces = _places(identity, checked_namespaces(namespace), cluster)
    else:
        wanted = about(target, namespace, cluster)
        cluster = wanted.cluster
        namespaces = _places(identity, checked_namespaces(wanted.namespace), cluster)
        targets = await _kinds_of(identity, wanted)
    key = _key(identity, wanted, targets, warnings, namespaces, cluster)
    # by its key, and not by its class: a reload of this module has another one
    known = cast("Events | None", next((one for one in streams.all() if one._key == key), None))
    if known is None:
        if wanted is not None and wanted.kind:
            targets = await _looked_up(identity, wanted, targets, namespaces)
            if namespaces == EVERYWHERE and not any(one.found for one in targets):
                _raise_missing(targets)  # and nobody knows in which namespace its events would be
        known = _opened(manager, key, wanted, targets, warnings, namespaces, cluster)
    view = await known._source.settle(READ_SECONDS)
    _raise_failure(known, view)
    if targets and all(one.error is not None for one in targets) and not any(view.records.values()):
        known.close()
        _raise_missing(targets)
    return known


def _places(identity: Identity, namespaces: tuple[str, ...], cluster: Names) -> tuple[str, ...]:
    """The namespaces; () where they are what each context has anyway: an object says where it is, and is the same."""
    own = {(context.namespace or "default",) for context in chosen_contexts(identity, cluster)}
    return () if own == {namespaces} else namespaces


def _raise_missing(targets: Sequence[Target]) -> None:
    raise most_telling([(one.context.alias, one.error) for one in targets if one.error is not None])


def _raise_failure(events: Events, view: Any) -> None:
    failed = [(name, failure_of(name, state, EVENTS)) for name, state in view.states.items()]
    definite = [(name, error) for name, error in failed if error is not None]
    if failed and len(definite) == len(failed):
        events.close()
        raise most_telling(definite)


def about(target: Any, namespace: Names, cluster: Names) -> Named:
    """A target taken apart; as `targets.named`, and a row that a table's `selected` has, too.

    Raises:
        InvalidArgument: It is no target.
    """
    if isinstance(target, Mapping) and isinstance(
        target.get("involvedObject"), Mapping
    ):  # an event: of what it is about
        named_there = target["involvedObject"]
        kind, name = str(named_there.get("kind") or ""), str(named_there.get("name") or "")
        return Named(kind, name, named_there.get("namespace") or namespace, getattr(target, "cluster", "") or cluster)
    if not isinstance(target, str | Mapping):  # a row that is selected in a table, or what is folded here
        kind, name, where, which = (getattr(target, key, "") for key in ("kind", "name", "namespace", "cluster"))
        if isinstance(kind, str) and isinstance(name, str) and kind and name:
            return Named(kind, name, where or namespace, which or cluster)
    try:
        return named(target, namespace, cluster)
    except errors.InvalidArgument as error:
        what = error.what.replace("that a program could run in", "that could have events")
        raise errors.InvalidArgument(what, todo=HOW if error.todo == TO_RUN_IN else error.todo) from None


async def _kinds_of(identity: Identity, wanted: Named) -> list[Target]:
    """What the kind is called on each cluster; those that have no such kind are left out if others have it."""
    contexts = chosen_contexts(identity, wanted.cluster)
    if not wanted.kind:
        return [Target(context, "", True) for context in contexts]
    found = await gather([Server(identity, context).resource(wanted.kind) for context in contexts])
    targets, failed = [], []
    for context, resource in zip(contexts, found, strict=True):
        if isinstance(resource, errors.MuxError):
            failed.append((context.alias, resource))
        elif isinstance(resource, Exception):
            raise resource
        else:
            targets.append(Target(context, resource["kind"], resource["namespaced"]))
    if not targets:
        raise most_telling(failed)
    return targets


async def _looked_up(
    identity: Identity, wanted: Named, targets: Sequence[Target], namespaces: tuple[str, ...]
) -> list[Target]:
    """Read the target on each cluster. One that is not there, or may not be read, may have events all the same."""
    found = await gather([_objects(Server(identity, one.context), wanted, namespaces) for one in targets])
    looked = []
    for target, result in zip(targets, found, strict=True):
        if isinstance(result, errors.MuxError):
            looked.append(target._replace(error=result))
        elif isinstance(result, Exception):
            raise result
        else:
            looked.append(target._replace(found=result))
    return looked


async def _objects(server: Server, wanted: Named, namespaces: tuple[str, ...]) -> tuple[Object, ...]:
    """The objects of that name, in whichever namespaces."""
    try:
        return (await fetch_one([server], wanted.kind, wanted.name, namespaces),)
    except errors.Ambiguous:
        field = field_selector({"metadata.name": wanted.name})
        listed = await fetch_list([server], wanted.kind, namespaces, "", field, Described(wanted.kind, "", ""))
        return tuple(listed.objects)


# --- what is watched --------------------------------------------------------------------------------------------------


def _key(
    identity: Identity, wanted: Named | None, targets: Sequence[Target], warnings: bool, *where: Any
) -> tuple[Any, ...]:
    """What makes two calls the same. It begins as a stream's spec does: whose connection, which clusters."""
    namespaces, cluster = where
    contexts = [one.context for one in targets] or chosen_contexts(identity, cluster)
    clusters = tuple((c.alias, c.ref, c.namespace) for c in contexts)
    what = None if wanted is None else (tuple(sorted({one.kind for one in targets})), wanted.name)
    return (identity.connection, clusters, EVENTS, namespaces, what, warnings, identity.user)


def _opened(
    manager: Manager,
    key: tuple[Any, ...],
    wanted: Named | None,
    targets: Sequence[Target],
    warnings: bool,
    namespaces: tuple[str, ...],
    cluster: Names,
) -> Events:
    identity = manager._identity
    there = [one for one in targets if one.found] or list(targets)
    names: Names = [one.context.alias for one in there] or cluster
    if there and not any(one.namespaced for one in there):
        namespaces = namespaces or UNPLACED
    elif namespaces == EVERYWHERE and wanted is not None and wanted.kind:
        namespaces = tuple(sorted({found.namespace for one in there for found in one.found}))
    fields = {"type": "Warning"} if warnings else {}
    asked = _asked(identity, wanted, there, namespaces, names)
    if wanted is not None and wanted.kind and _alone(there):
        fields = {"involvedObject.kind": there[0].kind, "involvedObject.name": wanted.name, **fields}
    spec, described = question(identity, EVENTS, namespaces or None, names, None, field_selector(fields) or None)
    kin = {c.alias: Kin() for c in chosen_contexts(identity, names)}
    if wanted is not None:
        kin = {one.context.alias: Kin(_roots(wanted, one, namespaces)) for one in there}
    what = "warnings" if warnings else "events"
    where = f"{described.where}{_clusters(identity, kin)}"
    words = f"{what} in {where}" if wanted is None else f"{what} of {_target_words(wanted, there)} in {where}"
    if there and not any(one.namespaced for one in there):
        words = f"{what} of {_target_words(wanted, there)}{_clusters(identity, kin)}"

    def source() -> EventSource:
        return EventSource(manager, spec, described, words, Family(manager, kin, asked))

    def events(source: Any) -> Events:
        return Events(source, manager._callbacks, key)

    return cast(Events, streams.get(key, source, events))


def _clusters(identity: Identity, kin: Mapping[str, Any]) -> str:
    return f" of {', '.join(kin)}" if len(identity.contexts) > 1 else ""


def _target_words(wanted: Named | None, targets: Sequence[Target]) -> str:
    if wanted is None or not wanted.kind:
        return wanted.words if wanted is not None else ""
    return f"{targets[0].kind.lower()}/{wanted.name}"


def _alone(targets: Sequence[Target]) -> bool:
    """Whether it is of a kind that nothing belongs to, the same on each cluster: then the server can choose."""
    kinds = {one.kind for one in targets}
    return len(kinds) == 1 and not kinds & {*CONTROLLERS, "CronJob", "Service"}


def _roots(wanted: Named, target: Target, namespaces: tuple[str, ...]) -> list[Thing]:
    if not wanted.kind:
        return []
    if target.found:
        return [Thing(target.kind, one.namespace, one.name) for one in target.found]
    if not target.namespaced:
        return [Thing(target.kind, "", wanted.name)]
    places = namespaces or (target.context.namespace or "default",)
    return [Thing(target.kind, place, wanted.name) for place in places if place != "*"]


def _asked(
    identity: Identity, wanted: Named | None, targets: Sequence[Target], namespaces: tuple[str, ...], names: Names
) -> list[Asked]:
    """The streams that tell who belongs to the target, and what became of its pods."""

    def ask(
        kind: str, word: str, place: Any, alias: Any, labels: str = "", fields: str = "", chosen: bool = False
    ) -> Asked:
        spec, _ = question(identity, word, place, alias, labels or None, fields or None)
        return Asked(spec, kind, chosen)

    every = namespaces or None
    if wanted is None:
        return [ask(kind, word, every, names) for kind, word in (("ReplicaSet", "replicasets"), ("Pod", "pods"))]
    if not wanted.kind:
        return [ask("Pod", "pods", every, [one.context.alias for one in targets], wanted.name, chosen=True)]
    found: list[Asked] = []
    for one in targets:
        place = sorted({each.namespace for each in one.found}) or every
        alias = one.context.alias
        selector = selector_of(one.found[0]) if len(one.found) == 1 else ""
        if one.kind == "Deployment":
            found.append(ask("ReplicaSet", "replicasets", place, alias, selector))
        if one.kind == "CronJob":
            found += [ask("Job", "jobs", place, alias), ask("Pod", "pods", place, alias, JOB_LABEL)]
        elif one.kind in CONTROLLERS:
            found.append(ask("Pod", "pods", place, alias, selector))
        elif one.kind == "Service" and selector:
            found.append(ask("Pod", "pods", place, alias, selector, chosen=True))
        elif one.kind == "Pod":
            fields = field_selector({"metadata.name": wanted.name})
            found.append(ask("Pod", "pods", place, alias, fields=fields))
    return found
