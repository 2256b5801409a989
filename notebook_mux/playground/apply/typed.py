"""Values by their schema: which fields they have, what differs between two, merging, taking fields away.

What a list or map is to a merge is said by its schema (KEP-555, "Lists", "Maps and structs"): an ``atomic`` one is one
value; a ``set`` or ``map`` list has its items by value or by keys; a granular map or a struct has its fields. Where no
schema says anything, maps are granular and lists are atomic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from notebook_mux.playground.apply import fields
from notebook_mux.playground.apply.fields import MEMBER, SELF, Fields

Json = dict[str, Any]


class Schema(Protocol):
    """What is needed of a schema; `notebook_mux.playground.schemas.Schema` is one.

    Attributes:
        type: ``object``, ``array``, a scalar's, or empty.
        list_type: ``atomic``, ``set`` or ``map``; empty is atomic.
        map_keys: The fields that tell a list's items apart.
        map_type: ``atomic`` or ``granular``; empty is granular.
        default: What is there where nothing is said.
        required: The fields that are always written.
    """

    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def list_type(self) -> str: ...  # noqa: D102
    @property
    def map_keys(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def map_type(self) -> str: ...  # noqa: D102
    @property
    def patch_strategy(self) -> str: ...  # noqa: D102
    @property
    def patch_merge_key(self) -> str: ...  # noqa: D102
    @property
    def default(self) -> Any: ...  # noqa: D102
    @property
    def required(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def properties(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def open(self) -> bool: ...  # noqa: D102
    @property
    def items(self) -> Schema | None: ...  # noqa: D102
    @property
    def additional(self) -> Schema | None: ...  # noqa: D102
    def field(self, name: str) -> Schema | None: ...  # noqa: D102
    def __hash__(self) -> int: ...


class Mistyped(ValueError):
    """A value does not fit its schema; the message has the path."""


class _Missing:
    def __repr__(self) -> str:
        return "<missing>"


MISSING = _Missing()
"""What a side does not have, which is not the same as null."""


# ------------------------------------------------------------------------------------------- the schema's view


def list_type(schema: Schema | None) -> str:
    """``atomic``, ``set`` or ``map``. A list that only says how it is patched is merged in the same way."""
    if schema is None:
        return "atomic"
    if schema.list_type:
        return schema.list_type
    if "merge" in schema.patch_strategy.split(","):
        return "map" if schema.patch_merge_key else "set"
    return "atomic"


def keys_of(schema: Schema) -> tuple[str, ...]:
    """The fields that tell the items of a list of type ``map`` apart."""
    return schema.map_keys or (schema.patch_merge_key,)


def below(schema: Schema | None, name: str) -> Schema | None:
    """The schema of a field, or of a map's value."""
    if schema is None:
        return None
    return schema.field(name) or schema.additional


def named(schema: Schema | None, name: str) -> bool:
    """Whether a struct has a field of that name, and it is not a map's key."""
    return schema is not None and schema.field(name) is not None


def element(schema: Schema, item: Any) -> str:
    """The path element of an item of a list that is not atomic.

    Raises:
        Mistyped: It has none of the keys.
    """
    if list_type(schema) == "set":
        return fields.item_of_value(item)
    if not isinstance(item, dict):
        raise Mistyped(": associative list with keys may not have non-map elements")
    found = {}
    for key in keys_of(schema):
        if item.get(key) is not None:
            found[key] = item[key]
        elif (default := _default(schema.items, key)) is not MISSING:
            found[key] = default
    if not found:
        names = "[" + " ".join(f'"{key}"' for key in keys_of(schema)) + "]"
        raise Mistyped(
            f": associative list with keys has an element that omits all key fields {names} "
            "(and doesn't have default values for any key fields)"
        )
    return fields.item_of_keys(found)


def _default(schema: Schema | None, key: str) -> Any:
    found = schema.field(key) if schema is not None else None
    default = found.default if found is not None else None
    return default if isinstance(default, str | int | bool) else MISSING


def is_atomic(schema: Schema | None, value: Any) -> bool:
    """Whether a list or map is one value to a merge."""
    if isinstance(value, list):
        return list_type(schema) == "atomic"
    return schema is not None and schema.map_type == "atomic"


