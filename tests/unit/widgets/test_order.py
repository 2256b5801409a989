from __future__ import annotations

import json
from pathlib import Path

import pytest

from notebook_mux.ages import human_duration
from notebook_mux.widgets.order import natural_key, passes

HERE = Path(__file__).parent
TABLES = json.loads((HERE / "orders.json").read_text())


@pytest.mark.parametrize(("title", "cells"), TABLES["sorted"].items())
def test_cells_sort_as_people_expect(title, cells):
    mixed = cells[::-1]
    assert sorted(mixed, key=lambda cell: natural_key(cell, title)) == cells


@pytest.mark.parametrize(("filter_", "text", "wanted"), TABLES["filters"])
def test_the_filter_passes_what_it_should(filter_, text, wanted):
    assert passes(filter_, text.split("\n")) is wanted


@pytest.mark.parametrize(("seconds", "text"), json.loads((HERE / "ages.json").read_text()))
def test_the_pages_table_of_ages_is_pythons_too(seconds, text):
    assert human_duration(seconds) == text
