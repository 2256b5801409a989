from __future__ import annotations

import math
import time

import pytest

from notebook_mux.widgets import base, bundle, hosts, messages
from notebook_mux.widgets.audience import LEASE_SECONDS
from notebook_mux.widgets.base import Live

from .conftest import NoPump, Page


class Counter(Live):
    """The least that a widget can do: a number, sent when it has changed."""

    kind = "table"

    def __init__(self, key=None) -> None:
        self.value, self.told = 0, -1
        self.steps: list[str] = []
        super().__init__(key=key)

    def _start(self) -> None:
        self.steps.append("start")

    def _stop(self) -> None:
        self.steps.append("stop")

    def _compose(self, everything):
        if self.value == self.told and not everything:
            return None
        self.told = self.value
        return {"t": "put", "value": self.value, "whole": {"to": everything, "part": 0, "last": True}}, [b"x"]

    def _act(self, message):
        if isinstance(message, messages.Do) and message.what == "count":
            self.value += 1
            return {"value": self.value}
        if isinstance(message, messages.Do) and message.what == "break":
            raise RuntimeError("a secret of the kernel's")
        return super()._act(message)

    def _static_html(self) -> str:
        return f"<p>{self.value}</p>"


@pytest.fixture
def counter(pokes: NoPump) -> Counter:
    return Counter()


def test_nobody_looks_nothing_is_read(counter):
    page = Page(counter)
    assert counter.turn(0.0) == (False, math.inf)
    assert counter.steps == []
    assert page.sent == []


def test_a_page_gets_everything_then_changes_with_numbers(counter):
    page = Page(counter)
    now = time.monotonic()
    assert page.here()["ok"]
    sent, _ = counter.turn(now)
    assert sent
    assert counter.steps == ["start"]
    content, buffers = page.last()
    assert (content["n"], content["value"], content["whole"]["to"], buffers) == (1, 0, ["p1"], [b"x"])
    assert counter.turn(now + 1)[0] is False
    counter.value = 5
    assert counter.turn(now + 2)[0] is True
    content, _ = page.last()
    assert (content["n"], content["value"], content["whole"]["to"]) == (2, 5, [])
    assert content["epoch"] == page.puts[0][0]["epoch"]


def test_the_last_page_gone_ends_the_reading(counter):
    page = Page(counter)
    now = time.monotonic()
    page.here()
    counter.turn(now)
    page.say(t="bye")
    assert counter.turn(now + 1) == (False, math.inf)
    assert counter.steps == ["start", "stop"]


def test_a_page_that_says_nothing_any_more_is_forgotten(counter):
    page = Page(counter)
    now = time.monotonic()
    page.here()
    counter.turn(now)
    assert counter.turn(now + 1)[1] <= now + LEASE_SECONDS + 1
    assert counter.turn(now + LEASE_SECONDS + 1) == (False, math.inf)
    assert counter.steps[-1] == "stop"


def test_a_run_that_begins_again_has_another_epoch(counter):
    page = Page(counter)
    now = time.monotonic()
    page.here()
    counter.turn(now)
    first = page.last()[0]
    page.say(t="bye")
    counter.turn(now)
    page.here(have=first["n"], epoch=first["epoch"])
    counter.turn(now + 1)
    second = page.last()[0]
    assert second["epoch"] != first["epoch"]
    assert second["whole"]["to"] == ["p1"]


def test_each_message_gets_one_answer_and_an_acknowledgement_none(counter):
    page = Page(counter)
    assert page.here()["ok"]
    assert page.say(t="ack", n=0) is None
    assert page.say(t="do", view="v", what="count") == {"t": "reply", "page": "p1", "id": 3, "ok": True, "value": 1}
    for bad in (
        {"t": "do", "view": "v", "what": "something else"},
        {"t": "no such thing"},
        {"t": "ack", "n": "many"},
        {"t": "ack", "n": 1, "page": "a stranger"},
    ):
        answer = page.say(**bad)
        assert answer is not None
        assert answer["ok"] is False
        assert answer["error"]


def test_an_error_in_the_kernel_is_answered_without_its_words(counter, caplog):
    page = Page(counter)
    answer = page.say(t="do", view="v", what="break")
    assert answer is not None
    assert answer["ok"] is False
    assert "secret" not in answer["error"]
    assert "RuntimeError" in answer["error"]


def test_a_message_that_is_no_object_is_answered_too(counter):
    page = Page(counter)
    answer = page.say_raw("nonsense")
    assert answer is not None
    assert (answer["page"], answer["id"], answer["ok"]) == ("", -1, False)


def test_the_output_has_the_view_and_the_copy_beside_it(counter):
    bundle_ = counter._repr_mimebundle_()
    assert bundle_[base.WIDGET_MIME]["model_id"] == counter.model_id
    assert bundle_["text/html"] == "<p>0</p>"
    page = Page(counter)
    assert counter.turn(time.monotonic())[0], "the page is expected, and gets everything before it says a word"
    assert page.last()[0]["whole"]["to"] == ["*"]


def test_the_copy_is_an_output_of_its_own(counter, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **more: shown.append((data, more)))
    counter._ipython_display_()
    (copy, options), (view, _) = shown
    assert copy["text/html"] == "<p>0</p>"
    assert base.WIDGET_MIME not in copy
    assert options["display_id"] == counter._copy_id
    assert base.WIDGET_MIME in view
    assert "text/html" not in view


def test_freeze_writes_the_copy_anew(counter, monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: None)
    updated = []
    monkeypatch.setattr(
        "IPython.display.update_display", lambda copy, **more: updated.append((copy["text/html"], more))
    )
    counter._ipython_display_()
    counter.value = 9
    answer = Page(counter).say(t="do", view="v", what="freeze")
    assert answer is not None
    assert answer["ok"]
    assert updated == [("<p>9</p>", {"raw": True, "display_id": counter._copy_id})]


def test_where_nobody_can_look_the_copy_stands_alone(pokes, monkeypatch):
    monkeypatch.setattr(hosts, "static_only", lambda: True)
    counter = Counter()
    assert counter.comm is None
    assert set(counter._repr_mimebundle_()) == {"text/plain", "text/html"}
    counter.close()


def test_close_closes_comm_and_layout_and_is_answered_so(counter, monkeypatch):
    page = Page(counter)
    page.here()
    counter.turn(time.monotonic())
    layout = counter.layout
    counter.close()
    counter.close()
    assert counter.closed
    assert counter.comm is None
    assert layout.comm is None
    assert counter.steps == ["start", "stop"]
    answer = page.say(t="do", view="v", what="count")
    assert answer is not None
    assert "closed" in answer["error"]
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **more: shown.append(data))
    counter._ipython_display_()
    assert shown == [{"text/plain": repr(counter)}]


def test_the_same_thing_of_a_later_generation_closes_the_earlier(pokes):
    first = Counter(key="k")
    other = Counter(key="another")
    second = Counter(key="k")
    assert first.closed
    assert not other.closed
    assert not second.closed
    second.close()
    assert ("table", "k") not in bundle.kept("shown")


def test_a_comm_that_is_gone_means_closed(counter):
    counter.comm.close()
    counter.comm = None
    assert counter.closed


def test_a_part_that_is_poked_while_it_becomes_one_stays(counter, monkeypatch):
    shown = counter._shown

    def poked() -> None:
        assert counter.turn(0.0) == (False, math.inf), "nobody is expected yet"
        shown()
        counter.turn(0.0)

    monkeypatch.setattr(counter, "_shown", poked)
    counter.as_part()
    assert not counter.closed
