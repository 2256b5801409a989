"""Events, read and folded: what happened to one object for one reason, how often, and from when to when.

The same event is written again with a higher count, and still many Event objects say the same: those of a kubelet that
began anew, of a client that does not count. Here equal ones are one, and nothing is lost: the counts add up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from notebook_mux.ages import parse_time, utc
from notebook_mux.handles.kin import Thing, Way

MOMENTS = 64
"""Times of one fold that are kept for a time line: more dots than a lane of a screen can show apart."""

UNREADABLE = "(this event cannot be read)"

WARNING = "Warning"

_CONTAINER = "spec."
"""What the path of a container begins with, as in ``spec.containers{web}``."""


class _About(msgspec.Struct):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    fieldPath: str | None = None  # noqa: N815 - the API's names, here and below


class _Series(msgspec.Struct):
    count: int | None = None
    lastObservedTime: str | None = None  # noqa: N815


class _Source(msgspec.Struct):
    component: str | None = None
    host: str | None = None


class _Event(msgspec.Struct):
    """An event of core/v1 or of events.k8s.io/v1."""

    involvedObject: _About | None = None  # noqa: N815
    regarding: _About | None = None
    type: str | None = None
    reason: str | None = None
    message: str | None = None
    note: str | None = None
    count: int | None = None
    deprecatedCount: int | None = None  # noqa: N815
    firstTimestamp: str | None = None  # noqa: N815
    lastTimestamp: str | None = None  # noqa: N815
    deprecatedFirstTimestamp: str | None = None  # noqa: N815
    deprecatedLastTimestamp: str | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815
    series: _Series | None = None
    source: _Source | None = None
    deprecatedSource: _Source | None = None  # noqa: N815
    reportingComponent: str | None = None  # noqa: N815
    reportingController: str | None = None  # noqa: N815
    reportingInstance: str | None = None  # noqa: N815


_decode = msgspec.json.Decoder(_Event).decode


class Cause(NamedTuple):
    """What makes two events the same."""

    cluster: str
    about: Thing
    path: str
    type: str
    reason: str
    message: str

    @property
    def key(self) -> str:
        """A short text that is another one for another cause; the same in each process."""
        return hashlib.blake2b("\0".join(map(str, self)).encode("utf-8", "replace"), digest_size=9).hexdigest()


class Seen(NamedTuple):
    """One Event object, read. `times` is how often, at least once; the other times are Unix seconds."""

    cause: Cause
    name: str
    source: str
    times: int
    first: float
    last: float


def read(cluster: str, record: Any) -> Seen:
    """An event's record, read by kubectl's rules for count and times (printers.go: printEvent).

    Args:
        cluster: Where it is.
        record: A `notebook_mux.wire.frames.Record`, or anything with its fields.
    """
    try:
        event = _decode(record.object)
    except (msgspec.MsgspecError, UnicodeError):
        about = Thing("", record.namespace, record.name)
        return Seen(Cause(cluster, about, "", "", "", UNREADABLE), record.name, "", 1, *_created(record))
    named = event.involvedObject or event.regarding or _About()
    about = Thing(named.kind or "", named.namespace or "", named.name or "")
    message = (event.message or event.note or "").strip()
    cause = Cause(cluster, about, named.fieldPath or "", event.type or "", event.reason or "", message)
    first, last = _times(event, record)
    return Seen(cause, record.name, _source(event), _count(event), first, last)


def _count(event: _Event) -> int:
    count = event.series.count if event.series is not None else event.count or event.deprecatedCount
    return max(1, count or 1)


def _times(event: _Event, record: Any) -> tuple[float, float]:
    early = (event.firstTimestamp, event.deprecatedFirstTimestamp, event.eventTime, record.created)
    first = next((at for at in map(parse_time, early) if at is not None), None)
    series = event.series.lastObservedTime if event.series is not None else None
    late = (series, event.lastTimestamp, event.deprecatedLastTimestamp)
    last = next((at for at in map(parse_time, late) if at is not None), first)
    if first is None:
        first = last if last is not None else record.printed
    return first, max(first, last if last is not None else first)


def _created(record: Any) -> tuple[float, float]:
    at = parse_time(record.created)
    at = record.printed if at is None else at
    return at, at


def _source(event: _Event) -> str:
    """Who said it, as kubectl prints it: component and host."""
    source = event.source or event.deprecatedSource or _Source()
    component = source.component or event.reportingComponent or event.reportingController
    return ", ".join(filter(None, (component, source.host or event.reportingInstance)))


@dataclass(frozen=True, slots=True)
class Folded:
    """What happened to one object for one reason, however often.

    Attributes:
        cluster: The cluster's name.
        namespace: The object's; "" for what is in none.
        kind: The object's, such as ``Pod``.
        name: The object's.
        container: Of the pod, where the event is about one; else "".
        type: ``Normal`` or ``Warning``.
        reason: One word, such as ``BackOff``.
        message: The whole of it, as the cluster has it.
        count: How often: the sum over all Event objects that say the same.
        first: When first, in UTC.
        last: When last, in UTC.
        source: Who says so: component and node.
        owners: What the object belongs to, as far as that is known, the nearest first: ``("ReplicaSet/web-5d4", ...)``.
        events: The names of the Event objects.
    """

    cluster: str
    namespace: str
    kind: str
    name: str
    container: str
    type: str
    reason: str
    message: str
    count: int
    first: datetime
    last: datetime
    source: str
    owners: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def object(self) -> str:
        """As kubectl names it: ``pod/web-0``."""
        return f"{self.kind.lower()}/{self.name}" if self.kind else self.name

    @property
    def warning(self) -> bool:
        """Whether it is a warning."""
        return self.type == WARNING

    @property
    def span(self) -> timedelta:
        """From the first to the last."""
        return self.last - self.first


@dataclass(slots=True)
class Fold:
    """The Event objects of one cause. Changed by its `Folder` only."""

    cause: Cause
    parts: dict[str, Seen] = field(default_factory=dict)
    earlier: dict[str, list[float]] = field(default_factory=dict)
    """By uid: when it was said last, before it was said again; seen live."""
    _sum: tuple[int, float, float] | None = None

    @property
    def total(self) -> tuple[int, float, float]:
        """Count, first and last."""
        if self._sum is None:
            parts = self.parts.values()
            self._sum = sum(p.times for p in parts), min(p.first for p in parts), max(p.last for p in parts)
        return self._sum

    @property
    def source(self) -> str:
        """Of the newest that says who said it."""
        return max(self.parts.values(), key=lambda part: (bool(part.source), part.last)).source

    def moments(self) -> list[float]:
        """When it is known to have happened, in order; the newest `MOMENTS`."""
        found = {at for part in self.parts.values() for at in (part.first, part.last)}
        for times in self.earlier.values():
            found.update(times)
        return sorted(found)[-MOMENTS:]

    def put(self, uid: str, seen: Seen) -> None:
        """An Event object, as it is now."""
        before = self.parts.get(uid)
        if before is not None and before.last < seen.last:
            times = self.earlier.setdefault(uid, [])
            times.append(before.last)
            del times[:-MOMENTS]
        self.parts[uid] = seen
        self._sum = None

    def drop(self, uid: str) -> None:
        """An Event object that the server does not keep any more."""
        self.parts.pop(uid, None)
        self.earlier.pop(uid, None)
        self._sum = None

    def folded(self, way: Way = ()) -> Folded:
        """As data; `way` is what its object belongs to."""
        count, first, last = self.total
        cause = self.cause
        return Folded(
            cause.cluster,
            cause.about.namespace,
            cause.about.kind,
            cause.about.name,
            container_of(cause.path),
            cause.type,
            cause.reason,
            cause.message,
            count,
            utc(first),
            utc(last),
            self.source,
            tuple(f"{owner.kind}/{owner.name}" for owner in way),
            tuple(sorted(part.name for part in self.parts.values())),
        )


def container_of(path: str) -> str:
    """The container that a field's path names, as ``web`` of ``spec.containers{web}``; "" for another path."""
    if not path.startswith(_CONTAINER) or not path.endswith("}"):
        return ""
    return path.partition("{")[2][:-1]


