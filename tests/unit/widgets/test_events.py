from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from notebook_mux.errors import Forbidden
from notebook_mux.widgets.events import EVENT, MESSAGE, OWNERS, POD, EventsView
from tests import waiting

from .conftest import Page
from .happening import CAUSES, FakeEvents, Thing, event, rollout, storm

eventually = partial(waiting.eventually, seconds=20)

WEB = Thing("Deployment", "shop", "web")
SET = Thing("ReplicaSet", "shop", "web-7d4b9c6f8")
ONE = Thing("Pod", "shop", "web-7d4b9c6f8-kq2xz")


_clock = itertools.count(10)
"""Seconds: more than any interval between two messages."""


@pytest.fixture
def events() -> FakeEvents:
    return FakeEvents()


@pytest.fixture
def view(events: FakeEvents, pokes: Any) -> Iterator[EventsView]:
    made = EventsView(events, "key")  # type: ignore[arg-type]
    yield made
    made.close()


class Copy:
    """What a page has after all messages so far."""

    def __init__(self, page: Page) -> None:
        self.rows: dict[tuple[int, str], list[Any]] = {}
        self.head: dict[str, Any] = {}
        for content, buffers in page.puts:
            self.head = content.get("head", self.head)
            put, gone = json.loads(buffers[0])
            part = json.loads(buffers[1]) if len(buffers) > 1 else []
            for row in (*put, *part):
                self.rows[row[0], row[1]] = row
            for key in gone:
                self.rows.pop(tuple(key), None)

    def of(self, what: int) -> list[list[Any]]:
        return [row for row in self.rows.values() if row[2] == what]


def watch(view: EventsView) -> Page:
    page = Page(view)
    page.here()
    return page


def sent(view: EventsView, page: Page) -> Copy:
    """Let it send all there is."""
    while True:
        went, _ = view.turn(time.monotonic() + next(_clock))
        if not went:
            return Copy(page)
        page.say(t="ack", n=page.last()[0]["n"])


def test_a_page_gets_events_states_and_owners(view: EventsView, events: FakeEvents) -> None:
    rollout(events)
    copy = sent(view, watch(view))
    assert copy.head["title"] == "events of deployment/web in shop"
    assert copy.head["several"] == [False, False]
    assert [one["state"] for one in copy.head["clusters"]] == ["live"]
    rows = copy.of(EVENT)
    assert len(rows) == 17
    backoff = next(row for row in rows if row[8] == "BackOff" and row[5] == ONE.name)
    assert backoff[3:8] == ["shop", "Pod", ONE.name, "web", "Warning"]
    assert backoff[10] == 14
    assert backoff[11] < backoff[12]
    assert backoff[13] == sorted(backoff[13])
    assert {row[5] for row in copy.of(POD)} >= {ONE.name, "web-6c8f7d9b5-4fh8s"}, (
        "those that nothing happened to as well"
    )
    pod = next(row for row in copy.of(POD) if row[5] == ONE.name)
    assert [one[1] for one in pod[6]][:2] == ["pending", "started"]
    assert [one[1] for one in pod[7]] == ["killed", "restarted"]
    owners = {(row[4], row[5]): row[6] for row in copy.of(OWNERS)}
    assert owners["Pod", ONE.name] == [["ReplicaSet", SET.name], ["Deployment", "web"]]


def test_what_is_said_again_is_one_row(view: EventsView, events: FakeEvents) -> None:
    page = watch(view)
    events.put(event(1, ONE, CAUSES[5], first=60, last=60))
    before = sent(view, page).of(EVENT)
    events.put(event(2, ONE, CAUSES[5], first=30, last=2, count=3))
    after = sent(view, page).of(EVENT)
    assert len(before) == len(after) == 1
    assert before[0][1] == after[0][1]
    assert (after[0][10], after[0][15]) == (4, 2)
    assert len(page.puts) == 2
    events.delete(event(1, ONE, CAUSES[5], first=60, last=60))
    assert [row[10] for row in sent(view, page).of(EVENT)] == [3]
    events.delete(event(2, ONE, CAUSES[5], first=60, last=60))
    assert sent(view, page).of(EVENT) == []


def test_of_a_whole_namespace_only_pods_with_events_have_states(pokes: Any) -> None:
    events = FakeEvents("events in shop", everything=True)
    view = EventsView(events, "key")  # type: ignore[arg-type]
    page = watch(view)
    events.live(ONE, (50, "ready", ""))
    events.own(ONE, SET)
    assert sent(view, page).of(POD) == []
    events.put(event(1, ONE, CAUSES[5], first=60, last=60))
    copy = sent(view, page)
    assert [row[5] for row in copy.of(POD)] == [ONE.name]
    assert [row[6] for row in copy.of(OWNERS)] == [[["ReplicaSet", SET.name]]]
    events.delete(event(1, ONE, CAUSES[5], first=60, last=60))
    assert sent(view, page).rows == {}
    view.close()


