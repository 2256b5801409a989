"""Usage of pods and nodes on ``nm.demo()``: the embedded cluster's metrics API, by way of a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import notebook_mux as nm
from notebook_mux.handles.metrics import poller
from notebook_mux.life import services
from notebook_mux.widgets import table as tables
from notebook_mux.widgets.layouts import layouts

SEED = 17
"""Of a cluster of this module's own."""


@pytest.fixture(scope="module", autouse=True)
def demo() -> Iterator[nm.Manager]:
    made = nm.demo(seed=SEED)
    made.pause()  # or its story may end pods between two looks
    yield made
    nm.close()
    services.stop(services.listing("playground"))


@pytest.fixture(autouse=True)
def _first_figures_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell goes on without them after a moment, which a busy machine may need."""
    monkeypatch.setattr(tables, "USAGE_SECONDS", 60.0)


def used(cell: str) -> int:
    return int(cell.rstrip("mMi"))


def test_pods_use_what_the_metrics_api_says(demo: nm.Manager) -> None:
    rows = nm.table("pods", usage=True, selector="app=web").rows
    measured = [row for row in rows if row["CPU"]]
    assert measured
    [figures] = [poller.answer(question).figures for question in list(poller._polls)]
    assert {name for _, name in figures} <= {row["Name"] for row in rows}, "the server was asked for no others"
    for row in measured:
        pod = nm.get("pods", row["Name"])
        asked = sum(int(c["resources"]["requests"]["cpu"].rstrip("m")) for c in pod["spec"]["containers"])
        assert abs(row["%CPU/R"] - used(row["CPU"]) * 100 / asked) <= 100 / asked + 1
        assert row["Mem"].endswith("Mi")
    assert demo.stats.sockets == 1


def test_nodes_use_a_part_of_what_they_can_give() -> None:
    rows = nm.table("nodes", usage=True).rows
    assert rows
    for row in rows:
        assert 0 <= row["%CPU"] <= 100
        assert 0 < row["%Mem"] <= 100


def test_how_columns_were_arranged_is_read_in_the_cell(demo: nm.Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[bool] = []

    lock = demo._lock._lock

    def load() -> None:
        with ThreadPoolExecutor(1) as page:
            free.append(page.submit(lambda: lock.acquire(blocking=False) and lock.release() is None).result(20))

    monkeypatch.setattr(layouts, "load", load)
    nm.table("pods", name="arranged")
    assert free == [True], "once, and no page waits for it"


def test_a_filter_compares_usage() -> None:
    table = nm.table("pods", usage=True, name="busy", filter="cpu>=1m")
    assert all(used(row["CPU"]) >= 1 for row in table.rows)
    assert table.rows
