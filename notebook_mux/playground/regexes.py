"""Regular expressions of RE2's syntax, as Go has them, in a time that is bounded: patterns of schemas, rules, servers.

Python's own would take a thousand years for some; these run as threads side by side (`shell.regex`). What RE2 has not
(back references, looking ahead and behind) is refused here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from re import _constants as ops, _parser  # type: ignore[attr-defined]
from typing import Any

from notebook_mux.playground.shell.regex import Match, Regex, RegexFault

__all__ = ["Match", "Pattern", "RegexFault", "fault_of", "pattern_of"]

Test = Callable[[str], bool]
Tree = tuple[object, ...]

LARGEST = 20_000
"""Instructions of a pattern; RE2 repeats nothing more than 1000 times."""

CATEGORIES: dict[Any, Test] = {
    ops.CATEGORY_DIGIT: lambda char: "0" <= char <= "9",
    ops.CATEGORY_SPACE: lambda char: char in "\t\n\f\r ",
    ops.CATEGORY_WORD: lambda char: char.isascii() and (char.isalnum() or char == "_"),
}
NEGATED = {
    ops.CATEGORY_NOT_DIGIT: ops.CATEGORY_DIGIT,
    ops.CATEGORY_NOT_SPACE: ops.CATEGORY_SPACE,
    ops.CATEGORY_NOT_WORD: ops.CATEGORY_WORD,
}
PLACES = {
    ops.AT_BEGINNING: "^",
    ops.AT_BEGINNING_STRING: "^",
    ops.AT_END: "$",
    ops.AT_END_STRING: "$",
    ops.AT_BOUNDARY: "b",
    ops.AT_NON_BOUNDARY: "B",
}


class Pattern(Regex):
    """A compiled pattern; it knows no groups.

    Args:
        pattern: Its text.
        ignore_case: Whether case does not matter.

    Raises:
        re.error: It is none, or none of RE2's.
    """

    size = LARGEST

    def __init__(self, pattern: str, *, ignore_case: bool = False):
        try:
            found = _parser.parse(re.sub(r"\(\?<(?![=!])", "(?P<", pattern.replace(r"\z", r"\Z")), 0)
            flags = found.state.flags | (re.IGNORECASE if ignore_case else 0)
            self._begin(_sequence(found, flags))
        except (RecursionError, OverflowError):
            raise re.error("expression nests too deeply") from None
        except RegexFault as fault:
            raise re.error(str(fault)) from None


@lru_cache(maxsize=512)
def pattern_of(text: str, *, ignore_case: bool = False) -> Pattern:
    """A compiled pattern; see `Pattern`."""
    return Pattern(text, ignore_case=ignore_case)


def _sequence(parts: Iterable[tuple[Any, Any]], flags: int) -> Tree:
    return ("seq", [_tree(op, value, flags) for op, value in parts])


def _tree(op: Any, value: Any, flags: int) -> Tree:
    """A node of Python's parser as one of ours."""
    if op in (ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY):
        return ("set", _test(op, value, flags))
    if op is ops.BRANCH:
        return ("or", [_sequence(one, flags) for one in value[1]])
    if op is ops.SUBPATTERN:
        _, added, taken, inner = value
        return _sequence(inner, (flags | added) & ~taken)
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
        least, most, inner = value
        return ("repeat", least, -1 if most is ops.MAXREPEAT else most, _sequence(inner, flags))
    if op is ops.AT and value in PLACES and not (flags & re.MULTILINE and value in (ops.AT_BEGINNING, ops.AT_END)):
        return ("at", PLACES[value])
    raise re.error("invalid or unsupported Perl syntax")


def _test(op: Any, value: Any, flags: int) -> Test:
    if op is ops.ANY:
        return (lambda _: True) if flags & re.DOTALL else (lambda char: char != "\n")
    tests = value if op is ops.IN else [(ops.LITERAL, value)]
    negated = op is ops.NOT_LITERAL or tests[0][0] is ops.NEGATE
    chars = {chr(one) for kind, one in tests if kind is ops.LITERAL}
    spans = [(chr(one[0]), chr(one[1])) for kind, one in tests if kind is ops.RANGE]
    classes = [CATEGORIES[one] for kind, one in tests if kind is ops.CATEGORY and one in CATEGORIES]
    others = [CATEGORIES[NEGATED[one]] for kind, one in tests if kind is ops.CATEGORY and one in NEGATED]

    def has(char: str) -> bool:
        return (char in chars or any(low <= char <= high for low, high in spans)
                or any(one(char) for one in classes) or any(not one(char) for one in others))  # fmt: skip

    if flags & re.IGNORECASE:
        return lambda char: (has(char) or has(char.lower()) or has(char.upper())) != negated
    return lambda char: has(char) != negated


def fault_of(error: re.error, pattern: str) -> str:
    """What Go says of a pattern, for what people usually get wrong."""
    if "unterminated subpattern" in str(error):
        return f"missing closing ): `{pattern}`"
    if "unterminated character set" in str(error):
        return f"missing closing ]: `{pattern[error.pos or 0 :]}`"
    if "nothing to repeat" in str(error):
        return f"missing argument to repetition operator: `{pattern[error.pos or 0]}`"
    return str(error)