def zero(schema: Schema | None, name: str) -> Any:
    """What a typed object has in a field that nobody set: structs are there empty, and lists that are required null.

    The server compares objects of Go types, whose structs cannot be left out; the documents say so by ``default: {}``,
    and by ``default: ""`` that a text is written even if it is empty.
    """
    found = schema.field(name) if schema is not None else None
    if schema is None or found is None:
        return MISSING
    if found.default == {} and found.type == "object":
        return {}
    if found.default == "":
        return ""
    if name in schema.required:
        return None if found.type == "array" else found.default if isinstance(found.default, str | int) else MISSING
    return MISSING


def unique_items(schema: Schema, items: list[Any]) -> dict[str, Any]:
    """A list's items by their path element; of equal ones the first."""
    found: dict[str, Any] = {}
    for item in items:
        found.setdefault(element(schema, item), item)
    return found


# --------------------------------------------------------------------------------------------------- the fields


def fields_of(value: Any, schema: Schema | None) -> Fields:
    """The fields that a value says.

    Raises:
        Mistyped: An item has no keys.
    """
    if not isinstance(value, dict | list) or is_atomic(schema, value):
        return {SELF: MEMBER}
    found: Fields = {}
    if isinstance(value, list):
        assert schema is not None
        seen: set[str] = set()
        for item in value:
            name = element(schema, item)
            # Items that are there twice are owned as one, whatever is in them.
            found[name] = {SELF: MEMBER} if name in seen else {**fields_of(item, schema.items), SELF: MEMBER}
            seen.add(name)
        return found
    for name, inner in value.items():
        inside = fields_of(inner, below(schema, name))
        if inner is None or inner == {} or not named(schema, name):
            inside = {**inside, SELF: MEMBER}
        if inside:
            found[fields.field(name)] = inside
    return found


def with_structs(found: Fields, schema: Schema | None) -> Fields:
    """The set with each named field on the way to a member as a member itself."""
    result: Fields = {}
    for key, inner in found.items():
        if key == SELF:
            result[SELF] = MEMBER
            continue
        name = key[2:]
        inside = with_structs(inner, _schema_at(schema, key))
        result[key] = {**inside, SELF: MEMBER} if key[0] == "f" and named(schema, name) else inside
    return result


def _schema_at(schema: Schema | None, key: str) -> Schema | None:
    if key[0] == "f":
        return below(schema, key[2:])
    return schema.items if schema is not None else None


# ------------------------------------------------------------------------------------------------- what differs


class Comparison:
    """What differs between two values.

    Attributes:
        added: Fields that only the second has.
        modified: Fields that both have, with another value.
        removed: Fields that only the first has.
    """

    __slots__ = ("added", "modified", "removed")

    def __init__(self, old: Any, new: Any, schema: Schema | None, *, typed: bool = True):
        self.added: Fields = {}
        self.modified: Fields = {}
        self.removed: Fields = {}
        _compare(old, new, schema, (self.added, self.modified, self.removed), typed)
        self.added, self.modified, self.removed = (
            fields.pruned(one) for one in (self.added, self.modified, self.removed)
        )

    def leave_out(self, reset: Fields | None) -> None:
        """Forget what differs in some fields, and below them."""
        if reset:
            self.added, self.modified, self.removed = (
                fields.without(one, reset) for one in (self.added, self.modified, self.removed)
            )

    @property
    def changed(self) -> Fields:
        """Fields that are added or modified."""
        return fields.union(self.modified, self.added)

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)


def _compare(old: Any, new: Any, schema: Schema | None, found: tuple[Fields, Fields, Fields], typed: bool) -> None:
    if old is not MISSING and new is not MISSING and old == new and isinstance(old, dict) == isinstance(new, dict):
        return
    added, modified, removed = found
    shape = new if isinstance(new, dict | list) or old in (MISSING, None) else old
    leaf = not isinstance(shape, dict | list) or is_atomic(schema, shape) or (not _full(old) and not _full(new))
    if not leaf and _full(old) and _full(new) and isinstance(old, dict) != isinstance(new, dict):
        leaf = True  # of two types: nothing in it can be compared
    if leaf and old is not MISSING and new is not MISSING:
        modified[SELF] = MEMBER
        return
    if not leaf:
        for key, one, other, inner in _pairs(old, new, schema, typed):
            _compare(one, other, inner, (_at(added, key), _at(modified, key), _at(removed, key)), typed)
    if old is MISSING:
        added[SELF] = MEMBER
    elif new is MISSING:
        removed[SELF] = MEMBER


