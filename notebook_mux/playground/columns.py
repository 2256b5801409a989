"""Column definitions, with the real server's descriptions (``columns.json``)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from notebook_mux.playground.kinds import Kind
from notebook_mux.printers.custom import CREATED, columns_of

Json = dict[str, Any]


@cache
def _data() -> tuple[list[str], dict[str, list[list[Any]]]]:
    data = json.loads(files("notebook_mux.playground").joinpath("columns.json").read_text(encoding="utf-8"))
    return data["descriptions"], data["tables"]


@cache
def definitions(kind: Kind) -> list[Json]:
    """The columnDefinitions of a kind's tables."""
    descriptions, tables = _data()
    if not kind.custom:
        return [
            _definition(name, of_type, form, descriptions[text], priority)
            for name, of_type, form, priority, text in tables[kind.resource]
        ]
    name_text = descriptions[tables["pods"][0][4]]
    created_text = next(descriptions[row[4]] for row in tables["pods"] if row[0] == "Age")
    found = [_definition("Name", "string", "name", name_text, 0)]
    for column in columns_of(kind.columns):
        text = column.description or f"Custom resource definition column (in JSONPath format): {column.path}"
        if kind.columns is None and column.path == CREATED:
            text = created_text
        found.append(_definition(column.name, column.type, column.format, text, column.priority))
    return found


def _definition(name: str, of_type: str, form: str, description: str, priority: int) -> Json:
    return {"name": name, "type": of_type, "format": form, "description": description, "priority": priority}
