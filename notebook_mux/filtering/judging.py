"""Whether a row passes a filter.

A filter is read once for the columns of a table and then asked for each row. `frontend/src/filter/judging.ts` is its
twin in the page; tests give both the same questions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from notebook_mux.filtering import amounts, selectors
from notebook_mux.filtering.keys import AGE_TITLES, EMPTY, natural_key
from notebook_mux.filtering.near import near
from notebook_mux.filtering.reading import parse
from notebook_mux.filtering.terms import (
    Alternative,
    Compared,
    Faults,
    Labels,
    Mistake,
    Regex,
    Scope,
    Term,
    Text,
)

SHOWN = 12
"""Titles that a mistake names where none is near."""

CLUSTER, NAMESPACE, NAME = -1, -2, -3
"""Columns that every row has, shown or not."""

_OWN = {"cluster": CLUSTER, "namespace": NAMESPACE, "name": NAME}
NUMBERS = {"integer", "number", "quantity"}
"""Types of columns whose cells are numbers, with or without a unit."""

_LESS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}
_USAGE = re.compile(r"%?(?:cpu|mem)(?:/[rl])?")


class Column(NamedTuple):
    """A column by its title and type, as the server gives them."""

    title: str
    type: str = "string"

    @property
    def ages(self) -> bool:
        """Whether its texts are spans of time."""
        return self.title in AGE_TITLES or self.type == "date"


class Facts(Protocol):
    """What is asked of a row."""

    @property
    def cluster(self) -> str:
        """Its cluster's name."""

    @property
    def namespace(self) -> str:
        """Its namespace, "" where it has none."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def cells(self) -> Sequence[Any]:
        """As they are printed now, one for each column."""

    @property
    def ages(self) -> Mapping[int, float]:
        """Seconds, by the index of cells that are an age and nothing else."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The object's."""


Judge = Callable[[Facts], bool]


def plain(title: str) -> str:
    """A title as a filter names it: without case, blanks, ``-`` and ``_``."""
    return "".join(char for char in title.lower() if char not in " -_")


def text_of(cell: Any) -> str:
    """A cell as one line of text, as kubectl prints it."""
    if isinstance(cell, str):
        text = cell
    elif cell is None:
        text = ""
    elif isinstance(cell, bool):
        text = "true" if cell else "false"
    elif isinstance(cell, dict | list):
        text = msgspec.json.encode(cell).decode()
    elif isinstance(cell, float) and cell.is_integer():
        text = str(int(cell))
    else:
        text = str(cell)
    return text.replace("\n", " ")


