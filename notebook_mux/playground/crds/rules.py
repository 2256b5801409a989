"""Validation rules of a schema (``x-kubernetes-validations``, KEP-2876): compiled once, evaluated for each object."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notebook_mux.playground import causes
from notebook_mux.playground.crds.cel import CelError, SyntaxProblem, check, evaluate, parse
from notebook_mux.playground.crds.cel.static import BOOL, DYN, STRING, CelType, optional_of, type_of_schema
from notebook_mux.playground.crds.cel.syntax import Node
from notebook_mux.playground.crds.cel.values import Optional, duration, timestamp
from notebook_mux.playground.crds.checks import NOWHERE

Json = dict[str, Any]

RULES = "x-kubernetes-validations"
MISSING = object()
TEXT: Json = {"type": "string"}
META: Json = {"type": "object", "properties": {"name": TEXT, "generateName": TEXT}}
"""Of an object's metadata rules see no more."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        written: As the schema has it.
        node: The expression.
        message: The expression of its message; None without one.
        old: Whether it speaks of the value before.
    """

    written: Json
    node: Node
    message: Node | None
    old: bool


class RuleProblem(Exception):
    """A rule that cannot be compiled.

    Args:
        of: Which part of it: ``rule`` or ``messageExpression``.
        detail: What is wrong.
    """

    def __init__(self, of: str, detail: str):
        super().__init__(detail)
        self.of = of
        self.detail = detail


@dataclass
class Rules:
    """The rules at one place of a schema and below it."""

    schema: Json
    own: list[Rule] = field(default_factory=list)
    fields: dict[str, Rules] = field(default_factory=dict)
    each: Rules | None = None
    others: Rules | None = None
    alternatives: list[Rules] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.own or self.fields or self.each or self.others or self.alternatives)

    def check(self, value: Any, path: str = "", old: Any = MISSING) -> Iterator[Json]:
        """The causes for which a value cannot be.

        Args:
            value: The value, or the whole object.
            path: Of the field.
            old: The value before; `MISSING` without one.
        """
        if value is None:
            return
        yield from self._own(value, path, old)
        for one in self.alternatives:
            yield from one.check(value, path, old)
        if isinstance(value, list) and self.each is not None:
            before = _by_key(self.schema, old)
            for index, item in enumerate(value):
                was = before.get(_key(self.schema, item), MISSING) if before else MISSING
                yield from self.each.check(item, f"{path}[{index}]", was)
        elif isinstance(value, dict):
            for key, item in value.items():
                below = self.fields.get(key) or (self.others if key not in _fields(self.schema) else None)
                if below is not None:
                    was = old.get(key, MISSING) if isinstance(old, dict) else MISSING
                    at = f"{path}.{key}" if path else key
                    yield from below.check(item, f"{path}[{key}]" if below is self.others else at, was)

    def _own(self, value: Any, path: str, old: Any) -> Iterator[Json]:
        if not self.own:
            return
        names = {"self": to_cel(value, self.schema)}
        before = MISSING if old is MISSING or old is None else to_cel(old, self.schema)
        for rule in self.own:
            optional = bool(rule.written.get("optionalOldSelf"))
            if rule.old and before is MISSING and not optional:
                continue
            known = dict(names)
            if optional:
                known["oldSelf"] = Optional() if before is MISSING else Optional(before, True)
            elif before is not MISSING:
                known["oldSelf"] = before
            yield from _verdict(rule, known, value, self.schema, path)


def _verdict(rule: Rule, names: Json, value: Any, schema: Json, path: str) -> Iterator[Json]:
    of_type = schema.get("type", "")
    said = str(rule.written.get("message") or rule.written["rule"]).strip()
    try:
        if evaluate(rule.node, names) is True:
            return
    except CelError as error:
        text = f"{error} evaluating rule: {said}"
        if str(error).startswith("no such overload"):
            text = f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: {said}"  # noqa: E501
        yield causes.wrong(path or NOWHERE, of_type, text)
        return
    detail = _message(rule, names) or (said if rule.written.get("message") else f"failed rule: {said}")
    at = path
    if below := str(rule.written.get("fieldPath") or "").removeprefix("."):
        at = f"{path}.{below}" if path else below
    at = at or NOWHERE
    match rule.written.get("reason"):
        case "FieldValueForbidden":
            yield causes.forbidden(at, detail)
        case "FieldValueRequired":
            yield causes.required(at, detail)
        case "FieldValueDuplicate":
            yield causes.duplicate(at, value)
        case _ if of_type in ("object", "array"):
            yield {"reason": "FieldValueInvalid", "message": f"Invalid value: {detail}", "field": at}
        case _:
            yield causes.wrong(at, value, detail)


def _message(rule: Rule, names: Json) -> str:
    if rule.message is None:
        return ""
    try:
        found = evaluate(rule.message, names)
    except CelError:
        return ""
    return found.strip() if isinstance(found, str) and "\n" not in found.strip() else ""


# ------------------------------------------------------------------------------------------- values and schemas


def to_cel(value: Any, schema: Json | None) -> Any:
    """A value as rules see it: times and durations are more than texts, numbers are doubles where they may be."""
    schema = schema or {}
    if isinstance(value, list):
        return [to_cel(item, schema.get("items")) for item in value]
    if isinstance(value, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        rest = others if isinstance(others, dict) else None
        return {key: to_cel(item, properties.get(key, rest)) for key, item in value.items()}
    if isinstance(value, str):
        return _text_to_cel(value, schema.get("format", ""))
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _text_to_cel(value: str, form: str) -> str | bytes | datetime | Any:
    try:
        match form:
            case "date-time" | "datetime" | "date":
                return timestamp(value)
            case "duration":
                return duration(value)
            case "byte":
                return base64.b64decode(value, validate=True)
    except (CelError, binascii.Error):
        pass
    return value


def _fields(schema: Json) -> Json:
    found: Json = schema.get("properties") or {}
    return found


def _key(schema: Json, item: Any) -> tuple[str, ...]:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return tuple(repr(item.get(key)) for key in keys) if isinstance(item, dict) else ()


def _by_key(schema: Json, old: Any) -> dict[tuple[str, ...], Any]:
    """The items of a list before, by what tells them apart; of other lists nothing is known of items."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return {}
    return {_key(schema, item): item for item in old}


