"""Cells: printed here where that gives what the server prints, else asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from notebook_mux.headlamp import held
from notebook_mux.headlamp.cells import Cells, Kind
from notebook_mux.kernel.core import Core
from notebook_mux.kube.answers import Answer
from tests.unit.headlamp.conftest import Watching, eventually
from tests.unit.headlamp.fake_server import MAPS, ODDS, FakeHeadlamp

CREATED = "2026-01-01T00:00:00Z"
COLUMNS = [{"name": name} for name in ("Name", "Data", "Age")]


def obj(name: str, **data: str) -> Raw:
    return Raw(json.dumps({"metadata": {"name": name, "creationTimestamp": CREATED}, "data": data}).encode())


class Asked:
    """A cluster with one answer."""

    name = "asked"

    def __init__(self, status: int = 404, body: object = None) -> None:
        self.paths: list[str] = []
        self.answer = Answer(status, {}, json.dumps(body).encode())

    async def request(self, method: str, path: str, query: str = "", **more: Any) -> Answer:
        self.paths.append(path)
        return self.answer


@pytest.mark.parametrize(
    ("path", "resource", "version", "core"),
    [
        ("/api/v1/pods", "pods", "v1", True),
        ("/api/v1/namespaces/a/pods", "pods", "v1", True),
        ("/apis/apps/v1/namespaces/a/deployments", "deployments.apps", "v1", False),
        ("/apis/example.com/v1beta1/kites", "kites.example.com", "v1beta1", False),
    ],
)
def test_the_kind_is_in_the_path(path: str, resource: str, version: str, core: bool):
    kind = Kind(path)
    assert (kind.resource, kind.version, kind.core) == (resource, version, core)


def test_what_prints_as_the_server_does_goes_on_to_print():
    cells = Cells(MAPS, "", Asked())  # type: ignore[arg-type]
    cells.check(COLUMNS, [(b'["a",1,"5m"]', obj("a", x="1")), (b'["b",0,"3d2h"]', obj("b"))])
    assert cells.exact
    assert json.loads(cells.of(obj("c", x="", y="")) or b"")[:2] == ["c", 2]


@pytest.mark.parametrize("printed", [b'["a",2,"5m"]', b'["a",1]', b'["a",1,"5m","more"]', b'["other",1,"5m"]'])
def test_one_cell_that_is_another_and_the_server_is_asked(printed: bytes):
    cells = Cells(MAPS, "", Asked())  # type: ignore[arg-type]
    cells.check(COLUMNS, [(printed, obj("a", x="1"))])
    assert not cells.exact


def test_other_columns_and_the_server_is_asked():
    cells = Cells(MAPS, "", Asked())  # type: ignore[arg-type]
    cells.check([*COLUMNS, {"name": "New"}], [])
    assert cells.of(obj("a")) is None
    cells.check([], [])
    assert not cells.exact


def test_an_object_of_an_unknown_shape_has_no_cells_here():
    cells = Cells("/api/v1/pods", "", Asked())  # type: ignore[arg-type]
    assert cells.of(Raw(b'{"metadata": 7}')) is None
    assert cells.of(Raw(b"[]")) is None


DEFINITION = {
    "spec": {
        "versions": [
            {
                "name": "v1",
                "additionalPrinterColumns": [{"name": "Tails", "type": "integer", "jsonPath": ".spec.tails"}],
            },
            {"name": "v2"},
        ]
    }
}
KITE = Raw(b'{"metadata": {"name": "a"}, "spec": {"tails": 3}}')


async def test_a_custom_kinds_printer_is_its_definition():
    cluster = Asked(200, DEFINITION)
    cells = Cells("/apis/example.com/v1/kites", "", cluster)  # type: ignore[arg-type]
    assert not await cells.renewed()
    assert cluster.paths == ["/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kites.example.com"]
    assert cells.of(KITE) == b'["a",3]'
    cells.check([{}, {}], [(b'["a",3]', KITE)])
    assert cells.exact
    assert cells.custom
    assert not await cells.renewed(), "the same columns"
    cluster.answer = Answer(200, {}, json.dumps({"spec": {"versions": [{"name": "v1"}]}}).encode())
    assert await cells.renewed(), "other columns"


@pytest.mark.parametrize(("status", "body"), [(403, None), (200, 7), (200, {"spec": {"versions": []}})])
async def test_without_the_definition_the_server_is_asked(status: int, body: object):
    cells = Cells("/apis/example.com/v1/kites", "", Asked(status, body))  # type: ignore[arg-type]
    assert not await cells.renewed()
    assert not cells.custom
    cells.check(COLUMNS, [])
    assert not cells.exact


async def test_a_core_kind_is_never_looked_up_as_custom():
    cluster = Asked(200, DEFINITION)
    await Cells("/api/v1/kites", "", cluster).renewed()  # type: ignore[arg-type]
    await Cells(MAPS, "", cluster).renewed()  # type: ignore[arg-type]
    assert cluster.paths == []


def test_events_of_other_kinds_wait_for_a_table_and_keep_their_order(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(held, "POLL_SECONDS", 0.05)
    headlamp.put("zero", "0", ODDS)
    watching = Watching(make_core(), headlamp.url, "odds")
    assert json.loads(watching.cells("zero")) == ["zero", "odd 0"]
    headlamp.put("one", "1", ODDS)
    headlamp.put("zero", "00", ODDS)
    headlamp.put("two", "2", ODDS)
    headlamp.delete("two", ODDS)
    headlamp.bookmark(ODDS)
    eventually(lambda: len(watching.told()) == 5)
    assert watching.seen == [
        ("ADDED", "zero"), ("ADDED", "one"), ("MODIFIED", "zero"), ("ADDED", "two"), ("DELETED", "two"),
    ]  # fmt: skip
    assert json.loads(watching.cells("one")) == ["one", "odd 1"]
    assert json.loads(watching.cells("zero")) == ["zero", "odd 00"]
    assert watching.stats["repeated"] == watching.stats["skipped"] == 0


def test_a_cut_while_events_wait_loses_none(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
):
    watching = Watching(make_core(), headlamp.url, "odds")
    monkeypatch.setattr(held, "POLL_SECONDS", 3600.0)
    headlamp.put("one", "1", ODDS)
    headlamp.bookmark(ODDS)
    headlamp.put("two", "2", ODDS)
    monkeypatch.setattr(held, "POLL_SECONDS", 0.05)
    headlamp.cut()
    eventually(lambda: watching.has("one") and watching.has("two"))
    assert watching.told() == [("ADDED", "one"), ("ADDED", "two")]


def test_tables_that_fail_hold_nothing_up_for_good(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(held, "POLL_SECONDS", 0.02)
    watching = Watching(make_core(), headlamp.url, "odds")
    headlamp.answers[ODDS] = 500, "no"
    headlamp.put("one", "1", ODDS)
    eventually(lambda: watching.has("one"))
    assert watching.cells("one") == b"[]"


@pytest.mark.parametrize("tables", [True, False])
def test_a_direct_sockets_events_have_their_cells_where_the_server_lets_the_header_through(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch, tables: bool
):
    monkeypatch.setattr(held, "POLL_SECONDS", 3600.0 if tables else 0.02)
    headlamp.direct_tables = tables
    headlamp.handshake = "dialing WebSocket: websocket: bad handshake"
    watching = Watching(make_core(), headlamp.url, "odds")
    eventually(lambda: watching.status["direct_sockets"] == 1)
    lists = len(headlamp.lists)
    headlamp.put("one", "1", ODDS)
    headlamp.put("one", "2", ODDS)
    eventually(lambda: json.loads(watching.cells("one") or b"0") == ["one", "odd 2"])
    assert tables == (len(headlamp.lists) == lists), "no Table is asked for where events are Tables"
    headlamp.delete("one", ODDS)
    eventually(lambda: not watching.has("one"))
