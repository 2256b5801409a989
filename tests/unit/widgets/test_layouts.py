from __future__ import annotations

import json
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.widgets import layouts as module
from notebook_mux.widgets.layouts import FILE, MAX_TABLES, Layout, Layouts
from notebook_mux.widgets.table import Table

from .conftest import Page
from .fakes import PODS, FakeStream, state
from .test_table import run

ARRANGED = Layout(("Status", "Name"), ("Age",), {"Name": 240})
SAID = {"t": "layout", "view": "v", "order": ["Status", "Name"], "hidden": ["Age"], "widths": {"Name": 240}}
AS_ARRANGED = ["Status", "Restarts", "Name", "Ready"]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_SECONDS", 0.0)


@pytest.fixture
def kept(tmp_path: Path) -> Layouts:
    return Layouts(lambda: tmp_path / "deep" / "settings")


def again(kept: Layouts) -> Layouts:
    """Those of another kernel."""
    kept.flush(30)
    made = Layouts(kept._folder)
    made.load()
    return made


def test_what_is_written_is_read_by_another_kernel(kept: Layouts) -> None:
    assert kept.read("pods") == (None, "")
    kept.write("pods", ARRANGED)
    assert kept.read("pods") == (ARRANGED, "")
    assert again(kept).read("pods") == (ARRANGED, "")
    file = kept._folder() / FILE
    assert json.loads(file.read_bytes())["tables"]["pods"]["layout"] == {
        "order": ["Status", "Name"], "hidden": ["Age"], "widths": {"Name": 240},
    }  # fmt: skip
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_forgetting(kept: Layouts) -> None:
    kept.write("pods", ARRANGED)
    kept.write("nodes", ARRANGED)
    kept.flush(30)
    kept.write("pods", None)
    assert kept.read("pods") == (None, "")
    other = again(kept)
    assert (other.read("pods")[0], other.read("nodes")[0]) == (None, ARRANGED)


def test_only_those_arranged_last_are_kept(tmp_path: Path) -> None:
    now = [0.0]
    kept = Layouts(lambda: tmp_path, lambda: now[0])
    for number in range(MAX_TABLES + 5):
        now[0] += 1
        kept._store({f"kind-{number}": ARRANGED})
    tables = kept._read().tables
    assert len(tables) == MAX_TABLES
    assert "kind-4" not in tables
    assert "kind-5" in tables


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"tables":{"pods":{"layout":{"widths":{"Name":-1}}}}}', b"\xff"])
def test_a_broken_file_is_told_and_written_anew(kept: Layouts, content: bytes) -> None:
    folder = kept._folder()
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(content)
    (folder / FILE).chmod(0o600)
    kept.load()
    layout, note = kept.read("pods")
    assert layout is None
    assert "cannot be read" in note
    assert str(folder) in note
    kept.write("pods", ARRANGED)
    assert again(kept).read("pods") == (ARRANGED, "")


def test_where_nothing_can_be_written_it_lasts_as_long_as_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    kept = Layouts(lambda: tmp_path / "file" / "settings")
    kept.write("pods", ARRANGED)
    kept.flush(30)
    assert kept.read("pods") == (ARRANGED, "")
    kept.load()
    assert kept.read("pods") == (ARRANGED, "")


def shown_by(name: str | None = None, **settings: Any) -> list[str]:
    table = Table(FakeStream(("a",)), name=name, **settings)
    try:
        return table.columns
    finally:
        table.close()


def arrange(arranged: Layouts, name: str | None = None, **settings: Any) -> None:
    table = Table(FakeStream(("a",)), name=name, **settings)
    Page(table).say(**SAID)
    arranged.flush(30)
    table.close()


def test_a_table_comes_back_as_it_was_arranged(pokes, arranged) -> None:
    arrange(arranged)
    assert shown_by() == AS_ARRANGED
    assert "Age" not in shown_by()
    assert "Age" in shown_by(name="other")


def test_each_name_has_an_arrangement_of_its_own(pokes, arranged) -> None:
    arrange(arranged, name="mine")
    assert "Age" not in shown_by(name="mine")
    assert "Age" in shown_by()


def test_what_a_cell_says_wins_but_for_widths(pokes, arranged) -> None:
    arrange(arranged)
    table = Table(FakeStream(("a",)), columns=["Name", "Age"])
    assert table.columns == ["Name", "Age"]
    page = Page(table)
    page.here()
    run(table, page)
    assert page.last()[0]["head"]["settings"]["layout"] == {"order": [], "hidden": [], "widths": {"Name": 240}}
    page.say(t="layout", view="v", order=["Age", "Name"], widths={"Name": 100})
    assert table.columns == ["Age", "Name"]
    table.apply(columns=["Name", "Age"])
    assert table.columns == ["Name", "Age"], "the cell was run again"
    table.close()
    arranged.flush(30)
    assert arranged.read("pods")[0] == Layout(("Status", "Name"), ("Age",), {"Name": 100})


def test_none_is_as_the_server_has_them(pokes, arranged) -> None:
    arrange(arranged)
    table = Table(FakeStream(("a",)))
    table.columns = None
    assert "Age" in table.columns
    table.close()
    arranged.flush(30)
    assert "Age" in shown_by()


def test_a_kind_that_is_known_later_is_arranged_then(pokes, arranged) -> None:
    arrange(arranged)
    stream = FakeStream(("a",))
    stream.states["a"] = state("connecting", synced=False, resource=None)
    table = Table(stream)
    assert "Age" in table.columns
    stream.states["a"] = state(resource=PODS)
    assert "Age" not in table.columns
    table.close()


def test_no_page_waits_for_the_disk(pokes, arranged, monkeypatch) -> None:
    arrange(arranged)
    readers = []
    read = arranged._read
    monkeypatch.setattr(arranged, "_read", lambda: readers.append(threading.current_thread()) or read())
    table = Table(FakeStream(("a",)), columns=["Name", "Age"])
    page = Page(table)
    page.here()
    run(table, page)
    answer = page.say(**SAID)
    assert answer is not None
    assert answer["ok"]
    run(table, page)
    arranged.flush(30)
    assert readers
    assert threading.current_thread() not in readers
    table.close()


def test_trouble_with_the_file_is_said_beside_the_table(pokes, arranged) -> None:
    folder = arranged._folder()
    folder.mkdir()
    (folder / FILE).write_bytes(b"broken")
    arranged.load()
    table = Table(FakeStream(("a",)))
    page = Page(table)
    page.here()
    run(table, page)
    [note] = page.last()[0]["head"]["notes"]
    assert "cannot be read" in note
    table.close()
