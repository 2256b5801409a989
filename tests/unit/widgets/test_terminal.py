from __future__ import annotations

import itertools
import json
import re
import threading
import time
from typing import Any

import pytest

from notebook_mux.errors import Closed, InvalidArgument
from notebook_mux.widgets import panes, pump, terminal
from notebook_mux.widgets.terminal import Terminal
from notebook_mux.wire.frames import NUMBER, Channel, encode_frame
from tests.waiting import eventually

from .conftest import Page
from .fake_session import FakeSession
from .test_panes import stdin, view

VIEW = "v" * 16
TURNS = itertools.count(1)
"""Each turn a little later, as its pump would give it."""


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def shell(session, pokes, monkeypatch):
    monkeypatch.setattr(terminal, "pump", pokes)
    made = Terminal(session, key="k")
    yield made
    made.close()


def say(page: Page, *items: Any, **more: Any) -> dict[str, Any] | None:
    """Items of the view, as a page packs them."""
    buffers: list[bytes] = []
    places: list[Any] = []
    for item in items:
        places.append(item if isinstance(item, str) else len(buffers))
        if not isinstance(item, str):
            buffers.append(item)
    page._asked += 1
    content = {"t": "terminal", "page": page.id, "id": page._asked, "view": VIEW, "items": places}
    return page.say_raw(content | more, buffers)


def data(shell: Terminal, page: Page) -> dict[str, Any]:
    """What the page knows after a turn."""
    shell.turn(time.monotonic() + 0.1 * next(TURNS))
    found: dict[str, Any] = page.last()[0]["data"]
    return found


def test_a_page_gets_how_it_stands_and_looks(shell, session):
    page = Page(shell)
    page.here()
    known = data(shell, page)
    assert known["title"] == "bash in web-0"
    assert (known["pod"], known["container"], known["cluster"], known["state"]) == (
        "web-0",
        "main",
        "kind-a",
        "running",
    )
    assert known["containers"] == [["main", "container"], ["setup", "init"], ["debug-1", "ephemeral"]]
    assert known["answers"] == page.id
    assert say(page, view()) is None
    assert len(session.views) == 1
    assert say(page, stdin(0, b"ls\r"), ask=True) == {"t": "reply", "page": "p1", "id": 3, "ok": True}
    assert bytes(session.typed[VIEW]) == b"ls\r"


def test_each_change_is_told_once(shell, session):
    page = Page(shell)
    page.here()
    data(shell, page)
    before = len(page.puts)
    shell.turn(time.monotonic() + 0.1 * next(TURNS))
    assert len(page.puts) == before
    session.happen("ended", code=3)
    known = data(shell, page)
    assert (known["state"], known["returncode"]) == ("ended", 3)
    assert (shell.state, shell.returncode) == ("ended", 3)
    assert repr(shell) == "<Terminal bash in web-0: ended with exit code 3>"
    session.changed(state="lost", reason="the stream broke", returncode=None)
    assert "lost (the stream broke)" in repr(shell)


def test_one_page_alone_answers_what_programs_ask(shell):
    first, second = Page(shell, "p1"), Page(shell, "p2")
    first.here()
    second.here()
    assert data(shell, second)["answers"] == "p1"
    first.here(watching=False)
    assert data(shell, second)["answers"] == "p2"
    second.say(t="bye")
    first.here()
    assert data(shell, first)["answers"] == "p1"


def test_a_page_that_goes_takes_its_views_with_it(shell, session):
    page = Page(shell)
    page.here()
    say(page, view())
    shell.turn(time.monotonic())
    assert len(session.views) == 1
    page.say(t="bye")
    shell.turn(time.monotonic() + 1)
    assert not session.views


def test_a_page_whose_lease_has_run_out_may_go_on(shell, session):
    page = Page(shell)
    say(page, view())
    shell.turn(time.monotonic())
    assert len(session.views) == 1


def test_a_loud_terminal_and_a_page_that_says_nothing(shell, session):
    page = Page(shell)
    page.here()
    say(page, view(credit=200_000))
    session.print(b"y\n" * 10_000_000)
    pane = shell._panes[page.id, VIEW]
    now = time.monotonic()
    while pane._items:
        pane.turn(now)
        now += panes.FULL_SECONDS
    sent = sum(len(buffer) for _, buffers in page.sent for buffer in buffers)
    assert 200_000 <= sent < 300_000


