from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notebook_mux.errors import Forbidden, UnknownKind
from notebook_mux.widgets import picking
from notebook_mux.widgets.table import Table
from tests.waiting import eventually

from .conftest import NoPump, Page
from .fake_manager import FakeManager
from .fakes import FakeStream


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


@pytest.fixture
def table(manager: FakeManager, pokes: NoPump) -> Iterator[Table]:
    def source() -> Any:
        return manager.stream("pods", "*", None, "app=web")

    made = Table(source(), source=source)
    yield made
    made.close()


@pytest.fixture
def page(table: Table) -> Page:
    page = Page(table)
    page.here()
    table.turn(time.monotonic())
    return page


def asked(page: Page, **message: Any) -> dict[str, Any]:
    """Ask, and wait for the answer."""
    page.say(view="v", **message)

    def found() -> list[dict[str, Any]]:
        return [content for content, _ in page.sent if content["t"] == "reply" and content["id"] == page._asked]

    eventually(found, "an answer", seconds=20)
    return found()[0]


def head(table: Table, page: Page) -> dict[str, Any]:
    """What the page is told next."""
    before = len(page.puts)
    page.say(t="ack", n=page.last()[0]["n"])
    table.turn(time.monotonic() + before)
    found: dict[str, Any] = page.puts[before][0]["head"]
    return found


def test_another_kind_is_shown_in_the_same_table(table: Table, page: Page, manager: FakeManager) -> None:
    table.apply(sort="-Restarts", columns=["Name", "Restarts"], filter="restarts>3", group="node")
    answer = asked(page, t="pick", kind="deployments")
    assert answer["ok"]
    assert "columns Name, Restarts" in answer["said"]
    assert "selector app=web" in answer["said"]
    told = head(table, page)
    assert told["kind"]["kind"] == "Deployment"
    assert told["question"]["kind"] == "deployments"
    assert told["title"].startswith("deployments in all namespaces")
    assert (table.sort, table.filter, table.group) == (None, "", None)
    assert table.columns[:2] == ["Name", "Ready"]
    assert page.last()[0]["whole"]["part"] == 0


def test_what_fits_stays(table: Table, manager: FakeManager) -> None:
    table.apply(sort="-Age", filter="web app=api ready=1/1", group="namespace")
    table.pick("deployments")
    assert (table.sort, table.filter, table.group) == ("-Age", "web app=api ready=1/1", "namespace")
    table.pick("nodes")
    assert table.filter == ""  # a node has no Ready


def test_namespaces_and_clusters(table: Table, manager: FakeManager) -> None:
    table.pick(namespace=["shop", "default"], cluster="prod-eu")
    assert manager.asked[-1] == ("pods", ["shop", "default"], "prod-eu", "app=web", None)
    table.pick("deployments")
    assert manager.asked[-1] == ("deployments", ["default", "shop"], ["prod-eu"], None, None)
    table.pick(namespace=None, cluster=None)
    assert manager.asked[-1][1:3] == (None, None)


def test_with_nothing_chosen_it_is_as_the_cell_says(table: Table, page: Page, manager: FakeManager) -> None:
    table.pick("deployments")
    assert head(table, page)["question"]["kind"] == "deployments"
    table.pick()
    assert head(table, page)["question"]["kind"] == "pods"
    assert table._title.startswith("pods")


def test_one_that_cannot_be_shown_changes_nothing(table: Table, page: Page, manager: FakeManager) -> None:
    manager.refuses["secrets"] = Forbidden("you may not list secrets", cluster="kind-a")
    table.sort = "-Restarts"
    answer = asked(page, t="pick", kind="secrets")
    assert not answer["ok"]
    assert "you may not list secrets" in answer["error"]
    assert table.stream._source.spec[2] == "pods"
    assert table.sort == "-Restarts"
    with pytest.raises(Forbidden):
        table.pick("secrets")


