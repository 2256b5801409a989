"""What can be done with lists (cel-go's lists and sets extensions, Kubernetes' lists library)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from notebook_mux.playground.crds.cel.values import LONGEST, CelError, Optional, compare, equal, is_number


def as_list(value: Any) -> list[Any]:
    """A list.

    Raises:
        CelError: It is none.
    """
    if not isinstance(value, list):
        raise CelError("no such overload")
    return value


def total(values: Any) -> Any:
    """The sum; of nothing it is 0."""
    if as_list(values) and all(isinstance(one, timedelta) for one in values):
        return sum(values, timedelta())
    if not all(is_number(one) for one in values):
        raise CelError("no such overload")
    return sum(values)


def extreme(values: Any, sign: int) -> Any:
    """The greatest (1) or least (-1)."""
    if not as_list(values):
        raise CelError("min called on empty list" if sign < 0 else "max called on empty list")
    best = values[0]
    for one in values[1:]:
        if compare(one, best) == sign:
            best = one
    return best


def is_sorted(values: Any) -> bool:
    """Whether none is greater than the next."""
    return all(compare(a, b) <= 0 for a, b in zip(as_list(values), values[1:], strict=False))


def by_keys(values: Any, keys: list[Any]) -> list[Any]:
    """In the order of what each is sorted by."""
    pairs = list(zip(keys, as_list(values), strict=True))
    if any(type(key) is not type(keys[0]) for key in keys):
        raise CelError("list elements must have the same type")
    for key in keys:
        compare(key, key)  # whether there is an order
    return [value for _, value in sorted(pairs, key=lambda pair: pair[0])]


def distinct(values: Any) -> list[Any]:
    """Each value once."""
    found: list[Any] = []
    for one in as_list(values):
        if not any(equal(one, other) for other in found):
            found.append(one)
    return found


def has_all(values: Any, wanted: Any) -> bool:
    """Whether each wanted is there."""
    return all(any(equal(one, other) for other in as_list(values)) for one in as_list(wanted))


def intersect(one: Any, other: Any) -> bool:
    """Whether two have something in common."""
    return any(any(equal(a, b) for b in as_list(other)) for a in as_list(one))


def part(values: Any, start: int, end: int) -> list[Any]:
    """From one place to before another."""
    said = f"cannot slice({start}, {end})"
    if start < 0 or end < 0:
        raise CelError(f"{said}, negative indexes not supported")
    if start > end:
        raise CelError(f"{said}, start index must be less than or equal to end index")
    if end > len(as_list(values)):
        raise CelError(f"{said}, list is length {len(values)}")
    return list(values[start:end])


def flat(values: Any, depth: int = 1) -> list[Any]:
    """Lists within it resolved, so deep."""
    if depth < 0:
        raise CelError("level must be non-negative")
    if depth == 0:
        return list(as_list(values))
    found: list[Any] = []
    for one in as_list(values):
        found += flat(one, depth - 1) if isinstance(one, list) else [one]
    return found


def numbers(size: Any) -> list[int]:
    """From 0 to before a number."""
    if size < 0:
        raise CelError(f"lists.range: size must be non-negative, got {size}")
    if size > LONGEST:
        raise CelError("operation cancelled: actual cost limit exceeded")
    return list(range(size))


def end(values: Any, index: int) -> Optional:
    """The first (0) or last (-1), if there is one."""
    return Optional(values[index], True) if as_list(values) else Optional()


def unwrapped(values: Any) -> list[Any]:
    """The values of those that are there."""
    return [one.value for one in as_list(values) if one.there]
