from __future__ import annotations

import sys
from typing import Any

import msgspec
import pandas as pd
import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.handles.snapshot import ReadState, ReadView, Snapshot
from notebook_mux.wire.frames import Record
from tests.unit.fake_core import POD_COLUMNS, PODS, pod, stamp
from tests.unit.printing.test_cells import column, resource

NOW = 1_700_000_000.0


def snapshot(columns: list[dict[str, Any]], *records: Record, kind: dict[str, Any] = PODS) -> Snapshot:
    found = {record.uid: record for record in records}
    state = ReadState("live", NOW, True, resource=kind, namespaces=("default",))
    return Snapshot(ReadView({"dev": found}, columns, {"dev": state}), "pods in default")


def row(*cells: Any, created: float = NOW - 300, content: Any = None) -> Record:
    encode = msgspec.json.encode
    return Record(f"u{cells}", "ns", str(cells[0]), "1", stamp(created), NOW, encode(cells), encode(content or {}))


def test_a_typed_frame() -> None:
    taken = snapshot(POD_COLUMNS, pod("web-0", restarts="3 (5m ago)", age=300), pod("web-1", age=7200))
    df = taken.df()
    assert df.index.names == ["cluster", "namespace", "name"]
    assert list(df.index) == [("dev", "default", "web-0"), ("dev", "default", "web-1")]
    assert list(df.columns) == ["Ready", "Status", "Restarts", "Age", "IP", "Node", "Created"]
    assert str(df["Restarts"].dtype) == "Int64"
    assert list(df["Restarts"]) == [3, 0]
    assert pd.api.types.is_timedelta64_dtype(df["Age"])
    assert abs(df["Age"].iloc[0] - pd.Timedelta(minutes=5)) < pd.Timedelta(seconds=5)
    assert isinstance(df["Created"].dtype, pd.DatetimeTZDtype)
    assert str(df["Created"].dt.tz) == "UTC"
    assert df.loc[("dev", "default", "web-0"), "Status"] == "Running"


def test_a_frame_of_texts() -> None:
    df = snapshot(POD_COLUMNS, pod("web-0", restarts="3 (5m ago)")).df(text=True)
    assert list(df.columns) == ["Ready", "Status", "Restarts", "Age", "IP", "Node"]
    assert df.iloc[0].to_dict() == {
        "Ready": "1/1",
        "Status": "Running",
        "Restarts": "3 (5m ago)",
        "Age": "5m",
        "IP": "10.0.0.1",
        "Node": "n1",
    }


@pytest.mark.parametrize("text", [False, True])
def test_an_empty_frame_has_its_columns(text: bool) -> None:
    df = snapshot(POD_COLUMNS).df(text=text)
    assert len(df) == 0
    assert list(df.columns)[:3] == ["Ready", "Status", "Restarts"]
    assert df.index.names == ["cluster", "namespace", "name"]
    if not text:
        assert pd.api.types.is_timedelta64_dtype(df["Age"])
        assert isinstance(df["Created"].dtype, pd.DatetimeTZDtype)


def test_types_of_columns() -> None:
    columns = [
        column("Name", format="name"),
        column("Desired", "integer"),
        column("Share", "number"),
        column("Suspend", "boolean"),
        column("Odd", "integer"),
        column("Created At", "date"),
        column("Last Run", "date"),
        column("Name", "string"),
    ]
    printed = [
        row("a", 3, 1.5, True, "x", "2026-11-24T10:00:00Z", "5m", "twice"),
        row("b", None, 2, False, 7, None, None, None),
    ]
    df = snapshot(columns, *printed, kind=resource("example.com", "things")).df()
    assert list(df.columns) == ["Desired", "Share", "Suspend", "Odd", "Created At", "Last Run", "Name (2)", "Created"]
    assert list(map(str, df.dtypes))[:3] == ["Int64", "Float64", "boolean"]
    assert list(df["Odd"]) == ["x", 7]
    assert df["Created At"].iloc[0] == pd.Timestamp("2026-11-24T10:00:00Z")
    assert df["Created At"].isna().iloc[1]
    assert pd.api.types.is_timedelta64_dtype(df["Last Run"])
    assert df["Last Run"].isna().iloc[1]


def test_a_duration_that_stands_still_is_one() -> None:
    jobs = resource("batch", "jobs")
    complete = {"status": {"startTime": stamp(NOW - 45), "completionTime": stamp(NOW - 25)}}
    running = {"status": {"startTime": stamp(NOW - 45)}}
    df = snapshot(
        [column("Name", format="name"), column("Duration")],
        row("a", "20s", content=complete),
        row("b", "45s", content=running),
        kind=jobs,
    ).df()
    assert df["Duration"].iloc[0] == pd.Timedelta(seconds=20)
    assert df["Duration"].iloc[1] > pd.Timedelta(seconds=45)


def test_without_pandas_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InvalidArgument, match=r"notebook-mux\[pandas\]"):
        snapshot(POD_COLUMNS).df()
