"""Each benchmark still runs, in a size that says nothing about speed."""

from __future__ import annotations

import json
import math

import pytest

from tests.benchmarks import __main__ as command, table
from tests.benchmarks.pods import COLUMNS, Population
from tests.benchmarks.scale import TINY
from tests.browser import chromium
from tests.conftest import need


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("group", command.GROUPS)
def test_a_group_gives_its_figures(group):
    if group == "browser":
        need(None if chromium.path() else chromium.NONE)
    rows, failures = command.run([group], TINY)
    assert failures == []
    assert rows
    for row in rows:
        assert math.isfinite(row.ours)
        assert row.figure in table.text(rows)


def test_pods_are_of_a_real_size_and_shape():
    population = Population(200)
    for pod in population.pods:
        assert 4_000 < len(population.object(pod)) < 6_000
        assert len(json.loads(population.cells(pod))) == len(COLUMNS)
    pod = population.change()
    content = json.loads(population.object(pod))
    assert content["metadata"]["uid"] == pod.uid
    assert content["metadata"]["resourceVersion"] == str(population.version)
    assert content["metadata"]["managedFields"]
    assert content["status"]["containerStatuses"][0]["restartCount"] == 1


def test_the_table_says_what_is_over_its_bound():
    rows = [
        table.Row("a", "within", 1.4, "s", "floor", 1.0, 1.5),
        table.Row("a", "over", 1.6, "s", "floor", 1.0, 1.5),
        table.Row("a", "nothing allowed", 0.0, "", bound=0.0),
        table.Row("a", "no bound", 5.0, "s"),
    ]
    assert [row.verdict for row in rows] == ["ok", "OVER", "ok", ""]
    shown = table.text(rows, [table.Failed("b", "no such thing")])
    assert "OVER" in shown
    assert "NOT MEASURED: no such thing" in shown
    assert json.dumps(table.plain(rows))
