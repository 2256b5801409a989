"""Custom objects: the columns their CRD names (apiextensions-apiserver .../tableconvertor.go:41)."""

from __future__ import annotations

import json
from typing import Any

from notebook_mux.ages import parse_time
from notebook_mux.playground.kinds import Column, Kind
from notebook_mux.playground.printers.common import Json, name, since
from notebook_mux.playground.printers.paths import MISSING, find

CREATED = ".metadata.creationTimestamp"
AGE = Column("Age", "date", CREATED, description="")
"""What a CRD without columns has."""


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """The columns after the name."""
    return (AGE,) if kind.columns is None else kind.columns


def print_custom(kind: Kind, obj: Json, now: float) -> list[Any]:
    """A custom object's cells; a path that is not there is null."""
    return [name(obj), *(_cell(column, find(obj, column.path), now) for column in columns_of(kind))]


def _cell(column: Column, value: Any, now: float) -> Any:
    if value is MISSING:
        return None
    match column.type:
        case "string":
            return _text(value)
        case "integer":
            return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        case "number":
            return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date" if isinstance(value, str):
            return "<invalid>" if parse_time(value) is None else since(value, now)
    return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
