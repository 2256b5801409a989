"""Reading a stream or a snapshot: rows, objects, one object by its name, a data frame."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from notebook_mux import ages, clocks
from notebook_mux.errors import Ambiguous, NotFound, UnknownContext
from notebook_mux.filtering import Column
from notebook_mux.handles.entries import Entry, scopes, unique_titles
from notebook_mux.handles.objects import Object
from notebook_mux.printing import cells, dataframe, shown
from notebook_mux.printing.rows import Header, Row, Rows, Source, kind_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "NEAR_NAMES",
    "ClusterView",
    "Clusters",
    "Entry",
    "Key",
    "Readers",
    "cluster_view",
    "scopes",
    "unique_titles",
]

D = TypeVar("D")

NEAR_NAMES = 4
"""How many near names an error offers."""

Key = str | tuple[str, str] | tuple[str, str, str]
"""A name, "namespace/name", (namespace, name) or (cluster, namespace, name)."""


class ClusterView(NamedTuple):
    """How one cluster of a stream stands.

    Attributes:
        state: ``"connecting" "live" "stale" "login" "forbidden" "unreachable" "closed"``.
        reason: Why, in words; "" where all is well.
        since: Since when.
        retry_at: When it is tried again by itself, if it is.
        synced: Whether it has had a complete list.
    """

    state: str
    reason: str
    since: datetime
    retry_at: datetime | None
    synced: bool


C = TypeVar("C")


class Clusters(dict[str, C], Generic[C]):
    """Clusters by name; a name that is not there gets an error with those that are."""

    def __missing__(self, name: str) -> C:
        raise UnknownContext(
            f"there is no cluster {name!r} here", todo=f"one of: {', '.join(self) or 'none, connect first'}"
        )


class Readers:
    """What a `Stream` and a `Snapshot` have in common. Each reader sees one moment, and never a half of it."""

    _ordered: tuple[Any, list[Entry]] | None = None

    # --- for subclasses -------------------------------------------------------------------------------------------

    def _ready(self) -> Any:
        """The view to read from; a stream waits for its first."""
        raise NotImplementedError

    def _view(self) -> Any:
        """The view as it is, complete or not; never waits."""
        raise NotImplementedError

    def _words(self) -> str:
        """What is read, such as "pods in default"."""
        raise NotImplementedError

    def _moment(self) -> float:
        """The time to print ages for, in Unix seconds."""
        return time.time()

    # --- the contract ---------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Rows:
        """One dict a row: the server's column titles to the cells as it prints them, ages as of now.

        All columns are in it, those for wide tables too; Cluster and Namespace come first where there are several.
        It is a list that can be filtered as tables are: ``pods.rows.filter("web !test restarts>3 -n prod")``.
        """
        view = self._ready()
        ours = self._moment()
        now, skewed = clocks.moments(view.states, ours), clocks.skewed(view.states)
        columns = cells.effective(view.columns)
        titles = unique_titles(columns)
        several_clusters, several_namespaces = scopes(view)
        resources = {name: state.resource for name, state in view.states.items()}
        header = Header(
            tuple(Column(title, column["type"]) for title, column in zip(titles, columns, strict=True)),
            (several_clusters, several_namespaces),
            kind_of(resources.values()),
        )
        going = {name: cells.going(columns, resource) for name, resource in resources.items()}
        rows = []
        for cluster, record in self._entries(view):
            row: dict[str, Any] = {}
            if several_clusters:
                row["Cluster"] = cluster
            if several_namespaces:
                row["Namespace"] = record.namespace
            printed, alive = cells.live(
                columns, resources.get(cluster), record, skewed=cluster in skewed, where=going.get(cluster)
            )
            its = now.get(cluster, ours)
            shown_now = cells.at(printed, alive, its)
            row.update(zip(titles, shown_now, strict=False))
            rows.append(Row.of(row, Source(cluster, record, shown_now, alive, its)))
        return Rows(rows, header)

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The server's column definitions (``name type format description priority``), wide ones with a priority."""
        return [dict(column) for column in cells.effective(self._ready().columns)]

    @property
    def objects(self) -> list[Object]:
        """All objects, decoded for this caller, by cluster, namespace and name."""
        return list(self)

    def df(self, text: bool = False) -> pd.DataFrame:
        """The rows as a pandas DataFrame with the index cluster, namespace, name.

        Args:
            text: Cells as printed; else typed: restarts and counts as integers, ages as timedelta, times as UTC
                datetime, with the column Created.

        Raises:
            InvalidArgument: pandas is not installed.
        """
        view = self._ready()
        return dataframe.frame(view, self._entries(view), self._moment(), text=text)

    @property
    def synced(self) -> bool:
        """Whether each cluster has had a complete list."""
        states = self._view().states.values()
        return bool(states) and all(state.synced for state in states)

    @property
    def clusters(self) -> Clusters[ClusterView]:
        """The clusters by name, with their state and its reason. Never waits."""
        return Clusters({name: cluster_view(state) for name, state in self._view().states.items()})

    def __getitem__(self, key: Key) -> Object:
        view = self._ready()
        found = self._find(view, key)
        if not found:
            raise self._missing(view, key)
        if len(found) > 1:
            places = ", ".join(f"{cluster}: {r.namespace}/{r.name}".strip(": ") for cluster, r in found[:NEAR_NAMES])
            raise Ambiguous(
                f"{key!r} names {len(found)} objects: {places}",
                todo="ask for (namespace, name) or (cluster, namespace, name)",
            )
        return self._object(view, found[0])

    @overload
    def get(self, key: Key) -> Object | None: ...
    @overload
    def get(self, key: Key, default: D) -> Object | D: ...
    def get(self, key: Key, default: Any = None) -> Any:
        """The object of that name, or `default`.

        Raises:
            Ambiguous: There are several.
        """
        try:
            return self[key]
        except NotFound:
            return default

    def __contains__(self, key: object) -> bool:
        if isinstance(key, Object):
            key = (key.cluster, key.namespace, key.name)
        try:
            return bool(self._find(self._ready(), key))
        except NotFound:  # no name at all
            return False

    def __len__(self) -> int:
        return sum(map(len, self._ready().records.values()))

    def __bool__(self) -> bool:
        # A stream is no container to be asked whether it is empty: `if stream:` asks whether there is one.
        return True

    def __iter__(self) -> Iterator[Object]:
        view = self._ready()
        return (self._object(view, entry) for entry in self._entries(view))

    def __repr__(self) -> str:
        return shown.line(type(self).__name__, self._words(), self._view())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        view = self._view()
        entries = self._entries(view)
        return {
            "text/plain": shown.text(self._words(), view, entries, self._moment()),
            "text/html": shown.html(self._words(), view, entries, self._moment()),
        }

    # --- parts ----------------------------------------------------------------------------------------------------

    def _entries(self, view: Any) -> list[Entry]:
        """The view's records in the order shown, sorted once for each view."""
        known = self._ordered
        if known is None or known[0] is not view:
            entries = [
                Entry(cluster, record)
                for cluster, records in view.records.items()
                for record in sorted(records.values(), key=lambda r: (r.namespace, r.name))
            ]
            known = self._ordered = (view, entries)
        return known[1]

    @staticmethod
    def _object(view: Any, entry: Entry) -> Object:
        state = view.states.get(entry.cluster)
        return Object.of(entry.record, entry.cluster, state.resource if state is not None else None)

    def _find(self, view: Any, key: object) -> list[Entry]:
        cluster, namespace, name = _key(key)
        return [
            Entry(at, record)
            for at, records in view.records.items()
            if cluster in (None, at)
            for record in records.values()
            if record.name == name and namespace in (None, record.namespace)
        ]

    def _missing(self, view: Any, key: Key) -> NotFound:
        names = {entry.record.name for entry in self._entries(view)}
        near = difflib.get_close_matches(_key(key)[2], sorted(names), NEAR_NAMES)
        if near:
            todo = f"did you mean {' or '.join(near)}?"
        elif names:
            todo = f"there are {len(names)} others; see .rows"
        else:
            todo = "there are none at all now"
        troubled = [name for name, state in view.states.items() if not state.synced]
        said = f"not read yet: {', '.join(troubled)}" if troubled else None
        return NotFound(f"there is no {key!r} among the {self._words()}", said=said, todo=todo)


def _key(key: Any) -> tuple[str | None, str | None, str]:
    parts = tuple(key.split("/", 1)) if isinstance(key, str) else tuple(key) if isinstance(key, tuple) else ()
    match parts:
        case (str(name),):
            return None, None, name
        case (str(namespace), str(name)):
            return None, namespace, name
        case (str(cluster), str(namespace), str(name)):
            return cluster, namespace, name
    raise NotFound(f"{key!r} names no object", todo="ask for a name, (namespace, name) or (cluster, namespace, name)")


def cluster_view(state: Any) -> ClusterView:
    """A state of the core as users see it."""
    retry_at = ages.utc(state.retry_at) if state.retry_at else None
    return ClusterView(state.state, state.reason or state.said or "", ages.utc(state.since), retry_at, state.synced)
