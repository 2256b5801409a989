from __future__ import annotations

import copy
import json
import pickle
import random
import time

import pytest

from notebook_mux.errors import BadFilter
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.printing.rows import Rows
from tests.unit.widgets.fakes import FakeStream, pod


@pytest.fixture
def stream() -> FakeStream:
    """Thirty pods in one cluster and one in another; every third has labels."""
    made = FakeStream(("kind-a", "prod-eu"))
    rng = random.Random(1)
    for number in range(30):
        record = pod(number, rng)
        if number % 3 == 0:
            labels = {"app": record.name.partition("-")[0], "tier": "front"}
            record.object = json.dumps({"metadata": {"labels": labels}}).encode()
        made.put(record)
    made.put(pod(0, rng), cluster="prod-eu")
    return made


def test_rows_are_a_list_of_dicts(stream):
    rows = stream.rows
    assert isinstance(rows, list)
    assert rows == [dict(row) for row in rows]
    assert json.loads(json.dumps(rows)) == rows
    assert list(rows[0])[:3] == ["Cluster", "Namespace", "Name"]
    assert len(rows) == 31
    assert [*rows] == rows
    assert min(rows, key=lambda row: row["Name"])["Name"] == "api-0"


def test_rows_are_filtered_as_tables_are(stream):
    rows = stream.rows
    assert {row["Status"] for row in rows.filter("status!=Running")} == {row["Status"] for row in rows} - {"Running"}
    assert [row["Name"] for row in rows.filter("app=web")] == ["web-0"]
    assert {row["Name"] for row in rows.filter("-l tier=front,app!=web")} == {
        row["Name"] for row in rows.filter("tier=front !web-")
    }
    assert {row["Namespace"] for row in rows.filter("-n shop,default")} == {"shop", "default"}
    assert [row["Cluster"] for row in rows.filter("--cluster prod*")] == ["prod-eu"]
    assert {row["Status"] for row in rows.filter("--faults")}.isdisjoint({"Running", "Completed"})
    assert rows.filter("web", faults=True) == rows.filter("web --faults")
    assert rows.filter() == rows


def test_ages_are_compared_in_full_and_of_when_they_were_read(stream):
    record = stream.records["kind-a"]["00000000-0000-4000-8000-000000000001"]
    record.created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3_700))
    record.printed = time.time()
    record.cells = record.cells.replace(json.loads(record.cells)[4].encode(), b"61m")
    rows = stream.rows.filter("name=api-0")
    assert [row["Age"] for row in rows] == ["61m"]
    assert rows.filter("age>61m")
    assert not rows.filter("age>1h2m")
    assert rows.filter("age=61m")


def test_what_cannot_be_read_is_said_at_its_place(stream):
    with pytest.raises(BadFilter) as caught:
        stream.rows.filter("web statu>3")
    assert (caught.value.start, caught.value.end) == (4, 9)
    assert "did you mean Status?" in str(caught.value)


def test_slices_copies_and_pickles_are_filtered_too(stream):
    rows = stream.rows
    for other in (rows[:10], rows.copy(), rows[::-1], Rows(rows), copy.copy(rows), pickle.loads(pickle.dumps(rows))):
        assert isinstance(other, Rows)
        assert other.filter("status=Running") == [row for row in other if row["Status"] == "Running"]
        assert {row["Namespace"] for row in other.filter("-n default")} == {"default"}
    assert rows[20:].filter("app=web") == rows.filter("app=web")
    assert isinstance(rows[0], dict)
    again = pickle.loads(pickle.dumps(rows))
    assert again == rows
    assert type(again[0]) is dict
    assert not again.filter("app=web"), "labels are not in the cells"
    assert again.filter("--faults") == rows.filter("--faults")


def test_rows_of_ones_own(stream):
    rows = Rows([{"Name": "a", "Count": 3}, {"Name": "b", "Count": 10, "Namespace": "x"}])
    assert rows.filter("count>3") == [rows[1]]
    assert rows.filter("-n x") == [rows[1]]
    assert Rows().filter("web") == []


def test_a_snapshots_rows_too(stream):
    rows = Snapshot(stream._view(), "pods").rows
    assert rows.filter("app=web -n shop") == [row for row in rows if row["Name"] == "web-0"][:1]
