from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from notebook_mux.kernel import holder
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
