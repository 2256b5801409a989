"""Custom objects: the columns their CRD names (apiextensions-apiserver .../tableconvertor.go:41)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from notebook_mux.ages import parse_time
from notebook_mux.printers.common import Json, name, since
from notebook_mux.printers.paths import MISSING, find


@dataclass(frozen=True, slots=True)
class Column:
    """An additionalPrinterColumn of a CRD."""

    name: str
    type: str
    path: str
    format: str = ""
    description: str = ""
    priority: int = 0


CREATED = ".metadata.creationTimestamp"
AGE = Column("Age", "date", CREATED, description="")
"""What a CRD without columns has."""


def columns_of(columns: Sequence[Column] | None) -> Sequence[Column]:
    """The columns after the name, of a CRD that names these, or none at all."""
    return (AGE,) if columns is None else columns


def print_custom(columns: Sequence[Column] | None, obj: Json, now: float) -> list[Any]:
    """A custom object's cells; a path that is not there is null."""
    return [name(obj), *(_cell(column, find(obj, column.path), now) for column in columns_of(columns))]


def read_columns(found: Sequence[Json] | None) -> tuple[Column, ...] | None:
    """The additionalPrinterColumns of one version in a CRD; None where it has none."""
    return None if found is None else tuple(_column(one) for one in found)


def _column(column: Json) -> Column:
    return Column(
        column["name"],
        column["type"],
        column["jsonPath"],
        column.get("format", ""),
        column.get("description", ""),
        column.get("priority", 0),
    )


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