def test_owners_that_become_known_later(view: EventsView, events: FakeEvents) -> None:
    page = watch(view)
    odd = Thing("Pod", "shop", "odd")
    events.put(event(1, odd, CAUSES[0], first=60, last=60))
    assert sent(view, page).of(OWNERS) == []
    events.own(odd, SET)
    assert [row[6] for row in sent(view, page).of(OWNERS)] == [[["ReplicaSet", SET.name], ["Deployment", "web"]]]


def test_many_come_in_parts_and_none_is_missing(view: EventsView, events: FakeEvents) -> None:
    storm(events, 3000)
    page = watch(view)
    copy = sent(view, page)
    assert len(page.puts) > 1
    assert sum(row[10] for row in copy.of(EVENT)) == sum(
        json.loads(record.object)["count"] for record in events.records["kind-a"].values()
    )


def test_keys_outlive_a_pause(view: EventsView, events: FakeEvents) -> None:
    rollout(events)
    page = watch(view)
    before = set(sent(view, page).rows)
    page.say(t="bye")
    view.turn(time.monotonic() + 1)
    assert events.feeds == []
    page.sent.clear()
    page.here()
    assert set(sent(view, page).rows) == before


def test_long_and_hostile_texts(view: EventsView, events: FakeEvents) -> None:
    evil = ("<img src=x onerror=alert(1)>", "<script>\u202e" + "x" * 5000, True)
    events.put(event(1, Thing("Pod", "shop", "<b>web</b>"), evil, first=60, last=60))
    [row] = sent(view, watch(view)).of(EVENT)
    assert len(row[9]) == MESSAGE + 1
    made = view._static_html()
    assert "<img" not in made
    assert "<script" not in made
    assert "pod/&lt;b&gt;web" in made
    assert "\u202e" not in view._static_text()


def test_its_copy(view: EventsView, events: FakeEvents) -> None:
    rollout(events)
    events.notes.append("kind-a: pods cannot be read (forbidden)")
    made = view._static_text()
    assert made.startswith("events of deployment/web in shop · 17 rows")
    assert "kind-a: pods cannot be read" in made
    newest = made.splitlines()[3]
    assert "BackOff" in newest
    assert "14 over 4m48s" in newest


def test_trouble_and_the_end_are_told(view: EventsView, events: FakeEvents) -> None:
    page = watch(view)
    sent(view, page)
    events.say(name="stale", reason="connection reset")
    assert sent(view, page).head["clusters"][0]["reason"] == "connection reset"
    events.closed = True
    for undo in list(events.undone):
        undo()
    assert sent(view, page).head["closed"]
    assert not view.closed
    events._source.owner._closed = True
    for undo in list(events.undone):
        undo()
    assert view.closed
    assert events.undone == []


def test_retry(view: EventsView, events: FakeEvents) -> None:
    asked: list[int] = []
    events._source.owner.retry = lambda: asked.append(1)
    page = watch(view)
    answer = page.say(t="do", view="v", what="retry")
    assert answer is not None
    assert answer["ok"]
    assert asked == [1]
    answer = page.say(t="do", view="v", what="else")
    assert answer is not None
    assert not answer["ok"]


def test_the_log_around_an_event(view: EventsView, events: FakeEvents) -> None:
    rollout(events)
    page = watch(view)
    rows = sent(view, page).of(EVENT)
    asked: list[Any] = []

    def look(cause: Any, at: float) -> Any:
        asked.append((cause.about.name, cause.reason))
        if cause.reason == "Unhealthy":
            raise Forbidden("you may not read logs")
        if cause.reason == "Scheduled":
            raise KeyError("a slip of ours")
        return [(at, "a line")], ""

    events._log_around = look  # type: ignore[attr-defined]
    backoff, unhealthy = (next(row for row in rows if row[8] == reason) for reason in ("BackOff", "Unhealthy"))
    page.say(t="around", view="v", key=[0, backoff[1]])  # the answer comes when it has been read
    eventually(lambda: page.sent[-1][0].get("lines") == [(backoff[12], "a line")])
    page.say(t="around", view="v", key=[0, unhealthy[1]])
    eventually(lambda: "you may not read logs" in str(page.sent[-1][0].get("error")))
    assert len(asked) == 2
    scheduled = next(row for row in rows if row[8] == "Scheduled")
    page.say(t="around", view="v", key=[0, scheduled[1]])
    eventually(lambda: "KeyError in the kernel" in str(page.sent[-1][0].get("error")))
    scaled = next(row for row in rows if row[4] == "Deployment")
    for key in ([0, scaled[1]], [0, "gone"], [7, backoff[1]]):
        answer = page.say(t="around", view="v", key=key)
        assert answer is not None
        assert "no such event of a pod" in answer["error"]
    answer = page.say(t="around", view="v", key="x")
    assert answer is not None
    assert not answer["ok"]


def test_nothing_of_it_is_saved(view: EventsView, events: FakeEvents) -> None:
    rollout(events)
    sent(view, watch(view))
    state = view.get_state()
    assert "web-7d4b" not in str({name: value for name, value in state.items() if name not in ("_esm", "_id", "_copy")})