def test_the_last_choice_counts(
    table: Table, page: Page, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    may, watch = threading.Event(), manager._watch

    async def slow(kind: str, *rest: Any) -> Any:
        if kind == "nodes":
            assert may.wait(20)
        return await watch(kind, *rest)

    monkeypatch.setattr(manager, "_watch", slow)
    page.say(view="v", t="pick", kind="nodes")
    first = page._asked
    assert asked(page, t="pick", kind="deployments")["ok"]
    may.set()
    eventually(lambda: any(c["t"] == "reply" and c["id"] == first for c, _ in page.sent), "an answer", seconds=20)
    assert table.stream._source.spec[2] == "deployments"


def test_none_is_shown_while_another_one_is_about_to_be(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it might be the earlier that comes last: whether it is the last choice is looked at before it is shown."""
    exchange, showing = table._exchange, []

    def shown(*given: Any) -> None:
        with ThreadPoolExecutor(1) as other:
            showing.append(not other.submit(table._picker._showing.acquire, blocking=False).result(20))
        exchange(*given)

    monkeypatch.setattr(table, "_exchange", shown)
    table.pick("deployments")
    table.pick()
    assert showing == [True, True]


class FakeServer:
    """Of cluster ``prod-eu`` the namespaces may not be listed, and it has a kind of its own."""

    def __init__(self, _identity: Any, context: Any) -> None:
        self.name = context.alias

    async def _discover(self, _refresh: bool) -> list[dict[str, Any]]:
        def one(name: str, group: str, kind: str, short: list[str], verbs: str = "get list watch") -> dict[str, Any]:
            return {"name": name, "singular": kind.lower(), "kind": kind, "group": group, "version": "v1",
                    "namespaced": True, "short_names": short, "categories": [], "verbs": verbs.split()}  # fmt: skip

        served = [one("pods", "", "Pod", ["po"]), one("bindings", "", "Binding", [], "create")]
        served += [one("events", "", "Event", ["ev"]), one("events", "events.k8s.io", "Event", ["ev"])]
        return [*served, *([one("boats", "example.com", "Boat", ["bo"])] if self.name == "prod-eu" else [])]

    async def request(self, path: str, query: str, accept: str) -> tuple[int, bytes]:
        assert path == "/api/v1/namespaces"
        if self.name == "prod-eu":
            return 403, b"{}"
        more = "" if "continue" in query else "there-is-more"
        names = ("default", "kube-system") if more else ("web",)
        items = [{"metadata": {"name": name}} for name in names]
        return 200, json.dumps({"metadata": {"continue": more}, "items": items}).encode()


def test_what_there_is_to_choose_from(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "Server", FakeServer)
    kinds = asked(page, t="choices", what="kinds")["kinds"]
    assert [word for word, *_ in kinds] == ["pods", "events", "events.events.k8s.io", "boats"]
    assert kinds[0] == ["pods", "Pod", "", ["po", "pod"]]
    found = asked(page, t="choices", what="namespaces")
    assert found["namespaces"] == ["default", "kube-system", "shop", "web"]
    assert "prod-eu: its namespaces may not be listed" in found["said"]
    assert asked(page, t="choices", what="clusters")["clusters"] == [["kind-a", "live"], ["prod-eu", "live"]]


def test_the_head_says_what_can_be_chosen(table: Table, page: Page) -> None:
    question = page.last()[0]["head"]["question"]
    assert question["all"] == ["kind-a", "prod-eu"]
    assert question["own"] == ["default", "shop"]
    assert question["clusters"] is None


def test_a_stream_of_nobody_offers_nothing(pokes: NoPump) -> None:
    table = Table(FakeStream())
    page = Page(table)
    page.here()
    assert "no manager" in asked(page, t="pick", kind="pods")["error"]
    table.close()


def test_a_kind_that_is_not_there(table: Table, manager: FakeManager) -> None:
    manager.refuses["podz"] = UnknownKind("the cluster serves no kind 'podz'", todo="did you mean pods?")
    with pytest.raises(UnknownKind):
        table.pick("podz")
    assert table.stream._source.spec[2] == "pods"
