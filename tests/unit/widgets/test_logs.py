from __future__ import annotations

import math
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.widgets import logs as module
from notebook_mux.widgets.logs import LogView, first_part, last_part

from .conftest import Page
from .fake_logs import FakeLogs


@pytest.fixture
def logs() -> FakeLogs:
    return FakeLogs(["web-0", "web-1"])


@pytest.fixture
def view(logs: FakeLogs, pokes: Any) -> Iterator[LogView]:
    made = LogView(logs, key="key")
    yield made
    made.close()


class Reader(Page):
    """A page that puts lines together from what it gets."""

    def __init__(self, widget: Any, id_: str = "p1") -> None:
        super().__init__(widget, id_)
        self.texts: dict[int, bytes] = {}
        self.seen = 0

    def take(self) -> None:
        for content, buffers in self.puts[self.seen :]:
            if buffers:
                self.texts |= dict(enumerate(texts_of(buffers), content["lines"]["first"]))
        self.seen = len(self.puts)


def texts_of(buffers: list[bytes]) -> list[bytes]:
    times, sources, flags, ends, text = buffers
    count = len(ends) // 4
    assert (len(times), len(sources), len(flags)) == (8 * count, 4 * count, 2 * count)
    places = struct.unpack(f"<{count}I", ends)
    return [text[begin:end] for begin, end in zip((0, *places), places, strict=False)]


def turns(view: LogView, page: Reader, limit: int = 50) -> float:
    """Give turns until nothing is left to say; returns when the next is due."""
    now = time.monotonic()
    for step in range(limit):
        sent, next_ = view.turn(now + step)
        if sent:
            page.say(t="ack", n=page.last()[0]["n"])
        elif next_ > now + step + 100 or next_ == math.inf:
            page.take()
            return next_
    raise AssertionError("it has never said all")


def test_a_page_gets_the_newest_lines_and_then_what_comes(view, logs):
    logs.add((n % 2, f"line {n}", "info") for n in range(25_000))
    page = Reader(view)
    page.here()
    turns(view, page)
    assert sorted(page.texts) == list(range(15_000, 25_000))
    assert page.texts[20_000] == b"line 20000"
    first = page.puts[0][0]
    assert first["whole"] == {"to": ["p1"], "part": 0, "last": False}
    assert page.puts[1][0]["whole"] == {"to": ["p1"], "part": 1, "last": True}
    assert first["head"]["title"] == logs.title
    assert [one["pod"] for one in first["state"]["sources"]] == ["web-0", "web-1"]
    assert first["lines"] == {"first": 15_000, "oldest": 0, "end": 25_000, "dropped": 0, "numbers": "s1"}
    logs.add([(1, "one more")])
    turns(view, page)
    content, buffers = page.last()
    assert "whole" not in content
    assert "state" not in content
    assert texts_of(buffers) == [b"one more"]
    assert struct.unpack("<I", buffers[1]) == (1,)


def test_a_message_has_a_bound(view, logs):
    logs.add((0, "x" * 10_000) for _ in range(500))
    page = Reader(view)
    page.here()
    turns(view, page)
    assert sorted(page.texts) == list(range(500))
    assert max(len(buffers[4]) for _, buffers in page.puts if buffers) <= module.BATCH_BYTES
    logs.add([(0, "y" * 3_000_000)])
    turns(view, page)
    assert len(page.texts[500]) == 3_000_000, "a line longer than that goes alone"


def test_a_page_that_is_far_behind_begins_anew(view, logs):
    page = Reader(view)
    page.here()
    turns(view, page)
    logs.add((0, f"{n}") for n in range(120_000))
    turns(view, page)
    assert sorted(page.texts) == list(range(110_000, 120_000))
    assert page.puts[-2][0]["whole"]["part"] == 0


def test_a_second_page_takes_nothing_from_the_first(view, logs):
    first = Reader(view)
    first.here()
    logs.add((0, f"{n}") for n in range(12_000))
    turns(view, first)
    logs.add((0, f"{n}") for n in range(12_000, 12_100))
    second = Reader(view, "p2")
    second.here()
    now = time.monotonic()
    for step in range(20):
        if view.turn(now + step)[0]:
            for page in (first, second):
                page.say(t="ack", n=page.last()[0]["n"])
    first.take()
    second.take()
    assert sorted(first.texts) == list(range(2_000, 12_100))
    assert max(second.texts) == 12_099
    assert len(second.texts) >= 10_000


def test_older_lines_are_asked_for(view, logs):
    logs.add((0, f"{n}") for n in range(20_000))
    page = Reader(view)
    page.here()
    turns(view, page)
    answered = page.say(t="older", view="v", before=10_000, most=4_000)
    assert answered is not None
    answer, buffers = page.sent[-1]
    assert (answer["t"], answer["ok"], answer["first"], answer["oldest"]) == ("reply", True, 6_000, 0)
    assert texts_of(buffers)[0] == b"6000"
    assert texts_of(buffers)[-1] == b"9999"
    refused = page.say(t="older", view="v", before=-1, most=10)
    assert refused is not None
    assert not refused["ok"]


def test_older_lines_that_were_dropped(view, logs):
    logs.most = 100
    logs.add((0, f"{n}") for n in range(300))
    read = logs.read(49, 100)
    assert last_part(read, 150).buffers == []
    some = last_part(logs.read(150, 100), 250)
    assert (some.first, some.end) == (200, 250)
    assert texts_of(some.buffers)[-1] == b"249"


