"""Events as a widget: what happened on a time line, beside the pods' states, and below it as a list."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from notebook_mux import clocks
from notebook_mux.ages import human_duration
from notebook_mux.errors import MuxError
from notebook_mux.handles.folding import Cause, Fold, Folder, container_of
from notebook_mux.handles.kin import Thing, Way
from notebook_mux.handles.lifelines import Lifeline
from notebook_mux.handles.readers import scopes
from notebook_mux.handles.waiting import in_thread
from notebook_mux.widgets import answering, html, messages
from notebook_mux.widgets.base import Content, Draft, Live
from notebook_mux.widgets.heads import standings
from notebook_mux.widgets.rows import Key, Rows

if TYPE_CHECKING:
    from notebook_mux.handles.events import Events

log = logging.getLogger(__name__)

CHANGE_INTERVAL = 0.2
"""Seconds between two messages: nobody reads events faster, and a list that jumps twenty times a second not at all."""

EVENT, POD, OWNERS = 0, 1, 2
"""What a row is, in its third place."""

MESSAGE = 2000
"""Characters of a message that a page gets; an API server takes 1,024, and some controllers write more."""

REASON = 128
"""Characters of a reason, as the API server allows."""

TAKEN = 1500
"""Changes taken in at a time, which is a tenth of a second: other widgets are sent to by the same thread."""

SETTLE_SECONDS = 2.0
"""How often the notes on what cannot be read are looked at, which nothing tells of."""

COPIED = ("Last seen", "Type", "Count", "Object", "Reason", "Message")

_encode = msgspec.json.Encoder().encode


class EventRows(Rows):
    """What pages lack of folded events, pods' states and owners; see `rows.Rows`. Keys are made of what they name."""

    latest: dict[Key, bytes]  # type: ignore[assignment]  # a row is the whole of it, encoded

    def put(self, key: Key, row: bytes) -> None:
        """A row as it is now."""
        if self.latest.get(key) != row:
            self.latest[key] = row
            self._dirty[key] = True

    def drop(self, key: Key) -> None:
        """A row that has gone."""
        if self.latest.pop(key, None) is not None:
            self._dirty[key] = True

    def row(self, key: Key, record: Any, *, change: bool = False, hasty: bool = False) -> bytes:
        """One row."""
        encoded: bytes = record
        return encoded


