"""Regular expressions of grep and sed, basic and extended (POSIX.1-2017, XBD 9), in a time that is bounded.

A pattern becomes a small program whose threads run side by side (Thompson, CACM 11(6), 1968; Pike's captures), so no
pattern can take more than its size times the text's. Back references are no regular expressions, and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from notebook_mux.playground.shell.patterns import bracket

SIZE = 2000
"""Instructions of a pattern; ``{9,99}`` repeats those of what it stands behind."""

STEPS = 200_000
"""Threads' steps in one text, however often it is searched: a tenth of a second, a few of them on a slow machine."""

STEPS_A_UNIT = 160
"""Steps that take as long as a unit of `effort`."""

SKIPPED = 32
"""Characters with which nothing begins that are passed over in the time of a step."""

LOWERED = 64
"""Characters that are made small letters in the time of a step."""

COSTLY = "the regular expression is too costly for the playground"

REPEATS = 255
"""RE_DUP_MAX."""

DEPTH = 50
WORD = "_"


class RegexFault(Exception):
    """A pattern that is none, or one that costs too much."""


class Char(NamedTuple):
    """A character that fits."""

    fits: Callable[[str], bool]


class Split(NamedTuple):
    """Two ways, the first preferred."""

    first: int
    second: int


class Save(NamedTuple):
    """A group's border."""

    slot: int


class At(NamedTuple):
    """A place: ``^``, ``$``, ``b`` and ``B`` (a word's border), ``<`` and ``>``."""

    place: str


class Done(NamedTuple):
    """It fits."""


Instruction = Char | Split | Save | At | Done


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern fits.

    Args:
        groups: Begin and end of the whole and of each group; -1 for one that took no part.
    """

    groups: tuple[int, ...]

    @property
    def start(self) -> int:
        """Its beginning."""
        return self.groups[0]

    @property
    def end(self) -> int:
        """Behind its end."""
        return self.groups[1]

    def group(self, text: str, number: int) -> str:
        """A group's text; empty for one that is not there."""
        if 2 * number + 1 >= len(self.groups) or self.groups[2 * number] < 0:
            return ""
        return text[self.groups[2 * number] : self.groups[2 * number + 1]]


