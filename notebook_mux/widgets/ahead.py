"""What a page that comes back has on its screen: some places of a table's order, found without sorting all of it.

Many rows have changed meanwhile, and those on the screen go ahead of the others. It is the page's order that counts
(`frontend/src/table/cells.ts`), of cells as they are before what is in objects is known. Where that cannot be told for
certain nothing goes ahead: the page then draws when all is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from notebook_mux.ages import parse_duration
from notebook_mux.filtering.keys import SortKey, natural_key, text_key
from notebook_mux.printing import cells as printing
from notebook_mux.widgets.columns import LEAD
from notebook_mux.widgets.order import cell_key, sort_titles
from notebook_mux.wire.frames import Record

if TYPE_CHECKING:
    from notebook_mux.widgets.rows import Key

PLAIN = (int, float, type(None))
"""Cells besides texts that Python and the page read alike; lists and objects they write as different texts."""


class UnsureError(Exception):
    """The page may have another order."""


class Known(NamedTuple):
    """What the pages know of the columns and clusters.

    Attributes:
        columns: The server's.
        titles: Theirs, as the pages have them.
        others: Titles of the columns behind them.
        names: The clusters'.
        going: Of each cluster, as `printing.going` gives it.
        skews: Of each cluster, whether its clock does not go as ours.
    """

    columns: Sequence[dict[str, Any]]
    titles: Sequence[str]
    others: Sequence[str]
    names: Sequence[str]
    going: Sequence[Sequence[printing.Going]]
    skews: Sequence[bool]


class _Level(NamedTuple):
    """By what rows are told apart that are alike in all before it.

    Attributes:
        of: A row's key, by its own.
        descending: Whether the greatest comes first, and nothing last all the same; None where no key is a `SortKey`.
    """

    of: Callable[[Key, Record], Any]
    descending: bool | None = None

    def ordered(self, keys: Iterable[Any]) -> list[Any]:
        """Keys as they come."""
        found = sorted(keys, reverse=bool(self.descending))
        return found if self.descending is None else sorted(found, key=_nothing)


def ahead(rows: Mapping[Key, Record], told: Known, sort: str, first: int, last: int) -> list[Key] | None:
    """The rows at some places of the order, or None where the page may have another one.

    Args:
        rows: All of them.
        told: What the pages know besides.
        sort: As in ``Status,-Age``.
        first: The first place, from 0.
        last: The one behind the last.
    """
    try:
        levels = [level for title, down in sort_titles(sort) if (level := _by(title, down, told)) is not None]
        return _placed([*rows], rows, [*levels, *_PLACE], first, last)
    except (UnsureError, OverflowError, IndexError):  # of a number that is no float; of a cluster not described yet
        return None


def _placed(keys: list[Key], rows: Mapping[Key, Record], levels: Sequence[_Level], first: int, last: int) -> list[Key]:
    """Those at these places. Only what is alike up to a place in question is looked at further."""
    if not levels or len(keys) == 1:
        return keys[max(0, first) : last]
    of = levels[0].of
    alike: dict[Any, list[Key]] = defaultdict(list)
    for key in keys:
        alike[of(key, rows[key])].append(key)
    found: list[Key] = []
    for by in levels[0].ordered(alike):
        if last <= 0:
            break
        some = alike[by]
        if first < len(some):
            found += _placed(some, rows, levels[1:], first, last)
        first, last = first - len(some), last - len(some)
    return found


def _ascii(text: str) -> str:
    """Nothing but ASCII: of other letters a browser's small ones and their order may differ."""
    if not text.isascii():
        raise UnsureError
    return text


_PLACE = (
    _Level(lambda key, _: key[0]),
    _Level(lambda _, record: _ascii(record.namespace)),
    _Level(lambda _, record: text_key(_ascii(record.name))),
    _Level(lambda key, _: key[1]),
)
"""Where rows stand that are sorted by nothing else."""


def _by(title: str, descending: bool, told: Known) -> _Level | None:
    """The level of one title of a sort; None for one that the table does not have."""
    if title in told.titles:
        return _Level(_Cells(told, title).key, descending)
    if title in told.others:
        raise UnsureError  # these are made of objects
    if title not in LEAD:
        return None
    by = cache(lambda text: _key(text, ""))
    if title == "Namespace":
        return _Level(lambda _, record: by(record.namespace), descending)
    return _Level(lambda key, _: by(told.names[key[0]]), descending)


class _Cells:
    """The keys of one of the server's columns."""

    def __init__(self, told: Known, title: str) -> None:
        self._told = told
        self._title = title
        self._at = told.titles.index(title)
        self._count = len(told.columns)
        self._going = [next((one for one in going if one[0] == self._at), None) for going in told.going]
        self._known: list[dict[str, SortKey]] = [{} for _ in told.going]
        """Of each cluster, by the cells: most are like many others."""

    def key(self, key: Key, record: Record) -> SortKey:
        """A row's."""
        cluster = key[0]
        printed = printing.decoded(record.cells)
        if len(printed) != self._count:
            printed = printing.shown(self._told.columns, record)
        cell = printed[self._at]
        going = self._going[cluster]
        if not isinstance(cell, str):
            if not isinstance(cell, PLAIN):
                raise UnsureError
            return _key(cell, self._title)
        if going is not None and going[2] is None:
            return self._dated(cell, record, going[1], skewed=self._told.skews[cluster])
        known = self._known[cluster]
        found = known.get(cell)
        if found is None:
            found = known[cell] = _key(cell, self._title) if going is None else self._timed(cell)
        return found

    def _dated(self, cell: str, record: Record, column: Mapping[str, Any], *, skewed: bool) -> SortKey:
        if column.get("jsonPath") not in (None, "", printing.CREATION_PATH):
            raise UnsureError  # it is in the object
        tolerance = printing.LOOSE if skewed else printing.TOLERANCE
        alive = printing.from_date(cell, record, dict(column), tolerance)
        return _key(cell, self._title) if alive is None else _even(cell_key(cell, self._title, alive))

    def _timed(self, cell: str) -> SortKey:
        """A cell with a time in it that the object says; what stands before that may be told without it."""
        key = _key(cell, self._title)
        age, template = printing.age_in(cell)
        if parse_duration(age) is None:
            return key
        if template == "{}" or key[0] != 0 or key != _even(cell_key(cell, self._title, (0.0, template))):
            raise UnsureError
        return key


def _key(cell: Any, title: str) -> SortKey:
    if isinstance(cell, str):
        _ascii(cell)
    return _even(natural_key(cell, title))


def _even(key: SortKey) -> SortKey:
    """With as many numbers as any other: the page takes those that are not there for 0."""
    rank, numbers, text = key
    return key if rank != 0 or len(numbers) > 1 else (rank, (*numbers, 0.0), text)


def _nothing(key: SortKey) -> bool:
    return key[0] == 2
