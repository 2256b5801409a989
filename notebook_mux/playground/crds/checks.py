"""Validation against a structural schema, with the server's messages (kube-openapi's validator for OpenAPI v3).

Errors come in the order of the schema's properties; the real server's order is that of a Go map, which is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground import causes
from notebook_mux.playground.crds import formats
from notebook_mux.playground.regexes import RegexFault, pattern_of
from notebook_mux.playground.shell.regex import STEPS, Regex

Json = dict[str, Any]

INT_OR_STRING = "x-kubernetes-int-or-string"
MISSING = object()
"""No value before."""

NOWHERE = "<nil>"
"""The field of an error about no field: how the server prints it."""

SEARCHED = 2 * STEPS
"""Steps of all patterns of an object together, beyond which no further one is looked for."""

INT32 = (-(1 << 31), (1 << 31) - 1)


@dataclass
class Result:
    """What a value looked like.

    Args:
        found: The causes.
        matches: How much of the schema was gone through: of several alternatives the errors of the best are told.
    """

    found: list[Json] = field(default_factory=list)
    matches: int = 0

    def merge(self, other: Result) -> None:
        """Take over another's findings."""
        self.found += other.found
        self.matches += other.matches


def check(value: Any, schema: Json, path: str = "", old: Any = MISSING) -> list[Json]:
    """The causes for which a value cannot be.

    Args:
        value: Of the whole object, or of a field.
        schema: Of it.
        path: Of the field, ``spec.replicas``; empty is the whole object.
        old: The value before: what of it is the same is not looked at again (KEP-4008); `MISSING` without one.
    """
    _Begun.at = Regex.done
    return _check(value, schema, path, old).found


class _Begun:
    """Where the patterns of the object that is looked at began (`Regex.done`)."""

    at = 0


def _check(value: Any, schema: Json, path: str, old: Any = MISSING) -> Result:
    result = Result()
    if old is not MISSING and _same(value, old):
        return result
    types = _types(schema)
    if value is None:
        if types and not schema.get("nullable"):
            result.found.append(_wrong_type(path, ",".join(types), "null"))
        if "enum" in schema and value not in schema["enum"]:
            result.found.append(_unsupported(path, value, schema["enum"]))
        return result
    if types or schema.get("format"):
        result.merge(_check_type(value, types, schema.get("format", ""), path))
        result.matches += 1
    result.merge(_check_alternatives(value, schema, path))
    steps: list[Iterator[Json | Result]] = []
    if isinstance(value, str):
        steps = [_of_text(value, schema, path), _of_format(value, schema, path)]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        steps = [_of_number(value, schema, path)]
    elif isinstance(value, list):
        steps = [_of_list(value, schema, path, old)]
    for found in steps:
        result.merge(_listed(found))
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        result.found.append(_unsupported(path, value, schema["enum"]))
    result.matches += 1
    if isinstance(value, dict):
        result.merge(_of_object(value, schema, path, old))
    result.matches += 1
    return result


def _listed(found: Iterator[Json | Result]) -> Result:
    result = Result(matches=1)
    for one in found:
        result.merge(one if isinstance(one, Result) else Result([one]))
    return result


def _types(schema: Json) -> tuple[str, ...]:
    if schema.get(INT_OR_STRING):
        return ("integer", "string")
    return (schema["type"],) if schema.get("type") else ()


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON: true is no 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


# -------------------------------------------------------------------------------------------------- the types


def _type_of(value: Any) -> tuple[str, str]:
    """Type and format of a value, as the validator calls them."""
    match value:
        case bool():
            return "boolean", ""
        case int():
            return "integer", "int64"
        case float():
            return "number", "double"
        case str():
            return "string", ""
        case list():
            return "array", ""
    return "object", ""


def _check_type(value: Any, types: tuple[str, ...], form: str, path: str) -> Result:
    own, own_form = _type_of(value)
    whole = isinstance(value, float) and value.is_integer() and "integer" in types
    fits = own in types or whole or (own == "integer" and "number" in types)
    texts = isinstance(value, (str, list))
    if form and not texts and not (fits or own_form == form):
        return Result([_wrong_type(path, form, own_form)])
    if form and texts and not {"number", "integer"} & set(types):
        return Result(matches=1)
    if not fits:
        return Result([_wrong_type(path, ",".join(types), own)])
    return Result(matches=1)