def test_what_is_wrong_is_answered(shell):
    page = Page(shell)
    page.here()
    say(page, view())
    answer = say(page, '{"type":"hangup"}')
    assert answer is not None
    assert "a page sent hangup" in answer["error"]
    answer = say(page, encode_frame(1, Channel.STDOUT, NUMBER.pack(0)))
    assert answer is not None
    assert not answer["ok"]
    answer = page.say(t="terminal", view=VIEW, items=[3])
    assert answer is not None
    assert "buffers" in answer["error"]
    answer = page.say(t="terminal", view=VIEW, items=[-1])
    assert answer is not None
    assert not answer["ok"]


def test_a_ticket_is_answered_to_its_page_and_is_in_no_trait(shell, session):
    page = Page(shell)
    page.here()
    answer = page.say(t="ticket", view=VIEW, origin="https://hub.example")
    assert answer is not None
    assert "no such way" in answer["error"]
    session.fast = {"ticket": "very-secret", "port": 1, "path": "/x", "seconds": 30.0}
    answer = page.say(t="ticket", view=VIEW, origin="https://hub.example")
    assert answer is not None
    assert answer["ticket"] == session.fast
    assert ("ticket", "https://hub.example") in session.asked
    assert "very-secret" not in str(shell.get_state())


def test_buttons_are_done_apart_and_their_failure_is_said(shell, session):
    page = Page(shell)
    page.here()
    session.happen("ended", code=0)
    answer = page.say(t="do", view=VIEW, what="again")
    assert answer is not None
    assert answer["ok"]
    eventually(lambda: session.state == "running", "it was started again", seconds=30)

    def refuse(_terminal: str) -> None:
        raise InvalidArgument("it is not there any more")

    session.take = refuse
    page.say(t="do", view=VIEW, what="take t1")
    eventually(lambda: "not there any more" in data(shell, page)["note"], "the page is told", seconds=30)
    page.say(t="do", view=VIEW, what="hangup")
    eventually(lambda: shell.closed, "it has ended", seconds=30)
    assert ("close",) in session.asked
    assert data(shell, page)["state"] == "closed"


def test_what_ends_well_takes_away_no_failure_of_what_was_asked_after_it(shell, session):
    page, go = Page(shell), threading.Event()
    page.here()

    def refuse(_terminal: str) -> None:
        raise InvalidArgument("it is not there any more")

    session.again = lambda: go.wait(30)
    session.take = refuse
    page.say(t="do", view=VIEW, what="again")
    page.say(t="do", view=VIEW, what="take t1")
    eventually(lambda: "not there any more" in data(shell, page)["note"], "the page is told", seconds=30)
    go.set()
    eventually(lambda: terminal.APART not in [one.name for one in threading.enumerate()], "both are done", seconds=30)
    assert "not there any more" in data(shell, page)["note"]
    page.say(t="do", view=VIEW, what="again")
    eventually(lambda: data(shell, page)["note"] == "", "it is told no more", seconds=30)


def test_another_container_takes_its_place(session, pokes, monkeypatch):
    monkeypatch.setattr(terminal, "pump", pokes)
    other = FakeSession("bash in web-0, container debug-1")
    other.container = "debug-1"
    shell = Terminal(session, choose=lambda name: other if name == "debug-1" else session)
    page = Page(shell)
    page.here()
    say(page, view())
    answer = page.say(t="set", view=VIEW, name="container", value="nothing")
    assert answer is not None
    assert "no such container" in answer["error"]
    page.say(t="set", view=VIEW, name="container", value="debug-1")
    eventually(lambda: shell.container == "debug-1", "the other container's terminal is shown", seconds=30)
    eventually(lambda: any(content["t"] == "swapped" for content, _ in page.sent), "its pages look again", seconds=30)
    assert not session.views
    assert not session.watchers
    assert ("close",) not in session.asked
    say(page, view())
    assert len(other.views) == 1
    page.say(t="set", view=VIEW, name="container", value="main")
    eventually(lambda: shell._session is session, "the first one again, and no third", seconds=30)
    page.say(t="set", view=VIEW, name="container", value="debug-1")
    eventually(lambda: shell._session is other, "and back", seconds=30)
    say(page, view())
    shell._back()  # its cell was run again
    assert shell.container == "main"
    assert not other.views
    shell.close()
    assert ("close",) in session.asked
    assert ("close",) in other.asked


