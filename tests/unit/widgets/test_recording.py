from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from notebook_mux.errors import InvalidArgument, Unreachable
from notebook_mux.widgets.terminal import Terminal
from tests.waiting import eventually

from .fake_session import FakeSession


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def shell(session, pokes):
    made = Terminal(session)
    yield made
    made.close()


def events(path: Path) -> list[list]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()[1:]]


def test_output_from_now_on_and_nothing_else(shell, session, tmp_path):
    session.print("earlier")
    path = tmp_path / "one.cast"
    with shell.record(path) as recording:
        eventually(lambda: path.read_text() != "", "it has begun", seconds=30)
        session.print("a\r\n\x1b[31m")
        euro = "€".encode()
        session.print(euro[:1])
        session.print(euro[1:])
        session.typed["p"] = bytearray(b"secret")
        session.happen("ended", code=0)
        eventually(lambda: "€" in path.read_text("utf-8"), "it is written", seconds=30)
        assert not recording.closed
    assert recording.closed
    head = json.loads(path.read_text("utf-8").splitlines()[0])
    assert head["version"] == 2
    assert (head["width"], head["height"]) == (80, 24)
    assert "".join(text for _, code, text in events(path) if code == "o") == "a\r\n\x1b[31m€"
    assert [moment for moment, *_ in events(path)] == sorted(moment for moment, *_ in events(path))
    assert "secret" not in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not session.views


def test_sizes_are_recorded(shell, session, tmp_path):
    path = tmp_path / "sizes.cast"
    page = session.attach("p" * 16, lambda _items: None)
    ask = {"type": "view", "stream": 1, "terminal": "", "view": "p" * 16, "credit": 1 << 20, "received": -1}
    page.send([json.dumps(ask | {"columns": 100, "rows": 30})])
    with shell.record(path):
        eventually(lambda: path.read_text() != "", "it has begun", seconds=30)
        page.send([json.dumps({"type": "size", "stream": 1, "columns": 90, "rows": 20})])
        eventually(
            lambda: ["r", "90x20"] in [event[1:] for event in events(path)], "the new size is written", seconds=30
        )
    head = json.loads(path.read_text().splitlines()[0])
    assert (head["width"], head["height"]) == (100, 30)


def test_it_grants_what_it_has_written(shell, session, tmp_path):
    path = tmp_path / "flood.cast"
    with shell.record(path):
        eventually(lambda: path.read_text() != "", "it has begun", seconds=30)
        session.print(b"x" * 3_000_000)
        eventually(lambda: path.stat().st_size > 3_000_000, "all of it is written", seconds=30)


def test_it_goes_on_with_another_terminal_in_its_place(shell, session, tmp_path):
    path = tmp_path / "renewed.cast"
    with shell.record(path) as recording:
        eventually(lambda: path.read_text() != "", "it has begun", seconds=30)
        session.print("first ")
        eventually(lambda: "first" in path.read_text(), "it is written", seconds=30)
        [view] = session.views
        with session.lock:
            session.ring.clear()
            session.views.clear()
            view.asked = None
            session.print("second")
            view.say({"type": "renewed"})
        eventually(lambda: "second" in path.read_text(), "all of it is written", seconds=30)
        view.say({"type": "ended", "stream": 1, "code": "closed", "what": "the terminal was closed"})
        eventually(lambda: recording.closed, "it has ended", seconds=30)


def test_never_over_another_file_and_one_at_a_time(shell, tmp_path):
    there = tmp_path / "there"
    there.write_text("mine")
    with pytest.raises(InvalidArgument, match="there"):
        shell.record(there)
    assert there.read_text() == "mine"
    with shell.record(tmp_path / "a.cast"), pytest.raises(InvalidArgument, match="is being recorded"):
        shell.record(tmp_path / "b.cast")
    with pytest.raises(InvalidArgument, match="cannot be made"):
        shell.record(tmp_path / "no" / "folder.cast")


def test_a_terminal_that_cannot_be_looked_at_leaves_no_file(shell, session, tmp_path):
    def refuse(*_arguments: object) -> None:
        raise Unreachable("the gateway is away")

    session.attach = refuse
    with pytest.raises(Unreachable):
        shell.record(tmp_path / "none.cast")
    assert list(tmp_path.iterdir()) == []


def test_closing_the_terminal_closes_it(session, pokes, tmp_path):
    shell = Terminal(session)
    recording = shell.record(tmp_path / "x.cast")
    shell.close()
    assert recording.closed
