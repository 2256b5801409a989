"""Regular expressions as users give them: a text or a compiled one, and as the one text that the core takes."""

from __future__ import annotations

import re
from typing import Any

from notebook_mux.errors import InvalidArgument

Regex = str | re.Pattern[str] | None

SHOWN = 72
"""Characters of a regular expression that an error shows around the place."""

_LETTERS = {re.ASCII: "a", re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s", re.VERBOSE: "x"}
"""Flags that a text can say of itself; the others are what a text has anyway."""

_FLAGS = re.compile(r"(?:\(\?[aimsux]+\))+")
"""The flags at the beginning of a text, where alone they may stand."""

_INDENT = "    "


def compiled(given: Any, what: str) -> re.Pattern[str]:
    """A regular expression, ready to search with.

    Args:
        given: A text or a compiled one.
        what: Of which argument, such as ``include=``.

    Raises:
        InvalidArgument: It is none; of a text it shows the place.
    """
    if isinstance(given, re.Pattern) and isinstance(given.pattern, str):
        return given
    if not isinstance(given, str):
        kind = "compiled from bytes" if isinstance(given, re.Pattern) else f"a {type(given).__name__}"
        raise InvalidArgument(
            f"{what} is a regular expression, and not {kind}", todo="give a text, or re.compile() of a text"
        )
    try:
        return re.compile(given)
    except re.error as error:
        raise InvalidArgument(
            f"{what} is no regular expression: {error.msg}{_place(given, error.pos)}",
            todo="correct it; re.escape(text) is a regular expression for the text itself",
        ) from None
    except (OverflowError, RecursionError) as error:
        raise InvalidArgument(f"{what} is too large a regular expression", said=str(error)) from None


def text_of(given: Regex, what: str) -> str:
    """A regular expression as a text that means the same, flags included; "" for None and for "".

    Raises:
        InvalidArgument: As `compiled`.
    """
    if given is None or given == "":
        return ""
    found = compiled(given, what)
    if isinstance(given, str):
        return given
    letters = "".join(letter for flag, letter in _LETTERS.items() if found.flags & flag)
    return f"(?{letters}){found.pattern}" if letters else found.pattern


def whole(given: Regex, what: str) -> str:
    """As `text_of`; but a text means the whole name, so that a plain name means that one alone.

    Raises:
        InvalidArgument: As `compiled`.
    """
    text = text_of(given, what)
    if not text or not isinstance(given, str):
        return text
    flags = _FLAGS.match(text)
    head = flags[0] if flags else ""
    end = "\n" if "x" in head else ""  # where a comment may be at its end
    return rf"{head}\A(?:{text[len(head) :]}{end})\Z"


def _place(text: str, position: int | None) -> str:
    """The line of the text that the position is in, and a caret below it."""
    if position is None:
        return ""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line, at = text[start : end if end >= 0 else len(text)], position - start
    first = max(0, min(at - SHOWN // 2, len(line) - SHOWN))
    shown = "".join(c if c.isprintable() else "." for c in line[first : first + SHOWN])
    return f"\n{_INDENT}{shown}\n{_INDENT}{' ' * (at - first)}^"
