"""What counts: a program's log, and a config map's number."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground.controllers.counters import COUNTS, _period
from tests.unit.playground.logged import lines, offsets, pod, run_of
from tests.unit.playground.worlds import world


def config_map(period: str, **data: str) -> dict[str, Any]:
    metadata = {"name": "counted", "namespace": "default", "annotations": {COUNTS: period}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_a_config_map_counts_each_number_once():
    cluster = world()
    cluster.create(config_map("0.5", number="0", other="stays"))
    seen: list[str] = []
    cluster.store.listen("configmaps", lambda change: seen.append(change.new.decode()["data"]["number"]))
    for step in range(60):
        cluster.agenda.step(0.1)
        if step == 30:  # somebody else's change raises nothing
            cluster.update("configmaps", "default", "counted", lambda obj: obj["data"].update(other="changed"))
    numbers = [int(one) for one in seen]
    assert list(dict.fromkeys(numbers)) == list(range(1, numbers[-1] + 1))
    assert 9 <= numbers[-1] <= 12
    cluster.update("configmaps", "default", "counted", lambda obj: obj["metadata"].pop("annotations"))
    cluster.agenda.step(3)
    obj = cluster.get("configmaps", "default", "counted")
    assert obj is not None
    assert obj["data"] == {"number": str(numbers[-1]), "other": "changed"}


@pytest.mark.parametrize("text", ["", "often", "0", "-1", "nan", "inf"])
def test_what_is_no_period_does_not_count(text: str):
    assert _period(config_map(text)) is None


def test_a_counter_says_each_number_ten_times_a_second():
    cluster = world()
    cluster.create(pod("counter", image="notebook-mux/counter:1", restart="Always"))
    cluster.agenda.step(120)
    found = lines(cluster, "counter")
    assert [line.text for line in found] == [str(number) for number in range(1, len(found) + 1)]
    assert len(found) > 1000
    assert lines(cluster, "counter", tailLines="3") == found[-3:]
    assert offsets(found[:3], run_of(cluster, "counter").started) == [0.1, 0.2, 0.3]
