"""What a table shows, chosen anew: another kind, other namespaces, other clusters; and what there is to choose from.

The table stays the one of its cell: the same widget, and run again the cell sets it back. Nothing here waits on the
thread that hears a page: what is asked of a cluster is asked on a thread of its own, and the answer comes later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import msgspec

from notebook_mux import errors
from notebook_mux.errors import MuxError
from notebook_mux.filtering.judging import plain
from notebook_mux.handles.fetching import find_kind
from notebook_mux.handles.holders import streams
from notebook_mux.handles.lists import PAGE, page
from notebook_mux.handles.questions import Names, chosen_contexts
from notebook_mux.handles.refusals import OK
from notebook_mux.handles.server import Server
from notebook_mux.handles.telling import most_telling, parted
from notebook_mux.handles.waiting import blocking, gather
from notebook_mux.widgets import answering, as_code, as_filter, columns as columns_, messages
from notebook_mux.widgets.answering import Answer
from notebook_mux.widgets.base import Content, Live
from notebook_mux.widgets.order import sort_titles
from notebook_mux.widgets.rows import Rows

if TYPE_CHECKING:
    from notebook_mux.widgets.table import Table

log = logging.getLogger(__name__)

UNSET: Any = msgspec.UNSET

MOST_NAMESPACES = 10_000
"""Of one cluster, to choose from: kubernetes' own tested limit."""

NAMES_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"

LISTED = {"list", "watch"}

THREAD = "notebook_mux picker"

REOPEN_SECONDS = 10.0
"""Between two attempts to have a stream again that others have ended."""

NOTHING = {"columns": None, "sort": None, "filter": "", "group": None}
"""What a setting is that says nothing."""

Source = Callable[[], Any]


class Pickable(Live):
    """The part of a table by which what it shows is chosen, and said as code."""

    _stream: Any
    _source: Source | None
    _feed: Any
    _rows: Rows
    _title: str
    _asked_again = 0.0

    def __init__(self, **named: Any) -> None:
        self._picker = Picker(cast("Table", self))
        super().__init__(**named)

    def pick(self, kind: str | None = None, *, namespace: Names = UNSET, cluster: Names = UNSET) -> None:
        """Show another kind, other namespaces or clusters in this table, as its pickers do. Waits.

        What is left out stays as it is, and nothing at all sets it back to what its cell says, as running that cell
        does. With another kind go the selector, and of filter, sort, columns and group what speaks of columns that it
        does not have.

        Args:
            kind: As for `notebook_mux.watch`.
            namespace: The same; None is each context's own.
            cluster: The same; None is all of the manager's.

        Raises:
            MuxError: It cannot be watched so; the table shows what it did.
        """
        self._picker.pick(kind, namespace, cluster)

    def as_python(self) -> str:
        """The cell that makes this view."""
        return as_code.python(self)

    def as_kubectl(self) -> str:
        """The command that prints what this view shows; what kubectl cannot do is said in remarks below it."""
        return as_code.kubectl(self)

    def _exchange(self, stream: Any, source: Source | None) -> None:
        """Show another stream from now on."""
        with self._lock:
            running = self._feed is not None
            if running:
                self._feed.close()
            if source is not self._source:
                self._source, self._title = source, stream._words()
            self._stream = stream if running or source is None else None
            self._rows.extras.stop()
            self._rows = Rows(self._poke)
            if running:
                self._feed = stream._feed(self._poke, initial=True, what=f"table {self._name}".strip())
            for page in self._audience.pages.values():
                page.lost = True
        self._poke()

    def _reopen(self) -> None:
        """The stream was ended by others: get it anew, seldom, for it may be ended on purpose again and again."""
        now = time.monotonic()
        if now - self._asked_again < REOPEN_SECONDS:
            return
        self._asked_again = now
        assert self._source is not None
        try:
            stream = self._source()
        except Exception:  # the endpoint is closed: the head says so
            log.debug("the stream cannot be had again", exc_info=True)
            return
        if stream is not self._stream:
            self._exchange(stream, self._source)

    def _do(self, message: messages.Message, buffers: Any) -> Content | None:
        if not isinstance(message, messages.Pick | messages.Choices | messages.Code):
            return super()._do(message, buffers)
        if isinstance(message, messages.Code):
            sort = message.sort
            return {"python": as_code.python(self, sort=sort), "kubectl": as_code.kubectl(self, sort=sort)}
        do: Any = self._picker.asked if isinstance(message, messages.Pick) else self._picker.choices
        do(message, self._answerer(message))
        return None


