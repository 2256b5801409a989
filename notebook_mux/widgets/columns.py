"""A table's columns: the server's, then those that were asked for besides, and which of all are shown in what order."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from notebook_mux import jsonpath
from notebook_mux.errors import InvalidArgument
from notebook_mux.handles.entries import unique_titles
from notebook_mux.handles.objects import Object
from notebook_mux.printing import cells as printing
from notebook_mux.widgets.layouts import Layout

LEAD = ("Cluster", "Namespace")
"""Columns of every row that no server prints: shown first where there are several."""

BEHIND_USAGE = "Age"
"""What is in use stands before it, beside a row's state, where k9s has it; and in a narrow cell without scrolling."""

MAX_COLUMNS = 64
"""Columns asked for besides the server's: more than a screen has."""

HOW = 'such as ["Name", "Image:.spec.containers[0].image"], or {"Name": None, "Image": ".spec.containers[0].image"}'

_WITH_PATH = re.compile(r"(?P<title>[^:]+):\s*(?P<path>(?:\{|\$|\.|\[).*)")

Made = str | Callable[[Object], Any] | None
"""What makes a column's cells: a JSONPath, a function of the object, or None for a column that is there already."""

Columns = Sequence[str | tuple[str, Made]] | Mapping[str, Made] | None
"""As `notebook_mux.table` takes them."""

Source = Literal["server", "custom", "label", "usage"]


class Column(NamedTuple):
    """One column as a page is told of it.

    Attributes:
        type: As in the API's columnDefinitions: ``string``, ``integer``, ``number``, ``boolean``, ``date``; and
            ``quantity`` for numbers with a unit such as ``120Mi``.
        wide: Whether it is shown in a wide table only.
    """

    title: str
    type: str
    about: str
    wide: bool
    source: Source


class Wish(NamedTuple):
    """One of the columns that a user wants to see.

    Attributes:
        path: A JSONPath where it is a column of the user's own; "" for none.
        function: What makes the cell of the object, instead of a path.
    """

    title: str
    path: str = ""
    function: Callable[[Object], Any] | None = None

    @property
    def own(self) -> bool:
        """Whether it is the user's own, and none that is there already."""
        return bool(self.path) or self.function is not None


class Extra(NamedTuple):
    """A column after the server's: what it is, and what makes its cells.

    Attributes:
        column: What the page is told.
        key: The label's key, or the usage's name; "" for a column of the user's own.
        wish: The user's own column.
    """

    column: Column
    key: str = ""
    wish: Wish | None = None


def wishes(columns: Any, known: Sequence[str]) -> tuple[Wish, ...] | None:
    """The columns that were asked for.

    Args:
        columns: Titles, ``"Title:.json.path"``, pairs of title and JSONPath or function, or a mapping of titles to
            None, JSONPath or function; None for the server's.
        known: Titles that are there; empty while none are known.

    Raises:
        InvalidArgument: It cannot be read, or there is no such column.
    """
    if columns is None:
        return None
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise InvalidArgument("columns are a list of titles", todo=HOW)
    items = columns.items() if isinstance(columns, Mapping) else columns
    found = [_wish(item, known) for item in items]
    if len(found) > MAX_COLUMNS + len(known):
        raise InvalidArgument(f"{len(found)} columns", todo=f"at most {MAX_COLUMNS} besides the server's")
    seen: set[str] = set()
    for wish in found:
        if wish.title in seen:
            raise InvalidArgument(f"the column {wish.title!r} is asked for twice", todo="give each a title of its own")
        seen.add(wish.title)
        if wish.own and wish.title in known:
            raise InvalidArgument(f"there is a column {wish.title!r} already", todo="give yours another title")
        if not wish.own:
            check_title(wish.title, known)
    return tuple(found)


def _wish(item: Any, known: Sequence[str]) -> Wish:
    if isinstance(item, str):
        found = None if item in known else _WITH_PATH.fullmatch(item)
        return _own(found["title"].strip(), found["path"]) if found is not None else Wish(item)
    if isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str):
        title, made = item
        return Wish(title) if made is None else _own(title, made)
    raise InvalidArgument("columns are a list of titles, with a JSONPath or a function for those of your own", todo=HOW)