def _at(node: Fields, key: str) -> Fields:
    inner: Fields = node.setdefault(key, {})
    return inner


def _full(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _pairs(old: Any, new: Any, schema: Schema | None, typed: bool) -> Iterator[tuple[str, Any, Any, Schema | None]]:
    if isinstance(old, list) or isinstance(new, list):
        assert schema is not None
        before = _occurrences(schema, old)
        after = _occurrences(schema, new)
        for key in [*before, *(key for key in after if key not in before)]:
            one, other = before.get(key, MISSING), after.get(key, MISSING)
            yield key, one, other, None if isinstance(one, _Twice) or isinstance(other, _Twice) else schema.items
        return
    before, after = (side if isinstance(side, dict) else {} for side in (old, new))
    for name in [*before, *(name for name in after if name not in before)]:
        one, other = before.get(name, MISSING), after.get(name, MISSING)
        if typed:  # what is null where the other has nothing is a time, which that has too
            if one is MISSING and old is not MISSING:
                one = zero(schema, name) if other is not None else None
            if other is MISSING and new is not MISSING:
                other = zero(schema, name) if one is not None else None
        yield fields.field(name), one, other, below(schema, name)


class _Twice(list[Any]):
    """Items of a list that have the same path element: compared as one value."""


def _occurrences(schema: Schema, items: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items if isinstance(items, list) else ():
        key = element(schema, item)
        there = found.get(key, MISSING)
        if there is MISSING:
            found[key] = item
        elif isinstance(there, _Twice):
            there.append(item)
        else:
            found[key] = _Twice([there, item])
    return found


# ------------------------------------------------------------------------------------- merging and taking away


def merge(live: Any, applied: Any, schema: Schema | None) -> Any:
    """A live value with an applied one in it: applied leaves win, all else stays.

    Raises:
        Mistyped: An item has no keys.
    """
    if applied is MISSING:
        return live
    if not isinstance(applied, dict | list) or live is MISSING or live is None or is_atomic(schema, applied):
        return applied
    if isinstance(applied, dict) and isinstance(live, dict):
        result = dict(live)
        for name, inner in applied.items():
            result[name] = merge(live.get(name, MISSING), inner, below(schema, name))
        return result
    if isinstance(applied, list) and isinstance(live, list):
        assert schema is not None
        return _merge_items(live, applied, schema)
    return applied


def _merge_items(live: list[Any], applied: list[Any], schema: Schema) -> list[Any]:
    """Applied items come in the order they are applied in; live ones stay where they are between them."""
    wanted = unique_items(schema, applied)
    there = unique_items(schema, live)
    order = list(wanted)
    places = {key: place for place, key in enumerate(order)}
    shared = iter([key for key in order if key in there])
    due = next(shared, None)
    result: list[Any] = []
    placed = 0
    for item in live:
        key = element(schema, item)
        if key not in wanted:
            result.append(item)
        elif key == due:
            upto = places[key] + 1
            result += [merge(there.get(one, MISSING), wanted[one], schema.items) for one in order[placed:upto]]
            placed = upto
            due = next(shared, None)
    return result + [merge(there.get(one, MISSING), wanted[one], schema.items) for one in order[placed:]]


def remove(value: Any, gone: Fields, schema: Schema | None) -> Any:
    """A value without some of its fields; None where nothing is left of it."""
    if not _full(value) or not gone:
        return value
    if is_atomic(schema, value):
        return value
    if isinstance(value, list):
        assert schema is not None
        items = []
        for item in value:
            inner = gone.get(element(schema, item), {})
            if SELF not in inner:
                items.append(remove(item, inner, schema.items))
        return items or None
    result = {}
    for name, one in value.items():
        inner = gone.get(fields.field(name), {})
        if SELF in inner:
            continue
        left = remove(one, inner, below(schema, name)) if inner else one
        if left is not None or one is None:
            result[name] = left
    return result or None
