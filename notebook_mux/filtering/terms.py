"""What a filter is made of, as it was read: words with their places in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from notebook_mux.filtering.regexes import Pattern

BLANK = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What divides words, as the inside of a class of a regular expression: in Python and browsers the same."""

Span = tuple[int, int]
"""From (included) to (excluded), in characters of the text."""

Alternative = tuple[str, ...]
"""A text with ``*`` in it, divided there: ``we*b`` is ``("we", "b")``, and ``web`` is ``("web",)``."""


class Mistake(NamedTuple):
    """What cannot be read, and where.

    Attributes:
        start: Where it begins in the text.
        end: Where it ends; never before `start`, and there where something is missing.
        what: What is wrong, one sentence without a full stop.
        todo: What to write.
        open: Whether whoever types may just not be through yet.
    """

    start: int
    end: int
    what: str
    todo: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the filter; all of them must hold.

    Attributes:
        span: Where it stands.
    """

    span: Span


@dataclass(frozen=True, slots=True)
class Text(Term):
    """``web``: a cell has this text in it."""

    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Regex(Term):
    r"""``/web-\d+/``: the expression finds something in a cell."""

    source: str
    pattern: Pattern
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Compared(Term):
    """``key=value`` and its kin.

    Attributes:
        key: A column's title or a label's key, as it was written.
        key_span: Where that stands.
        op: ``=``, ``~``, or ``<`` ``<=`` ``>`` ``>=``.
        value: What stands behind it, quotes and all that taken away.
        value_span: Where that stands.
        alternatives: Of ``=``: one of them must be equal.
        pattern: Of ``~``.
        negated: Whether it must not be so: ``!=``, ``!~``, or a ``!`` before the key.
    """

    key: str
    key_span: Span
    op: str
    value: str
    value_span: Span
    alternatives: tuple[Alternative, ...] = ()
    pattern: Pattern | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Scope(Term):
    """``-n prod`` or ``--cluster kind-*``.

    Attributes:
        what: ``"namespace"`` or ``"cluster"``.
    """

    what: str
    alternatives: tuple[Alternative, ...]


class Requirement(NamedTuple):
    """One of a label selector's.

    Attributes:
        key: The label's.
        op: ``in``, ``notin``, ``exists``, ``absent``, ``<`` or ``>``.
        values: Of ``in`` and ``notin`` all that are meant, of ``<`` and ``>`` one whole number.
    """

    key: str
    op: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels(Term):
    """``-l app=web,tier in (a, b)``: kubectl's label selector."""

    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Faults(Term):
    """``--faults``: the row shows a fault."""


class Parsed(NamedTuple):
    """A filter as it was read.

    Attributes:
        text: What was read.
        terms: What could be read of it.
        mistakes: What could not, by place.
    """

    text: str
    terms: tuple[Term, ...]
    mistakes: tuple[Mistake, ...]