class Picker:
    """Chooses what one table shows. Any thread may call.

    Args:
        table: Whose stream is exchanged; at the beginning it shows what its cell says.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._showing = threading.RLock()  # what is told of a table's settings may choose again
        self._asked = 0
        self._own: Source | None = None

    # --- in Python ------------------------------------------------------------------------------------------------

    def pick(self, kind: str | None, namespace: Any, cluster: Any) -> None:
        """See `Table.pick`. Waits."""
        if kind is None and namespace is UNSET and cluster is UNSET:
            self.back()
            return
        blocking(self._picked(self._begun(), kind, namespace, cluster))

    def back(self) -> None:
        """Show what the cell says again."""
        self._begun()
        with self._showing:
            own, self._own = self._own, None
            if own is not None:
                self._table._exchange(own(), own)

    # --- for a page -----------------------------------------------------------------------------------------------

    def asked(self, message: messages.Pick, answer: Answer) -> None:
        """Show what a page's user chose; answered when it is shown, or with why it is not."""
        namespace = _given(message.namespaces)
        cluster = _given(message.clusters)
        steps = self._picked(self._begun(), message.kind or None, namespace, cluster)
        answering.later(_told(steps, lambda said: {"said": said}), answer, THREAD)

    def choices(self, message: messages.Choices, answer: Answer) -> None:
        """What there is to choose from; answered when the clusters have said it."""
        steps = {"kinds": self._kinds, "namespaces": self._namespaces, "clusters": self._clusters}[message.what]()
        answering.later(_told(steps, lambda found: found), answer, THREAD)

    # --- the steps ------------------------------------------------------------------------------------------------

    def _begun(self) -> int:
        """The number of a new choice: an earlier one that comes later is not shown."""
        with self._lock:
            self._asked += 1
            return self._asked

    async def _picked(self, number: int, kind: str | None, namespace: Any, cluster: Any) -> str:
        """Watch what was chosen and show it; gives what was let go of for it, in words, or "".

        Raises:
            MuxError: It cannot be watched. The table shows what it did.
        """
        table, manager = self._table, self._manager()
        was = table.stream
        _, clusters, old_kind, namespaces, selector, fields, _ = was._source.spec
        usable = {context.alias for context in chosen_contexts(manager._identity, None)}
        names = [alias for alias, *_ in clusters]
        another = kind is not None and kind != old_kind
        stream = await manager._watch(
            kind if kind is not None else old_kind,
            (list(namespaces) or None) if namespace is UNSET else namespace,
            (None if set(names) == usable else names) if cluster is UNSET else cluster,
            # of another kind: fields are a kind's own, and labels that are not there would leave nothing to see
            None if another else selector or None,
            None if another else fields or None,
        )
        spec, described = stream._key, stream._source.described
        with self._showing:
            if number != self._asked:
                return ""
            if self._own is None:
                self._own = table._source or (lambda: was)
            let_go = _misfits(table, stream) if another else {}
            if another and (selector or fields):
                let_go["selector"] = ",".join(filter(None, (selector, fields)))
            changed = {name: NOTHING[name] for name in let_go if name in NOTHING}
            if changed:
                table.apply(**changed)
            if another:
                table._layout = None  # it was the other kind's columns'
            table._exchange(stream, lambda: manager._stream(spec, described))
            table.selected = ()
        streams.sweep()  # nobody but the table has it
        return f"{_list([f'{name} {value}' for name, value in let_go.items()])} did not fit" if let_go else ""

    async def _kinds(self) -> Content:
        """What can be listed and watched, in the clusters' order, each under a word that names it and no other."""
        manager = self._manager()
        servers = [Server(manager._identity, context) for context in chosen_contexts(manager._identity, None)]
        results = await gather([server._discover(False) for server in servers])
        came, failed = parted((server.name for server in servers), results)
        if not came:
            raise most_telling(failed)
        found: dict[str, list[Any]] = {}
        for _, served in came:
            for one in served:
                if set(one["verbs"]) >= LISTED:
                    word = _word(served, one)
                    found.setdefault(word, [word, one["kind"], one["group"], [*one["short_names"], one["singular"]]])
        return {"kinds": list(found.values()), "said": _unread(failed)}

    async def _namespaces(self) -> Content:
        """The namespaces of the clusters that are shown; the contexts' own where they may not be listed."""
        manager = self._manager()
        names = [alias for alias, *_ in self._table.stream._source.spec[1]]
        contexts = chosen_contexts(manager._identity, names)
        results = await gather([_namespaces(Server(manager._identity, context)) for context in contexts])
        came, failed = parted((context.alias for context in contexts), results)
        found = {name for _, listed in came for name in listed}
        found |= {context.namespace for context in contexts}
        return {"namespaces": sorted(found), "said": _unread(failed)}

    async def _clusters(self) -> Content:
        manager = self._manager()
        usable = {context.alias for context in chosen_contexts(manager._identity, None)}
        return {"clusters": [[name, at.state] for name, at in manager.clusters.items() if name in usable]}

    def _manager(self) -> Any:
        manager = self._table._manager
        if manager is None:
            raise errors.InvalidArgument("this stream is of no manager that could show another one")
        return manager