def of_object(schema: Json) -> Json:
    """The schema of a whole object as rules see it: with its kind and its metadata."""
    meta = {**META, **{k: v for k, v in (_fields(schema).get("metadata") or {}).items() if k not in META}}
    return {**schema, "properties": {**_fields(schema), "apiVersion": TEXT, "kind": TEXT, "metadata": meta}}


# ------------------------------------------------------------------------------------------------- compilation


def compile_schema(schema: Json) -> Rules | None:
    """The rules of a whole object's schema; None if it has none. What cannot be compiled is left out."""
    rules = _compile(schema, root=True)
    return rules or None


def _compile(schema: Json, *, root: bool = False) -> Rules:
    whole = of_object(schema) if root or schema.get("x-kubernetes-embedded-resource") else schema
    found = Rules(whole)
    for written in schema.get(RULES) or ():
        try:
            found.own.append(compile_rule(written, whole))
        except RuleProblem:
            continue  # said aloud when the definition was made
    for key, below in _fields(schema).items():
        if rules := _compile(below):
            found.fields[key] = rules
    if isinstance(schema.get("items"), dict):
        found.each = _compile(schema["items"]) or None
    if isinstance(schema.get("additionalProperties"), dict):
        found.others = _compile(schema["additionalProperties"]) or None
    return found


def compile_rule(written: Json, schema: Json) -> Rule:
    """Compile one rule.

    Args:
        written: As the schema has it.
        schema: Of the place where it stands.

    Raises:
        RuleProblem: It is none.
    """
    of = type_of_schema(schema) or DYN
    scope = {"self": of, "oldSelf": optional_of(of) if written.get("optionalOldSelf") else of}
    node = _compile_text(written, "rule", scope, BOOL)
    message = _compile_text(written, "messageExpression", scope, STRING) if written.get("messageExpression") else None
    return Rule(written, node, message, _names(node, "oldSelf"))


def _compile_text(written: Json, of: str, scope: dict[str, CelType], wanted: CelType) -> Node:
    text = str(written.get(of, "")).strip()
    said, whole = ("", "cel expression") if of == "rule" else (f"{of} ", of)
    try:
        node = parse(text)
        found = check(node, scope)
    except SyntaxProblem as problem:
        raise RuleProblem(of, f"{said}compilation failed: {problem.told(text)}") from None
    except RecursionError:  # a long chain of signs is a deep tree
        raise RuleProblem(of, f"{said}compilation failed: expression recursion limit exceeded") from None
    if found.type != wanted:
        raise RuleProblem(of, f"{whole} must evaluate to a {wanted}")
    if found.fault:
        raise RuleProblem(of, f"{'program' if of == 'rule' else of} instantiation failed: {found.fault}")
    return node


def _names(node: Node, name: str) -> bool:
    return (node.kind == "name" and node.value == name) or any(_names(part, name) for part in node.parts)
