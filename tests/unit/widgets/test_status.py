from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux.kernel import holder
from notebook_mux.widgets import costs
from notebook_mux.widgets.status import Status

from .conftest import Page
from .fakes import FakeManager


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


@pytest.fixture
def status(manager, pokes):
    made = Status(manager)
    yield made
    made.close()


def test_a_page_gets_the_whole_status_once_and_then_what_changed(status, manager, monkeypatch):
    page = Page(status)
    page.here()
    now = time.monotonic()
    assert status.turn(now)[0]
    data = page.last()[0]["data"]
    assert data["socket"]["state"] == "open"
    assert (data["socket"]["sockets"], data["socket"]["direct_sockets"]) == (1, 0)
    assert [cluster["name"] for cluster in data["clusters"]] == ["kind-a", "prod-eu"]
    assert data["clusters"][1]["reason"] == "the token has expired"
    assert data["streams"][0]["what"] == "pods in all namespaces"
    assert page.last()[0]["whole"] == {"to": ["*"], "part": 0, "last": True}
    frozen = manager._core_status()
    monkeypatch.setattr(manager, "_core_status", lambda: frozen)
    status.turn(now + 1)
    before = len(page.puts)
    sent, next_ = status.turn(now + 2)
    assert not sent
    assert next_ <= now + 3.1, "the counters are looked at each second"
    assert len(page.puts) == before
    frozen["state"] = "retrying"
    assert status.turn(now + 4)[0]


def test_its_buttons(status, manager, monkeypatch):
    cut: list[str] = []
    monkeypatch.setattr(holder, "core", lambda: SimpleNamespace(cut=cut.append))
    page = Page(status)
    answer = page.say(t="do", view="v", what="cut")
    assert answer is not None
    assert answer["ok"]
    assert cut == ["auto"]
    page.say(t="do", view="v", what="retry")
    assert manager.retried == 1
    answer = page.say(t="do", view="v", what="format the disk")
    assert answer is not None
    assert not answer["ok"]


def test_it_is_data_too(status):
    assert [row["Stream"] for row in status.rows] == ["pods in all namespaces", "nodes"]
    assert status.rows[0]["State"] == "live, login"
    assert "socket open, 2 streams" in repr(status)


def test_what_a_stream_costs(status, manager):
    manager.streams, manager.late = 4, 1
    pods, nodes, _, events = status.data["streams"]
    assert (pods["held"], nodes["held"]) == (["Python", "table web"], ["callback on_pod"])
    assert pods["memory"] > nodes["memory"] > 0
    assert pods["byte_rate"] == pytest.approx(pods["change_rate"] * 5000)
    assert len(pods["minute"]["changes"]) == len(pods["minute"]["lag"]) == 59
    assert max(status.data["kernel"]["minute"]["lag"]) > 1, "the one that is late is seen in the whole"
    assert status.data["kernel"]["memory"] == sum(row["Memory"] for row in status.rows)
    assert status.rows[3]["Skipped"] == events["skipped"] == 7
    shown = status._static_text()
    assert "9.9 MB" in shown
    assert "1700 ms" in shown


def test_it_is_a_data_frame(status, manager):
    pytest.importorskip("pandas")
    frame = status.df()
    assert list(frame["Stream"]) == ["pods in all namespaces", "nodes"]
    assert frame["Memory"].sum() == status.data["kernel"]["memory"]
    assert {"Changes/s", "Lag", "CPU", "Requests", "Lists", "Used by"} <= set(frame.columns)


def test_the_core_of_an_older_version_counts_less(status, manager, monkeypatch):
    older = manager._core_status()
    for part in (older, *older["streams"]):
        for name in ("minute", "memory", "thread", "seconds", "requests", "held"):
            part.pop(name, None)
    monkeypatch.setattr(manager, "_core_status", lambda: older)
    assert status.rows[0]["Changes/s"] == status.rows[0]["Memory"] == 0
    assert status.data["kernel"]["minute"] == {"changes": [], "bytes": [], "lag": []}


def test_the_threads_own_time_is_no_news(status, manager, monkeypatch):
    page = Page(status)
    page.here()
    frozen = manager._core_status()
    monkeypatch.setattr(manager, "_core_status", lambda: frozen)
    now = time.monotonic()
    status.turn(now)
    before = len(page.puts)
    frozen["thread"] += 1
    assert not status.turn(now + 2)[0]
    assert len(page.puts) == before