async def _told(steps: Coroutine[Any, Any, Any], words: Callable[[Any], Content]) -> Content:
    return {"ok": True, **words(await steps)}


def _given(names: Sequence[str] | msgspec.UnsetType | None) -> Any:
    """What a page says as an argument: none is None."""
    return names if isinstance(names, msgspec.UnsetType) else list(names or ()) or None


def _misfits(table: Table, stream: Any) -> dict[str, str]:
    """The settings that say something of columns that the new kind has not, in words."""
    columns = stream._view().columns
    if not columns:
        return {name: value for name, value in _column_settings(table).items() if value}
    before = {plain(column.title) for column in table._all_columns(table.stream._view())}
    titles = [*columns_.LEAD, *(column.title for column in table._all_columns(stream._view()))]
    after = set(map(plain, titles))
    found: dict[str, str] = {}
    wanted = [wish.title for wish in table._wishes or () if not wish.own]
    if any(title not in titles for title in wanted):
        found["columns"] = ", ".join(wanted)
    if any(title not in titles for title, _ in sort_titles(table.sort)):
        found["sort"] = table.sort or ""
    if set(as_filter.compared(table.filter)) & before - after:  # others are labels
        found["filter"] = table.filter
    if table.group == "node" and "Node" not in titles:
        found["group"] = table.group
    return found


def _column_settings(table: Table) -> dict[str, str]:
    return {
        "columns": ", ".join(wish.title for wish in table._wishes or ()),
        "sort": table.sort or "",
        "filter": table.filter,
    }


def _word(served: Sequence[Mapping[str, Any]], one: Mapping[str, Any]) -> str:
    """The shortest word that names this resource: ``deployments``, or ``pods.metrics.k8s.io`` where it is another's."""
    name = str(one["name"])
    first = find_kind(list(map(dict, served)), name)
    if (first["group"], first["name"]) == (one["group"], name) or not one["group"]:
        return name
    return f"{name}.{one['group']}"


async def _namespaces(server: Server) -> list[str]:
    """The names of a cluster's namespaces.

    Raises:
        MuxError: They may not be listed, or the cluster does not answer.
    """
    found: list[str] = []
    asked = {"limit": str(PAGE)}
    while len(found) < MOST_NAMESPACES:
        status, body = await server.request("/api/v1/namespaces", urlencode(asked), NAMES_ONLY)
        if status not in OK:
            raise errors.Forbidden("its namespaces may not be listed", cluster=server.name)
        part = page(body, 0.0)
        found += [record.name for record in part.records.values()]
        if not part.next:
            break
        asked["continue"] = part.next
    return found


def _unread(failed: Sequence[tuple[str, MuxError]]) -> str:
    return "; ".join(f"{name}: {error.what}" for name, error in failed)


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