class Regex:
    """A compiled pattern.

    Args:
        pattern: Its text.
        extended: Whether ``+``, ``?``, ``|`` and parentheses mean something without a backslash.
        ignore_case: Whether case does not matter.

    Raises:
        RegexFault: It is none.
    """

    size = SIZE
    _fold = False
    done: ClassVar[int] = 0
    """Steps of all searches of all patterns, for those that bound several together."""

    def __init__(self, pattern: str, *, extended: bool = False, ignore_case: bool = False):
        self._fold = ignore_case
        reader = _Reader(pattern.lower() if ignore_case else pattern, extended)
        tree = reader.alternatives(0)
        if reader.at < len(pattern):
            raise RegexFault("Unmatched ) or \\)")
        self._begin(tree, reader.groups, _literal(tree))

    def _begin(self, tree: tuple[object, ...], groups: int = 0, literal: str | None = None) -> None:
        """Make the program of a tree."""
        self.groups = groups
        self._literal = literal
        self._steps = self._owed = 0
        self._program = list[Instruction]()
        self._emit(("group", 0, tree))
        self._add(Done())

    def owed(self) -> float:
        """Units of effort for what was searched since this was last asked."""
        owed, self._owed = self._owed / STEPS_A_UNIT, 0
        return owed

    def search(self, text: str, begin: int = 0) -> Match | None:
        """The first place where it fits, and there the longest; None where there is none.

        Args:
            text: The text.
            begin: Where to begin; behind its beginning the search goes on, and so does the count of its steps.

        Raises:
            RegexFault: It takes too long.
        """
        self._steps = (self._steps if begin else 0) + 1 + (len(text) // LOWERED if self._fold else 0)
        before = self._steps if begin else 0
        try:
            if self._steps > STEPS:
                raise RegexFault(COSTLY)
            return self._search(text, begin)
        finally:
            self._owed += self._steps - before
            Regex.done += self._steps - before

    def _search(self, text: str, begin: int) -> Match | None:
        seen = text.lower() if self._fold else text
        if len(seen) != len(text):
            seen = text
        if self._literal is not None and self.groups == 0:
            at = seen.find(self._literal, begin)
            return Match((at, at + len(self._literal))) if at >= 0 else None
        best: tuple[int, ...] | None = None
        threads, seen_here = dict[int, tuple[int, ...]](), set[int]()
        at = begin - 1
        while at < len(seen):
            at += 1
            if not threads and best is None and self._firsts:
                at = self._beginning(seen, at)
                if at == len(seen):
                    return None
            if best is None:
                self._spawn(threads, seen_here, 0, (-1,) * (2 * self.groups + 2), seen, at)
            following, seen_next = dict[int, tuple[int, ...]](), set[int]()
            char = seen[at] if at < len(seen) else ""
            for pc, saved in threads.items():
                instruction = self._program[pc]
                if isinstance(instruction, Done):
                    if best is None or saved[0] < best[0] or (saved[0] == best[0] and saved[1] > best[1]):
                        best = saved
                elif char and isinstance(instruction, Char) and instruction.fits(char):
                    self._spawn(following, seen_next, pc + 1, saved, seen, at + 1)
            self._steps += len(threads) + 1
            threads, seen_here = following, seen_next
            if best is not None:
                threads = {pc: saved for pc, saved in following.items() if saved[0] <= best[0]}
                if not threads:
                    break
        return Match(best) if best is not None else None

    @cached_property
    def _firsts(self) -> list[Callable[[str], bool]]:
        """What fits its first character; empty where it may be without any."""
        found, stack, seen = list[Callable[[str], bool]](), [0], set[int]()
        while stack:
            pc = stack.pop()
            if pc in seen:
                continue
            seen.add(pc)
            match self._program[pc]:
                case Char(fits):
                    found.append(fits)
                case Split(first, second):
                    stack += [first, second]
                case Done():
                    return []
                case _:
                    stack.append(pc + 1)
        return found

    def _beginning(self, text: str, at: int) -> int:
        """The next place where it could begin; the end where there is none."""
        known = dict[str, bool]()
        for index in range(at, len(text)):
            char = text[index]
            if char not in known:
                known[char] = any(fits(char) for fits in self._firsts)
            if known[char]:
                self._steps += (index - at) // SKIPPED
                return index
        self._steps += (len(text) - at) // SKIPPED
        return len(text)

    def _spawn(
        self,
        threads: dict[int, tuple[int, ...]],
        seen: set[int],
        pc: int,
        saved: tuple[int, ...],
        text: str,
        at: int,
    ) -> None:
        """Follow what takes no character; what another thread has been at before is its own."""
        stack = [(pc, saved)]
        while stack:
            pc, saved = stack.pop()
            self._steps += 1
            if self._steps > STEPS:
                raise RegexFault(COSTLY)
            if pc in seen:
                continue
            seen.add(pc)
            instruction = self._program[pc]
            if isinstance(instruction, Split):
                stack += [(instruction.second, saved), (instruction.first, saved)]
            elif isinstance(instruction, Save):
                slot = instruction.slot
                stack.append((pc + 1, (*saved[:slot], at, *saved[slot + 1 :])))
            elif isinstance(instruction, At):
                if _is_at(instruction.place, text, at):
                    stack.append((pc + 1, saved))
            elif pc not in threads:
                threads[pc] = saved

    # ------------------------------------------------------------------------------------------- its program

    def _add(self, instruction: Instruction) -> int:
        self._program.append(instruction)
        if len(self._program) > self.size:
            raise RegexFault("Regular expression too big")
        return len(self._program) - 1

    def _emit(self, node: tuple[object, ...]) -> None:
        match node:
            case ("text", str(text)):
                for char in text:
                    self._add(Char(char.__eq__))
            case ("set", fits) if callable(fits):
                self._add(Char(fits))
            case ("at", str(place)):
                self._add(At(place))
            case ("seq", list(parts)):
                for part in parts:
                    self._emit(part)
            case ("or", list(parts)):
                self._either(parts)
            case ("group", int(number), tuple(inner)):
                self._add(Save(2 * number))
                self._emit(inner)
                self._add(Save(2 * number + 1))
            case ("repeat", int(least), int(most), tuple(inner)):
                self._repeat(least, most, inner)
            case _:
                raise AssertionError(node)

    def _either(self, parts: list[tuple[object, ...]]) -> None:
        ends = list[int]()
        for part in parts[:-1]:
            split = self._add(Split(0, 0))
            self._emit(part)
            ends.append(self._add(Split(0, 0)))
            self._program[split] = Split(split + 1, len(self._program))
        self._emit(parts[-1])
        for end in ends:
            self._program[end] = Split(len(self._program), len(self._program))

    def _repeat(self, least: int, most: int, inner: tuple[object, ...]) -> None:
        for _ in range(least):
            self._emit(inner)
        if most < 0:
            split = self._add(Split(0, 0))
            self._emit(inner)
            self._add(Split(split, split))
            self._program[split] = Split(split + 1, len(self._program))
            return
        splits = list[int]()
        for _ in range(most - least):
            splits.append(self._add(Split(0, 0)))
            self._emit(inner)
        for split in splits:
            self._program[split] = Split(split + 1, len(self._program))


def _literal(tree: tuple[object, ...]) -> str | None:
    """The text that a pattern is; None if it is more."""
    parts = tree[1] if tree[0] == "seq" else [tree]
    found = ""
    for part in parts if isinstance(parts, list) else ():
        match part:
            case ("text", str(text)):
                found += text
            case _:
                return None
    return found


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == WORD)


