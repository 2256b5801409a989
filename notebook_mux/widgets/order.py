"""The table's filter and its order, the same in Python as in the page (`frontend/src/common/order.ts`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from notebook_mux.ages import parse_duration

_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)(m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?")
_RATIO = re.compile(r"(\d+)/(\d+)")
_DIGITS = re.compile(r"[0-9]+")

PADDED = 15
"""Digits that a number in a text is filled up to."""

_UNITS = {
    None: 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip

EMPTY = {"", "<none>", "<unknown>", "<unset>"}
"""What the server prints for nothing: sorted last."""

SortKey = tuple[int, tuple[float, ...], str]


AGE_TITLES = {"Age", "Duration", "Last Seen", "First Seen", "Last Schedule"}
"""Columns in which ``5m`` is five minutes and not five thousandths."""


def natural_key(value: Any, title: str = "") -> SortKey:
    """A key that sorts cells as people expect.

    Nothing comes last; before it text, by its words and numbers (``web-2`` before ``web-10``); first numbers, among
    which count quantities (``100m``, ``2Gi``), ratios (``1/3``) and, in columns of that title, ages (``5m30s``).
    """
    if isinstance(value, bool):
        return 0, (float(value),), ""
    if isinstance(value, int | float):
        return 0, (float(value),), ""
    text = "" if value is None else str(value)
    if text in EMPTY:
        return 2, (), ""
    head, _, rest = text.partition(" ")
    if not rest or rest.startswith("("):  # 3 (5m ago)
        number = _number(head, title in AGE_TITLES)
        if number is not None:
            return 0, number, ""
    return 1, (), text_key(text)


def text_key(text: str) -> str:
    """Text that compares as people count: ``web-2`` before ``web-10``."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(PADDED), text.lower())


def _number(text: str, ages: bool) -> tuple[float, ...] | None:
    ratio = _RATIO.fullmatch(text)
    if ratio is not None:
        ready, wanted = float(ratio[1]), float(ratio[2])
        return (ready / wanted if wanted else 1.0, wanted)
    duration = parse_duration(text) if ages else None
    if duration is not None:
        return (duration[0],)
    quantity = _QUANTITY.fullmatch(text)
    if quantity is not None:
        return (float(quantity[1]) * _UNITS[quantity[2]],)
    return None


def passes(filter_: str, cells: Iterable[str]) -> bool:
    """Whether a row with these cells has every word of the filter, and none that follows a ``!``."""
    words = filter_.lower().split()
    if not words:
        return True
    text = "\n".join(cells).lower()
    return all((word[1:] not in text) if word[0] == "!" and len(word) > 1 else word in text for word in words)
