"""Strategic merge patches, by the schema's ``patchStrategy`` and ``patchMergeKey``.

Implements the directives of the Kubernetes community's document "Strategic Merge Patch": ``$patch``, ``$retainKeys``,
``$setElementOrder/LIST``, ``$deleteFromPrimitiveList/LIST``. Where items of a list are merged, those of the patch come
in the patch's order, and those that only the object has keep their place among them.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from notebook_mux.playground.apply.go_text import go_text
from notebook_mux.playground.apply.typed import Schema, below
from notebook_mux.playground.status import ApiError, bad_request

Json = dict[str, Any]

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
ORDER = "$setElementOrder/"
DELETE_FROM = "$deleteFromPrimitiveList/"


def strategic(obj: Any, patch: Any, schema: Schema | None) -> Any:
    """An object with a strategic merge patch in it.

    Raises:
        ApiError: 400 or 500, the patch says what cannot be.
    """
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    return _merge(obj if isinstance(obj, dict) else {}, patch, schema)


def _merge(obj: Json, patch: Json, schema: Schema | None) -> Json:
    if DIRECTIVE in patch:
        said = patch[DIRECTIVE]
        if said == "replace":
            return {key: copy.deepcopy(value) for key, value in patch.items() if key != DIRECTIVE}
        if said == "delete":
            return {}
        raise _bad_type(said, patch)
    result = _retained(dict(obj), patch)
    done = _ordered(result, patch, schema)
    for key, value in patch.items():
        if key in done or key == RETAIN or key.startswith(ORDER):
            continue
        if key.startswith(DELETE_FROM):
            _delete_from(result, key.removeprefix(DELETE_FROM), value)
        elif value is None:
            result.pop(key, None)
        elif key not in result:
            if not (isinstance(value, dict) and DIRECTIVE in value):
                result[key] = _fresh(value)
        else:
            result[key] = _field(result[key], value, below(schema, key))
    return result


def _field(old: Any, value: Any, schema: Schema | None) -> Any:
    """The new value of a field that is there already."""
    if isinstance(old, dict) and isinstance(value, dict) and _strategy(schema) != "replace":
        return _merge(old, value, schema)
    if isinstance(old, list) and isinstance(value, list) and _strategy(schema) == "merge":
        return _merge_list(old, value, schema)
    return _fresh(value)


def _strategy(schema: Schema | None) -> str:
    said = schema.patch_strategy.split(",") if schema is not None else []
    return next((one for one in said if one != "retainKeys"), "")


def _retained(result: Json, patch: Json) -> Json:
    kept = patch.get(RETAIN)
    if kept is None:
        return result
    said = [key for key, value in patch.items() if value is not None and not key.startswith("$")]
    if not isinstance(kept, list) or any(key not in kept for key in said):
        raise bad_request("invalid patch format of retainKeys")
    return {key: value for key, value in result.items() if key in kept}


def _ordered(result: Json, patch: Json, schema: Schema | None) -> set[str]:
    """Carry out the lists whose order the patch says; the names of these."""
    done = set()
    for directive, order in patch.items():
        if not directive.startswith(ORDER):
            continue
        key = directive.removeprefix(ORDER)
        if not isinstance(order, list):
            raise ApiError(500, "", f"expected a []interface {{}}, but received a {_go_type(order)}")
        inner = below(schema, key)
        merge_key = inner.patch_merge_key if inner is not None else ""
        old, value = result.get(key), patch.get(key)
        if value is not None:
            _check_order(value, order, merge_key)
        if old is None and value is None:
            continue
        if value is None:
            merged = old
        elif old is None:
            merged = _fresh(value)
        else:
            merged = _field(old, value, inner)
        result[key] = _in_order(merged or [], order, old or [], merge_key)
        done.add(key)
    return done


def _check_order(value: Any, order: list[Any], merge_key: str) -> None:
    """Refuse an order in which what the patch sets is missing, or comes otherwise."""
    said = [_identity(one, merge_key) for one in value if not (isinstance(one, dict) and DIRECTIVE in one)]
    wanted = [_identity(one, merge_key) for one in order]
    at = {one: n for n, one in reversed(list(enumerate(wanted)))}
    places = [at.get(one) for one in said]
    if None in places or places != sorted(place for place in places if place is not None):
        raise ApiError(
            500,
            "",
            f"The order in patch list:\n{go_text(value)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n",
        )


def _delete_from(result: Json, key: str, gone: Any) -> None:
    if isinstance(gone, list) and isinstance(result.get(key), list):
        result[key] = [one for one in result[key] if one not in gone]


def _merge_list(old: list[Any], patch: list[Any], schema: Schema | None) -> list[Any]:
    merge_key = schema.patch_merge_key if schema is not None else ""
    if not any(isinstance(one, dict) for one in [*old, *patch]):
        both = {_identity(one, ""): one for one in [*old, *patch]}  # a list in a list cannot be hashed
        return _in_order(list(both.values()), patch, old, "")
    inner = schema.items if schema is not None else None
    replaced, wanted, gone = False, [], set[str]()
    for one in patch:
        if not isinstance(one, dict) or DIRECTIVE not in one:
            wanted.append(one)
        elif one[DIRECTIVE] == "delete":
            _key(one, merge_key)
            gone.add(_identity(one, merge_key))
        elif one[DIRECTIVE] == "replace":
            replaced = True
        elif one[DIRECTIVE] == "merge":
            raise ApiError(500, "", "merging lists cannot yet be specified in the patch")
        else:
            raise _bad_type(one[DIRECTIVE], one)
    if replaced:
        return [_fresh(one) for one in wanted]
    left = [there for there in old if _identity(there, merge_key) not in gone] if gone else list(old)
    merged = list(left)
    places = {_identity(there, merge_key): n for n, there in reversed(list(enumerate(merged)))}
    for one in wanted:
        _key(one, merge_key)
        place = places.setdefault(_identity(one, merge_key), len(merged))
        if place == len(merged):
            merged.append(_fresh(one))
        else:
            merged[place] = _merge(merged[place], one, inner)
    return _in_order(merged, wanted, left, merge_key)


def _key(item: Any, merge_key: str) -> Any:
    if not isinstance(item, dict) or merge_key not in item:
        raise ApiError(500, "", f"map: {go_text(item)} does not contain declared merge key: {merge_key}")
    return item[merge_key]


def _in_order(items: list[Any], order: list[Any], before: list[Any], merge_key: str) -> list[Any]:
    """Items that the order names in that order; others stay before what they were before."""
    places = {_identity(one, merge_key): n for n, one in reversed(list(enumerate(order)))}
    once = {_identity(one, merge_key): n for n, one in reversed(list(enumerate(before)))}
    end = len(before)
    told = [one for one in items if _identity(one, merge_key) in places]
    told.sort(key=lambda one: places[_identity(one, merge_key)])
    rest = [one for one in items if _identity(one, merge_key) not in places]
    rest.sort(key=lambda one: once.get(_identity(one, merge_key), end))
    result: list[Any] = []
    at = 0
    for one in told:
        place = once.get(_identity(one, merge_key))
        while at < len(rest) and place is not None and once.get(_identity(rest[at], merge_key), end) < place:
            result.append(rest[at])
            at += 1
        result.append(one)
    return result + rest[at:]


def _identity(item: Any, merge_key: str) -> str:
    return json.dumps(item.get(merge_key) if isinstance(item, dict) else item, sort_keys=True)


def _fresh(value: Any) -> Any:
    """A value that comes into being by the patch: without its directives, and without what it says is null."""
    if isinstance(value, dict):
        return {
            key: _fresh(inner)
            for key, inner in value.items()
            if inner is not None and not key.startswith("$") and not (isinstance(inner, dict) and DIRECTIVE in inner)
        }
    if isinstance(value, list):
        return [_fresh(one) for one in value if not (isinstance(one, dict) and DIRECTIVE in one)]
    return value


def _bad_type(said: Any, where: Json) -> ApiError:
    return ApiError(500, "", f"unknown patch type: {said} in map: {go_text(where)}")


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    return "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "float64"
