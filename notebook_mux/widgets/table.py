"""The table: a stream's rows in the notebook, live, and the rows selected there back in Python."""

from __future__ import annotations

import difflib
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import traitlets

from notebook_mux.errors import Closed, InvalidArgument
from notebook_mux.handles.readers import scopes, unique_titles
from notebook_mux.printing import cells as printing
from notebook_mux.widgets import html, messages
from notebook_mux.widgets.base import Content, Draft, Live
from notebook_mux.widgets.order import natural_key, passes
from notebook_mux.widgets.panel import Panels
from notebook_mux.widgets.rows import Rows, standings

log = logging.getLogger(__name__)

MIN_HEIGHT, MAX_HEIGHT = 80, 4000
"""Pixels: a header and a row; far more than a screen."""

REOPEN_SECONDS = 10.0
"""Between two attempts to have a stream again that others have ended."""

UNSET: Any = object()


class Reference(NamedTuple):
    """One object of one cluster, as `Table.selected` names it."""

    cluster: str
    namespace: str
    name: str
    uid: str
    kind: str


class Table(Live):
    """A live table of a stream. Made by `notebook_mux.table`, once for each name and question.

    Args:
        stream: What is shown, until `source` gives another.
        source: Gives the stream anew when somebody looks again, without waiting for it to sync; so the table need not
            hold the stream while nobody looks. Without it the table holds `stream`.
        name: The table's name among those of the same stream.
        title: What the table is of; the stream's own words by default.
        settings: As for `apply`.
    """

    kind: ClassVar[str] = "table"

    selected = traitlets.Tuple(help="The rows selected last, in whichever view, as `Reference`s.")
    filter = traitlets.Unicode(help="Words that a row must contain; ``!word`` one that it must not.")
    wide = traitlets.Bool(False, help="Show the server's wide columns too.")
    sort = traitlets.Unicode(None, allow_none=True, help="A column's title, ``-`` before it for descending.")
    height = traitlets.Int(400, help="The table's height in pixels at most.")

    def __init__(
        self,
        stream: Any,
        *,
        source: Callable[[], Any] | None = None,
        name: str | None = None,
        title: str | None = None,
        **settings: Any,
    ) -> None:
        self._stream: Any = stream
        self._source = source
        self._name = name or ""
        self._title = title or stream._words()
        self._chosen: tuple[str, ...] | None = None
        self._feed: Any = None
        self._rows = Rows()
        self._head: Content = {}
        self._whole: list[str] = []
        self._by = self._setting = ""
        self._asked_again = 0.0
        self._panels = Panels()
        super().__init__(key=_key(stream, self._name))
        self.observe(self._changed, ["filter", "wide", "sort", "height"])
        self.apply(**settings)
        if source is not None:
            self._stream = None

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The table's name."""
        return self._name

    @property
    def stream(self) -> Any:
        """The stream that is shown.

        Raises:
            Closed: The table was closed.
        """
        if self.closed:
            raise Closed(f"the table of {self._title} was closed", todo="run the cell that made it again")
        if self._stream is None and self._source is not None:
            return self._source()
        return self._stream

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The stream's rows that pass the filter, in the table's order, as dicts of column titles to cells."""
        rows = [row for row in self.stream.rows if passes(self.filter, map(printing.text, row.values()))]
        if self.sort:
            title = self.sort.removeprefix("-")
            rows.sort(key=lambda row: natural_key(row.get(title), title), reverse=self.sort.startswith("-"))
        return rows

    @property
    def columns(self) -> list[str]:
        """The titles of the columns shown, the server's unless others were chosen."""
        if self._chosen is not None:
            return list(self._chosen)
        columns = printing.effective(self.stream._view().columns)
        titles = unique_titles(columns)
        return [t for t, c in zip(titles, columns, strict=True) if self.wide or not c.get("priority")]

    @columns.setter
    def columns(self, titles: Sequence[str] | None) -> None:
        self.apply(columns=titles)

    def apply(
        self,
        *,
        columns: Any = UNSET,
        wide: Any = UNSET,
        filter: Any = UNSET,  # noqa: A002 - as the trait is called
        sort: Any = UNSET,
        height: Any = UNSET,
    ) -> None:
        """Set what is given and leave the rest.

        Args:
            columns: Titles to show, in this order; None for the server's.
            wide: Show the server's wide columns.
            filter: Words that a row must contain.
            sort: A column's title, ``-`` before it for descending, or None.
            height: Pixels.

        Raises:
            InvalidArgument: There is no such column, or a value is of the wrong type. Nothing is set then.
        """
        chosen = self._checked_columns(columns) if columns is not UNSET else self._chosen
        if isinstance(sort, str) and sort:
            self._checked_columns([sort.removeprefix("-")])
        given = {"wide": wide, "filter": filter, "sort": sort, "height": height}
        try:
            for trait, value in given.items():
                if value is not UNSET:
                    self.traits()[trait]._validate(self, value)
        except traitlets.TraitError as error:
            raise InvalidArgument(f"the table cannot be set so: {error}") from None
        if height is not UNSET and not MIN_HEIGHT <= height <= MAX_HEIGHT:
            raise InvalidArgument(f"a height of {height} pixels", todo=f"between {MIN_HEIGHT} and {MAX_HEIGHT}")
        with self.hold_trait_notifications():
            for trait, value in given.items():
                if value is not UNSET:
                    setattr(self, trait, value)
        if chosen != self._chosen:
            self._chosen = chosen
            self._poke()

    def _checked_columns(self, titles: Any) -> tuple[str, ...] | None:
        if titles is None:
            return None
        if isinstance(titles, str) or not all(isinstance(title, str) for title in titles):
            raise InvalidArgument("columns are a list of titles", todo='such as ["Name", "Status"]')
        view = self._stream._view() if self._stream is not None else None
        if view is not None and view.columns:
            known = ["Cluster", "Namespace", *unique_titles(printing.effective(view.columns))]
            for title in titles:
                if title not in known:
                    near = difflib.get_close_matches(title, known, 3) or known
                    raise InvalidArgument(f"there is no column {title!r} here", todo=f"one of: {', '.join(near)}")
        return tuple(titles)

    def _changed(self, _change: Any) -> None:
        self._by = self._setting
        self._poke()

    def __repr__(self) -> str:
        if self.closed:
            return f"<Table of {self._title}: closed>"
        return f"<Table of {self._title}{f', named {self._name!r}' if self._name else ''}>"

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._stream is None and self._source is not None:
            self._stream = self._source()
        self._rows = Rows()
        self._head = {}
        self._feed = self._stream._feed(self._poke, initial=True)

    def _stop(self) -> None:
        if self._feed is not None:
            self._feed.close()
            self._feed = None
        self._rows = Rows()
        if self._source is not None:
            self._stream = None

    def _compose(self, everything: list[str]) -> Draft | None:
        view = self._stream._view()
        if view.closed and not self._closed and self._source is not None:
            self._reopen()
            view = self._stream._view()
        changes = self._feed.drain()
        rows = self._rows
        rows.described(printing.effective(view.columns), {name: state.resource for name, state in view.states.items()})
        rows.take(changes)
        head = self._head_of(view)
        content: Content = {"t": "put"}
        if everything:
            self._whole = everything
            rows.rewind(everybody=len(everything) == len(self._audience.pages))
        if everything or head != self._head:
            content["head"] = self._head = head
        if not rows.pending and "head" not in content:
            return None
        content["total"] = len(rows.latest)
        content["changes"] = rows.changes
        buffers = [rows.delta()]
        if rows.sending_all:
            part, index, last = rows.part()
            content["whole"] = {"to": self._whole, "part": index, "last": last}
            buffers.append(part)
        self._audience.whole = rows.sending_all
        return content, buffers

    def _later(self) -> float:
        # A poke that came while this turn was composed is in the pump already; what is left over is sent at once.
        return 0.0 if self._rows.pending else math.inf

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
            self._feed.close()
            self._stream, self._rows = stream, Rows()
            self._feed = stream._feed(self._poke, initial=True)
            for page in self._audience.pages.values():
                page.lost = True

    def _head_of(self, view: Any) -> Content:
        several_clusters, several_namespaces = scopes(view)
        columns = printing.effective(view.columns)
        return {
            "title": self._title,
            "columns": [
                {
                    "title": title,
                    "type": column.get("type", "string"),
                    "about": column.get("description", ""),
                    "wide": bool(column.get("priority")),
                }
                for title, column in zip(unique_titles(columns), columns, strict=True)
            ],
            "clusters": standings(view),
            "several": [several_clusters, several_namespaces],
            "closed": view.closed,
            # of an event there is nothing to open: it is what would be shown
            "looks": self._manager is not None and all(_kind(state) != "Event" for state in view.states.values()),
            "settings": {
                "filter": self.filter,
                "wide": self.wide,
                "sort": self.sort or "",
                "height": self.height,
                "columns": list(self._chosen) if self._chosen is not None else None,
                "by": self._by,
            },
        }

    # --- from the pages -------------------------------------------------------------------------------------------

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Select):
            references = self._references(message.rows)
            self.selected = references
            return {"selected": len(references)}
        if isinstance(message, messages.Set):
            if message.name == "filter" and isinstance(message.value, str):
                return self._set(message)
            if message.name == "wide" and isinstance(message.value, bool):
                return self._set(message)
            raise ValueError("there is no such setting, or its value is of another type")
        if isinstance(message, messages.Do) and message.what == "retry":
            self._retry()
            return {"said": "trying again now"}
        if isinstance(message, messages.Do) and message.what == "leave":
            self._panels.close(message.view)
            return {}
        return super()._act(message)

    def _retry(self) -> None:
        if self._manager is None:
            raise ValueError("this stream is of no manager that could try again")
        self._manager.retry()

    @property
    def _manager(self) -> Any:
        """The manager whose stream it is; None where it is of none."""
        return getattr(getattr(self.stream, "_source", None), "owner", None)

    def _do(self, message: messages.Message, buffers: Any) -> Content | None:
        if isinstance(message, messages.Look):
            self._look(message)
            return None
        return super()._do(message, buffers)

    def _look(self, message: messages.Look) -> None:
        """Show below the rows what one of them has; answered when that is there.

        Raises:
            ValueError: The row has gone, or its stream is of no manager.
        """
        manager, found = self._manager, self._references([message.row])
        if not found or manager is None:
            raise ValueError(
                "this row is not there any more" if manager is not None else "no cluster is behind this row"
            )
        answer = {"t": "reply", "page": message.page, "id": message.id}
        self._panels.open(
            message.view, message.what, found[0], manager, lambda content: self._publish({**answer, **content})
        )

    def _set(self, message: messages.Set) -> Content:
        # The view that set it has it already, and its user may be typing on: it must not be set back.
        self._setting = message.view
        try:
            setattr(self, message.name, message.value)
        finally:
            self._setting = ""
        return {}

    def _references(self, keys: Sequence[tuple[int, str]]) -> tuple[Reference, ...]:
        with self._lock:
            stream = self._stream
            if stream is None:
                return ()
            states = list(stream._view().states.items())
            found = []
            for key in keys:
                record = self._rows.latest.get(key)
                if record is None:
                    continue  # it has gone since the page drew it
                cluster, state = states[key[0]]
                found.append(Reference(cluster, record.namespace, record.name, record.uid, _kind(state)))
        return tuple(found)

    def close(self) -> None:
        """End the table, and what its views have open; the stream goes on. Idempotent."""
        if "_panels" in self.__dict__:
            self._panels.close_all()
        super().close()

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of."""
        now = time.time()
        view = self.stream._view()
        columns = printing.effective(view.columns)
        titles = unique_titles(columns)
        several_clusters, several_namespaces = scopes(view)
        chosen = self.columns
        places = [titles.index(title) for title in chosen if title in titles]
        lead = [*(["Cluster"] if several_clusters else []), *(["Namespace"] if several_namespaces else [])]
        rows: list[list[str]] = []
        for cluster, records in view.records.items():
            state = view.states.get(cluster)
            resource = state.resource if state is not None else None
            for record in sorted(records.values(), key=lambda r: (r.namespace, r.name)):
                if len(rows) > html.MAX_ROWS and not self.filter:
                    break
                shown = [printing.text(cell) for cell in printing.at(*printing.live(columns, resource, record), now)]
                before = [*([cluster] if several_clusters else []), *([record.namespace] if several_namespaces else [])]
                if passes(self.filter, [*before, *shown]):
                    rows.append([*before, *(shown[place] for place in places)])
        total = len(rows) if self.filter else sum(map(len, view.records.values()))
        states = [
            html.standing(name, state.state, state.reason, state.said, state.fresh)
            for name, state in view.states.items()
            if several_clusters or state.state != "live"
        ]
        return {
            "key": self._copy_id,
            "title": self._title,
            "states": states,
            "columns": [*lead, *(titles[place] for place in places)],
            "rows": rows,
            "total": total,
            "now": now,
        }


def _kind(state: Any) -> str:
    """Such as ``Pod``; "" where it is not known."""
    return str((state.resource or {}).get("kind", ""))


def _key(stream: Any, name: str) -> Any:
    """Manager, question and name; None for a stream that is of no manager."""
    identity = getattr(getattr(getattr(stream, "_source", None), "owner", None), "_identity", None)
    return None if identity is None else (identity.key, stream._key, name)
