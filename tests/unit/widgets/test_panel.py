from __future__ import annotations

import math
import random
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux.errors import Forbidden, InvalidArgument
from notebook_mux.widgets.events import EventsView
from notebook_mux.widgets.table import Table
from notebook_mux.widgets.watched import Target
from tests.waiting import eventually

from .conftest import NoPump, Page
from .fake_logs import FakeLogs
from .fakes import PODS, FakeStream, pod, state
from .happening import FakeEvents

RNG = random.Random(3)


class Manager:
    """What is asked of one; `refuses` is by what was asked for. Answers wait for `may`."""

    def __init__(self) -> None:
        self._identity = SimpleNamespace(key="fake")
        self.asked: list[tuple[str, Any]] = []
        self.refuses: dict[str, Exception] = {}
        self.may = threading.Event()
        self.may.set()
        self.parts: list[Any] = []

    def _may_write(self) -> set[str]:
        return set()

    async def _events(self, target: Any, *_: Any) -> Any:
        self._ask("events", target)
        events = FakeEvents()
        return SimpleNamespace(_viewed=lambda: self._made(EventsView(events, None)))  # type: ignore[arg-type]

    async def _logs(self, target: Any, *_: Any) -> Any:
        self._ask("logs", target)
        return SimpleNamespace(_source=FakeLogs(), masked=True)

    def _ask(self, what: str, target: Any) -> None:
        self.asked.append((what, target))
        assert self.may.wait(20)
        if what in self.refuses:
            raise self.refuses[what]

    def _made(self, view: Any) -> Any:
        self.parts.append(view)
        return view


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def stream(manager: Manager) -> FakeStream:
    made = FakeStream(("a", "b"))
    made._source = SimpleNamespace(owner=manager)  # type: ignore[attr-defined]
    made._key = "pods"  # type: ignore[attr-defined]
    made.put(pod(0, RNG), pod(1, RNG), cluster="a")
    made.put(pod(0, RNG), cluster="b")
    return made


@pytest.fixture
def page(stream: FakeStream, pokes: NoPump):
    table = Table(stream)
    page = Page(table)
    page.here()
    table.turn(time.monotonic())
    yield page
    table.close()


def look(page: Page, what: str, row: tuple[int, str], view: str = "v") -> Any:
    """Ask, and wait for the answer."""
    page.say(t="look", view=view, what=what, row=row)
    return answer(page)


def say(page: Page, **message: Any) -> Any:
    """Say something that is answered at once."""
    answer = page.say(**message)
    assert answer is not None
    return answer


def answer(page: Page) -> Any:
    def found() -> list[Any]:
        return [content for content, _ in page.sent if content["t"] == "reply" and content["id"] == page._asked]

    eventually(found, "an answer", seconds=20)
    return found()[0]


def uid(number: int) -> str:
    return pod(number, RNG).uid


def panels(page: Page) -> dict[str, Any]:
    return {view: parts for view, (_, parts) in page.widget._panels._open.items()}


def test_back_to_an_object_while_it_is_still_asked_for(page: Page, manager: Manager) -> None:
    gates: list[threading.Event] = []

    async def events(target: Any, *_: Any) -> Any:
        gates.append(threading.Event())
        assert gates[-1].wait(20)
        return SimpleNamespace(_viewed=lambda: manager._made(EventsView(FakeEvents(), None)))  # type: ignore[arg-type]

    manager._events = events  # type: ignore[method-assign]
    ids = []
    for row in [(0, uid(0)), (0, uid(1)), (0, uid(0))]:
        page.say(t="look", view="v", what="events", row=row)
        ids.append(page._asked)
        eventually(lambda: len(gates) == len(ids), seconds=20)

    def answered(at: int) -> Any:
        gates[at].set()
        eventually(lambda: [content for content, _ in page.sent if content.get("id") == ids[at]], seconds=20)
        return next(content for content, _ in page.sent if content.get("id") == ids[at])

    shown = answered(2)
    assert not answered(0)["ok"], "the page has asked anew since"
    assert not answered(1)["ok"]
    (part,) = panels(page)["v"].values()
    assert (part.model_id, part.closed) == (shown["model"], False)


def test_a_rows_events_and_logs_are_widgets_of_their_own(page: Page, manager: Manager) -> None:
    events, logs = look(page, "events", (1, uid(0))), look(page, "logs", (1, uid(0)))
    reference = Target("b", "shop", "web-0", "Pod")
    assert manager.asked == [("events", reference), ("logs", reference)]
    parts = panels(page)["v"]
    assert (events["model"], logs["model"]) == (parts["events"].model_id, parts["logs"].model_id)
    assert parts["events"]._copy == parts["logs"]._copy == "", "a part has no copy"
    # another view of the same table has a panel of its own
    other = look(page, "events", (0, uid(1)), view="w")
    assert other["model"] == panels(page)["w"]["events"].model_id
    # another row's takes its place, and the view's own end closes it
    assert not parts["logs"].closed
    another = look(page, "events", (0, uid(1)))
    assert parts["events"].closed
    assert parts["logs"].closed
    shown = panels(page)["v"]["events"]
    assert another["model"] == shown.model_id
    assert say(page, t="do", view="v", what="leave")["ok"]
    assert shown.closed
    assert not panels(page)["w"]["events"].closed
    page.widget.close()
    assert panels(page) == {}


