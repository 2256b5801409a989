"""Words near to one that is not there, found the same way in Python and in the page."""

from __future__ import annotations

from collections.abc import Iterable

MOST = 3
"""How many are offered."""


def near(word: str, words: Iterable[str]) -> list[str]:
    """Those that begin with it, or it with them, that have it in them, or that a slip of the fingers makes of it."""
    found = []
    for index, other in enumerate(words):
        slips = distance(word, other)
        if not word or not other:
            continue
        if other.startswith(word) or (word.startswith(other) and len(other) > 1):
            found.append((0, slips, index, other))
        elif slips <= max(1, len(word) // 3):
            found.append((1, slips, index, other))
        elif len(word) > 1 and word in other:
            found.append((2, slips, index, other))
    return [other for *_, other in sorted(found)[:MOST]]


def distance(one: str, other: str) -> int:
    """Letters to change, add or leave out to get from one to the other (Levenshtein)."""
    before = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, compared in enumerate(other, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != compared)))
        before = now
    return before[-1]
