"""Whether an applied object fits its schema: what the server says before it merges."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.apply import fields
from notebook_mux.playground.apply.go_text import go_text
from notebook_mux.playground.apply.typed import Mistyped, Schema, below, element, list_type, named

EXPECTED = {"string": "string", "integer": "numeric (int or float)", "number": "numeric (int or float)",
            "boolean": "boolean"}  # fmt: skip


NUMBERS = ("integer", "number")


def check(value: Any, schema: Schema | None) -> None:
    """Refuse a value that its schema does not know.

    Raises:
        Mistyped: With all that is wrong.
    """
    wrong = list(_wrong(value, schema, ""))
    if len(wrong) == 1:
        raise Mistyped(wrong[0])
    if wrong:
        raise Mistyped("errors:\n" + "\n".join(f"  {one}" for one in wrong))


def _wrong(value: Any, schema: Schema | None, path: str) -> list[str]:
    if value is None or schema is None:
        return []
    kind = schema.type
    if kind == "object":
        if not isinstance(value, dict):
            return [f"{path}: expected map, got &{{{go_text(value)}}}"]
        return _wrong_fields(value, schema, path)
    if kind == "array":
        if not isinstance(value, list):
            return [f"{path}: expected list, got &{{{go_text(value)}}}"]
        return _wrong_items(value, schema, path)
    if kind and not _fits(value, kind):
        shown = _go_type(value) if kind in NUMBERS else f"&{{{go_text(value)}}}" if kind == "boolean" else _value(value)
        return [f"{path}: expected {EXPECTED.get(kind, kind)}, got {shown}"]
    return []


def _fits(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong_fields(value: dict[str, Any], schema: Schema, path: str) -> list[str]:
    found = []
    for name, inner in value.items():
        if not schema.open and not named(schema, name):
            found.append(f"{path}.{name}: field not declared in schema")
        else:
            found += _wrong(inner, below(schema, name), f"{path}.{name}")
    return found


def _wrong_items(value: list[Any], schema: Schema, path: str) -> list[str]:
    if list_type(schema) == "atomic":
        return [wrong for n, one in enumerate(value) for wrong in _wrong(one, schema.items, f"{path}[{n}]")]
    found, seen = [], set()
    for n, one in enumerate(value):
        try:
            name = element(schema, one)
        except Mistyped as error:
            found.append(f"{path}: element {n}{error}")
            continue
        shown = fields.shown(name)
        if name in seen:
            found.append(f"{path}: duplicate entries for key {shown}")
        seen.add(name)
        found += _wrong(one, schema.items, path + shown)
    return found


def _value(value: Any) -> str:
    """As the server's own library shows a value that is no text."""
    return f"&value.valueUnstructured{{Value:{_go_syntax(value)}}}"


def _go_syntax(value: Any) -> str:
    """As Go's source would write a value."""
    if isinstance(value, dict):
        return (
            "map[string]interface {}{" + ", ".join(f'"{key}":{_go_syntax(value[key])}' for key in sorted(value)) + "}"
        )
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(_go_syntax(one) for one in value) + "}"
    return f'"{value}"' if isinstance(value, str) else go_text(value)


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return "bool" if isinstance(value, bool) else "string"
