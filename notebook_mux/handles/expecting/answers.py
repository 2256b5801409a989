"""Answers: a value beside the one that is right, compared as people mean it and never shown."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Set as AbstractSet
from typing import Any

from notebook_mux.errors import InvalidArgument
from notebook_mux.handles.expecting.looks import Look

FEW_DIGITS = 8
"""Hexadecimal digits of a hash that are enough: nobody meets another answer's first 32 bits by chance."""

CLOSE = 1e-6
"""Numbers that differ by less, relatively, are the same: a mean is not always added up in one order."""

SHOWN = 80
"""Characters of an answer that are shown back."""

_HASH = re.compile(rf"[0-9a-f]{{{FEW_DIGITS},64}}")


def same(value: Any, right: Any) -> bool:
    """Whether an answer is the right one: ``3`` is ``"3"``, case and blanks do not count, nor the order of a set."""
    if isinstance(right, AbstractSet) and isinstance(value, AbstractSet | list | tuple):
        return {plain(one) for one in value} == {plain(one) for one in right}
    if isinstance(right, list | tuple) and isinstance(value, list | tuple):
        return len(value) == len(right) and all(map(same, value, right))
    if isinstance(right, Mapping) and isinstance(value, Mapping):
        return value.keys() == right.keys() and all(same(value[key], right[key]) for key in right)
    if isinstance(right, bool) or isinstance(value, bool):
        return plain(value) == plain(right)
    if isinstance(right, int | float) and isinstance(value, int | float):
        return math.isclose(value, right, rel_tol=CLOSE)
    return plain(value) == plain(right)


def plain(value: Any) -> str:
    """An answer as the text that is compared and hashed."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split()).casefold()


def hashed(value: Any) -> str:
    """An answer's hash, as ``sha=`` has it: SHA-256 of its text in small letters, blanks folded."""
    return hashlib.sha256(plain(value).encode()).hexdigest()


def checked_hash(sha: Any) -> str:
    """A hash as it was given.

    Raises:
        InvalidArgument: It is none.
    """
    text = sha.strip().lower() if isinstance(sha, str) else ""
    if not _HASH.fullmatch(text):
        raise InvalidArgument(
            f"sha={sha!r} is no hash of an answer",
            todo=f"give {FEW_DIGITS} or more hexadecimal digits of hashlib.sha256(b'the answer').hexdigest()",
        )
    return text


def answer(value: Any, equals: Any, sha: str | None) -> Look:
    """A look at a student's answer.

    Args:
        value: The answer; None, ``...`` and an empty text are none yet.
        equals: The right one, or a function that finds it; ``...`` where there is a hash.
        sha: The right one's hash.
    """
    if value is None or value is ... or (isinstance(value, str) and not value.strip()):
        return Look(False, "there is no answer yet", value)
    if callable(value):
        return Look(False, "the answer is a function: give what it returns", None)
    shown = repr(value)
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
    right = hashed(value).startswith(sha) if sha is not None else same(value, found(equals))
    return Look(right, f"{shown} is right" if right else f"{shown} is not right", value)


def found(equals: Any) -> Any:
    """The right answer, asked of a function where one was given."""
    return equals() if callable(equals) else equals


def field(path: str, read: Callable[[Any], list[Any]], equals: Any, hidden: bool) -> Callable[[Any], Look]:
    """A look at a field of an object; without `equals` it only has to be there.

    Args:
        path: The field, for people.
        read: Gives all values at the path.
        equals: The value, or a function that finds it; ``...`` is any that is not empty.
        hidden: Whether the right value is not to be shown.
    """

    def look(obj: Any) -> Look:
        values = read(obj)
        value = values[0] if len(values) == 1 else values
        if not any(one not in (None, "", [], {}) for one in values):
            return Look(equals is not ... and bool(values) and same(value, found(equals)), f"{path} is not set", value)
        ok = equals is ... or same(value, found(equals))
        if obj.get("kind") == "Secret" or (hidden and ok):
            return Look(ok, f"{path} is {'set' if equals is ... else 'as expected' if ok else 'another'}", value)
        return Look(ok, f"{path} is {_short(value)}", value)

    return look


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
