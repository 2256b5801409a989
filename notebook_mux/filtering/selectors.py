"""kubectl's label selectors, read with the places of what is wrong and judged as a server judges them.

apimachinery/pkg/labels/selector.go: ``k`` ``!k`` ``k=v`` ``k==v`` ``k!=v`` ``k in (a,b)`` ``k notin (a,b)`` ``k>1``
``k<1``, with commas between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from notebook_mux.filtering.terms import BLANK, Mistake, Requirement

LENGTH, PREFIX_LENGTH = 63, 253
"""Of a label's value and its key's name; of what stands before the key's slash (apimachinery/pkg/util/validation)."""

_VALUE = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_GOOD_VALUE = re.compile(f"(?:{_VALUE})?")
_GOOD_KEY = re.compile(rf"(?:([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)/)?({_VALUE})")
_SIGNS = re.compile(r"[-A-Za-z0-9_./]*")
_VALUE_SIGNS = re.compile(r"[-A-Za-z0-9_.]*")
_BLANKS = re.compile(f"[{BLANK}]*")
_SET = re.compile(rf"[{BLANK}]+(in|notin)[{BLANK}]*\(")
_TIGHT = re.compile(r"(==?|!=)|([<>])(?=-?\d|$)", re.ASCII)
_LOOSE = re.compile(f"[{BLANK}]*(?:(==?|!=)|([<>]))[{BLANK}]*")
_INTEGER = re.compile(rf"[-+]?\d{{1,{LENGTH}}}", re.ASCII)

SUCH = "such as app=web, tier in (a, b) or !old"


class _Wrong(Exception):
    def __init__(self, start: int, end: int, what: str, todo: str = SUCH, is_open: bool = False) -> None:
        super().__init__(what)
        self.mistake = Mistake(start, end, what, todo, is_open)


def read(text: str, at: int, end: int, *, blanks: bool) -> tuple[tuple[Requirement, ...], int, Mistake | None]:
    """Read a selector.

    Args:
        text: Where it stands.
        at: Where it begins.
        end: Where it must end at the latest.
        blanks: Whether it is all up to there, with blanks around its signs; else it ends at a blank, where no set
            stands behind that.

    Returns:
        The requirements, where it ended, and what is wrong with it.
    """
    reader = _Reader(text[:end], blanks)
    try:
        return reader.read(at), reader.at, None
    except _Wrong as wrong:
        return (), reader.at, wrong.mistake


class _Reader:
    def __init__(self, text: str, blanks: bool) -> None:
        self.text = text
        self.blanks = blanks
        self.at = 0

    def read(self, at: int) -> tuple[Requirement, ...]:
        self.at = at
        found: list[Requirement] = []
        while True:
            if self.blanks or found:
                self._skip()
            found.append(self._requirement())
            if self.blanks:
                self._skip()
            char = self.text[self.at : self.at + 1]
            if char == ",":
                self.at += 1
                continue
            if char and (self.blanks or not _BLANKS.fullmatch(char)):
                raise _Wrong(self.at, self.at + 1, f"{char} is not expected here", "put a comma between requirements")
            return tuple(found)

    def _skip(self) -> None:
        found = _BLANKS.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def _signs(self, signs: re.Pattern[str]) -> tuple[int, int, str]:
        found = signs.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        return found.start(), found.end(), found[0]

    def _requirement(self) -> Requirement:
        absent = self.text[self.at : self.at + 1] == "!"
        if absent:
            self.at += 1
            if self.blanks:
                self._skip()
        key = self._key()
        if absent:
            return Requirement(key, "absent")
        listed = _SET.match(self.text, self.at)
        if listed is not None:
            self.at = listed.end()
            return Requirement(key, listed[1], self._list(listed.end() - 1))
        sign = (_LOOSE if self.blanks else _TIGHT).match(self.text, self.at)
        if sign is None:
            return Requirement(key, "exists")
        self.at = sign.end()
        if sign[2]:
            start, end, number = self._signs(_VALUE_SIGNS)
            if not _INTEGER.fullmatch(number):
                raise _Wrong(start, end, f"{sign[2]} takes a whole number", f"such as {key}{sign[2]}3", not number)
            return Requirement(key, sign[2], (number,))
        return Requirement(key, "notin" if sign[1] == "!=" else "in", (self._value(),))

    def _key(self) -> str:
        start, end, key = self._signs(_SIGNS)
        if not key:
            char = self.text[start : start + 1]
            if not char:
                raise _Wrong(start, end, "a label is missing here", is_open=True)
            raise _Wrong(start, start + 1, f"no label begins with {char}")
        good = _GOOD_KEY.fullmatch(key)
        if good is None:
            todo = "a label's key is letters, digits, - _ . and at most one / behind a domain"
            raise _Wrong(start, end, f"{key} can be no label's key", todo, end == len(self.text))
        if len(good[2]) > LENGTH or len(good[1] or "") > PREFIX_LENGTH:
            raise _Wrong(start, end, f"a label's key has at most {LENGTH} characters", "shorten it")
        return key

    def _value(self) -> str:
        start, end, value = self._signs(_VALUE_SIGNS)
        if not _GOOD_VALUE.fullmatch(value):
            todo = "a label's value is letters, digits and - _ . between them"
            raise _Wrong(start, end, f"{value} can be no label's value", todo, end == len(self.text))
        if len(value) > LENGTH:
            raise _Wrong(start, end, f"a label's value has at most {LENGTH} characters", "shorten it")
        return value

    def _list(self, opened: int) -> tuple[str, ...]:
        values = []
        while True:
            self._skip()
            values.append(self._value())
            self._skip()
            char = self.text[self.at : self.at + 1]
            if not char:
                raise _Wrong(opened, self.at, "this ( is never closed", "close it with )", True)
            self.at += 1
            if char == ")":
                return tuple(values)
            if char != ",":
                raise _Wrong(self.at - 1, self.at, f"{char} is not expected here", "put a comma between the values")


def holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    """Whether an object with these labels is meant."""
    value = labels.get(requirement.key)
    match requirement.op:
        case "exists":
            return value is not None
        case "absent":
            return value is None
        case "in":
            return value in requirement.values
        case "notin":
            return value not in requirement.values
    if value is None or not _INTEGER.fullmatch(value):
        return False
    wanted = int(requirement.values[0])
    return int(value) > wanted if requirement.op == ">" else int(value) < wanted