def _own(title: str, made: Any) -> Wish:
    if not title:
        raise InvalidArgument("a column without a title", todo=HOW)
    if isinstance(made, str):
        jsonpath.compiled(made)
        return Wish(title, path=made)
    if callable(made):
        return Wish(title, function=made)
    raise InvalidArgument(
        f"the column {title!r} is made neither by a JSONPath nor by a function", todo=f"not by {made!r}; {HOW}"
    )


def check_title(title: str, known: Sequence[str]) -> None:
    """Refuse a title that no column has, where they are known.

    Raises:
        InvalidArgument: With those that are like it.
    """
    if known and title not in known:
        near = difflib.get_close_matches(title, known, 3) or known
        raise InvalidArgument(f"there is no column {title!r} here", todo=f"one of: {', '.join(near)}")


def server_columns(columns: Sequence[dict[str, Any]]) -> list[Column]:
    """The server's, as pages are told of them."""
    shown = printing.effective(columns)
    return [
        Column(
            title,
            column.get("type", "string"),
            column.get("description", ""),
            bool(column.get("priority")),
            "server",
        )
        for title, column in zip(unique_titles(shown), shown, strict=True)
    ]


def label_titles(keys: Sequence[str], taken: Iterable[str]) -> list[str]:
    """Titles of labels' columns: the last part of a key where that is clear, else all of it."""
    lower = [title.lower() for title in (*taken, *LEAD)]
    short = [key.rpartition("/")[2] for key in keys]
    return [
        part if short.count(part) == 1 and part.lower() not in lower else key
        for key, part in zip(keys, short, strict=True)
    ]


def all_columns(server: Sequence[Column], extras: Sequence[Column]) -> list[Column]:
    """All columns, each with a title of its own: one of the user's that came first gets a number behind it."""
    columns = [*server, *extras]
    titles = unique_titles([{"name": column.title} for column in columns])
    return [column._replace(title=title) for column, title in zip(columns, titles, strict=True)]


def base_titles(
    columns: Sequence[Column], lead: Sequence[str], chosen: Sequence[str] | None, *, wide: bool
) -> list[str]:
    """The titles that are shown unless somebody arranged them otherwise, in order.

    Args:
        columns: All there are.
        lead: Those of `LEAD` that the table has.
        chosen: Titles that were asked for; those of labels and of usage are shown besides.
        wide: Whether wide columns are shown.
    """
    if chosen is None:
        return [*lead, *titles_of([column for column in columns if wide or not column.wide])]
    there = {*lead, *(column.title for column in columns)}
    besides = [c.title for c in columns if c.source in ("label", "usage") and c.title not in chosen]
    titles = [*(title for title in lead if title not in chosen), *chosen, *besides]
    usage = {column.title for column in columns if column.source == "usage"} - {*chosen}
    return _usage_first([title for title in titles if title in there], usage)


def titles_of(columns: Sequence[Column]) -> list[str]:
    """The titles of columns in the order in which they are read, which is not that of a row's cells."""
    return _usage_first([column.title for column in columns], {c.title for c in columns if c.source == "usage"})


def _usage_first(titles: Sequence[str], usage: Collection[str]) -> list[str]:
    others = [title for title in titles if title not in usage]
    at = others.index(BEHIND_USAGE) if BEHIND_USAGE in others else len(others)
    return [*others[:at], *(title for title in titles if title in usage), *others[at:]]


def laid_out(titles: Sequence[str], layout: Layout | None) -> list[str]:
    """The titles to show, as a person arranged them: as `frontend/src/table/layout.ts` does it in the page.

    One that the layout does not know comes behind the one it follows by itself. Never none, where there are any.
    """
    if layout is None:
        return list(titles)
    made = [title for title in dict.fromkeys(layout.order) if title in titles]
    for index, title in enumerate(titles):
        if title not in made:
            before = next((one for one in reversed(titles[:index]) if one in made), None)
            made.insert(0 if before is None else made.index(before) + 1, title)
    return [title for title in made if title not in layout.hidden] or made[:1]
