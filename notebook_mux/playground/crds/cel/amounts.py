"""Quantities (``500m``) and versions (https://semver.org), as rules reckon with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, ClassVar

from notebook_mux.playground import quantities
from notebook_mux.playground.crds.cel.values import HIGHEST, LOWEST, CelError, quoted

NOT_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NO_SUFFIX = "unable to parse quantity's suffix"
_FORM = re.compile(r"[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*")
_IDENTIFIER = re.compile(r"[0-9A-Za-z-]+")
PARTS = ("Major", "Minor", "Patch")


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Amount:
    """A quantity; two are the same when they are as much."""

    nano: int
    cel_type: ClassVar[str] = "kubernetes.Quantity"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Amount) and self.nano == other.nano

    def __lt__(self, other: Amount) -> bool:
        return self.nano < other.nano

    def __hash__(self) -> int:
        return hash(self.nano)

    @property
    def whole(self) -> bool:
        """Whether it is an int."""
        return self.nano % quantities.NANO == 0 and LOWEST <= self.nano // quantities.NANO <= HIGHEST

    def as_int(self) -> int:
        """The int that it is.

        Raises:
            CelError: It is none.
        """
        if not self.whole:
            raise CelError("cannot convert value to integer")
        return self.nano // quantities.NANO

    def plus(self, other: Any, sign: int = 1) -> Amount:
        """With another or an int added, or taken away."""
        more = other.nano if isinstance(other, Amount) else other * quantities.NANO
        return Amount(self.nano + sign * more)


def quantity(text: Any) -> Amount:
    """``quantity('1Gi')``."""
    if not isinstance(text, str):
        raise CelError("no such overload")
    try:
        return Amount(quantities.parse(text).nano)
    except quantities.NoQuantity:
        raise CelError(NO_SUFFIX if _FORM.fullmatch(text) and text[:1].isdigit() else NOT_QUANTITY) from None


Identifier = tuple[int, int, str]
"""Of a prerelease: numbers come before words."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version; what it was built from does not count."""

    numbers: tuple[int, int, int]
    prerelease: tuple[Identifier, ...] = ()
    cel_type: ClassVar[str] = "kubernetes.Semver"

    @property
    def _order(self) -> tuple[tuple[int, int, int], bool, tuple[Identifier, ...]]:
        return self.numbers, not self.prerelease, self.prerelease

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._order == other._order

    def __lt__(self, other: Version) -> bool:
        return self._order < other._order

    def __hash__(self) -> int:
        return hash(self._order)


def semver(text: Any, normalize: Any = False) -> Version:
    """``semver('1.2.3')``, or ``semver('v1.2', true)``."""
    if not isinstance(text, str) or not isinstance(normalize, bool):
        raise CelError("no such overload")
    if normalize:
        text = _normalized(text)
    if not text:
        raise CelError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != len(PARTS):
        raise CelError("No Major.Minor.Patch elements found")
    parts[2], plus, build = parts[2].partition("+")
    parts[2], dash, before = parts[2].partition("-")
    major, minor, patch = (_number(part, name) for part, name in zip(parts, PARTS, strict=True))
    prerelease = tuple(_identifier(one) for one in before.split(".")) if dash else ()
    for one in build.split(".") if plus else ():
        if not one:
            raise CelError("Build meta data is empty")
        if not _IDENTIFIER.fullmatch(one):
            raise CelError(f"Invalid character(s) found in build meta data {quoted(one)}")
    return Version((major, minor, patch), prerelease)


def _normalized(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    short = len(parts) < len(PARTS)
    if short and re.search("[+-]", parts[-1]):
        raise CelError("short version cannot contain PreRelease/Build meta data")
    parts = [re.sub(r"^0+(?=\d)", "", part) for part in parts]
    return ".".join(parts + ["0"] * (len(PARTS) - len(parts)))


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]+", text):
        raise CelError(f"Invalid character(s) found in {name.lower()} number {quoted(text)}")
    if len(text) > 1 and text.startswith("0"):
        raise CelError(f"{name} number must not contain leading zeroes {quoted(text)}")
    return int(text)


def _identifier(text: str) -> Identifier:
    if not text:
        raise CelError("Prerelease is empty")
    if not _IDENTIFIER.fullmatch(text):
        raise CelError(f"Invalid character(s) found in prerelease {quoted(text)}")
    if not text.isdigit():
        return 1, 0, text
    if len(text) > 1 and text.startswith("0"):
        raise CelError(f"Numeric PreRelease version must not contain leading zeroes {quoted(text)}")
    return 0, int(text), ""
