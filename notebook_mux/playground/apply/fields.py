"""Sets of fields, in the tree that FieldsV1 writes.

A set is a tree of dicts. Its keys are path elements as FieldsV1 spells them: ``f:NAME`` a field, ``k:{...}`` a list's
item by its keys, ``v:VALUE`` an item of a set, ``i:N`` an item by its place. The key ``.`` says that the path itself is
a member. FieldsV1 writes a member without children as ``{}``; here it is ``{".": {}}``, so that each path is one thing.
No function changes what it is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

Fields = dict[str, Any]

SELF = "."
_encode = msgspec.json.Encoder(order="sorted").encode

MEMBER: Fields = {}
"""The value of ``.``; never changed."""


def field(name: str) -> str:
    """The element of a field."""
    return f"f:{name}"


def item_of_keys(keys: dict[str, Any]) -> str:
    """The element of a list's item that its keys tell."""
    return "k:" + _encode(keys).decode()


def item_of_value(value: Any) -> str:
    """The element of an item of a set."""
    return "v:" + _encode(value).decode()


def read(written: Any, *, top: bool = True) -> Fields:
    """The set that a fieldsV1 says.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(written, dict):
        raise ValueError(f"no fieldsV1: {written!r}")
    if not written:
        return {} if top else {SELF: MEMBER}
    found: Fields = {}
    for key, inner in written.items():
        if key == SELF:
            found[SELF] = MEMBER
        elif key[:2] in ("f:", "k:", "v:", "i:"):
            found[key] = read(inner, top=False)
        else:
            raise ValueError(f"no path element: {key}")
    return found


def write(fields: Fields) -> Fields:
    """The fieldsV1 of a set, in the server's order: fields, then items by key, by value, by place."""
    if fields.keys() == {SELF}:
        return {}
    return {key: write(fields[key]) if key != SELF else {} for key in sorted(fields, key=_order)}


def _order(key: str) -> tuple[int, str]:
    return ".fkvi".index(key[0]), key


def union(one: Fields, other: Fields) -> Fields:
    """What is in either."""
    if not one or not other:
        return one or other
    found = dict(one)
    for key, inner in other.items():
        there = found.get(key)
        found[key] = inner if there is None else union(there, inner)
    return found


def difference(one: Fields, other: Fields) -> Fields:
    """What is in the first only, path by path: a member that goes leaves its children."""
    if not other:
        return one
    found: Fields = {}
    for key, inner in one.items():
        there = other.get(key)
        if there is None:
            found[key] = inner
        elif key != SELF and (left := difference(inner, there)):
            found[key] = left
    return found


def without(one: Fields, other: Fields) -> Fields:
    """What is in the first only; a member of the other goes with all below it."""
    if SELF in other:
        return {}
    found: Fields = {}
    for key, inner in one.items():
        left = without(inner, other[key]) if key in other else inner
        if left or key == SELF:
            found[key] = left
    return found


def intersection(one: Fields, other: Fields) -> Fields:
    """What is in both."""
    found: Fields = {}
    for key in one.keys() & other.keys():
        if key == SELF:
            found[SELF] = MEMBER
        elif inner := intersection(one[key], other[key]):
            found[key] = inner
    return found


def pruned(fields: Fields) -> Fields:
    """The set without branches that have no member."""
    found: Fields = {}
    for key, inner in fields.items():
        if key == SELF:
            found[SELF] = MEMBER
        elif left := pruned(inner):
            found[key] = left
    return found


def paths(fields: Fields, prefix: str = "") -> Iterator[str]:
    """Each member as conflicts name it: ``.spec.containers[name="a"].image``."""
    for key in sorted(fields, key=_order):
        if key == SELF:
            yield prefix
        else:
            yield from paths(fields[key], prefix + shown(key))


def shown(element: str) -> str:
    """A path element as messages show it."""
    kind, said = element[0], element[2:]
    if kind == "f":
        return f".{said}"
    if kind == "k":
        return "[" + ",".join(f"{key}={_value(value)}" for key, value in json.loads(said).items()) + "]"
    if kind == "v":
        return f"[={_value(json.loads(said))}]"
    return f"[{said}]"


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def of_paths(*told: str) -> Fields:
    """The set of some fields told by dots: ``metadata.name``."""
    found: Fields = {}
    for one in told:
        node = found
        for name in one.split("."):
            node = node.setdefault(field(name), {})
        node[SELF] = MEMBER
    return found