def test_who_holds_a_stream_in_words():
    holders = ["view-7f-1|table", "view-7f-2|table", "python-7f-3", "callback-7f-4|notebook.<lambda>", "wait-7f-5",
               "iterator-7f-6", "auto#logs-1.2", "view-7f-7"]  # fmt: skip
    assert costs.held(holders) == [
        "Python", "async for", "callback notebook.<lambda>", "logs", "table × 2", "view", "wait",
    ]  # fmt: skip


def test_its_copy_is_text(status, manager):
    manager.socket["reason"] = "<b>cut</b>"
    made = status._static_html()
    assert "<b>cut" not in made
    assert "prod-eu: login (the token has expired)" in made


def test_it_listens_only_while_somebody_looks(status, monkeypatch):
    watchers = []

    def on_status(wake):
        watchers.append(wake)
        return lambda: watchers.remove(wake)

    monkeypatch.setattr(holder, "running", lambda: SimpleNamespace(on_status=on_status))
    page = Page(status)
    page.here()
    status.turn(time.monotonic())
    assert len(watchers) == 1
    page.say(t="bye")
    status.turn(time.monotonic())
    assert watchers == []


def test_without_a_connection_it_says_closed(status, manager, monkeypatch):
    monkeypatch.setattr(manager, "_core_status", dict)
    assert status.data["socket"]["state"] == "closed"
    assert status.rows == []


def at(state: str, **more: Any) -> dict[str, Any]:
    given = {"reason": "", "said": None, "code": None, "todo": None, "since": 5.0, "retry_at": None, "synced": True}
    return {"state": state, "fresh": None, **given, **more}


def test_a_clusters_streams_know_better_than_its_last_answer(status, manager):
    away = at("unreachable", reason="no connection", said="refused", todo="is a VPN up?", retry_at=90.0, fresh=4.0)
    manager.standing.update({"ref-a": away, "ref-eu": at("live")})
    first, second = status.data["clusters"]
    assert (first["state"], first["reason"], first["said"], first["todo"]) == (
        "unreachable", "no connection", "refused", "is a VPN up?",
    )  # fmt: skip
    assert (first["since"], first["retryAt"], first["fresh"]) == (5.0, 90.0, 4.0)
    assert (second["state"], second["reason"]) == ("live", ""), "the login works again, whatever the last answer was"
    assert status.data["streams"][0]["troubles"] == [], "it is the cluster's, and said there"
    assert "kind-a: unreachable (no connection: refused) · rows are from 1970-01-01" in status._static_html()


def test_what_is_forbidden_to_one_stream_is_that_streams(status, manager):
    manager.standing["ref-a"] = at("forbidden", reason="not allowed", said="pods is forbidden", todo="ask for others")
    assert status.data["clusters"][0]["state"] == "live"
    [trouble] = status.data["streams"][0]["troubles"]
    assert (trouble["name"], trouble["state"], trouble["said"]) == ("kind-a", "forbidden", "pods is forbidden")


def test_terminals_are_listed(status, manager, monkeypatch):
    terminal = {
        "id": "auto#terminal-1",
        "about": {"words": "web-0 (deploy/web)", "cluster": "prod-eu"},
        "state": "ended",
        "reason": "",
        "offline": None,
        "returncode": 3,
        "since": 1.0,
        "kept": 600.0,
    }
    frozen = {**manager._core_status(), "terminals": [terminal, terminal | {"offline": ("the socket was cut", 2.0)}]}
    monkeypatch.setattr(manager, "_core_status", lambda: frozen)
    first, second = status.data["terminals"]
    assert (first["words"], first["cluster"], first["state"]) == ("web-0 (deploy/web)", "prod-eu", "ended")
    assert (first["returncode"], first["since"], first["kept"]) == (3, 1.0, 600.0)
    assert (second["state"], second["reason"]) == ("offline", "the socket was cut")
    row = status.rows[-2]
    assert row["Stream"] == "terminal web-0 (deploy/web)"
    assert row["State"] == "ended with exit code 3, kept for 10 min"
    assert repr(status).endswith("2 terminals>")
    assert "ended with exit code 3" in status._static_text()
