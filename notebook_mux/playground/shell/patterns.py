"""Patterns of a shell: ``*``, ``?``, ``[...]``, with a backslash before what means itself (POSIX.1-2017, XCU 2.13)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

SPECIAL = frozenset("*?[")
CLASSES: dict[str, Callable[[str], bool]] = {
    "alpha": str.isalpha,
    "digit": lambda char: char.isascii() and char.isdigit(),
    "alnum": str.isalnum,
    "upper": str.isupper,
    "lower": str.islower,
    "space": str.isspace,
    "blank": lambda char: char in " \t",
    "punct": lambda char: char.isascii() and char.isprintable() and not char.isalnum() and char != " ",
    "xdigit": lambda char: char in "0123456789abcdefABCDEF",
    "print": str.isprintable,
    "graph": lambda char: char.isprintable() and char != " ",
    "cntrl": lambda char: ord(char) < 32 or ord(char) == 127,
}

STEPS = 200_000
"""Tests of characters, of one text or of all names of a folder: a tenth of a second, more on a slow machine."""

LARGEST = 1024 * 1024
"""Characters of what replacements make; a word may have fewer still."""

TOO_LARGE = "out of memory: a word is too long for the playground"

TESTS_A_UNIT = 400
"""Tests that take as long as a unit of `effort`."""

REPLACED = 256
"""Characters that one replacement takes the place of, at most."""

Test = Callable[[str], bool]
STAR = None
"""Among the tests of a pattern: any number of characters."""


def escaped(text: str) -> str:
    """A pattern that fits a text alone."""
    return "".join(f"\\{char}" if char in "*?[]\\!-^" else char for char in text)


def is_pattern(text: str) -> bool:
    """Whether there is anything in it that is not itself."""
    at = 0
    while at < len(text):
        if text[at] in SPECIAL:
            return True
        at += 2 if text[at] == "\\" else 1
    return False


def unescaped(text: str) -> str:
    """The text of a pattern without its backslashes."""
    found, at = list[str](), 0
    while at < len(text):
        at += text[at] == "\\" and at + 1 < len(text)
        found.append(text[at])
        at += 1
    return "".join(found)


def bracket(text: str, at: int) -> tuple[Test, int] | None:
    """A bracket expression behind its ``[``, and where it ends; None if it does not."""
    negated = text[at : at + 1] in ("!", "^") and text[at : at + 1] != ""
    at += negated
    chars, spans, tests, first = set[str](), list[tuple[str, str]](), list[Test](), True
    while at < len(text) and (text[at] != "]" or first):
        first = False
        if text.startswith("[:", at) and (end := text.find(":]", at)) > 0 and text[at + 2 : end] in CLASSES:
            tests.append(CLASSES[text[at + 2 : end]])
            at = end + 2
            continue
        at += text[at] == "\\" and at + 1 < len(text)
        low = text[at]
        if text[at + 1 : at + 2] == "-" and text[at + 2 : at + 3] not in ("", "]"):
            at += 2
            at += text[at] == "\\" and at + 1 < len(text)
            spans.append((low, text[at]))
        else:
            chars.add(low)
        at += 1
    if at >= len(text):
        return None

    def fits(char: str) -> bool:
        found = char in chars or any(a <= char <= b for a, b in spans) or any(test(char) for test in tests)
        return found != negated

    return fits, at + 1


@lru_cache(maxsize=256)
def compiled(pattern: str) -> tuple[Test | None, ...]:
    """A pattern as tests, one a character, and `STAR`."""
    tests, at = list[Test | None](), 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if not tests or tests[-1] is not STAR:
                tests.append(STAR)
        elif char == "?":
            tests.append(lambda _: True)
        elif char == "[" and (found := bracket(pattern, at)) is not None:
            test, at = found
            tests.append(test)
        else:
            if char == "\\" and at < len(pattern):
                char = pattern[at]
                at += 1
            tests.append(char.__eq__)
    return tuple(tests)


class TooCostly(Exception):
    """A pattern on a text that would take too long."""


class Budget:
    """Tests that are left."""

    def __init__(self) -> None:
        self.left = STEPS

    def spend(self, tests: int) -> None:
        """Count tests.

        Raises:
            TooCostly: They are too many.
        """
        self.left -= tests
        if self.left < 0:
            raise TooCostly("pattern matching is too costly for the playground")


def units(text: str, pattern: str, times: int = 1) -> float:
    """Units of `effort` for a pattern on a text, at most."""
    return min(len(text) * (1 + len(pattern)) * times, STEPS) / TESTS_A_UNIT


def fits(text: str, pattern: str, budget: Budget | None = None) -> bool:
    """Whether a whole text fits. It goes back to the last star only, so the time is at most their product.

    Args:
        text: The text.
        pattern: The pattern.
        budget: Of several texts together.

    Raises:
        TooCostly: That is too much.
    """
    tests, budget = compiled(pattern), budget or Budget()
    at = index = 0
    star, mark = -1, 0
    while at < len(text):
        budget.spend(1)
        test = tests[index] if index < len(tests) else None
        if index < len(tests) and test is STAR:
            star, mark = index, at
            index += 1
        elif test is not None and test(text[at]):
            at, index = at + 1, index + 1
        elif star >= 0:
            mark += 1
            at, index = mark, star + 1
        else:
            return False
    return all(test is STAR for test in tests[index:])


def trimmed(text: str, pattern: str, *, front: bool, longest: bool) -> str:
    """A text without what fits at its front or end: ``${x#pattern}`` and its kin.

    Raises:
        TooCostly: It would take too long.
    """
    tests = compiled(pattern)
    budget = Budget()
    cut = _cut(text, tests, longest, budget) if front else _cut(text[::-1], tests[::-1], longest, budget)
    if cut is None:
        return text
    return text[cut:] if front else text[: len(text) - cut]


def replaced(text: str, pattern: str, new: str, *, everywhere: bool) -> str:
    """A text with another in the place of what fits: ``${x/pattern/new}``.

    Raises:
        TooCostly: It would take too long.
    """
    if not is_pattern(pattern):
        old = unescaped(pattern)
        count = (text.count(old) if everywhere else 1) if old else 0
        if len(text) + count * len(new) > LARGEST:
            raise TooCostly(TOO_LARGE)
        return text.replace(old, new, count) if count else text
    tests, budget = compiled(pattern), Budget()
    found, at, size = list[str](), 0, len(text)
    while at < len(text):
        cut = _cut(text[at : at + REPLACED], tests, True, budget)
        if not cut:
            found.append(text[at])
            at += 1
            continue
        found.append(new)
        at, size = at + cut, size + len(new)
        if size > LARGEST:
            raise TooCostly(TOO_LARGE)
        if not everywhere:
            break
    return "".join(found) + text[at:]


def _cut(text: str, tests: tuple[Test | None, ...], longest: bool, budget: Budget) -> int | None:
    """How much of the front of a text fits: the least, or the most; None if none does."""

    def closed(states: set[int]) -> set[int]:
        for state in sorted(states):
            while state < len(tests) and tests[state] is STAR:
                state += 1
                states.add(state)
        return states

    states, best = closed({0}), None
    for at in range(len(text) + 1):
        if len(tests) in states:
            best = at
            if not longest:
                return best
        if at == len(text) or not states:
            break
        char, following = text[at], set[int]()
        budget.spend(len(states))
        for state in states:
            if state < len(tests):
                test = tests[state]
                if test is None:
                    following.add(state)
                elif test(char):
                    following.add(state + 1)
        states = closed(following)
    return best
