"""The table: a stream's rows in the notebook, live, and the rows selected there back in Python."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from notebook_mux import clocks
from notebook_mux.errors import Closed
from notebook_mux.printing import cells as printing, rows as printed
from notebook_mux.widgets import (
    actions,
    columns as columns_,
    copies,
    filters,
    heads,
    html,
    messages,
    panel,
    settings as settings_,
    traits,
)
from notebook_mux.widgets.base import Content, Draft
from notebook_mux.widgets.columns import Column
from notebook_mux.widgets.extras import typed
from notebook_mux.widgets.layouts import Layout
from notebook_mux.widgets.picking import Pickable
from notebook_mux.widgets.reading import arranged, made_of, read
from notebook_mux.widgets.rows import Rows
from notebook_mux.widgets.settable import Settable
from notebook_mux.widgets.usage import Places, once, places_of
from notebook_mux.widgets.values import Kind, Value

log = logging.getLogger(__name__)

COPY_SECONDS = 2.0
"""For users' functions when a copy is made in a cell; where somebody looks they have been called already."""

USAGE_SECONDS = 3.0
"""For the first figures of usage, in a cell that reads the rows or shows the table."""

BUSY_SECONDS = 1.0
"""Between two looks at functions that have not come back: it is told when one does not."""


class Reference(NamedTuple):
    """One object of one cluster, as `Table.selected` names it."""

    cluster: str
    namespace: str
    name: str
    uid: str
    kind: str