class Folder:
    """All events of a stream, folded, kept up to date change by change. Not thread-safe.

    Each Event object is in exactly one fold, so the counts of the folds add up to those of the objects.
    """

    def __init__(self) -> None:
        self.folds: dict[Cause, Fold] = {}
        self._of: dict[tuple[str, str], Cause] = {}

    def put(self, cluster: str, record: Any) -> set[Cause]:
        """An event that is new or was said again; returns the causes whose folds have changed or gone."""
        seen = read(cluster, record)
        key = (cluster, record.uid)
        before = self._of.get(key)
        touched = {seen.cause}
        if before is not None and before != seen.cause:
            touched |= self.drop(cluster, record.uid)
        self._of[key] = seen.cause
        fold = self.folds.get(seen.cause)
        if fold is None:
            fold = self.folds[seen.cause] = Fold(seen.cause)
        fold.put(record.uid, seen)
        return touched

    def drop(self, cluster: str, uid: str) -> set[Cause]:
        """An event that has gone; returns the cause whose fold has changed or gone."""
        cause = self._of.pop((cluster, uid), None)
        if cause is None:
            return set()
        fold = self.folds[cause]
        fold.drop(uid)
        if not fold.parts:
            del self.folds[cause]
        return {cause}

    def take(self, changes: Iterable[tuple[str, str, Any, Any]]) -> set[Cause]:
        """Take in a feed's changes; returns the causes whose folds have changed or gone."""
        touched: set[Cause] = set()
        for kind, cluster, new, old in changes:
            record = new or old
            touched |= self.drop(cluster, record.uid) if kind == "DELETED" else self.put(cluster, record)
        return touched
