from __future__ import annotations

import json
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux.handles.identity import Context
from notebook_mux.handles.metrics import Answer, Question
from notebook_mux.kernel.members import StreamSpec
from notebook_mux.printing.amounts import Amounts, quantity
from notebook_mux.widgets import table as table_module, usage as usage_module
from notebook_mux.widgets.table import Table
from notebook_mux.widgets.usage import Usage, once, places_of

from .conftest import Page
from .fakes import PODS, FakeStream, pod, state
from .test_table import run, shown

RNG = random.Random(4)
NODES = {**PODS, "name": "nodes", "kind": "Node", "namespaced": False}
CONTEXTS = tuple(Context(name, name, f"ref-{name}", "", "default") for name in ("a", "b"))
MANAGER = SimpleNamespace(
    _identity=SimpleNamespace(connection="auto", scope="s", user="u", contexts=CONTEXTS), _may_write=set
)


class FakePoller:
    """Answers what the test says."""

    def __init__(self) -> None:
        self.held: dict[Question, Callable[[], None]] = {}
        self.answers: dict[Question, Answer] = {}

    def hold(self, question: Question, wake: Callable[[], None]) -> Callable[[], None]:
        self.held[question] = wake

        def undo() -> None:
            del self.held[question]

        return undo

    def answer(self, question: Question) -> Answer:
        return self.answers.get(question, Answer())

    def say(self, question: Question, at: float, trouble: str = "", **cpu: str) -> None:
        figures = {("shop", name): Amounts(quantity(used), 0) for name, used in cpu.items()}
        self.answers[question] = Answer(figures, trouble, at)
        if question in self.held:
            self.held[question]()


@pytest.fixture
def poller(monkeypatch: pytest.MonkeyPatch) -> FakePoller:
    made = FakePoller()
    monkeypatch.setattr(usage_module.Usage.__init__, "__defaults__", (made,))
    monkeypatch.setattr(usage_module.once, "__defaults__", (made,))
    return made


def question(cluster: str, resource: str = "pods", namespace: str = "", selector: str = "") -> Question:
    return Question("auto", "s", "u", f"ref-{cluster}", resource, namespace, selector)


def test_what_is_asked_follows_what_is_shown() -> None:
    states: dict[str, Any] = {
        "a": state(), "b": state(namespaces=("y", "x")), "c": state(), "d": state(resource=None),
    }  # fmt: skip
    assert places_of(SimpleNamespace(states=states), MANAGER) == {
        "a": (question("a"),), "b": (question("b", namespace="x"), question("b", namespace="y")),
    }  # fmt: skip
    nodes = {"a": state(resource=NODES, namespaces=None), "b": state(resource={**PODS, "name": "services"})}
    assert places_of(SimpleNamespace(states=nodes), MANAGER) == {"a": (question("a", "nodes"),)}
    assert places_of(SimpleNamespace(states=states), None) == {}


def test_only_what_moved_is_said(poller: FakePoller) -> None:
    usage = Usage(lambda: None)
    usage.want({"a": (question("a"),)})
    assert not usage.known
    poller.say(question("a"), 1, web="5m", api="7m")
    assert usage.known
    assert usage.changed() == {"a": {("shop", "web"), ("shop", "api")}}
    assert usage.changed() == {}
    poller.say(question("a"), 2, web="5m", api="8m")
    assert usage.changed() == {"a": {("shop", "api")}}
    poller.say(question("a"), 3, web="5m")
    assert usage.changed() == {"a": {("shop", "api")}}
    usage.close()
    assert usage.changed() == {"a": {("shop", "web")}}
    assert poller.held == {}


def test_a_note_says_where_there_are_none(poller: FakePoller) -> None:
    usage = Usage(lambda: None)
    usage.want({"a": (question("a"),), "b": (question("b"),)})
    poller.say(question("b"), 1, trouble="it is not installed")
    assert usage.notes() == ["no metrics in b: it is not installed"]
    poller.say(question("a"), 1, trouble="it is not installed")
    assert usage.notes() == ["no metrics in a, b: it is not installed"]


def test_one_look_does_not_wait_for_ever(poller: FakePoller) -> None:
    assert once({"a": (question("a"),)}, 0.0).cells("a", pod(1, RNG), PODS) == ()


def test_one_look_that_is_interrupted_has_nothing_asked_any_more(
    poller: FakePoller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Question) -> Answer:
        raise KeyboardInterrupt

    monkeypatch.setattr(poller, "answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        once({"a": (question("a"),)}, 60.0)
    assert poller.held == {}
    assert poller.held == {}


@pytest.fixture
def stream() -> FakeStream:
    made = FakeStream(("a",))
    for number in (0, 3):
        record = pod(number, RNG)
        record.namespace, record.name = "shop", "web" if number == 0 else "api"
        record.object = json.dumps({"spec": {"containers": [{"resources": {"requests": {"cpu": "10m"}}}]}}).encode()
        made.put(record)
    return made


def test_a_table_shows_usage_while_somebody_looks(
    stream: FakeStream, poller: FakePoller, pokes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module.Table, "_manager", MANAGER)
    table = Table(stream, usage=True)
    assert table.columns[3:] == ["Restarts", "CPU", "%CPU/R", "%CPU/L", "Mem", "%Mem/R", "%Mem/L", "Age"]
    page = Page(table)
    page.here()
    now = run(table, page)
    assert list(poller.held) == [question("a")]
    assert {row[4][-1] for row in shown(page).values()} == {None}
    poller.say(question("a"), 1, web="5m")
    now = run(table, page, now)
    cells = {row[3]: row[4][-6:] for row in shown(page).values()}
    assert cells == {"web": ["5m", 50, "n/a", "0Mi", "n/a", "n/a"], "api": [None] * 6}
    assert [row["CPU"] for row in table.rows] == [None, "5m"]
    assert [*table.rows[0]][5:14] == [*table.columns[4:], "IP", "Node"]
    poller.say(question("a"), 2, trouble="it is not installed")
    run(table, page, now)
    assert page.last()[0]["head"]["notes"] == ["no metrics in a: it is not installed"]
    page.say(t="bye")
    table.turn(now + 60)
    assert poller.held == {}
    table.close()


def test_only_what_is_selected_is_asked_for(
    stream: FakeStream, poller: FakePoller, pokes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module.Table, "_manager", MANAGER)
    spec = StreamSpec("auto", (("a", "ref-a", "default"),), "pods", ("*",), "app in (web)", "spec.nodeName=n1")
    stream._source = SimpleNamespace(spec=spec)  # type: ignore[attr-defined]
    table = Table(stream, usage=True)
    page = Page(table)
    page.here()
    run(table, page)
    assert list(poller.held) == [question("a", selector="app in (web)")]
    table.close()


def test_another_kind_has_no_usage(pokes: Any) -> None:
    stream = FakeStream(("a",))
    stream.states["a"] = state(resource={**PODS, "name": "services", "kind": "Service"})
    table = Table(stream, usage=True)
    assert "CPU" not in table.columns
    table.close()