class EventsView(Live):
    """The live view of events; a notebook shows `Events` by it."""

    kind: ClassVar[str] = "events"
    interval: ClassVar[float] = CHANGE_INTERVAL

    def __init__(self, events: Events, key: object) -> None:
        self._events = events
        self._feed: Any = None
        self._leave: Callable[[], None] | None = None
        self._begin()
        super().__init__(key=key)
        self._forget = events._source.on_close(self._ended)

    def _begin(self) -> None:
        self._folder = Folder()
        self._waiting: deque[Any] = deque()
        self._rows = EventRows()
        self._head: Content = {}
        self._clusters: dict[str, int] = {}
        self._about: dict[tuple[str, Thing], int] = {}
        self._lines = 0
        self._kin = -1

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def events(self) -> Events:
        """What is shown."""
        return self._events

    def __repr__(self) -> str:
        return f"<EventsView of {self._events!r}>"

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._begin()
        try:
            self._feed = self._events._feed(self._poke, initial=True)
            self._leave = self._events._source.family.join(self._poke)
        except MuxError:
            log.debug("the events cannot be had", exc_info=True)  # closed: the head says so

    def _stop(self) -> None:
        self._leave_off()
        self._begin()

    def _leave_off(self) -> None:
        """Read no more; what was read stays."""
        feed, self._feed = self._feed, None
        leave, self._leave = self._leave, None
        if feed is not None:
            feed.close()
        if leave is not None:
            leave()

    def _compose(self, everything: list[str]) -> Draft | None:
        view = self._events._view()
        rows = self._rows
        self._clusters = {name: index for index, name in enumerate(view.states)}
        if view.closed or self._events.closed:
            self._leave_off()
        if self._feed is not None:
            self._waiting.extend(self._feed.drain())
            self._events._source.family.refresh()
        changes = [self._waiting.popleft() for _ in range(min(TAKEN, len(self._waiting)))]
        self._put_events(self._folder.take(changes))
        self._put_pods()
        self._put_owners()
        head = self._head_of(view)
        content: Content = {"t": "put"}
        if everything:
            rows.rewind(everybody=len(everything) == len(self._audience.pages))
        if everything or head != self._head:
            content["head"] = self._head = head
        if not rows.pending and "head" not in content:
            return None
        buffers = [rows.delta()]
        if rows.sending_all:
            part, index, last = rows.part()
            content["whole"] = {"to": self._audience.telling, "part": index, "last": last}
            buffers.append(part)
        # what comes then is no news, for it was there before
        content["more"] = bool(self._waiting) or rows.pending
        self._audience.whole = rows.sending_all
        return content, buffers

    def _later(self) -> float:
        return 0.0 if self._rows.pending or self._waiting else SETTLE_SECONDS

    def _put_events(self, touched: Iterable[Cause]) -> None:
        for cause in touched:
            cluster = self._clusters.setdefault(cause.cluster, len(self._clusters))
            key = (cluster, cause.key)
            about = (cause.cluster, cause.about)
            fold = self._folder.folds.get(cause)
            known = key in self._rows.latest
            if fold is None:
                self._rows.drop(key)
                self._count(about, -int(known))
            else:
                self._rows.put(key, _event_row(cluster, fold))
                self._count(about, int(not known))

    def _count(self, about: tuple[str, Thing], more: int) -> None:
        """How many folds there are of an object: pods' states are shown where something happened, or all are meant."""
        now = self._about.get(about, 0) + more
        family = self._events._source.family
        if now > 0:
            self._about[about] = now
        else:
            self._about.pop(about, None)
        if not more or now > 1:
            return
        self._kin = -1  # its owners are to be told, or not any more
        if family.everything and about in family.lifelines:
            self._put_pod(about, family.lifelines[about])
        if now <= 0 and (family.everything or about not in family.lifelines):
            self._rows.drop(_owners_key(self._clusters[about[0]], about[1]))

    def _put_pods(self) -> None:
        family = self._events._source.family
        if self._lines == family.lines:
            return
        since, self._lines = self._lines, family.lines
        for about, touched in list(family.touched.items()):
            line = family.lifelines.get(about)
            if touched > since and line is not None:
                self._put_pod(about, line)

    def _put_pod(self, about: tuple[str, Thing], line: Lifeline) -> None:
        cluster, thing = about
        index = self._clusters.setdefault(cluster, len(self._clusters))
        key = (index, f"pod {thing.namespace}/{thing.name}")
        if self._events._source.family.everything and about not in self._about:
            self._rows.drop(key)
            return
        self._kin = -1
        self._rows.put(key, _pod_row(index, key[1], thing, line))

    def _put_owners(self) -> None:
        family = self._events._source.family
        if self._kin == family.version:
            return
        self._kin = family.version
        pods = {} if family.everything else family.lifelines
        for cluster, thing in {**self._about, **dict.fromkeys(pods, 0)}:
            index = self._clusters.setdefault(cluster, len(self._clusters))
            way = family.way(cluster, thing)
            if way:
                key = _owners_key(index, thing)
                self._rows.put(key, _owners_row(*key, thing, way))

    def _head_of(self, view: Any) -> Content:
        several_clusters, several_namespaces = scopes(view)
        return {
            "title": self._events._words(),
            "clusters": standings(view),
            "several": [several_clusters, several_namespaces],
            "notes": self._events.notes if not self._events.closed else [],
            "closed": view.closed or self._events.closed,
        }

    # --- from the pages -------------------------------------------------------------------------------------------

    def _do(self, message: messages.Message, buffers: Any) -> Content | None:
        if isinstance(message, messages.Around):
            self._look_around(message)
            return None
        return super()._do(message, buffers)

    def _look_around(self, message: messages.Around) -> None:
        """Read what the event's pod wrote then; answered when the cluster has answered.

        Raises:
            ValueError: There is no such event any more, or it is of no pod.
        """
        with self._lock:
            names = {index: name for name, index in self._clusters.items()}
            index, key = message.key
            fold = next(
                (
                    fold
                    for cause, fold in self._folder.folds.items()
                    if cause.key == key and cause.cluster == names.get(index)
                ),
                None,
            )
        if fold is None or fold.cause.about.kind != "Pod":
            raise ValueError("there is no such event of a pod here any more")
        cause, at = fold.cause, fold.total[2]
        answer = self._answerer(message)

        def read() -> None:
            try:
                lines, said = self._events._log_around(cause, at)
            except (ValueError, MuxError) as error:
                answer({"ok": False, "error": str(error)})
            except Exception as error:  # the page waits for an answer
                log.exception("the log around an event could not be read")
                answer({"ok": False, "error": answering.unforeseen(error)})
            else:
                answer({"ok": True, "lines": lines, "said": said})

        in_thread(read, "notebook_mux log")

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Do) and message.what == "retry":
            self._events._source.owner.retry()  # type: ignore[attr-defined]  # a manager, where it has pages
            return {"said": "trying again now"}
        return super()._act(message)

    # --- the end --------------------------------------------------------------------------------------------------

    def _ended(self) -> None:
        """The events were closed: by their user, who still sees the last of them, or with their manager."""
        if getattr(self._events._source.owner, "_closed", False):
            self.close()
        else:
            self._poke()

    def close(self) -> None:
        """End the view; the events go on. Idempotent."""
        forget = self.__dict__.get("_forget")
        if forget is not None:
            forget()
        super().close()

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of: the newest first."""
        now = time.time()
        view = self._events._view()
        several_clusters, several_namespaces = scopes(view)
        moments = clocks.moments(view.states, now)
        folder = Folder()
        for cluster, records in view.records.items():
            for record in records.values():
                folder.put(cluster, record)
        folds = sorted(folder.folds.values(), key=lambda fold: (-fold.total[2], fold.cause))
        lead = [*(["Cluster"] if several_clusters else []), *(["Namespace"] if several_namespaces else [])]
        rows = []
        for fold in folds[: html.MAX_ROWS]:
            cause = fold.cause
            before = [cause.cluster] * several_clusters + [cause.about.namespace] * several_namespaces
            count, first, last = fold.total
            over = f"{count} over {human_duration(last - first)}" if count > 1 else "1"
            ago = human_duration(moments.get(cause.cluster, now) - last)
            rows.append([*before, ago, cause.type, over, cause.about.words, cause.reason, cause.message])
        states = [
            html.standing(name, state.state, state.reason, state.said, state.fresh)
            for name, state in view.states.items()
            if several_clusters or state.state != "live"
        ]
        if not self._events.closed:
            states += self._events.notes
        return {
            "key": self._copy_id,
            "title": self._events._words(),
            "states": states,
            "columns": [*lead, *COPIED],
            "rows": rows,
            "total": len(folds),
            "now": now,
        }


def _event_row(cluster: int, fold: Fold) -> bytes:
    """A row of what happened; times in Unix seconds.

    ``[cluster, key, EVENT, namespace, kind, name, container, type, reason, message, count, first, last, moments,
    source, objects]``
    """
    cause = fold.cause
    count, first, last = fold.total
    about = cause.about
    message = cause.message if len(cause.message) <= MESSAGE else cause.message[:MESSAGE] + "…"
    moments = [round(at, 3) for at in fold.moments()]
    return _encode(
        (
            cluster, cause.key, EVENT, about.namespace, about.kind, about.name, container_of(cause.path), cause.type,
            cause.reason[:REASON], message, count, first, last, moments, fold.source, len(fold.parts),
        )
    )  # fmt: skip


def _pod_row(cluster: int, key: str, pod: Thing, line: Lifeline) -> bytes:
    """``[cluster, key, POD, namespace, kind, name, [[since, state, words], ...], [[at, what, words], ...], end]``."""
    stretches = [(round(one.since, 3), one.state, one.words) for one in line.stretches]
    return _encode((cluster, key, POD, pod.namespace, pod.kind, pod.name, stretches, line.marks, line.end))


def _owners_key(cluster: int, thing: Thing) -> Key:
    return cluster, f"own {thing.kind} {thing.namespace}/{thing.name}"


def _owners_row(cluster: int, key: str, thing: Thing, way: Way) -> bytes:
    """``[cluster, key, OWNERS, namespace, kind, name, [[kind, name], ...]]``, the nearest owner first."""
    owners = [(one.kind, one.name) for one in way]
    return _encode((cluster, key, OWNERS, thing.namespace, thing.kind, thing.name, owners))
