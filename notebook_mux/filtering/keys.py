"""What cells are sorted and compared by, the same in Python as in the page (`frontend/src/common/order.ts`)."""

from __future__ import annotations

import re
from typing import Any

from notebook_mux.ages import parse_duration

_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)(n|u|m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?", re.ASCII)
_RATIO = re.compile(r"(\d+)/(\d+)", re.ASCII)
_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)%", re.ASCII)
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)([-+][^ ]*)?|v(\d+)((?:alpha|beta)\d+)?", re.ASCII)
_DIGITS = re.compile(r"[0-9]+")

PADDED = 15
"""Digits that a number in a text is filled up to."""

_UNITS = {
    None: 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip

EMPTY = {"", "<none>", "<unknown>", "<unset>", "n/a"}
"""What the server prints for nothing, and k9s for a percent of nothing: sorted last."""

SortKey = tuple[int, tuple[float, ...], str]


AGE_TITLES = {"Age", "Duration", "Last Seen", "First Seen", "Last Schedule"}
"""Columns in which ``5m`` is five minutes and not five thousandths."""


def natural_key(value: Any, title: str = "") -> SortKey:
    """A key that sorts cells as people expect.

    Nothing comes last; before it text, by its words and numbers (``web-2`` before ``web-10``); first numbers, among
    which count quantities (``100m``, ``2Gi``), percents (``80%``), ratios (``1/3``) and, in columns of that title,
    ages (``5m30s``). A version is text (``v1.9`` before ``v1.10``, what leads to it before it), without a ``v`` in
    columns of that title alone.
    """
    if isinstance(value, bool):
        return 0, (float(value),), ""
    if isinstance(value, int | float):
        return 0, (float(value),), ""
    text = "" if value is None else str(value)
    if text in EMPTY:
        return 2, (), ""
    head, blank, rest = text.partition(" ")
    if text[0] == "v" or title.lower().endswith("version"):
        version = _VERSION.fullmatch(text)
        if version is not None:
            return 1, (), _version_key(version)
    if not blank or rest.startswith("("):  # 3 (5m ago)
        number = _number(head, title in AGE_TITLES)
        if number is not None:
            return 0, number, ""
    return 1, (), text_key(text)


def text_key(text: str) -> str:
    """Text that compares as people count: ``web-2`` before ``web-10``."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(PADDED), text.lower())


def _version_key(found: re.Match[str]) -> str:
    """What leads to a version (``-rc.1``, ``beta2``) comes before it, what is built of it (``+k3s1``) behind it."""
    numbers, rest = found[1] or found[3], found[2] or found[4] or ""
    mark = "!" if not rest or rest[0] == "+" else " "  # both before the point of a longer version
    return f"{text_key(numbers)}{mark}{text_key(rest)}"


def _number(text: str, ages: bool) -> tuple[float, ...] | None:
    ratio = _RATIO.fullmatch(text)
    if ratio is not None:
        ready, wanted = float(ratio[1]), float(ratio[2])
        return (ready / wanted if wanted else 1.0, wanted)
    duration = parse_duration(text) if ages else None
    if duration is not None:
        return (duration[0],)
    percent = _PERCENT.fullmatch(text)
    if percent is not None:
        return (float(percent[1]),)
    value = quantity(text)
    return None if value is None else (value,)


def quantity(text: str) -> float | None:
    """``100m``, ``2Gi``, ``3``: an amount with the API's units, or without one; None for what is none."""
    found = _QUANTITY.fullmatch(text)
    return None if found is None else float(found[1]) * _UNITS[found[2]]
