"""A custom object's fields that its schema does not name: found, and taken away.

KEP-1152 and the documentation of CustomResourceDefinitions, "Field pruning".
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.schemas.schema import Schema

Json = dict[str, Any]

OBJECT_FIELDS = ("apiVersion", "kind", "metadata")
"""What every object has, and an embedded one too."""


def prune(schema: Schema, obj: Json) -> list[str]:
    """Take away what a schema does not name.

    Args:
        schema: Of the whole object.
        obj: It is changed. Its metadata is left alone.

    Returns:
        The paths that went, sorted as the server sorts them.
    """
    found: list[str] = []
    for key in sorted(obj):
        if key not in OBJECT_FIELDS:
            _member(schema, obj, key, key, found)
    return sorted(found)


def _member(schema: Schema, obj: Json, key: str, path: str, found: list[str]) -> None:
    inner = schema.field(key) or schema.additional
    if inner is not None:
        _value(inner, obj[key], path, found)
    elif not schema.open or (schema.type == "object" and not schema.preserve_unknown):
        del obj[key]
        found.append(path)


def _value(schema: Schema, value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, dict):
        for key in list(value):
            if not (schema.embedded and key in OBJECT_FIELDS):
                _member(schema, value, key, f"{path}.{key}", found)
    elif isinstance(value, list) and schema.items is not None:
        for index, one in enumerate(value):
            _value(schema.items, one, f"{path}[{index}]", found)