def _wrong_type(path: str, wanted: str, own: str) -> Json:
    return causes.wrong_type(_at(path), own, f"{path} in body must be of type {wanted}: {causes.shown(own)}")


def _unsupported(path: str, value: Any, known: list[Any]) -> Json:
    return causes.unsupported(_at(path), value, [one if isinstance(one, str) else causes.shown(one) for one in known])


def _at(path: str) -> str:
    return path.removeprefix(".") or NOWHERE


# ------------------------------------------------------------------------------------------------ alternatives


def _check_alternatives(value: Any, schema: Json, path: str) -> Result:
    result = Result(matches=1)
    if alternatives := schema.get("anyOf"):
        best = _best([_check(value, one, path) for one in alternatives])
        if best.found:
            result.found.append(_nowhere(f'"{path}" must validate at least one schema (anyOf)'))
        result.merge(best)
    if alternatives := schema.get("oneOf"):
        results = [_check(value, one, path) for one in alternatives]
        valid = [one for one in results if not one.found]
        if len(valid) != 1:
            how = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
            result.found.append(_nowhere(f'"{path}" must validate one and only one schema (oneOf). {how}'))
        if len(valid) == 1:
            result.merge(valid[0])
        elif not valid:
            result.merge(_best(results))
    if together := schema.get("allOf"):
        results = [_check(value, one, path) for one in together]
        for one in results:
            result.merge(one)
        failed = [one for one in results if one.found]
        if failed:
            how = ". None validated" if len(failed) == len(results) else ""
            result.found.append(_nowhere(f'"{path}" must validate all the schemas (allOf){how}'))
    if "not" in schema and not _check(value, schema["not"], path).found:
        result.found.append(_nowhere(f'"{path}" must not validate the schema (not)'))
    return result


def _best(results: list[Result]) -> Result:
    """The first that found nothing, else the one that went furthest."""
    valid = next((one for one in results if not one.found), None)
    return valid or max(results, key=lambda one: one.matches)


def _nowhere(text: str) -> Json:
    return causes.wrong(NOWHERE, "", text)


# ----------------------------------------------------------------------------------------- texts, numbers, lists


def _of_text(value: str, schema: Json, path: str) -> Iterator[Json | Result]:
    longest, shortest, pattern = (schema.get(name) for name in ("maxLength", "minLength", "pattern"))
    if longest is not None and len(value) > longest:
        yield causes.too_long(_at(path), longest)
    elif shortest is not None and len(value) < shortest:
        yield causes.wrong(_at(path), value, f"{path} in body should be at least {shortest} chars long")
    elif pattern:
        try:
            if Regex.done - _Begun.at > SEARCHED:
                raise RegexFault("the object has too much text for the patterns of its schema")
            fits = pattern_of(pattern).search(value) is not None
        except RegexFault as fault:
            yield causes.wrong(_at(path), value, f"{path} in body: '{pattern}': {fault}")
            return
        if not fits:
            yield causes.wrong(_at(path), value, f"{path} in body should match '{pattern}'")


def _of_format(value: str, schema: Json, path: str) -> Iterator[Json | Result]:
    form = schema.get("format", "")
    holds = formats.KNOWN.get(form.replace("_", "-")) or formats.KNOWN.get(form.replace("-", ""))
    if holds is not None and not holds(value):
        yield causes.wrong_type(_at(path), value, f"{path} in body must be of type {form}: {causes.shown(value)}")


