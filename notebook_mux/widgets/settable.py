"""What a table can be set to, from Python: its settings and its columns."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import msgspec
import traitlets

from notebook_mux.errors import MuxError
from notebook_mux.widgets import columns as columns_, filters, heads, settings as settings_, traits
from notebook_mux.widgets.base import Live
from notebook_mux.widgets.columns import LEAD, Column, Extra, Wish
from notebook_mux.widgets.extras import USAGE_TITLES, extras
from notebook_mux.widgets.layouts import Layout, layouts
from notebook_mux.widgets.order import sort_titles
from notebook_mux.widgets.settings import UNSET


class Settable(Live):
    """The settings of a `table.Table`."""

    filter = traits.Text(help="What rows must have, as in ``web !test cpu>200m -n prod``.")
    faults = traits.Switch(False, help="Show only what is not as it should be.")
    wide = traits.Switch(False, help="Show the server's wide columns too.")
    usage = traits.Switch(False, help="Show CPU and memory in use, of pods and nodes, as the metrics API has them.")
    labels = traits.Labels(help="Keys of labels that are shown as columns.")
    sort = traits.Text(None, allow_none=True, help="Titles, as in ``Status,-Age``; ``-`` for descending.")
    group = traitlets.Any(None, help="What rows are grouped by: namespace, node, owner, cluster, label:KEY or None.")
    height = traits.Number(
        400, min=settings_.MIN_HEIGHT, max=settings_.MAX_HEIGHT, help="The table's height in pixels at most."
    )

    _wishes: tuple[Wish, ...] | None = None
    _layout: Layout | None = None
    _recalled: str | None = None
    _layout_note = ""
    _name = ""
    _seen_sort: str | None = None
    _at = 0
    """The number of the last change of a setting or of the layout: pages tell by it what is older than their own."""
    _stream: Any = None

    @property
    def stream(self) -> Any:
        """The stream that is shown."""
        raise NotImplementedError

    @property
    def columns(self) -> list[str]:
        """The titles of the columns shown, in order: the server's unless others were chosen, here or in a page.

        Cluster and Namespace, which are first where there are several, are named only where they stand elsewhere.
        """
        view = self.stream._view()
        shown, lead = self._titles(view), heads.lead_titles(view)
        named = {wish.title for wish in self._wishes or ()}
        return shown[len(lead) :] if shown[: len(lead)] == lead and not named & set(lead) else shown

    @columns.setter
    def columns(self, columns: Any) -> None:
        self.apply(columns=columns)
        if columns is None:
            with self._lock:
                self._layout = None
                key = self._layout_key(self._stream._view() if self._stream is not None else self.stream._view())
            if key:
                layouts.write(key, None)
            self._poke()

    def _layout_key(self, view: Any) -> str:
        """What this table's arrangement is remembered by: the kind, and its own name; "" while that is not known."""
        kind = heads.kind_of(view)
        return f"{kind['resource']}.{kind['group']}".rstrip(".") + f" {self._name}".rstrip() if kind is not None else ""

    def _recall(self, view: Any) -> None:
        """Have the columns as they were arranged last, once it is known of what kind they are."""
        key = self._layout_key(view)
        if not key or key == self._recalled:
            return
        self._recalled = key
        found, self._layout_note = layouts.read(key)
        if found is not None and self._wishes is not None:  # what the cell says wins; widths it does not say
            found = Layout(widths=found.widths) if found.widths else None
        self._layout = found

    def _lay_out(self, view: Any, layout: Layout) -> None:
        """Take in how a page's user arranged the columns, and remember it."""
        key = self._layout_key(view)
        self._recalled, self._layout = key, layout
        if key and self._wishes is not None:
            before, _ = layouts.read(key)
            layout = msgspec.structs.replace(before or Layout(), widths=layout.widths)
        if key:
            layouts.write(key, layout)

    def _extras(self, view: Any, **as_if: Any) -> tuple[Extra, ...]:
        """The columns besides the server's; `as_if` has settings that are not those of now."""
        resource = next((state.resource for state in view.states.values() if state.resource), None)
        wishes, labels, usage = (as_if.get(name, getattr(self, name)) for name in ("_wishes", "labels", "usage"))
        return extras(columns_.server_columns(view.columns), wishes or (), labels, usage, resource)

    def _all_columns(self, view: Any, **as_if: Any) -> list[Column]:
        """The server's columns and, behind them, those that were asked for besides."""
        server = columns_.server_columns(view.columns)
        return columns_.all_columns(server, [extra.column for extra in self._extras(view, **as_if)])

    def _base_titles(self, view: Any, columns: Sequence[Column]) -> list[str]:
        chosen = [wish.title for wish in self._wishes] if self._wishes is not None else None
        return columns_.base_titles(columns, heads.lead_titles(view), chosen, wide=self.wide)

    def _titles(self, view: Any) -> list[str]:
        """The titles shown, in order, Cluster and Namespace among them."""
        with self._lock:
            self._recall(view)
            return columns_.laid_out(self._base_titles(view, self._all_columns(view)), self._layout)

    def apply(
        self,
        *,
        columns: Any = UNSET,
        labels: Any = UNSET,
        wide: Any = UNSET,
        usage: Any = UNSET,
        filter: Any = UNSET,  # noqa: A002 - as the trait is called
        faults: Any = UNSET,
        sort: Any = UNSET,
        group: Any = UNSET,
        height: Any = UNSET,
    ) -> None:
        """Set what is given and leave the rest.

        Args:
            columns: Titles to show, in this order, with ``"Title:.json.path"``, or a title and a JSONPath or a function
                of the object, for columns of your own; None for the server's, as they were arranged last.
            labels: Keys of labels to show as columns.
            wide: Show the server's wide columns.
            usage: Show CPU and memory in use, of pods and nodes.
            filter: What rows must have: words, ``!without``, ``key=value``, ``key>value``, ``key~regex``, ``-n``,
                ``-l``, ``--cluster``, ``--faults``.
            faults: Show only what is not as it should be.
            sort: A column's title, ``-`` before it for descending, or several as in ``"Status,-Age"``, or None.
            group: ``"namespace"``, ``"node"``, ``"owner"``, ``"cluster"``, ``"label:KEY"`` or None.
            height: Pixels.

        Raises:
            InvalidArgument: There is no such column, or a value is of the wrong type. Nothing is set then.
            BadFilter: The filter cannot be read; the error shows the place. Nothing is set then.
        """
        given = {
            "labels": labels, "group": settings_.checked_group(group) if group is not UNSET else UNSET,
            "wide": wide, "usage": usage, "filter": filter, "faults": faults, "sort": sort, "height": height,
        }  # fmt: skip
        given = settings_.checked(self, given)
        keys = given["labels"] if labels is not UNSET else self.labels
        wishes = self._wishes
        if columns is not UNSET:
            wishes = columns_.wishes(columns, self._known_titles(keys))
        if isinstance(sort, str):
            self._check_sort(sort, keys, wishes)
        if filter is not UNSET:
            as_if = {name: given[name] for name in ("labels", "usage") if given[name] is not UNSET}
            filters.check(self, given["filter"], **as_if, _wishes=wishes)
        with self.hold_trait_notifications():
            for trait, value in given.items():
                if value is not UNSET:
                    setattr(self, trait, value)
        if columns is not UNSET and (wishes is not None or self._wishes is not None):
            with self._lock:
                self._wishes, self._layout, self._recalled = wishes, None, None
            self._poke()

    @traitlets.validate("filter", "sort", "group")
    def _checked(self, proposal: Any) -> Any:
        name, value = proposal.trait.name, proposal.value
        if name == "group":
            return settings_.checked_group(value)
        if value == getattr(self, name):  # `apply` has looked at it, with all that comes with it
            return value
        if name == "filter":
            filters.check(self, value)
        elif value:
            self._check_sort(value, self.labels, self._wishes)
        return value

    def _check_sort(self, sort: str, labels: Sequence[str], wishes: Sequence[Wish] | None) -> None:
        """Refuse titles that no column has, where they are known.

        Raises:
            InvalidArgument: There is no such column.
        """
        known = self._known_titles(labels)
        if known:
            known += [wish.title for wish in wishes or () if wish.own]
        for title, _ in sort_titles(sort):
            columns_.check_title(title, known)

    def _known_titles(self, labels: Sequence[str]) -> list[str]:
        """The titles that can be asked for; none while the server's are not known."""
        view = None
        with contextlib.suppress(MuxError):  # a stream that cannot be had says so where it is read
            view = self.stream._view()
        if view is None or not view.columns:
            return []
        server = [column.title for column in columns_.server_columns(view.columns)]
        measured = [title for titles in USAGE_TITLES.values() for title in titles]
        return [*LEAD, *server, *columns_.label_titles(labels, server), *measured]

    def _changed(self, _change: Any) -> None:
        with self._lock:
            self._at += 1
        self._poke()
