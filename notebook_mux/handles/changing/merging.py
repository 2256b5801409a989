"""An edit and what others have changed meanwhile, put together: what only one has changed is as that one has it.

Items of lists are known by what names them, as in a strategic merge patch; no schema is asked, for the result is shown
before it is sent. Plain values in, plain values out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

NONE: Any = object()
"""In place of a field that is not there."""

NAMING = ("name", "mountPath", "devicePath", "topologyKey", "containerPort", "port", "ip", "uid", "type")
"""Fields that tell the items of a list apart: the merge keys of the API's own kinds."""


class Clash(NamedTuple):
    """A field that both have changed, each in another way; `NONE` where it was taken away."""

    path: str
    mine: Any
    theirs: Any


def merged(base: Any, mine: Any, theirs: Any) -> tuple[Any, list[Clash]]:
    """The two changes of one value put together, and what cannot be: there it is as the others have it.

    Args:
        base: What both began with.
        mine: The edit.
        theirs: As it is now.
    """
    clashes: list[Clash] = []
    return _merged(base, mine, theirs, "", clashes), clashes


def _merged(base: Any, mine: Any, theirs: Any, path: str, clashes: list[Clash]) -> Any:
    if _same(mine, base) or _same(mine, theirs):
        return theirs
    if _same(theirs, base):
        return mine
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        return _fields(base if isinstance(base, Mapping) else {}, mine, theirs, path, clashes)
    if isinstance(mine, list) and isinstance(theirs, list):
        was = base if isinstance(base, list) else []
        for naming in NAMING:
            before, ours, others = (_named(items, naming) for items in (was, mine, theirs))
            if before is not None and ours is not None and others is not None:
                return _items(before, ours, others, path, clashes)
    clashes.append(Clash(path, mine, theirs))
    return theirs


def _fields(
    base: Mapping[Any, Any], mine: Mapping[Any, Any], theirs: Mapping[Any, Any], path: str, clashes: list[Clash]
) -> dict[Any, Any]:
    found = {}
    for key in {**theirs, **mine}:
        place = f"{path}[{key}]" if "." in key else f"{path}.{key}".lstrip(".")
        value = _merged(base.get(key, NONE), mine.get(key, NONE), theirs.get(key, NONE), place, clashes)
        if value is not NONE:
            found[key] = value
    return found


def _items(
    base: Mapping[Any, Any], mine: Mapping[Any, Any], theirs: Mapping[Any, Any], path: str, clashes: list[Clash]
) -> list[Any]:
    """The same of lists, in the order of whoever has changed that."""
    made = {
        name: _merged(base.get(name, NONE), mine.get(name, NONE), theirs.get(name, NONE), f"{path}[{name}]", clashes)
        for name in {**theirs, **mine}
    }
    before, ours, others = ([name for name in one if name in base and name in mine and name in theirs]
                            for one in (base, mine, theirs))  # fmt: skip
    if before != ours != others != before:
        clashes.append(Clash(path, ours, others))
    first, second = (mine, theirs) if ours != before else (theirs, mine)
    order, last = list(first), None
    for name in second:
        if name not in first:
            order.insert(0 if last is None else order.index(last) + 1, name)
        last = name
    return [made[name] for name in order if made[name] is not NONE]


def _named(items: Sequence[Any], naming: str) -> dict[Any, Any] | None:
    """Items by their names; None where one has none, or two have the same."""
    found = {item.get(naming): item for item in items if isinstance(item, Mapping) and not _deep(item.get(naming))}
    return found if len(found) == len(items) and None not in found else None


def _deep(value: Any) -> bool:
    return isinstance(value, Mapping | list)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON is: in Python true is 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