def test_a_part_ends_with_its_last_page(page: Page) -> None:
    look(page, "logs", (0, uid(0)))
    part = panels(page)["v"]["logs"]
    source = part._source
    now = time.monotonic()
    part.turn(now)
    assert source.holders, "it is read for the page that will come"
    theirs = Page(part)
    theirs.here()
    part.turn(now + 1)
    theirs.here(watching=False)
    assert part.turn(now + 2)[0] is False
    assert not part.closed, "a tab in the background comes back"
    theirs.say(t="bye")
    assert part.turn(now + 3) == (False, math.inf)
    assert part.closed
    assert source.holders == []
    # asked for again, it is there again; by another view, nothing of it is remembered
    look(page, "logs", (0, uid(1)), view="w")
    assert list(panels(page)) == ["w"]
    assert look(page, "logs", (0, uid(0)))["model"] != part._id
    assert not panels(page)["v"]["logs"].closed


def test_what_may_not_be_seen_or_is_not_there_is_said_in_words(page: Page, manager: Manager) -> None:
    refusal = Forbidden("you may not list events in shop", cluster="prod", said="no", todo="ask for it")
    manager.refuses["events"] = refusal
    manager.refuses["logs"] = InvalidArgument(
        "service/web selects no pods, so it has no logs", todo="name what has pods"
    )
    events, logs = look(page, "events", (0, uid(0))), look(page, "logs", (0, uid(0)))
    assert events["ok"]
    assert events["bad"]
    assert events["said"].splitlines() == [
        "you may not list events in shop (cluster prod)",
        "  said: no",
        "  next: ask for it",
    ]
    assert (logs["said"], logs["bad"]) == ("service/web selects no pods, so it has no logs", False)
    manager.refuses["logs"] = RuntimeError("a secret of the kernel's")
    broken = look(page, "logs", (0, uid(0)))
    assert broken["ok"] is False
    assert "secret" not in broken["error"]


def test_what_comes_after_the_panel_was_closed_is_let_go(page: Page, manager: Manager) -> None:
    manager.may.clear()
    assert page.say(t="look", view="v", what="events", row=(0, uid(0))) is None
    asked = page._asked
    page.say(t="do", view="v", what="leave")
    page._asked = asked
    manager.may.set()
    assert answer(page)["error"] == "closed meanwhile"
    [part] = manager.parts
    assert part.closed


def test_a_row_that_has_gone_and_a_stream_of_no_manager(page: Page, stream: FakeStream, pokes: NoPump) -> None:
    gone = say(page, t="look", view="v", what="events", row=(0, "never"))
    assert "not there any more" in gone["error"]
    assert say(page, t="look", view="v", what="secrets", row=(0, uid(0)))["ok"] is False
    alone = FakeStream()
    alone.put(pod(0, RNG))
    table = Table(alone)
    own = Page(table)
    own.here()
    table.turn(time.monotonic())
    assert own.last()[0]["head"]["looks"] is False
    assert "no cluster" in say(own, t="look", view="v", what="events", row=(0, uid(0)))["error"]
    table.close()


def test_a_rows_kind_is_said_with_its_group(page: Page, stream: FakeStream, manager: Manager) -> None:
    assert page.last()[0]["head"]["looks"] is True
    stream.states["a"] = state(resource=PODS | {"name": "widgets", "kind": "Widget", "group": "example.com"})
    look(page, "events", (0, uid(0)))
    assert manager.asked[-1] == ("events", Target("a", "shop", "web-0", "Widget.example.com"))


def test_an_object_by_its_name(page: Page, manager: Manager) -> None:
    ref = {"cluster": "b", "namespace": "shop", "name": "web-5d", "kind": "ReplicaSet.apps"}
    page.say(t="look", view="v", what="logs", ref=ref)
    assert answer(page)["ok"]
    assert manager.asked == [("logs", Target(**ref))]
    # a row that has gone is found by its name, too
    page.say(t="look", view="v", what="events", row=(0, "never"), ref=ref)
    assert answer(page)["ok"]
    assert manager.asked[-1] == ("events", Target(**ref))
    assert list(panels(page)["v"]) == ["logs", "events"], "of the same object"