def test_parts_have_the_lines_next_to_the_others(logs, monkeypatch):
    monkeypatch.setattr(module, "OLDER_BYTES", 25)
    monkeypatch.setattr(module, "BATCH_BYTES", 25)
    logs.add((0, f"line {n:04}") for n in range(10))
    later = last_part(logs.read(-1, 10), 8)
    assert (later.first, later.end) == (6, 8)
    assert texts_of(later.buffers) == [b"line 0006", b"line 0007"]
    early = first_part(logs.read(-1, 10))
    assert texts_of(early.buffers) == [b"line 0000", b"line 0001"]


def test_states_are_told_and_not_with_each_line(view, logs):
    page = Reader(view)
    page.here()
    turns(view, page)
    logs.stand(0, "waiting", reason="ContainerCreating", todo="wait")
    view._told_at = -math.inf
    turns(view, page)
    told = page.last()[0]["state"]
    assert (told["sources"][0]["state"], told["sources"][0]["reason"]) == ("waiting", "ContainerCreating")
    logs.version += 1  # such as another count of lines
    view._told_at = -math.inf
    before = len(page.puts)
    turns(view, page)
    assert len(page.puts) == before


def test_a_state_that_comes_soon_after_another_waits(view, logs, monkeypatch):
    monkeypatch.setattr(module, "STATE_INTERVAL", 60.0)  # by the real clock
    page = Reader(view)
    page.here()
    now = time.monotonic()
    assert view.turn(now)[0]
    logs.stand(0, "failed")
    sent, due = view.turn(now + 1)
    assert not sent
    assert due < math.inf


def test_logs_that_were_opened_anew(view, logs):
    logs.add((0, f"{n}") for n in range(10))
    page = Reader(view)
    page.here()
    turns(view, page)
    numbers = page.last()[0]["lines"]["numbers"]
    logs.renew()
    logs.add([(0, "new")])
    turns(view, page)
    content, buffers = page.last()
    assert content["lines"]["numbers"] != numbers
    assert content["lines"]["first"] == 0
    assert texts_of(buffers) == [b"new"]


def test_settings(view):
    page = Reader(view)
    page.here()
    turns(view, page)
    for at, (name, value) in enumerate((("wrap", True), ("times", "utc"), ("include", "GET"))):
        answer = page.say(t="set", view="v1", name=name, value=value)
        assert answer is not None
        assert (answer["ok"], answer["at"]) == (True, at + 1)
        assert getattr(view, name) == value
    turns(view, page)
    assert page.last()[0]["head"]["settings"]["at"] == 3
    for name, value in (("wrap", "yes"), ("times", "moon"), ("height", "9"), ("mask", False)):
        answer = page.say(t="set", view="v1", name=name, value=value)
        assert answer is not None
        assert not answer["ok"]
    view.include = "POST"
    turns(view, page)
    assert page.last()[0]["head"]["settings"] | {"at": 4, "include": "POST"} == page.last()[0]["head"]["settings"]


def test_what_python_and_a_page_set_in_the_same_turn_is_both_told(view):
    page = Reader(view)
    page.here()
    turns(view, page)
    view.highlight = "price"
    answer = page.say(t="set", view="v1", name="include", value="GET")
    assert answer is not None
    turns(view, page)
    settings = page.last()[0]["head"]["settings"]
    assert (settings["include"], settings["highlight"], settings["at"]) == ("GET", "price", answer["at"])


def test_what_a_setting_cannot_be_is_refused_where_it_is_set(view):
    for name, value, words in (
        ("times", "moon", "'local'"),
        ("wrap", "yes", "True or False"),
        ("include", None, "a text"),
    ):
        before = getattr(view, name)
        with pytest.raises(InvalidArgument, match=f"{name} cannot be .*\n  next: give .*{words}"):
            setattr(view, name, value)
        assert getattr(view, name) == before


def test_it_holds_the_logs_only_while_somebody_looks(view, logs):
    page = Reader(view)
    page.here()
    view.turn(time.monotonic())
    assert (len(logs.holders), len(logs.wakes)) == (1, 1)
    page.say(t="bye")
    view.turn(time.monotonic())
    assert (logs.holders, logs.wakes) == ([], [])


def test_logs_that_were_closed(view, logs):
    logs.add([(0, "one")])
    page = Reader(view)
    page.here()
    turns(view, page)
    answer = page.say(t="do", view="v", what="close")
    assert answer is not None
    assert answer["ok"]
    view._told_at = -math.inf
    turns(view, page)
    assert page.last()[0]["state"]["closed"]


@pytest.mark.skipif(sys.byteorder != "little", reason="columns are little endian")
def test_what_is_saved(view, logs):
    pytest.importorskip("notebook_mux.printing.log_text")
    logs.add([(0, "<b>bold</b>"), (1, "\x1b[2Jwiped")])
    logs.stand(1, "failed", reason="<i>why</i>")
    made = view._static_html()
    for hostile in ("<b>bold", "\x1b", "<i>why"):
        assert hostile not in made
    assert "2 lines" in made
    assert "wiped" in view._static_text()
    assert "\x1b" not in view._static_text()


def test_a_servers_words_are_masked_in_what_is_saved(view, logs):
    logs.stand(1, "waiting", reason="ErrImagePull", said="pull https://me:hunter2@registry/x: denied")
    for copy in (view._static_html(), view._static_text()):
        assert "ErrImagePull" in copy
        assert "hunter2" not in copy
    view.mask = False
    assert "hunter2" in view._static_html()