def _is_at(place: str, text: str, at: int) -> bool:
    before, here = _is_word(text, at - 1), _is_word(text, at)
    return {
        "^": at == 0,
        "$": at == len(text),
        "b": before != here,
        "B": before == here,
        "<": here and not before,
        ">": before and not here,
    }[place]


class _Reader:
    """Reads a pattern; in a basic one the operators have their backslash."""

    def __init__(self, pattern: str, extended: bool):
        self.text = pattern
        self.at = 0
        self.extended = extended
        self.groups = 0

    def alternatives(self, depth: int) -> tuple[object, ...]:
        if depth > DEPTH:
            raise RegexFault("Regular expression too big")
        parts = [self._sequence(depth)]
        while self._take("|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else ("or", parts)

    def _next(self, operator: str) -> bool:
        token = operator if self.extended else f"\\{operator}"
        return self.text.startswith(token, self.at)

    def _take(self, operator: str) -> bool:
        if not self._next(operator):
            return False
        self.at += 1 if self.extended else 2
        return True

    def _sequence(self, depth: int) -> tuple[object, ...]:
        parts = list[tuple[object, ...]]()
        while self.at < len(self.text) and not self._next("|") and not (self._next(")") and depth):
            if self._next(")") and not self.extended:
                break
            node = self._atom(depth, first=not parts)
            while (counts := self._counts(can=bool(node) and not (node[0] == "at" and not self.extended))) is not None:
                node = ("repeat", *counts, node)
                depth += 1
                if depth > DEPTH:
                    raise RegexFault("Regular expression too big")
            parts.append(node)
        return ("seq", parts)

    def _atom(self, depth: int, *, first: bool) -> tuple[object, ...]:
        if self._take("("):
            self.groups += 1
            number = self.groups
            inner = self.alternatives(depth + 1)
            if not self._take(")"):
                raise RegexFault("Unmatched ( or \\(")
            return ("group", number, inner)
        char = self.text[self.at]
        self.at += 1
        if char == ".":
            return ("set", lambda _: True)
        if char == "[":
            found = _posix_bracket(self.text, self.at)
            self.at = found[1]
            return ("set", found[0])
        if char == "^" and (self.extended or first):
            return ("at", "^")
        if char == "$" and (self.extended or self.at == len(self.text) or self._next("|") or self._next(")")):
            return ("at", "$")
        if char == "\\":
            return self._escape()
        return ("text", char)

    def _escape(self) -> tuple[object, ...]:
        if self.at >= len(self.text):
            raise RegexFault("Trailing backslash")
        char = self.text[self.at]
        self.at += 1
        if char in "bB<>":
            return ("at", char)
        if char in "123456789":
            raise RegexFault("back references are not in the playground's emulation")
        classes: dict[str, Callable[[str], bool]] = {
            "w": lambda one: one.isalnum() or one == WORD,
            "W": lambda one: not (one.isalnum() or one == WORD),
            "s": str.isspace,
            "S": lambda one: not one.isspace(),
        }
        if char in classes:
            return ("set", classes[char])
        return ("text", {"n": "\n", "t": "\t"}.get(char, char))

    def _counts(self, *, can: bool) -> tuple[int, int] | None:
        if not can:
            return None
        if self.text.startswith("*", self.at):
            self.at += 1
            return 0, -1
        if self._take("+"):
            return 1, -1
        if self._take("?"):
            return 0, 1
        if not self._take("{"):
            return None
        close = "}" if self.extended else "\\}"
        end = self.text.find(close, self.at)
        least, comma, most = self.text[self.at : end].partition(",") if end >= 0 else ("", "", "")
        if not (least + most).isdigit():
            raise RegexFault("Invalid content of \\{\\}")
        self.at = end + len(close)
        low = int(least or 0)
        high = low if not comma else int(most) if most else -1
        if max(low, high) > REPEATS or (0 <= high < low):
            raise RegexFault("Invalid content of \\{\\}")
        return low, high


def _posix_bracket(text: str, at: int) -> tuple[Callable[[str], bool], int]:
    """A bracket expression in which a backslash is itself."""
    end = at + (text[at : at + 1] == "^")
    end += text[end : end + 1] == "]"
    while end < len(text) and text[end] != "]":
        if text.startswith("[:", end) and (close := text.find(":]", end)) > 0:
            end = close + 1
        end += 1
    inside = text[at:end].replace("\\", "\\\\")
    found = bracket(f"{inside}]", 0) if end < len(text) else None
    if found is None:
        raise RegexFault("Unmatched [, [^, [:, [., or [=")
    return found[0], end + 1