class Table(Pickable, Settable):
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

    selected = traits.Several(help="The rows selected last, in whichever view, as `Reference`s.")

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
        self._feed: Any = None
        self._rows = Rows(self._poke)
        self._head: Content = {}
        self._panels = panel.Panels()
        self._actions = actions.Actions()
        super().__init__(key=_key(stream, self._name))
        self.observe(self._changed, list(settings_.TRAITS))
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
    def rows(self) -> printed.Rows:
        """The rows that pass the filter, in the table's order and groups, as dicts of column titles to cells.

        All columns are in it, those that are not shown too; Cluster and Namespace come first where there are several.

        Raises:
            BadFilter: The filter names a column that the table has no more.
        """
        view = self.stream._ready()
        rows, columns, _ = self._arranged(view, self.sort, strict=True)
        return filters.listed(rows, view, columns)

    def _known(self, cluster: str, record: Any) -> Sequence[Value] | None:
        return self._rows.known(cluster, record)

    def _arranged(
        self, view: Any, sort: str | None, *, strict: bool, seconds: float | None = None
    ) -> tuple[list[printed.Source], list[Column], list[str]]:
        """The rows that pass the filter, in order, the columns of their cells, and notes.

        Waits for a moment for what they use, where that is shown and nobody looks yet.

        Args:
            view: The stream's.
            sort: By what.
            strict: Whether a filter that cannot be read is refused.
            seconds: How long users' functions may be called; None is for ever.
        """
        extras, usage, notes = self._extras(view), None, self._rows.extras.notes()
        if any(extra.column.source == "usage" for extra in extras):
            usage = self._rows.extras.usage
            if not self._running:
                usage = once(self._places(view), USAGE_SECONDS)
                notes = usage.notes()
        kinds = [Kind(0)] * len(extras)
        made = made_of(extras, usage, self._known if self._running else None, seconds)
        rows = read(view, made, kinds)
        columns = columns_.all_columns(columns_.server_columns(view.columns), typed(extras, kinds))
        rows = filters.passing(rows, self.filter, view, columns, faults=self.faults, strict=strict)
        return arranged(rows, [column.title for column in columns], sort, self.group), columns, notes

    def _places(self, view: Any) -> Places:
        """Where usage is asked for."""
        return places_of(view, self._manager, heads.question_of(self.stream, self._manager)["selector"])

    def __repr__(self) -> str:
        if self.closed:
            return f"<Table of {self._title}: closed>"
        return f"<Table of {self._title}{f', named {self._name!r}' if self._name else ''}>"

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._stream is None and self._source is not None:
            self._stream = self._source()
        self._rows = Rows(self._poke)
        self._head = {}
        self._feed = self._stream._feed(self._poke, initial=True, what=f"table {self._name}".strip())

    def _stop(self) -> None:
        if self._feed is not None:
            self._feed.close()
            self._feed = None
        self._rows.extras.stop()
        self._rows = Rows(self._poke)
        if self._source is not None:
            self._stream = None

    def _compose(self, everything: list[str]) -> Draft | None:
        view = self._stream._view()
        if view.closed and not self._closed and self._source is not None:
            self._reopen()
            view = self._stream._view()
        changes = self._feed.drain()
        rows = self._rows
        resources = {name: state.resource for name, state in view.states.items()}
        rows.described(printing.effective(view.columns), resources, clocks.skewed(view.states))
        rows.take(changes)
        if rows.extras.described(self._extras(view)):
            rows.again()
        rows.extras.usage.want(self._places(view) if self.usage else {})
        rows.late()
        content: Content = {"t": "put"}
        if everything:
            rows.rewind(everybody=len(everything) == len(self._audience.pages))
        ahead = None
        if self._audience.returned:
            self._audience.returned = False
            ahead = self._ahead()
            rows.hasten()
        pending = rows.pending
        buffers = [rows.delta(ahead["rows"] if ahead is not None else None)]
        if rows.sending_all:
            part, index, last = rows.part()
            content["whole"] = {"to": self._audience.telling, "part": index, "last": last}
            buffers.append(part)
        # after the rows, whose cells say of what types their columns are
        head = self._head_of(view)
        if everything or head != self._head:
            content["head"] = self._head = head
        if not pending and "head" not in content:
            return None
        if rows.more:
            content["more"] = True
            if ahead is not None:
                content["ahead"] = ahead
        else:
            self._audience.behind = False  # what is left has time
        self._audience.foremost = "ahead" in content
        content["total"] = len(rows.latest)
        content["changes"] = rows.changes
        self._audience.whole = rows.sending_all
        return content, buffers

    def _ahead(self) -> Content | None:
        """The rows that a page which came back has on its screen, in its order: they go ahead of all others."""
        asked, self._audience.places = self._audience.places, None
        if asked is None:
            return None
        page, places = asked
        try:
            found = self._rows.ahead(places.sort, places.first, places.last)
        except Exception:  # without it all comes as it comes: no cell may keep a table from going on
            log.exception("what is on a page's screen cannot go ahead")
            return None
        if found is None:
            return None
        return {"page": page, "view": places.view, "sort": places.sort, "first": places.first, "rows": found}

    def _later(self) -> float:
        # A poke that came while this turn was composed is in the pump already; what is left over is sent at once.
        if self._rows.pending:
            return 0.0
        return BUSY_SECONDS if self._rows.extras.busy else math.inf

    def _head_of(self, view: Any) -> Content:
        self._recall(view)
        server = columns_.server_columns(view.columns)
        columns = columns_.all_columns(server, self._rows.extras.columns())
        return {
            "title": self._title,
            **heads.described(view, self._manager),
            "question": heads.question_of(self._stream, self._manager),
            "columns": [column._asdict() for column in columns],
            "notes": [*self._rows.extras.notes(), *([self._layout_note] if self._layout_note else [])],
            "settings": {
                "filter": self.filter,
                "faults": self.faults,
                "wide": self.wide,
                "usage": self.usage,
                "labels": list(self.labels),
                "sort": self.sort or "",
                "group": self.group or "",
                "height": self.height,
                "columns": [wish.title for wish in self._wishes] if self._wishes is not None else None,
                "shown": self._base_titles(view, columns),
                "layout": self._layout.told() if self._layout is not None else None,
                "at": self._at,
            },
        }

    # --- from the pages -------------------------------------------------------------------------------------------

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Select):
            references = self._references(message.rows)
            self.selected = references
            return {"selected": len(references)}
        if isinstance(message, messages.Set):
            return self._set(message)
        if isinstance(message, messages.Arrange):
            return self._arrange(message)
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
        if isinstance(message, messages.Change):
            with self._lock:
                view = self._stream._view() if self._stream is not None else None
                aims = actions.aims(message, view, self._rows.latest)
            self._actions.handle(message, aims, self._manager, self._answerer(message))
            return None
        if isinstance(message, messages.Do) and message.sort is not None:
            self._seen_sort = message.sort
        return super()._do(message, buffers)

    def _look(self, message: messages.Look) -> None:
        """Show below the rows what one of them has, or another object; answered when that is there.

        Raises:
            ValueError: The row has gone, or its stream is of no manager.
        """
        found = self._references([message.row] if message.row is not None else [])
        states = self._stream._view().states if self._stream is not None else {}
        target = panel.target_of(message, found[0] if found else None, states)
        self._panels.look(message, target, self._manager, self._answerer(message))

    def _set(self, message: messages.Set) -> Content:
        if not isinstance(message.value, settings_.OF_PAGES.get(message.name, ())):
            raise ValueError("there is no such setting, or its value is of another type")
        value = settings_.checked_group(message.value) if message.name == "group" else message.value
        setattr(self, message.name, value)
        return {"at": self._at}

    def _arrange(self, message: messages.Arrange) -> Content:
        layout = Layout(message.order, message.hidden, message.widths)
        view = self.stream._view()
        if message.kind not in ("", heads.question_of(self._stream, self._manager)["kind"]):
            return {"at": self._at}
        with self._lock:
            self._seen_sort = message.sort
            self._lay_out(view, layout)
            self._at = at = self._at + 1
        self._poke()
        return {"at": at}

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
                found.append(Reference(cluster, record.namespace, record.name, record.uid, heads.kind_named(state)))
        return tuple(found)

    def close(self) -> None:
        """End the table, and what its views have open; the stream goes on. Idempotent."""
        if "_panels" in self.__dict__:
            self._panels.close_all()
        super().close()

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of."""
        view = self.stream._view()
        look = copies.Look(self.filter, self.faults, self._seen_sort or self.sort, self.group)
        rows, columns, notes = self._arranged(
            view, look.sort, strict=False, seconds=0.0 if self._running else COPY_SECONDS
        )
        return {
            "key": self._copy_id,
            "title": self._title,
            **copies.parts(view, rows, columns, self._titles(view), look, notes),
        }

    def _copies(self) -> dict[str, str]:
        made = self._parts()
        return {
            "text/plain": html.text(**made, most=html.TEXT_ROWS),
            "text/html": html.copy(**made, beside=not self._static),
        }


def _key(stream: Any, name: str) -> Any:
    """Manager, question and name; None for a stream that is of no manager."""
    identity = getattr(getattr(getattr(stream, "_source", None), "owner", None), "_identity", None)
    return None if identity is None else (identity.key, stream._key, name)
