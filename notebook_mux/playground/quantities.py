"""Quantities: ``500m``, ``64Mi``, ``1e3``, as numbers and in the server's own writing.

The rules are those of the API reference, "Quantity": a number with a decimal, binary or exponent suffix, kept exactly
down to a billionth, and written back in the largest suffix of its own kind that loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

NANO = 10**9
"""Parts of one that a quantity can tell apart; what is smaller is rounded up."""

BINARY, DECIMAL, EXPONENT = "binary", "decimal", "exponent"
_BINARY_SUFFIXES = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL_SUFFIXES = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_POWERS = {suffix: power for power, suffix in _DECIMAL_SUFFIXES.items()}
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+|)")
LARGEST = (2**63 - 1) * NANO
"""In billionths: what is more is taken for this, on either side of zero (the API reference, "Quantity")."""

MAX_TEXT = 1000
"""Characters of one: a number of a million digits would keep the server busy for a minute."""

_MAX_SCALE = MAX_TEXT + 40
"""Powers of ten beyond which a number of `MAX_TEXT` digits is more than the largest, or less than the smallest."""

_CACHED = 4096
_BINARY_FROM = 1024
"""A binary quantity below this is written without a suffix, as a decimal one."""


class NoQuantity(ValueError):
    """A text that is no quantity."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount.

    Args:
        nano: In billionths.
        form: How it is written: `BINARY`, `DECIMAL` or `EXPONENT`.
    """

    nano: int
    form: str = DECIMAL

    @property
    def value(self) -> int:
        """Whole units, rounded up (bytes, pods)."""
        return -(-self.nano // NANO)

    @property
    def milli(self) -> int:
        """Thousandths, rounded up (of a CPU)."""
        return -(-self.nano // (NANO // 1000))

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano + other.nano, self.form if self.nano else other.form)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano - other.nano, self.form if self.nano else other.form)

    def __str__(self) -> str:
        if self.nano == 0:
            return "0"
        if self.form == BINARY and abs(self.nano) >= _BINARY_FROM * NANO and self.nano % NANO == 0:
            return self._binary()
        number, power = self.nano, -9
        while number % 1000 == 0 and power < 18:
            number, power = number // 1000, power + 3
        if self.form == EXPONENT:
            return f"{number}e{power}" if power else str(number)
        return f"{number}{_DECIMAL_SUFFIXES[power]}"

    def _binary(self) -> str:
        number, power = self.nano // NANO, 0
        while number % 1024 == 0 and power < len(_BINARY_SUFFIXES) - 1:
            number, power = number // 1024, power + 1
        return f"{number}{_BINARY_SUFFIXES[power]}"


ZERO = Quantity(0)


@lru_cache(_CACHED)
def _parse(text: str) -> Quantity:
    found = _FORM.fullmatch(text.strip()) if len(text) <= MAX_TEXT else None
    if found is None:
        raise NoQuantity(text)
    number, suffix = found.groups()
    whole, _, part = number.partition(".")
    digits, scale = int((whole if whole.strip("+-") else f"{whole}0") + part), -len(part)
    if suffix in _BINARY_SUFFIXES[1:]:
        digits, form = digits * 1024 ** _BINARY_SUFFIXES.index(suffix), BINARY
    elif suffix in _POWERS:
        scale, form = scale + _POWERS[suffix], DECIMAL
    else:
        scale, form = scale + int(suffix[1:]), EXPONENT
    scale = max(-_MAX_SCALE, min(scale + 9, _MAX_SCALE))
    nano = digits * 10**scale if scale >= 0 else -(-digits // 10**-scale)
    return Quantity(max(-LARGEST, min(nano, LARGEST)), form)


def parse(value: Any) -> Quantity:
    """A quantity of a JSON value, which may be a number too.

    Raises:
        NoQuantity: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise NoQuantity(str(value))
    return _parse(str(value))


def known(value: Any) -> Quantity:
    """A quantity of something stored; zero where it is none."""
    try:
        return parse(value)
    except NoQuantity:
        return ZERO


def canonical(value: Any) -> Any:
    """A quantity as the server writes it back; what is none stays as it is, for validation to name."""
    try:
        return str(parse(value))
    except NoQuantity:
        return value


Amounts = dict[str, Quantity]
"""Quantities by the name of a resource."""


def amounts(values: Mapping[str, Any] | None) -> Amounts:
    """All quantities of a map."""
    return {name: known(value) for name, value in (values or {}).items()}


def add(*lists: Mapping[str, Quantity]) -> Amounts:
    """The sum of amounts."""
    total: Amounts = {}
    for one in lists:
        for name, value in one.items():
            total[name] = total[name] + value if name in total else value
    return total


def most(*lists: Mapping[str, Quantity]) -> Amounts:
    """The greatest amount of each resource."""
    found: Amounts = {}
    for one in lists:
        for name, value in one.items():
            if name not in found or found[name].nano < value.nano:
                found[name] = value
    return found


def written(values: Mapping[str, Quantity]) -> dict[str, str]:
    """Amounts as a map of an object."""
    return {name: str(value) for name, value in values.items()}


def canonical_map(holder: Any, *names: str) -> None:
    """Write the maps of quantities that are under some names of an object as the server does."""
    if not isinstance(holder, dict):
        return
    for name in names:
        if isinstance(found := holder.get(name), dict):
            holder[name] = {key: canonical(value) for key, value in found.items()}


def named(values: Mapping[str, Quantity], names: Iterable[str] | None = None) -> str:
    """Amounts as messages name them: ``cpu=1,memory=2Gi``."""
    chosen = sorted(values if names is None else [name for name in names if name in values])
    return ",".join(f"{name}={values[name]}" for name in chosen)
