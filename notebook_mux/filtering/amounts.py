"""What cells are compared with: a value as a number, a span of time, a version or a text, whichever a cell is of."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from notebook_mux.ages import parse_duration
from notebook_mux.filtering.keys import natural_key, text_key

_SPAN = re.compile(r"(?:(\d+(?:\.\d+)?)([ywdhms]))+", re.ASCII)
_SPAN_PART = re.compile(r"(\d+(?:\.\d+)?)([ywdhms])", re.ASCII)
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)([-+].*)?|v(\d+)([-+].*)?", re.ASCII | re.DOTALL)
_RATIO = re.compile(r"(\d+)/(\d+)", re.ASCII)
_SECONDS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}

Version = tuple[tuple[float, ...], str]


class Amount(NamedTuple):
    """A value in all the ways in which it can be read; None where it cannot."""

    text: str
    number: float | None
    percent: bool
    ratio: bool
    seconds: float | None
    version: Version | None


def amount(text: str) -> Amount:
    """Read a value."""
    rank, number, _ = natural_key(text)
    return Amount(
        text_key(text), number[0] if rank == 0 else None, text.endswith("%"), _RATIO.fullmatch(text) is not None,
        seconds(text), version(f"v{text}" if text.isdecimal() and text.isascii() else text),
    )  # fmt: skip


def seconds(text: str) -> float | None:
    """``5m``, ``2d``, ``1h30m``, ``1.5h``: a span of time, whether or not it would be printed so."""
    if not _SPAN.fullmatch(text):
        return None
    return sum(float(part[1]) * _SECONDS[part[2]] for part in _SPAN_PART.finditer(text))


def version(text: str) -> Version | None:
    """``v1.32.1``, ``1.32``, ``v1.32.1-rc.1``: its numbers and what stands behind them."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    numbers = [float(part) for part in (found[1] or found[3]).split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), found[2] or found[4] or ""


def difference(cell: Any, wanted: Amount, *, ages: bool, title: str = "") -> float | None:
    """Below 0, 0 or above it as a cell is less than, as much as or more than what is wanted.

    None where the two do not compare.

    Args:
        cell: As printed, or a number.
        wanted: What it is compared with.
        ages: Whether the column's texts are spans of time.
        title: The column's.
    """
    if ages and isinstance(cell, str):
        printed = parse_duration(cell)
        return None if printed is None or wanted.seconds is None else printed[0] - wanted.seconds
    rank, number, text = natural_key(cell, title)
    if rank == 2:
        return None
    if rank == 0:
        return None if wanted.number is None else number[0] - _scaled(cell, wanted)
    if wanted.version is not None:
        found = version(str(cell).partition(" ")[0])
        if found is not None:
            return _versions(found, wanted.version)
    if wanted.number is not None:
        return None
    return (text > wanted.text) - (text < wanted.text)


def _scaled(cell: Any, wanted: Amount) -> float:
    """A percent is a hundredth where the cell is a ratio such as ``1/3``."""
    assert wanted.number is not None
    if wanted.percent and isinstance(cell, str) and _RATIO.match(cell):
        return wanted.number / 100
    return wanted.number


def _versions(found: Version, wanted: Version) -> float:
    """What stands behind the numbers counts only where it is asked for: ``v1.32.1-gke.5`` is as new as ``1.32.1``."""
    if found[0] != wanted[0]:
        return 1 if found[0] > wanted[0] else -1
    if not wanted[1] or found[1] == wanted[1]:
        return 0
    if not found[1]:  # semver: a release comes after what leads to it
        return 1 if wanted[1].startswith("-") else -1
    mine, other = text_key(found[1]), text_key(wanted[1])
    return (mine > other) - (mine < other)