def _of_number(value: float, schema: Json, path: str) -> Iterator[Json | Result]:
    where = f"{path} in body"
    if schema.get("type") == "integer" and schema.get("format") == "int32" and not INT32[0] <= value <= INT32[1]:
        text = f"Checked value must be of type integer with format int32 in {path}"
        yield _nowhere(text)
    if schema.get("type") == "integer" and isinstance(value, float) and not value.is_integer():
        yield _nowhere(f"Checked value must be of type integer (default format) in {path}")
    factor = schema.get("multipleOf")
    if factor is not None and isinstance(value, int):
        factor = int(factor)  # as the server takes it for a whole number
    if factor is not None and factor <= 0:
        yield causes.wrong(_at(path), factor, f"factor MultipleOf declared for {path} must be positive: {factor}")
    elif factor is not None and value % factor:
        yield causes.wrong(_at(path), value, f"{where} should be a multiple of {_number(factor)}")
    highest, open_end = schema.get("maximum"), bool(schema.get("exclusiveMaximum"))
    if highest is not None and (value >= highest if open_end else value > highest):
        how = "less than" if open_end else "less than or equal to"
        yield causes.wrong(_at(path), value, f"{where} should be {how} {_number(highest)}")
    lowest, open_start = schema.get("minimum"), bool(schema.get("exclusiveMinimum"))
    if lowest is not None and (value <= lowest if open_start else value < lowest):
        how = "greater than" if open_start else "greater than or equal to"
        yield causes.wrong(_at(path), value, f"{where} should be {how} {_number(lowest)}")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _of_list(value: list[Any], schema: Json, path: str, old: Any) -> Iterator[Json | Result]:
    if (items := schema.get("items")) is not None:
        before = _items_before(schema, old)
        for index, item in enumerate(value):
            yield _check(item, items, f"{path}[{index}]", before.get(_key(schema, item), MISSING))
    fewest, most = schema.get("minItems"), schema.get("maxItems")
    if fewest is not None and len(value) < fewest:
        yield causes.wrong(_at(path), len(value), f"{path} in body should have at least {fewest} items")
    if most is not None and len(value) > most:
        yield causes.too_many(_at(path), len(value), most)


def _items_before(schema: Json, old: Any) -> dict[str, Any]:
    """The items before by what tells them apart, which is known of lists of type ``map`` only."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return {}
    return {_key(schema, item): item for item in old}


def _key(schema: Json, item: Any) -> str:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return json.dumps([item.get(key) for key in keys]) if isinstance(item, dict) else ""


def _of_object(value: Json, schema: Json, path: str, old: Any) -> Result:
    result = Result(matches=1)
    before: Json = old if isinstance(old, dict) else {}
    fewest, most = schema.get("minProperties"), schema.get("maxProperties")
    if fewest is not None and len(value) < fewest:
        text = f"{path} in body should have at least {fewest} properties"
        result.found.append(causes.wrong(_at(path), len(value), text))
    if most is not None and len(value) > most:
        result.found.append(causes.too_many(_at(path), len(value), most))
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    if isinstance(others, dict):
        for key, item in value.items():
            if key not in properties:
                result.merge(_check(item, others, f"{path}.{key}", before.get(key, MISSING)))
    for key, below in properties.items():
        if key in value:
            at = f"{path}.{key}" if path else key
            result.merge(_check(value[key], below, at, before.get(key, MISSING)))
    for key in schema.get("required") or ():
        if key not in value:
            result.found.append(causes.required(_at(f"{path}.{key}")))
    return result


# ------------------------------------------------------------------------------------------- lists that are sets


def check_lists(value: Any, schema: Json, path: str = "") -> Iterator[Json]:
    """The items that stand twice in lists of type ``set``, or whose keys do in lists of type ``map``."""
    if isinstance(value, list):
        of_type, items = schema.get("x-kubernetes-list-type"), schema.get("items") or {}
        if of_type in ("set", "map"):
            yield from _twice(value, schema.get("x-kubernetes-list-map-keys") or (), items, path, of_type == "map")
        for index, item in enumerate(value):
            yield from check_lists(item, items, f"{path}[{index}]")
    elif isinstance(value, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            if key in properties:
                yield from check_lists(item, properties[key], f"{path}.{key}" if path else key)
            elif isinstance(others, dict):
                yield from check_lists(item, others, f"{path}[{key}]")


def _twice(value: list[Any], keys: tuple[str, ...], items: Json, path: str, of_keys: bool) -> Iterator[Json]:
    seen: dict[str, int] = {}
    for index, item in enumerate(value):
        told = item
        if of_keys:
            if not isinstance(item, dict):
                continue
            told = {key: item[key] for key in keys if key in item}
        text = json.dumps(told, sort_keys=True)
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            yield causes.duplicate(f"{path}[{index}]", told)
