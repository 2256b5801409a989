"""The causes of a 422, each in the words of k8s.io/apimachinery/pkg/util/validation/field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.status import cause

Json = dict[str, Any]


def shown(value: Any) -> str:
    """A value as messages show it: texts quoted, everything else as Go's JSON."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _escaped(text)


def _escaped(text: str) -> str:
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _with(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text


def required(field: str, detail: str = "") -> Json:
    """A value that is not there."""
    return cause("FieldValueRequired", field, _with("Required value", detail))


def invalid_json(field: str, value: Json, detail: str) -> Json:
    """A value that cannot be, an object whose fields have an order of their own."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return cause("FieldValueInvalid", field, f"Invalid value: {_escaped(text)}: {detail}")


def wrong(field: str, value: Any, detail: str) -> Json:
    """A value that cannot be."""
    return cause("FieldValueInvalid", field, _with(f"Invalid value: {shown(value)}", detail))


def wrong_type(field: str, value: Any, detail: str) -> Json:
    """A value of another type than wanted."""
    return cause("FieldValueTypeInvalid", field, _with(f"Invalid value: {shown(value)}", detail))


def unsupported(field: str, value: Any, known: Iterable[Any]) -> Json:
    """A value that is none of those there are."""
    names = ", ".join(json.dumps(one if isinstance(one, str) else shown(one), ensure_ascii=False) for one in known)
    detail = f"supported values: {names}" if names else ""
    return cause("FieldValueNotSupported", field, _with(f"Unsupported value: {shown(value)}", detail))


def forbidden(field: str, detail: str) -> Json:
    """A value that might be elsewhere."""
    return cause("FieldValueForbidden", field, _with("Forbidden", detail))


def duplicate(field: str, value: Any) -> Json:
    """A value that stands there twice."""
    return cause("FieldValueDuplicate", field, f"Duplicate value: {shown(value)}")


def too_long(field: str, limit: int) -> Json:
    """More characters than may be."""
    unit = "byte" if limit == 1 else "bytes"
    return cause("FieldValueTooLong", field, f"Too long: may not be more than {limit} {unit}")


def too_many(field: str, actual: int, limit: int) -> Json:
    """More items than may be."""
    unit = "item" if limit == 1 else "items"
    return cause("FieldValueTooMany", field, f"Too many: {actual}: must have at most {limit} {unit}")
