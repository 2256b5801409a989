"""Tables to filter, out of the file that the page's own filter is tested with."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from notebook_mux.ages import human_duration
from notebook_mux.filtering import Column

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "widgets" / "filters.json").read_text("utf-8"))


class World:
    """One table: its columns, and its rows at a moment."""

    def __init__(self, name: str) -> None:
        given = VECTORS["worlds"][name]
        self.columns = [Column(*column) for column in given["columns"]]
        self.several: tuple[bool, bool] = tuple(given["several"])
        self.rows = [_facts(row, given["now"]) for row in given["rows"]]


def _facts(row: dict[str, Any], now: float) -> Any:
    cells, ages = list(row["cells"]), {}
    for index, (since, template) in row["alive"].items():
        cells[int(index)] = template.replace("{}", human_duration(now - since), 1)
        if template == "{}":
            ages[int(index)] = now - since
    kept = {key: row[key] for key in ("cluster", "namespace", "name", "labels", "fault")}
    return SimpleNamespace(cells=cells, ages=ages, **kept)


WORLDS = {name: World(name) for name in VECTORS["worlds"]}