def test_closing_ends_the_program_and_retiring_does_not(session, pokes):
    shell = Terminal(session, key="same")
    later = Terminal(session, key="same")  # of a later generation of the modules
    assert shell.closed
    assert ("close",) not in session.asked
    later.__del__()
    assert not later.closed
    later.close()
    later.close()
    assert session.asked.count(("close",)) == 1
    with pytest.raises(Closed):
        later.record("x.cast")


def test_what_is_shown_is_not_saved_unless_asked(shell, session):
    page = Page(shell)
    page.here()
    say(page, view())
    session.print("password: hunter2\r\n")
    copy = shell._static_html()
    assert "hunter2" not in copy
    assert "bash in web-0" in copy
    assert "running" in copy
    assert "hunter2" not in str(shell.get_state())
    assert "hunter2" not in str(shell._repr_mimebundle_())
    frozen: list[str] = []
    shell.freeze = lambda: frozen.append(shell._static_html())
    page.say(t="do", view=VIEW, what="freeze")
    assert "hunter2" not in frozen[0]
    answer = page.say(t="keep", view=VIEW, text="password: <b>hunter2</b>\n\x1b[31mred")
    assert answer is not None
    assert answer["ok"]
    assert "password: &lt;b&gt;hunter2&lt;/b&gt;\n [31mred" in frozen[1]
    assert "hunter2" not in shell._static_html()


def test_the_copy_of_a_hostile_name_is_text(session, pokes):
    session.words = "<script>alert(1)</script>\x1b[2J"
    shell = Terminal(session)
    assert "<script>" not in shell._static_html()
    assert re.match(r".* · running · as of .*\nIt is drawn in a notebook\. Here: nm\.exec", shell._static_text())
    shell.close()


def test_the_height_is_checked(shell):
    page = Page(shell)
    page.here()
    shell.height = 600
    assert data(shell, page)["height"] == 600
    with pytest.raises(InvalidArgument, match="height cannot be 5"):
        shell.height = 5


def test_recording_from_the_page_and_its_name(shell, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Page(shell)
    page.here()
    answer = page.say(t="do", view=VIEW, what="record")
    assert answer is not None
    assert "recording to" in answer["said"]
    (file,) = tmp_path.iterdir()
    assert data(shell, page)["recording"] == file.name
    answer = page.say(t="do", view=VIEW, what="record")
    assert answer is not None
    assert "recorded to" in answer["said"]
    assert data(shell, page)["recording"] == ""


def test_through_the_real_pump(session, monkeypatch):
    own = pump.Pump()
    monkeypatch.setattr(terminal, "pump", own)
    shell = Terminal(session)
    page = Page(shell)
    page.here()
    say(page, view())

    def output() -> bytes:
        return b"".join(buffer[5:] for _, buffers in list(page.sent) for buffer in buffers if buffer[4] == 1)

    session.print("echo")
    eventually(lambda: output() == b"echo", "what was printed is in the page", seconds=30)
    session.print(b"x" * 300_000)
    eventually(lambda: output() == b"echo" + b"x" * 300_000, "all of it, in order", seconds=30)
    numbers = [content["n"] for content, _ in page.sent if content["t"] == "terminal"]
    assert numbers == list(range(len(numbers)))
    shell.close()


def test_a_message_names_its_items(shell):
    page = Page(shell)
    page.here()
    say(page, view())
    shell._panes[page.id, VIEW].turn(time.monotonic())
    (content, buffers) = next(one for one in page.sent if one[0]["t"] == "terminal")
    assert json.loads(content["items"][0])["type"] == "shown"
    assert [item for item in content["items"] if isinstance(item, int)] == list(range(len(buffers)))
