"""managedFields of what the cluster's own parts write: controllers, kubelets, the stories of scenarios.

They say what is theirs, and that is taken as it is, by the schema of the object's kind: as a creation of it would be.
What comes in through the API is compared instead (`apply.tracking`). This is on the way of each pod that is made, so it
writes fieldsV1 down at once.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import msgspec

from notebook_mux.playground import schemas
from notebook_mux.playground.apply import ownership, typed
from notebook_mux.playground.apply.typed import Schema
from notebook_mux.playground.kinds import built_in

Json = dict[str, Any]

LEAF: Json = {}
"""A member without children, as fieldsV1 writes it; never changed."""

NOBODYS = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"}
)
"""Of the metadata: nobody's fields."""


@cache
def schema_of(api_version: str, kind: str) -> Schema | None:
    """The schema of a built-in kind; None if nothing is known of it."""
    for one in built_in():
        if one.kind == kind and one.api_version == api_version:
            return schemas.of(one)
    return None


def fields_of(obj: Json, schema: Schema | None) -> Json:
    """The fieldsV1 of all that an object says.

    Args:
        obj: The object, or some of it; its kind and what the server sets are left out.
    """
    own = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
    if "metadata" in own:
        own["metadata"] = {key: value for key, value in own["metadata"].items() if key not in NOBODYS}
    spec = own.pop("spec") if _is_of_pod(own.get("spec")) else None
    found = _map(own, schema, True)
    if spec is not None:
        found |= msgspec.json.decode(_of_spec(msgspec.json.encode(spec), schema))
    if "f:metadata" in found:
        found["f:metadata"].pop(".", None)
        if not found["f:metadata"]:
            del found["f:metadata"]
    return found


def _is_of_pod(spec: Any) -> bool:
    return isinstance(spec, dict) and "containers" in spec


@lru_cache(maxsize=64)
def _of_spec(spec: bytes, schema: Schema | None) -> bytes:
    """The fields of a pod's spec, in JSON: pods of one template say the same."""
    return msgspec.json.encode(_map({"spec": msgspec.json.decode(spec)}, schema, True))


@lru_cache(maxsize=4096)
def _field(schema: Schema | None, name: str) -> tuple[str, Schema | None, Any, bool, bool]:
    """A field's name in fieldsV1, its schema, what it is where nobody set it, whether its list, its map is atomic."""
    below = typed.below(schema, name)
    return f"f:{name}", below, typed.zero(schema, name), typed.is_atomic(below, []), typed.is_atomic(below, {})


def _map(value: Json, schema: Schema | None, there: bool) -> Json:
    """The fields of a map or a struct; ``there`` says that the struct is one that each object has."""
    found: Json = {}
    for name, inner in value.items():
        key, below, zero, atomic_list, atomic_map = _field(schema, name)
        if not isinstance(inner, dict | list):
            if inner or not there or inner not in (zero, None):
                found[key] = LEAF
            continue
        if atomic_map if isinstance(inner, dict) else atomic_list:
            found[key] = LEAF
            continue
        given = there and zero is not typed.MISSING
        if isinstance(inner, dict):
            inside = _map(inner, below, given)
        else:
            inside = _list(inner, below) if below is not None else {}
        if not given:
            found[key] = {".": LEAF, **inside} if inside else LEAF
        elif inside:
            found[key] = inside
    return found


def _list(items: list[Any], schema: Schema) -> Json:
    found: Json = {}
    inner = schema.items
    for item in items:
        inside = _map(item, inner, False) if isinstance(item, dict) and not typed.is_atomic(inner, item) else {}
        found[typed.element(schema, item)] = {".": LEAF, **inside} if inside else LEAF
    return found


def entry(manager: str, api_version: str, stamp: str, obj: Json, *, subresource: str = "") -> Json:
    """One entry for what is set in an object.

    Args:
        obj: The parts that are the manager's, and the kind; what the server sets is left out.
    """
    found: Json = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": stamp,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields_of(obj, schema_of(api_version, obj.get("kind", ""))),
    }
    if subresource:
        found["subresource"] = subresource
    return found


def record(obj: Json, manager: str, stamp: str, changed: Json, *, subresource: str = "") -> None:
    """Note in an object that a manager set some of it; its entry before is replaced."""
    entries = [
        one
        for one in obj["metadata"].get("managedFields") or ()
        if (one.get("manager"), one.get("subresource", "")) != (manager, subresource)
    ]
    said = {**changed, "kind": obj["kind"]}
    entries.append(entry(manager, obj["apiVersion"], stamp, said, subresource=subresource))
    obj["metadata"]["managedFields"] = ownership.in_order(entries)
