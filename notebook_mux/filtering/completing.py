"""What may follow where somebody types: titles, operators, values that are there, labels, namespaces, flags."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from notebook_mux.filtering.judging import CLUSTER, NAME, NAMESPACE, NUMBERS, Column, Facts, plain, text_of
from notebook_mux.filtering.keys import natural_key
from notebook_mux.filtering.reading import last_word
from notebook_mux.filtering.terms import BLANK

MOST = 50
"""Candidates at most: nobody reads more, and the next letter leaves fewer."""

_IS = [("=", "is"), ("!=", "is not")]
_MORE = [(">", "more than"), ("<", "less than")]
_TEXTS = [*_IS, ("~", "matches"), ("!~", "does not match"), *_MORE]
_AMOUNTS = [*_MORE, (">=", "at least"), ("<=", "at most"), *_IS]
_FLAGS = [
    ("-n ", "namespaces"),
    ("-l ", "labels, as kubectl"),
    ("--cluster ", "clusters"),
    ("--faults", "what shows a fault"),
]
_SPANS = ("5m", "1h", "1d", "7d")

_SCOPE = re.compile(f"(-n|--namespace|--cluster)(?:=|[{BLANK}]+)([^{BLANK}]*)$")
_LABELS = re.compile(f"(?:-l|--selector)(?:=|[{BLANK}]+)(['\"]?)(.*)$", re.DOTALL)
_LISTED = re.compile(r"([-A-Za-z0-9_./]+)\s+(?:in|notin)\s*\((?:[^()]*,)?\s*([^(),]*)$")
_EQUALLED = re.compile(r"([-A-Za-z0-9_./]+)\s*(?:==?|!=)\s*([-A-Za-z0-9_.]*)$")
_KEYED = re.compile(r"(?:^|,)\s*!?([-A-Za-z0-9_./]*)$")
_COMPARED = re.compile(f'!?([^{BLANK}=!<>~"]+)(=~|==?|!=|!~|>=|<=|~|>|<)([^{BLANK}]*)$')
_WORD = re.compile(f'(!?)([^{BLANK}"]*)$')
_NEEDS_QUOTES = re.compile(f'[{BLANK}",*]')


class Candidate(NamedTuple):
    """What may stand there.

    Attributes:
        text: What takes the place.
        kind: ``"column" "label" "value" "operator" "flag"``.
        about: A word or two for whoever chooses; of a value how many rows have it.
    """

    text: str
    kind: str
    about: str


class Completion(NamedTuple):
    """What may follow at a place.

    Attributes:
        start: Where the text begins that a candidate takes the place of.
        end: Where it ends.
        candidates: The likeliest first.
    """

    start: int
    end: int
    candidates: tuple[Candidate, ...]


class Known:
    """What is known of a table's rows.

    Args:
        columns: Its columns.
        rows: All that it may show.
    """

    def __init__(self, columns: Sequence[Column], rows: Iterable[Facts]) -> None:
        self.columns = list(columns)
        self._rows = list(rows)

    def place(self, key: str) -> int | None:
        """A column by what a filter calls it; as the filter itself finds it."""
        for index, column in enumerate(self.columns):
            if plain(column.title) == plain(key):
                return index
        return {"cluster": CLUSTER, "namespace": NAMESPACE, "name": NAME}.get(plain(key))

    def titles(self) -> list[str]:
        """All columns, as a filter writes them."""
        own = [word for word in ("namespace", "cluster") if len(self.values(_OWN[word])) > 1]
        return [*dict.fromkeys([*(written(column.title) for column in self.columns), *own])]

    def values(self, place: int) -> Counter[str]:
        """The cells of a column, and how many rows have each; none of one that counts time."""
        found: Counter[str] = Counter()
        for row in self._rows:
            if place == CLUSTER:
                cell: object = row.cluster
            elif place == NAMESPACE:
                cell = row.namespace
            elif place == NAME:
                cell = row.name
            elif place in row.ages or place >= len(row.cells):
                continue
            else:
                cell = row.cells[place]
            text = text_of(cell)
            found[text.partition(" ")[0] if natural_key(cell)[0] == 0 else text] += 1
        return found

    def labels(self) -> Counter[str]:
        """The keys of labels, and how many rows have each."""
        return Counter(key for row in self._rows for key in row.labels)

    def label_values(self, key: str) -> Counter[str]:
        """The values of a label."""
        return Counter(row.labels[key] for row in self._rows if key in row.labels)


_OWN = {"cluster": CLUSTER, "namespace": NAMESPACE}


def written(title: str) -> str:
    """A title as one word of a filter."""
    return title.lower().replace(" ", "-")


def complete(text: str, cursor: int, known: Known) -> Completion:
    """What may follow at a place of a text.

    Args:
        text: The filter, as far as it is typed.
        cursor: The place, in characters.
        known: The table's columns and rows.
    """
    head = text[:cursor]
    if text[cursor : cursor + 1] not in ("", ",") and not re.match(f"[{BLANK}]", text[cursor]):
        return Completion(cursor, cursor, ())
    word = head[last_word(head) :]
    fragment, candidates = _follow(word, known)
    if fragment is None and re.search(f"[{BLANK}]$", head) and not _open(word):
        fragment, candidates = _begin("", known)
    if fragment is None:
        return Completion(cursor, cursor, ())
    return Completion(cursor - len(fragment), cursor, tuple(candidates[:MOST]))


Found = tuple[str | None, list[Candidate]]


def _open(word: str) -> bool:
    """Whether a quote or an expression is not closed."""
    return word.removeprefix("!")[:1] in ('"', "/") or bool(re.search('[=~<>,]"', word))


def _follow(word: str, known: Known) -> Found:
    """What may follow a word, and the part of it that is replaced."""
    scope = _SCOPE.match(word)
    if scope is not None:
        place = CLUSTER if scope[1] == "--cluster" else NAMESPACE
        return _values(scope[2], known.values(place))
    labels = _LABELS.match(word)
    if labels is not None:
        return _selector(labels[2], known)
    compared = _COMPARED.match(word)
    if compared is not None:
        return _compared(compared, known)
    plain_word = _WORD.match(word)
    if plain_word is not None and plain_word[2][:1] != "/":
        return _begin(plain_word[2], known, flags=not plain_word[1])
    return None, []


def _begin(word: str, known: Known, *, flags: bool = True) -> Found:
    """What a word may be the beginning of."""
    if word.startswith("-"):
        found = [Candidate(flag, "flag", about) for flag, about in _FLAGS if flag.startswith(word) and flag != word]
        return (word, found) if flags else (None, [])
    place = known.place(word) if word else None
    candidates = []
    if place is not None:
        column = known.columns[place] if place >= 0 else None
        typed = column is not None and (column.ages or column.type in NUMBERS)
        candidates = [Candidate(word + op, "operator", about) for op, about in (_AMOUNTS if typed else _TEXTS)]
    titles = [title for title in known.titles() if plain(title) != plain(word)]
    candidates += [Candidate(title, "column", "column") for title in _beginning(plain(word), titles, plain)]
    if word:
        keys = [key for key, _ in _ranked(known.labels()) if known.place(key) is None]
        candidates += [Candidate(f"{key}=", "label", "label") for key in _beginning(word.lower(), keys, str.lower)]
    elif flags:
        candidates += [Candidate(flag, "flag", about) for flag, about in _FLAGS]
    return word, candidates


def _beginning(word: str, words: Iterable[str], read: Callable[[str], str]) -> list[str]:
    """Those that begin with a word, then, from the second letter on, those that have it in them."""
    first, second = [], []
    for other in words:
        if read(other).startswith(word):
            first.append(other)
        elif len(word) > 1 and word in read(other):
            second.append(other)
    return first + second


def _compared(found: re.Match[str], known: Known) -> Found:
    key, op, value = found[1], found[2], found[3]
    place = known.place(key)
    if op in ("=", "==", "!="):
        values = known.values(place) if place is not None else known.label_values(key)
        return _values(value, values)
    if op in ("<", "<=", ">", ">=") and place is not None and place >= 0 and known.columns[place].ages:
        spans = [Candidate(span, "value", "") for span in _SPANS if span.startswith(value) and span != value]
        return value, spans
    return None, []


def _values(value: str, values: Counter[str]) -> Found:
    """Values that are there, behind the last comma of what is typed."""
    fragment = value.rpartition(",")[2]
    opened = fragment.startswith('"')
    wanted = fragment.removeprefix('"').lower()
    taken = {one.lower() for one in value.split(",")[:-1]}
    known = {text: count for text, count in values.items() if text and text.lower() not in taken and text != fragment}
    ranked = [text for text, _ in _ranked(known)]
    return fragment, [
        Candidate(_quoted(text, opened), "value", str(known[text])) for text in _beginning(wanted, ranked, str.lower)
    ]


def _ranked(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _quoted(text: str, always: bool) -> str:
    if not always and not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _selector(text: str, known: Known) -> Found:
    listed = _LISTED.search(text)
    if listed is not None:
        return _plain_values(listed[2], known.label_values(listed[1]))
    equalled = _EQUALLED.search(text)
    if equalled is not None:
        return _plain_values(equalled[2], known.label_values(equalled[1]))
    keyed = _KEYED.search(text)
    if keyed is None:
        return None, []
    fragment = keyed[1]
    keys = [key for key, _ in _ranked(known.labels()) if key != fragment]
    return fragment, [Candidate(key, "label", "label") for key in _beginning(fragment.lower(), keys, str.lower)]


def _plain_values(fragment: str, values: Counter[str]) -> Found:
    ranked = [text for text, _ in _ranked(values) if text != fragment]
    found = _beginning(fragment.lower(), ranked, str.lower)
    return fragment, [Candidate(text, "value", str(values[text])) for text in found]
