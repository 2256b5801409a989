"""Rows as values: a list of dicts that can be filtered by what was known of each row when it was read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, SupportsIndex, overload

from notebook_mux.filtering import Column, Judge, checked
from notebook_mux.printing import tones
from notebook_mux.printing.cells import Live
from notebook_mux.printing.lineage import Lineage, lineage


class Header(NamedTuple):
    """What rows of one reading have in common.

    Attributes:
        columns: One for each cell, in order.
        several: Whether the rows show their cluster and their namespace.
        kind: As of `tones.key`; "" where it is not known.
        served: How many of the columns, from the first, are the server's; None for all. The others say nothing of
            faults, whatever their titles.
    """

    columns: tuple[Column, ...]
    several: tuple[bool, bool] = (True, True)
    kind: str = ""
    served: int | None = None

    @property
    def fault(self) -> Judge:
        """What says of a row whether it shows a fault."""
        found = tones.faults(self.kind, tuple(column.title for column in self.columns[: self.served]))
        return lambda facts: found(facts.cells)


class Source(NamedTuple):
    """What a row was made of.

    Attributes:
        cluster: Its cluster's name.
        record: As the core keeps it.
        cells: As they were printed, one for each column.
        alive: The cells that go on, as `cells.live` has them.
        now: When it was read, Unix seconds by the cluster's clock.
        known: Its labels and owner, where they were looked for when it was read.
    """

    cluster: str
    record: Any
    cells: Sequence[Any]
    alive: Live
    now: float
    known: Lineage | None = None

    @property
    def namespace(self) -> str:
        """Its namespace; "" for what is in none."""
        return str(self.record.namespace)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.record.name)

    @property
    def labels(self) -> Mapping[str, str]:
        """The object's labels."""
        return self.lineage.labels or {}

    @property
    def lineage(self) -> Lineage:
        """Its labels and owner."""
        return self.known if self.known is not None else lineage(self.record.object)

    @property
    def ages(self) -> dict[int, float]:
        """Seconds, by the index of cells that are an age and nothing else."""
        return {at: max(0.0, self.now - since) for at, (since, template) in self.alive.items() if template == "{}"}

    def cell(self, title: str, titles: Sequence[str]) -> Any:
        """The cell of a title, Cluster and Namespace among them; None where there is no such column."""
        if title in titles:
            return self.cells[titles.index(title)]
        return {"Cluster": self.cluster, "Namespace": self.namespace}.get(title)


class Row(dict[str, Any]):
    """A row: titles to cells. It keeps what it was made of as long as it is in this process."""

    __slots__ = ("_source",)

    _source: Source | None

    @classmethod
    def of(cls, cells: Mapping[str, Any], source: Source) -> Row:
        """A row that was read."""
        made = cls(cells)
        made._source = source
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class _Plain(NamedTuple):
    """A row of which nothing is known but its cells: it was pickled, or made by hand."""

    row: Mapping[str, Any]
    columns: tuple[Column, ...]

    @property
    def cluster(self) -> str:
        return str(self.row.get("Cluster") or "")

    @property
    def namespace(self) -> str:
        return str(self.row.get("Namespace") or "")

    @property
    def name(self) -> str:
        return str(self.row.get("Name") or "")

    @property
    def cells(self) -> list[Any]:
        return [self.row.get(column.title) for column in self.columns]

    @property
    def labels(self) -> Mapping[str, str]:
        return {}

    @property
    def ages(self) -> Mapping[int, float]:
        return {}


class Rows(list[dict[str, Any]]):
    """Rows as a list of dicts, with the tables' filter: ``rows.filter("web cpu>200m -n prod")``.

    It is a list like any other; a slice of it can be filtered too. What is pickled, or put in by hand, is known by its
    cells alone: no labels are found there.

    Args:
        rows: The rows.
        header: What they have in common.
    """

    def __init__(self, rows: Iterable[dict[str, Any]] = (), header: Header | None = None) -> None:
        super().__init__(rows)
        self._header = header

    def filter(self, text: str = "", faults: bool = False) -> Rows:
        """The rows that pass a filter; ages are those of when the rows were read.

        Args:
            text: Words that a row must have (``web``), must not have (``!test``), ``key=value``, ``key>value``,
                ``key~regex``, ``-n``, ``-l``, ``--cluster``, ``--faults``; see `notebook_mux.filtering`.
            faults: Whether only rows that show a fault are wanted.

        Raises:
            BadFilter: It cannot be read; the error shows the place.
        """
        header = self._header or _header_of(self)
        made = checked(text, header.columns, faults=faults, fault=header.fault, several=header.several)
        return Rows((row for row in self if made.passes(_facts(row, header))), self._header)

    @overload
    def __getitem__(self, at: SupportsIndex) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: SupportsIndex | slice) -> dict[str, Any] | Rows:
        found = super().__getitem__(at)
        return Rows(found, self._header) if isinstance(found, list) else found

    def copy(self) -> Rows:
        """The same rows in a list of its own."""
        return self[:]

    def __reduce__(self) -> tuple[Any, ...]:
        header = self._header
        plain = ([tuple(column) for column in header.columns], *header[1:]) if header else None
        # the module's own of now: a reload gives its functions anew
        return sys.modules[__name__].revived, ([dict(row) for row in self], plain)


def revived(rows: list[dict[str, Any]], header: Any) -> Rows:
    """Rows that were pickled."""
    if header is None:
        return Rows(rows)
    columns, *rest = header
    return Rows(rows, Header(tuple(Column(*column) for column in columns), *rest))


def kind_of(resources: Iterable[Mapping[str, Any] | None]) -> str:
    """What the tables of tones know the kind of these by; "" while that is not known."""
    return tones.key_of(next((resource for resource in resources if resource), None))


def _facts(row: Mapping[str, Any], header: Header) -> Source | _Plain:
    source = getattr(row, "_source", None)
    return source if isinstance(source, Source) else _Plain(row, header.columns)


def _header_of(rows: Sequence[Mapping[str, Any]]) -> Header:
    titles = dict.fromkeys(title for row in rows for title in row)
    lead = ("Cluster", "Namespace")
    columns = tuple(Column(title) for title in titles if title not in lead)
    return Header(columns, ("Cluster" in titles, "Namespace" in titles))
