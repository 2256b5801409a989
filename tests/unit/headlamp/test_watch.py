"""Lists, watches and the eye on whether they are still there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from notebook_mux.headlamp import watch as module
from notebook_mux.kernel.core import Core
from tests.unit.headlamp.conftest import Watching, eventually
from tests.unit.headlamp.fake_server import MAPS, FakeHeadlamp


def refusal(code: int, message: str) -> tuple[int, str]:
    return code, json.dumps({"kind": "Status", "code": code, "message": message})


def users(headlamp: FakeHeadlamp) -> list[str]:
    return [envelope["userId"] for envelope in headlamp.asked()]


def test_a_long_list_comes_in_pages(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
):
    from notebook_mux.kube import reflector

    monkeypatch.setattr(reflector.Reflector.__init__, "__kwdefaults__", {**_defaults(reflector.Reflector), "page": 3})
    for number in range(8):
        headlamp.put(f"map-{number}", "x" * 100_000)
    watching = Watching(make_core(), headlamp.url)
    assert len(watching.names) == 8
    assert len(watching.told()) == 8
    assert sum("limit=3" in query for query in headlamp.lists) == 3


def _defaults(kind: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = kind.__init__.__kwdefaults__
    return found


def test_a_watch_that_is_silent_for_too_long_is_opened_anew(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
):
    headlamp.put("one")
    watching = Watching(make_core(tick_seconds=0.05), headlamp.url)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.2)
    eventually(lambda: len(headlamp.asked()) >= 3, "it was given up twice")
    monkeypatch.undo()
    assert len(set(users(headlamp))) == len(users(headlamp))
    assert watching.stats["snapshots"] == 1, "it goes on from where it was"
    headlamp.put("two")
    eventually(lambda: watching.has("two"))
    eventually(lambda: watching.state.state == "live")


def test_a_cluster_that_falls_silent_makes_it_stale_with_a_reason(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
):
    watching = Watching(make_core(tick_seconds=0.05), headlamp.url)
    headlamp.answers["/version"] = 504, ""
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.1)
    states = []

    def stale() -> bool:
        states.append(watching.state)
        return bool(states[-1].state == "stale")

    eventually(stale)
    assert "no sign of life" in states[-1].reason
    del headlamp.answers["/version"]
    eventually(lambda: watching.state.state == "live")
    headlamp.put("one")
    eventually(lambda: watching.has("one"))


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (refusal(401, "Unauthorized"), "login", "Unauthorized"),
        (refusal(403, "configmaps is forbidden"), "forbidden", "configmaps is forbidden"),
        (refusal(404, "could not find"), "unreachable", "could not find"),
        (refusal(400, "bad selector"), "closed", "bad selector"),
        (refusal(500, "etcd is away"), "unreachable", "etcd is away"),
        ((502, ""), "unreachable", None),
        ((200, "<html>"), "unreachable", "JSON"),
        ((200, '{"kind": "Table", "metadata": {}, "rows": [{"cells": [], "object": 7}]}'), "unreachable", "Expected"),
    ],
)
def test_a_list_that_is_refused_is_a_state(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], answer: tuple[int, str], state: str, said: str | None
):
    headlamp.answers[MAPS] = answer
    core = make_core(patience=1.0)
    watching = Watching(core, headlamp.url, settle=False)
    eventually(lambda: watching.state.state == state)
    assert watching.state.reason
    if said is not None:
        assert said in watching.state.said
    del headlamp.answers[MAPS]
    headlamp.put("one")
    core.retry(watching.conn)
    eventually(lambda: watching.has("one"))
    eventually(lambda: watching.state.state == "live")


def test_a_server_that_ends_watches_as_soon_as_they_begin_is_not_asked_in_a_tight_loop(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    headlamp.ends_at_once = True
    watching = Watching(make_core(patience=1.0), headlamp.url, settle=False)
    states = []

    def waits() -> bool:
        states.append(watching.state)  # while it is tried again it has no such time
        return states[-1].state == "unreachable" and states[-1].retry_at is not None

    eventually(waits)
    assert states[-1].reason == "the server ends watches as soon as they begin"
    assert len(headlamp.asked()) < 10


def test_an_unknown_event_is_passed_over(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    headlamp.event("DREAMED", {"metadata": {"name": "no"}})
    headlamp.put("one")
    eventually(lambda: watching.has("one"))
    assert not watching.has("no")
    assert len(headlamp.asked()) == 1


def test_the_same_event_twice_is_one_change(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    headlamp.put("one")
    headlamp.event("MODIFIED", headlamp.objects[MAPS]["one"])
    headlamp.put("two")
    eventually(lambda: watching.has("two"))
    assert watching.told() == [("ADDED", "one"), ("ADDED", "two")]


def test_a_path_that_cannot_be_watched_is_refused(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    core = make_core()
    watching = Watching(core, headlamp.url)
    key = (watching.ref, "/api/v1/namespaces/default/pods/x/exec", "", "me")

    async def subscribe() -> Any:
        return core._endpoints[watching.conn].subscription(key)

    subscription = core.thread.submit(subscribe()).result(30)
    eventually(lambda: subscription.state.state == "closed")
    assert "cannot be watched" in subscription.state.reason
