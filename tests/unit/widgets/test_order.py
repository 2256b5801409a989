from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from notebook_mux.ages import human_duration
from notebook_mux.filtering.keys import natural_key, text_key
from notebook_mux.printing.lineage import Lineage
from notebook_mux.printing.rows import Source
from notebook_mux.widgets.reading import arranged

HERE = Path(__file__).parent
TABLES = json.loads((HERE / "orders.json").read_text())


@pytest.mark.parametrize(("title", "cells"), TABLES["sorted"].items())
def test_cells_sort_as_people_expect(title, cells):
    mixed = cells[::-1]
    assert sorted(mixed, key=lambda cell: natural_key(cell, title)) == cells


@pytest.mark.parametrize(
    ("titles", "rows", "sort", "wanted"),
    [(one["titles"], one["rows"], sort, wanted) for one in TABLES["sorts"] for sort, wanted in one["wanted"].items()],
)
def test_several_columns_sort_one_behind_another(titles, rows, sort, wanted):
    by_name = sorted(rows, key=lambda cells: text_key(cells[0]))
    found = arranged([row(cells) for cells in by_name], titles, sort, None)
    assert [one.cells[0] for one in found] == wanted


def row(cells, namespace="", **more):
    record = SimpleNamespace(namespace=namespace, name=cells[0])
    return Source("a", record, cells, more.pop("alive", {}), 1000.0, Lineage(**more))


def test_ages_sort_by_the_moment_they_count_from():
    rows = [row([name, "5m"], alive={1: (since, "{}")}) for name, since in (("a", 640.5), ("b", 640.1), ("c", 640.9))]
    assert [one.cells[0] for one in arranged(rows, ["Name", "Age"], "Age", None)] == ["c", "a", "b"]
    assert [one.cells[0] for one in arranged(rows, ["Name", "Age"], "-Age", None)] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ("namespace", "b d a c"),
        ("node", "c a d b"),
        ("owner", "d c a b"),
        ("cluster", "a b c d"),
        ("label:app", "b a c d"),
        (None, "a b c d"),
    ],
)
def test_groups_come_in_order_and_what_is_in_none_last(group, wanted):
    titles = ["Name", "Node"]
    rows = [
        row(["a", "n10"], "z", labels={"app": "web"}),
        row(["b", "<none>"], "k", labels={"app": "api"}),
        row(["c", "n9"], "z", owner="ReplicaSet/web-10"),
        row(["d", "n10"], "k", owner="ReplicaSet/web-9"),
    ]
    assert [one.cells[0] for one in arranged(rows, titles, "Name", group)] == wanted.split()


@pytest.mark.parametrize(("seconds", "text"), json.loads((HERE / "ages.json").read_text()))
def test_the_pages_table_of_ages_is_pythons_too(seconds, text):
    assert human_duration(seconds) == text