class Filter:
    """A filter for rows with these columns.

    Args:
        text: What was written.
        columns: The rows'; None where they are not known yet, and any key may be one.
        faults: Whether only rows with a fault pass, whatever is written.
        fault: Whether a row shows a fault; without it none does.
        several: Whether the rows show their cluster and their namespace, so that words are looked for there too.

    Attributes:
        text: What was written.
        mistakes: What of it cannot be, by place; what is right holds all the same.
    """

    def __init__(
        self,
        text: str,
        columns: Iterable[Column] | None = None,
        *,
        faults: bool = False,
        fault: Judge | None = None,
        several: tuple[bool, bool] = (True, True),
    ) -> None:
        parsed = parse(text)
        self.text = text
        self._columns = None if columns is None else list(columns)
        self._several = several
        self._fault: Judge = fault or (lambda facts: False)
        self._places = dict(_OWN)
        for index, column in reversed(list(enumerate(self._columns or ()))):
            self._places[plain(column.title)] = index
        self.mistakes: list[Mistake] = list(parsed.mistakes)
        self._judges: list[Judge] = [judge for term in parsed.terms if (judge := self._judge(term)) is not None]
        if faults:
            self._judges.append(self._fault)
        self.mistakes.sort()

    def __bool__(self) -> bool:
        """Whether there is anything to judge by."""
        return bool(self._judges)

    def passes(self, facts: Facts) -> bool:
        """Whether a row passes."""
        return all(judge(facts) for judge in self._judges)

    # --- terms ----------------------------------------------------------------------------------------------------

    def _judge(self, term: Term) -> Judge | None:
        match term:
            case Text():
                return self._words(term)
            case Regex():
                search, negated = term.pattern.search, term.negated
                return lambda facts: any(search(cell) for cell in self._texts(facts)) is not negated
            case Scope():
                equal = _glob(term.alternatives)
                if term.what == "cluster":
                    return lambda facts: equal(facts.cluster.lower())
                return lambda facts: equal(facts.namespace.lower())
            case Labels():
                asked = term.requirements
                return lambda facts: all(selectors.holds(one, facts.labels) for one in asked)
            case Faults():
                return self._fault
            case Compared():
                return self._compared(term)
        raise AssertionError(term)

    def _texts(self, facts: Facts) -> list[str]:
        texts = [text_of(cell) for cell in facts.cells]
        if self._several[1]:
            texts.append(facts.namespace)
        if self._several[0]:
            texts.append(facts.cluster)
        return texts

    def _words(self, term: Text) -> Judge:
        word, negated = term.text.lower(), term.negated
        return lambda facts: any(word in cell.lower() for cell in self._texts(facts)) is not negated

    def _compared(self, term: Compared) -> Judge | None:
        place = self._places.get(plain(term.key))
        if place is None:
            if term.op in _LESS and self._columns is not None:
                self.mistakes.append(self._no_column(term))
                return None
            return _label(term)
        column = self._columns[place] if self._columns is not None and place >= 0 else Column(term.key)
        negated = term.negated
        if term.op in _LESS:
            return self._ordered(term, place, column)
        if term.pattern is not None:
            search = term.pattern.search
            return lambda facts: (search(text_of(_cell(facts, place))) is not None) is not negated
        equal = _equal(term.alternatives, column)
        return lambda facts: equal(_cell(facts, place)) is not negated

    def _ordered(self, term: Compared, place: int, column: Column) -> Judge | None:
        wanted = amounts.amount(term.value)
        if column.ages and wanted.seconds is None:
            self._untyped(term, f"{term.value} is no span of time", "90s, 5m, 1h30m or 2d")
            return None
        if column.type in NUMBERS and wanted.number is None:
            self._untyped(term, f"{term.value} is no number", "3, 200m or 1.5Gi")
            return None
        signs, negated, ages = _LESS[term.op], term.negated, column.ages
        span = wanted.seconds

        def judge(facts: Facts) -> bool:
            age = facts.ages.get(place)
            if age is not None and span is not None:
                found: float | None = age - span
            else:
                found = amounts.difference(_plain_cell(_cell(facts, place)), wanted, ages=ages, title=column.title)
            holds = found is not None and not math.isnan(found) and ((found > 0) - (found < 0)) in signs
            return holds is not negated

        return judge

    def _untyped(self, term: Compared, what: str, such: str) -> None:
        is_open = term.value_span[1] == len(self.text)
        self.mistakes.append(
            Mistake(*term.value_span, what, f"{term.key} is compared with one, such as {such}", is_open)
        )

    def _no_column(self, term: Compared) -> Mistake:
        assert self._columns is not None
        titles = [column.title for column in self._columns]
        by_word = {plain(title): title for title in reversed(titles)}
        offered = [by_word[word] for word in near(plain(term.key), reversed(by_word))]
        if _USAGE.fullmatch(plain(term.key)):
            todo = "CPU and memory are columns of pods and nodes with usage=True (the key u)"
        elif offered:
            todo = f"did you mean {' or '.join(offered)}?"
        else:
            todo = f"{term.op} compares columns: {', '.join(titles[:SHOWN])}{' …' if len(titles) > SHOWN else ''}"
        return Mistake(*term.key_span, f"there is no column {term.key} to compare", todo)


def _cell(facts: Facts, place: int) -> Any:
    if place >= 0:
        cells = facts.cells
        return cells[place] if place < len(cells) else None
    return facts.name if place == NAME else facts.namespace if place == NAMESPACE else facts.cluster


def _plain_cell(cell: Any) -> Any:
    return text_of(cell) if isinstance(cell, dict | list) else cell


def _glob(alternatives: tuple[Alternative, ...]) -> Callable[[str], bool]:
    """Whether a text in lower case is one of these."""
    exact = frozenset(one[0].lower() for one in alternatives if len(one) == 1)
    wild = [tuple(part.lower() for part in one) for one in alternatives if len(one) > 1]
    if not wild:
        return exact.__contains__
    return lambda text: text in exact or any(_wild(one, text) for one in wild)


def _wild(parts: tuple[str, ...], text: str) -> bool:
    first, *between, last = parts
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _equal(alternatives: tuple[Alternative, ...], column: Column) -> Callable[[Any], bool]:
    """Whether a cell is one of these: its text, or its number, so that ``restarts=3`` is ``3 (5m ago)`` too."""
    glob = _glob(alternatives)
    nothing = ("",) in alternatives
    numbers = set()
    if not column.ages:
        for one in alternatives:
            rank, number, _ = natural_key(one[0])
            if len(one) == 1 and rank == 0 and len(number) == 1:
                numbers.add(number[0])

    def equal(cell: Any) -> bool:
        text = text_of(cell)
        if glob(text.lower()) or (nothing and text in EMPTY):
            return True
        if not numbers:
            return False
        rank, number, _ = natural_key(_plain_cell(cell))
        return rank == 0 and len(number) == 1 and number[0] in numbers

    return equal


def _label(term: Compared) -> Judge:
    key, negated, pattern = term.key, term.negated, term.pattern
    if pattern is not None:
        search = pattern.search
        return lambda facts: ((value := facts.labels.get(key)) is not None and bool(search(value))) is not negated
    if term.op in _LESS:  # of columns that are not known yet
        return lambda facts: negated
    equal = _glob(term.alternatives)
    return lambda facts: ((value := facts.labels.get(key)) is not None and equal(value.lower())) is not negated
