r"""The regular expressions of the filter: what Python and browsers understand alike, and what ends in time.

Characters, ``.``, ``^ $ \b \B``, classes, ``\d \w \s``, groups, ``|``, ``* + ? {n,m}`` and looking ahead. The same
characters are read by `frontend/src/filter/regexes.ts`; each engine gets them in words that mean the same to it.

What is repeated without end must not be able to divide one text in several ways, as in ``(a+)+`` or ``(a|aa)*``: time
would double with each character of a cell, and a page or a kernel would stand still. Several repeats without end in a
row, as in ``a.*b.*c``, take a power of a cell's length: such an expression looks at the beginning of a long cell only.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

MOST = 1000
"""Of a number in ``{n,m}``, and of the repeats that nested ones make together."""

WAYS = 1e5
"""In which one text may be divided by counted repeats, options and alternatives; an address of IPv4 takes 81."""

STEPS = 1e7
"""Of one expression in one cell at worst: a tenth of a second or so."""

SHORTEST = 100
"""Characters of a cell that an expression must be able to look at within `STEPS`; three repeats without end can."""

_SETS = {"d": "0-9", "w": "A-Za-z0-9_", "s": r"\t\n\r\f\v "}
TOO_MANY, FEWER = "there are too many ways to find this", "leave some of the repeats out"

_CONTROL = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f", "v": r"\v"}
_EDGES = {"b": r"(?a:\b)", "B": r"(?a:\B)"}  # as browsers have it: between letters of ASCII
_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)


def _number(digits: str) -> int:
    """The number, or one above `MOST` where it is that: there may be more digits than Python reads."""
    return int(min(float(digits), MOST + 1))


class Wrong(Exception):
    """What stands at a place cannot be there.

    Attributes:
        start: Where it begins, from the expression's own beginning.
        end: Where it ends.
        what: What is wrong.
        todo: What to write.
    """

    def __init__(self, start: int, end: int, what: str, todo: str) -> None:
        super().__init__(what)
        self.start, self.end, self.what, self.todo = start, end, what, todo


@dataclass(slots=True)
class _Group:
    at: int
    ahead: bool = False
    varies: bool = False
    """Whether something in it is repeated, or there are alternatives."""
    endless: bool = False
    most: int = 1
    """What is repeated most in it, how often."""
    ways: float = 1.0
    """In how many its alternative that is being read may be divided."""
    others: float = 0.0
    """The ways of those before it."""

    @property
    def all(self) -> float:
        return self.ways + self.others


@dataclass(frozen=True, slots=True)
class Pattern:
    """An expression that ends in time.

    Attributes:
        expression: As the engine has it.
        most: Characters of a text that it looks at.
    """

    expression: re.Pattern[str]
    most: int

    def search(self, text: str) -> re.Match[str] | None:
        """Where it is found."""
        return self.expression.search(text if len(text) <= self.most else text[: self.most])


def translated(source: str) -> Pattern:
    """An expression that finds what this one finds, whatever the case of letters.

    Raises:
        Wrong: It is none, or none of ours.
    """
    reader = _Reader(source)
    return Pattern(re.compile(reader.read(), re.IGNORECASE), reader.most)


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.out: list[str] = []
        self.groups = [_Group(-1)]
        self.item: _Group | None = None
        """What a repeat would repeat."""
        self.endless = 0
        """Repeats without end so far."""

    @property
    def most(self) -> int:
        """Characters of a text that can be looked at within `STEPS`: each repeat without end may stop at any."""
        power = self.endless + 1  # and it may begin at any
        return int((STEPS * math.factorial(power) / self.groups[0].all) ** (1 / power))

    def read(self) -> str:
        source, at = self.source, 0
        while at < len(source):
            at = self._one(at)
        if len(self.groups) > 1:
            at = self.groups[-1].at
            raise Wrong(at, at + 1, "this ( is never closed", "close it with ), or write \\( for the character")
        if self.most < SHORTEST:
            raise Wrong(0, len(source), TOO_MANY, FEWER)
        return "".join(self.out)

    def _put(self, text: str, item: bool = True) -> None:
        self.out.append(text)
        self.item = _Group(-1) if item else None

    def _one(self, at: int) -> int:
        char = self.source[at]
        if char == "\\":
            return self._escape(at)
        if char == "[":
            return self._class(at)
        if char == "(":
            return self._open(at)
        if char == ")":
            return self._close(at)
        if char in "*+?" or (char == "{" and _COUNT.match(self.source, at)):
            return self._repeat(at)
        if char == "|":
            group = self.groups[-1]
            group.varies, group.others, group.ways = True, group.all, 1.0
            self._put("|", item=False)
        elif char == "^":
            self._put("^", item=False)
        elif char == "$":
            self._put(r"\Z", item=False)
        elif char == ".":
            self._put(r"[^\n\r\u2028\u2029]")
        else:
            self._put(re.escape(char))
        return at + 1

    def _escape(self, at: int) -> int:
        after = self.source[at + 1 : at + 2]
        if after in _EDGES:
            self._put(_EDGES[after], item=False)
        elif after.lower() in _SETS:
            self._put(f"[{'' if after.islower() else '^'}{_SETS[after.lower()]}]")
        else:
            self._put(self._character(at))
        return at + 2

    def _character(self, at: int) -> str:
        r"""What stands for a character behind the ``\`` at a place."""
        after = self.source[at + 1 : at + 2]
        if not after:
            raise Wrong(at, at + 1, "a \\ at the end", "write \\\\ for the character")
        if after in _CONTROL:
            return _CONTROL[after]
        if after.isascii() and after.isalnum():
            raise Wrong(at, at + 2, f"\\{after} is not known here", "there are \\d \\w \\s \\b and their capitals")
        return re.escape(after)

    def _class(self, at: int) -> int:
        source, start = self.source, at
        at += 1
        parts = ["["]
        if source[at : at + 1] == "^":
            parts.append("^")
            at += 1
        first = at
        while True:
            char = source[at : at + 1]
            if not char:
                raise Wrong(start, start + 1, "this [ is never closed", "close it with ], or write \\[ for it")
            if char == "]":
                if at == first:
                    raise Wrong(start, at + 1, "nothing between [ and ]", "write \\] for the character")
                parts.append("]")
                break
            low, one, end = self._member(at)
            if source[end : end + 1] == "-" and source[end + 1 : end + 2] not in ("", "]"):
                high, other, ends = self._member(end + 1)
                if low is None or high is None:
                    raise Wrong(at, ends, "a range of what is no character", "write \\- for the character")
                if low > high:
                    raise Wrong(at, ends, "this range ends before it begins", "put the lower one first")
                parts.append(f"{one}-{other}")
                end = ends
            else:
                parts.append(one)
            at = end
        self._put("".join(parts))
        return at + 1

    def _member(self, at: int) -> tuple[str | None, str, int]:
        """The character at a place of a class, None for a set of them; how it is written; where it ends."""
        char = self.source[at]
        if char != "\\":
            return char, re.escape(char), at + 1
        after = self.source[at + 1 : at + 2]
        if after in ("d", "w", "s"):
            return None, _SETS[after], at + 2
        if after == "b" or after in ("B", "D", "W", "S"):
            raise Wrong(at, at + 2, f"\\{after} cannot stand between [ and ]", "write [^...] for all but these")
        written = self._character(at)
        return {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}.get(after, after), written, at + 2

    def _open(self, at: int) -> int:
        source = self.source
        length = 1
        if source[at + 1 : at + 2] == "?":
            kind = source[at + 2 : at + 3]
            if not kind or kind not in ":=!":
                end = min(at + 3, len(source))
                raise Wrong(at, end, "this (? begins nothing that is known", "there are (?: (?= (?!")
            length = 3
            self.out.append(f"(?{kind}")
            self.groups.append(_Group(at, ahead=kind != ":"))
        else:
            self.out.append("(?:")
            self.groups.append(_Group(at))
        self.item = None
        return at + length

    def _close(self, at: int) -> int:
        if len(self.groups) == 1:
            raise Wrong(at, at + 1, "this ) closes nothing", "write \\) for the character")
        group = self.groups.pop()
        self.out.append(")")
        around = self.groups[-1]
        around.varies |= group.varies
        around.endless |= group.endless
        around.most = max(around.most, group.most)
        self._multiply(group.all, at)
        self.item = None if group.ahead else group
        return at + 1

    def _multiply(self, ways: float, at: int) -> None:
        group = self.groups[-1]
        group.ways = min(group.ways * ways, WAYS * WAYS)
        if group.all > WAYS:
            raise Wrong(at, at + 1, TOO_MANY, FEWER)

    def _repeat(self, at: int) -> int:
        source, item = self.source, self.item
        char = source[at]
        if item is None:
            raise Wrong(at, at + 1, f"nothing before this {char} to repeat", f"write \\{char} for the character")
        counted = _COUNT.match(source, at) if char == "{" else None
        end = counted.end() if counted else at + 1
        least, most = 0, None
        if counted:
            least = _number(counted[1])
            most = least if counted[2] is None else _number(counted[3]) if counted[3] else None
            if max(least, most or 0) > MOST or (most is not None and most < least):
                raise Wrong(at, end, f"{counted[0]} is no count", f"the lower number first, {MOST} at most")
        elif char == "?":
            most = 1
        together = item.most * (most or 1)
        if (most is None and item.varies) or (item.endless and most != 1) or together > MOST:
            what = "a repeat of what repeats, or of alternatives, can take for ever"
            raise Wrong(at, end, what, "take one of the repeats away")
        group = self.groups[-1]
        if most is not None:
            self._multiply(item.all ** min(max(most - 1, 0), 64) * (most - least + 1), at)
        group.varies |= most != least
        group.endless |= most is None
        self.endless += most is None
        group.most = max(group.most, together)
        self.out.append(source[at:end])
        if source[end : end + 1] == "?":
            self.out.append("?")
            end += 1
        self.item = None
        return end
