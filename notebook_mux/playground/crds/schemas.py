"""A definition's schema: whether it is structural, whether its rules can be compiled, what to warn of.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from notebook_mux.playground import causes, regexes
from notebook_mux.playground.crds import checks, formats, shapes
from notebook_mux.playground.crds.rules import RULES, RuleProblem, compile_rule, of_object

Json = dict[str, Any]

ROOT, ITEM, FIELD = "root", "item", "field"
TYPES = ("array", "boolean", "integer", "number", "object", "string")
EMPTY_TYPE = {
    ROOT: "must not be empty at the root",
    ITEM: "must not be empty for specified array items",
    FIELD: "must not be empty for specified object fields",
}
PRESERVE, EMBEDDED, EITHER = shapes.PRESERVE, shapes.EMBEDDED, checks.INT_OR_STRING
LIST_TYPE, MAP_KEYS, MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
EITHER_ALTERNATIVES = [{"type": "integer"}, {"type": "string"}]
NOT_SUPPORTED = ("additionalItems", "patternProperties", "definitions", "dependencies", "$ref", "id")
ONLY_AT_PLACES: tuple[tuple[str, str], ...] = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    (PRESERVE, "must be false to be structural"),
    (EMBEDDED, "must be false to be structural"),
    (EITHER, "must be false to be structural"),
    (MAP_KEYS, "must be empty to be structural"),
    (LIST_TYPE, "must be undefined to be structural"),
    (MAP_TYPE, "must be undefined to be structural"),
    (RULES, "must be empty to be structural"),
)
"""What may stand where a field is described, and not within allOf, anyOf, oneOf and not."""

AT_ROOT = (
    "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations]"
)
"""What may stand at the root of a schema with the sub-resource status, as the message lists it."""

AT_ROOT_WITH_STATUS = frozenset(
    {name[0].lower() + name[1:] for name in AT_ROOT.strip("[]").split()} | {PRESERVE, RULES, "nullable"}
)


def problems(schema: Json, path: str, *, status: bool) -> Iterator[Json]:
    """The causes for which a schema cannot be.

    Args:
        schema: The ``openAPIV3Schema``.
        path: Where it stands.
        status: Whether the version has the sub-resource, for which some is not allowed at the root.
    """
    if status and schema.get("type") not in (None, "object"):
        text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield causes.wrong(f"{path}.type", schema["type"], text)
    if status and set(schema) - AT_ROOT_WITH_STATUS:
        text = f"only {AT_ROOT} fields are allowed at the root of the schema if the status subresource is enabled"
        yield causes.wrong(path, schema, text)
    if schema.get("nullable"):
        yield causes.forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    structural = []
    if not _refers(schema):  # which is refused in any case, and then nothing is known of its structure
        structural = sorted(_structural(schema, path, ROOT), key=lambda one: f"{one['field']}: {one['message']}")
    yield from structural
    if not structural:
        yield from _defaults(schema, path)
    yield from _api(schema, path)
    if not structural:
        yield from _rules(of_object(schema), path)


def _refers(schema: Json) -> bool:
    return "$ref" in schema or any(_refers(below) for _, below in _below(schema))


# ---------------------------------------------------------------------------------------------------- structural


def _structural(schema: Json, path: str, level: str) -> Iterator[Json]:
    of_type = schema.get("type") or ""
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    if of_type == "array" and not schema.get("items"):
        yield causes.required(f"{path}.items", "must be specified")
    if isinstance(schema.get("items"), dict):
        yield from _structural(schema["items"], f"{path}.items", ITEM)
    for key, below in properties.items():
        if not (level == ROOT and key == "metadata"):
            yield from _structural(below, f"{path}.properties[{key}]", FIELD)
    if others is not None and level == ROOT:
        yield causes.forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if isinstance(others, dict):
        yield from _structural(others, f"{path}.additionalProperties", FIELD)
    for name in (PRESERVE, EMBEDDED):
        if schema.get(EITHER) and schema.get(name):
            yield causes.wrong(f"{path}.{name}", True, f"must be false if {EITHER} is true")
    yield from _alternatives(schema, path, either=bool(schema.get(EITHER)))
    yield from _type(schema, path, level)
    if level == ROOT or schema.get(EMBEDDED):
        for name in ("kind", "apiVersion"):
            if name in properties and properties[name].get("type") != "string":
                yield causes.wrong(
                    f"{path}.properties[{name}].type", properties[name].get("type", ""), "must be string"
                )
        yield from _metadata(properties.get("metadata"), f"{path}.properties[metadata]", level)
    if schema.get(EMBEDDED) and not schema.get(PRESERVE) and not properties:
        yield causes.required(f"{path}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}")


def _type(schema: Json, path: str, level: str) -> Iterator[Json]:
    of_type = schema.get("type") or ""
    if schema.get(EMBEDDED) and of_type != "object":
        text = f"must be object if {EMBEDDED} is true"
        yield causes.wrong(f"{path}.type", of_type, text) if of_type else causes.required(f"{path}.type", text)
    elif not of_type and not schema.get(EITHER) and not schema.get(PRESERVE):
        yield causes.required(f"{path}.type", EMPTY_TYPE[level])
    if level == ROOT and of_type and of_type != "object":
        yield causes.wrong(f"{path}.type", of_type, "must be object at the root")


def _metadata(schema: Json | None, path: str, level: str) -> Iterator[Json]:
    if schema is None:
        return
    if schema.get("type") != "object":
        yield causes.wrong(f"{path}.type", schema.get("type", ""), "must be object")
    rest = {key for key in schema if key not in ("type", "properties", "default")}
    if level == ROOT and (rest or set(schema.get("properties") or ()) - {"name", "generateName"}):
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield causes.forbidden(path, text)


def _alternatives(schema: Json, path: str, *, either: bool) -> Iterator[Json]:
    for name in ("allOf", "anyOf", "oneOf"):
        for index, one in enumerate(schema.get(name) or ()):
            if either and name == "anyOf" and schema["anyOf"] == EITHER_ALTERNATIVES:
                continue
            inside = either and name == "allOf" and index == 0 and one.get("anyOf") == EITHER_ALTERNATIVES
            yield from _alternative(one, f"{path}.{name}[{index}]", skip=inside)
    if isinstance(schema.get("not"), dict):
        yield from _alternative(schema["not"], f"{path}.not")
    if pattern := schema.get("pattern"):
        try:
            regexes.pattern_of(pattern)
        except re.error as error:
            fault = regexes.fault_of(error, pattern)
            text = f"must be a valid regular expression, but isn't: error parsing regexp: {fault}"
            yield causes.wrong(f"{path}.pattern", pattern, text)


def _alternative(schema: Json, path: str, *, skip: bool = False) -> Iterator[Json]:
    if not skip:
        yield from _alternatives(schema, path, either=False)
    if isinstance(schema.get("items"), dict):
        yield from _alternative(schema["items"], f"{path}.items")
    for key, below in (schema.get("properties") or {}).items():
        yield from _alternative(below, f"{path}.properties[{key}]")
    yield from (causes.forbidden(f"{path}.{name}", text) for name, text in ONLY_AT_PLACES if schema.get(name))
    if "metadata" in (schema.get("properties") or {}):
        yield causes.forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _defaults(schema: Json, path: str) -> Iterator[Json]:
    """What is wrong with defaults: they have to be right by the schema that they stand in."""
    if "default" in schema:
        value = copy.deepcopy(schema["default"])
        for one in checks.check(value, schema):
            below = "" if one["field"] == checks.NOWHERE else f".{one['field']}"
            yield {**one, "field": f"{path}.default{below}"}
    if isinstance(schema.get("items"), dict):
        yield from _defaults(schema["items"], f"{path}.items")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _defaults(schema["additionalProperties"], f"{path}.additionalProperties")
    for key, below in (schema.get("properties") or {}).items():
        yield from _defaults(below, f"{path}.properties[{key}]")


# ------------------------------------------------------------------------------------------------------ the API's


def _api(schema: Json, path: str) -> Iterator[Json]:
    """What the API does not take, structural or not."""
    for name in NOT_SUPPORTED:
        if schema.get(name):
            yield causes.forbidden(f"{path}.{name}", f"{name} is not supported")
    of_type = schema.get("type")
    if of_type == "null":
        yield causes.forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif of_type and of_type not in TYPES:
        yield causes.unsupported(f"{path}.type", of_type, TYPES)
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden(f"{path}.uniqueItems", text)
    others = schema.get("additionalProperties")
    if others is not None and others is not False and schema.get("properties"):
        text = "additionalProperties and properties are mutual exclusive"
        yield causes.forbidden(f"{path}.additionalProperties", text)
    if isinstance(schema.get("items"), list):
        yield causes.forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get(PRESERVE) is False:
        yield causes.wrong(f"{path}.{PRESERVE}", False, "must be true or undefined")
    yield from _lists(schema, path)
    for name, below in _below(schema):
        yield from _api(below, f"{path}.{name}")


def _below(schema: Json) -> Iterator[tuple[str, Json]]:
    for name in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(name), dict):
            yield name, schema[name]
    for key, below in (schema.get("properties") or {}).items():
        yield f"properties[{key}]", below
    for name in ("allOf", "anyOf", "oneOf"):
        yield from ((f"{name}[{index}]", one) for index, one in enumerate(schema.get(name) or ()))


def _lists(schema: Json, path: str) -> Iterator[Json]:
    of_type, keys = schema.get(LIST_TYPE), schema.get(MAP_KEYS) or ()
    if schema.get(MAP_TYPE) and schema[MAP_TYPE] not in ("granular", "atomic"):
        yield causes.unsupported(f"{path}.{MAP_TYPE}", schema[MAP_TYPE], ["granular", "atomic"])
    if of_type is None:
        if keys:
            yield causes.required(f"{path}.{LIST_TYPE}", f"must be map if {MAP_KEYS} is non-empty")
        return
    if schema.get("type") != "array":
        text = f"must be array if {LIST_TYPE} is specified"
        found = schema.get("type")
        yield causes.wrong(f"{path}.type", found, text) if found else causes.required(f"{path}.type", text)
    if of_type not in ("atomic", "set", "map"):
        yield causes.unsupported(f"{path}.{LIST_TYPE}", of_type, ["atomic", "set", "map"])
    if of_type != "map":
        if keys:
            yield causes.wrong(f"{path}.{LIST_TYPE}", of_type, f"must be map if {MAP_KEYS} is non-empty")
        return
    if not keys:
        yield causes.required(f"{path}.{MAP_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    items = schema.get("items") or {}
    if items.get("type") != "object":
        text = f"must be object if parent array's {LIST_TYPE} is map"
        yield causes.wrong(f"{path}.items.type", items.get("type", ""), text)
        return
    for key in keys:
        below = (items.get("properties") or {}).get(key)
        if below is None:
            yield causes.wrong(f"{path}.{MAP_KEYS}", list(keys), "entries must all be names of item properties")
        elif key not in (items.get("required") or ()) and "default" not in below:
            text = f"this property is in {MAP_KEYS}, so it must have a default or be a required property"
            yield causes.required(f"{path}.items.properties[{key}].default", text)


# --------------------------------------------------------------------------------------------------------- rules


def _rules(schema: Json, path: str) -> Iterator[Json]:
    for index, rule in enumerate(schema.get(RULES) or ()):
        yield from _rule(rule, schema, f"{path}.{RULES}[{index}]")
    for name, below in _below(schema):
        if name.startswith(("items", "additionalProperties", "properties")):
            yield from _rules(of_object(below) if below.get(EMBEDDED) else below, f"{path}.{name}")


def _rule(rule: Json, schema: Json, path: str) -> Iterator[Json]:
    text, message = str(rule.get("rule") or "").strip(), rule.get("message")
    if not text:
        yield causes.required(f"{path}.rule", "rule is not specified")
        return
    if message is not None and not message.strip():
        yield causes.wrong(f"{path}.message", message, "must be non-empty if specified")
    elif message is not None and "\n" in message.strip():
        yield causes.wrong(f"{path}.message", message, "must not contain line breaks")
    elif message is None and "\n" in text:
        yield causes.required(f"{path}.message", "message must be specified if rule contains line breaks")
    try:
        compile_rule(rule, schema)
    except RuleProblem as problem:
        yield causes.invalid_json(f"{path}.{problem.of}", _shown(rule), problem.detail)


def _shown(rule: Json) -> Json:
    """A rule as messages show it: in the server's own form, each field in its place."""
    names = ("rule", "message", "messageExpression", "reason", "fieldPath", "optionalOldSelf")
    empty = ("", "", "", None, "", None)
    return {name[0].upper() + name[1:]: rule.get(name, value) for name, value in zip(names, empty, strict=True)}


def warnings(schema: Json, path: str) -> Iterator[str]:
    """What to tell of a schema that is right: formats that are only words here."""
    form = schema.get("format")
    if form and form not in formats.NUMBERS and not _known(form):
        yield f'unrecognized format "{form}"'
    for name, below in _below(schema):
        yield from warnings(below, f"{path}.{name}")


def _known(form: str) -> bool:
    return form.replace("-", "") in formats.KNOWN or form in formats.KNOWN
