from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from notebook_mux.errors import (
    Ambiguous,
    BadSelector,
    Closed,
    Forbidden,
    InvalidArgument,
    LoginRequired,
    NotFound,
    NotSynced,
    TimedOut,
    UnknownContext,
    UnknownKind,
)
from notebook_mux.handles import waiting
from notebook_mux.handles.stream import Stream
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, FakeStream, manager, pod
from tests.waiting import eventually


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return fake_core.install(monkeypatch)


def synced(core: FakeCore, *records: Any) -> None:
    """Streams come with these records."""
    core.prepare = lambda stream: stream.sync(*records)


def test_the_same_question_gives_the_same_stream(core: FakeCore) -> None:
    synced(core)
    m = manager(core, "dev", "prod")
    stream = m.watch("pods", namespace=["b", "a"], selector={"app": "web"})
    assert m.watch("pods ", namespace=["a", "b", "a"], selector=" app=web ") is stream
    others = [
        m.watch("pods"),
        m.watch("pods", namespace="*"),
        m.watch("pods", cluster="dev"),
        m.watch("pods", selector="app=web"),
        m.watch("nodes"),
        m.watch("pods", field_selector="status.phase=Running"),
    ]
    assert len({id(one) for one in [stream, *others]}) == 7
    assert core.asked("open_stream") == [("open_stream", k) for k in ("pods",) * 5 + ("nodes", "pods")]
    assert set(m.streams) == {stream, *others}


def test_what_the_core_is_asked(core: FakeCore) -> None:
    synced(core)
    stream = manager(core, "dev", "prod").watch("pods", cluster="prod", namespace="*", selector="a=b")
    assert core.stream.spec == (
        "auto",
        (("prod", "ref-prod", "default"),),
        "pods",
        ("*",),
        "a=b",
        "",
        "user",
    )
    assert stream._words() == "pods in all namespaces of prod with a=b"


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ({"kind": ""}, InvalidArgument),
        ({"kind": None}, InvalidArgument),
        ({"namespace": "../x"}, InvalidArgument),
        ({"namespace": "A"}, InvalidArgument),
        ({"namespace": []}, InvalidArgument),
        ({"namespace": [7]}, InvalidArgument),
        ({"namespace": "x" * 64}, InvalidArgument),
        ({"cluster": "deb"}, UnknownContext),
        ({"cluster": []}, InvalidArgument),
        ({"selector": "a b"}, BadSelector),
        ({"field_selector": "a"}, BadSelector),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_core_is_asked(
    core: FakeCore, named: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        manager(core).watch(**{"kind": "pods", **named})
    assert type(caught.value) is error
    assert core.calls == []


def test_rows_have_the_servers_titles(core: FakeCore) -> None:
    synced(core, pod("web-1", restarts="2 (5m ago)"), pod("web-0", age=40))
    (first, second) = manager(core).watch("pods").rows
    assert list(first) == ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node"]
    assert (first["Name"], second["Name"]) == ("web-0", "web-1")
    assert second["Restarts"] == "2 (5m ago)"
    assert second["Age"] == "5m"


def test_clusters_and_namespaces_come_first_where_there_are_several(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    m = manager(core, "dev", "prod")
    assert list(m.watch("pods").rows[0])[:2] == ["Cluster", "Name"]
    assert list(m.watch("pods", namespace="*").rows[1].items())[:3] == [
        ("Cluster", "prod"),
        ("Namespace", "default"),
        ("Name", "web-0"),
    ]
    assert list(m.watch("pods", cluster="dev", namespace=["a", "b"]).rows[0])[:2] == ["Namespace", "Name"]


def test_objects_by_name(core: FakeCore) -> None:
    synced(core, pod("web-0"), pod("web-1"), pod("web-0", "other"), pod("db-0", "other"))
    stream = manager(core).watch("pods", namespace="*")
    assert len(stream) == 4
    assert stream
    assert [one.name for one in stream] == ["web-0", "web-1", "db-0", "web-0"]
    assert stream["web-1"].namespace == "default"
    assert stream["other/web-0"] == stream["other", "web-0"] == stream["dev", "other", "web-0"]
    assert stream.get("web-1") == stream["web-1"]
    assert stream.get("nobody") is None
    assert stream.get("nobody", 7) == 7
    assert "web-1" in stream
    assert stream["web-1"] in stream
    assert "nobody" not in stream
    assert 7 not in stream
    with pytest.raises(KeyError, match="did you mean web-1"):
        stream["web-11"]
    with pytest.raises(NotFound):
        stream[7]  # type: ignore[index]
    for ask in (stream.__getitem__, stream.get):
        with pytest.raises(Ambiguous, match="other/web-0"):
            ask("web-0")


def test_an_edit_does_not_reach_the_store(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    stream["web-0"]["status"]["phase"] = "edited"
    stream.objects[0].clear()
    stream.columns[0]["name"] = "edited"
    assert stream["web-0"]["status"]["phase"] == "Running"
    assert stream.columns[0]["name"] == "Name"


def test_it_is_live(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    core.stream.put(pod("web-1"), pod("web-0", status="Failed"))
    assert [row["Status"] for row in stream.rows] == ["Failed", "Running"]
    core.stream.delete("uid-default-web-1")
    assert len(stream) == 1


def test_clusters_say_how_they_stand(core: FakeCore) -> None:
    def prepare(stream: FakeStream) -> None:
        stream.sync(pod("web-0"), cluster="dev")
        stream.say("unreachable", "connection refused", "prod", retry_at=2_000_000_000.0)

    core.prepare = prepare
    stream = manager(core, "dev", "prod").watch("pods")
    assert not stream.synced
    assert stream.clusters["dev"].state == "live"
    prod = stream.clusters["prod"]
    assert (prod.state, prod.reason, prod.synced) == ("unreachable", "connection refused", False)
    assert prod.retry_at is not None
    assert prod.retry_at.isoformat() == "2033-05-18T03:33:20+00:00"
    assert prod.since.tzinfo is not None
    with pytest.raises(UnknownContext, match="dev, prod"):
        stream.clusters["staging"]
    assert [row["Cluster"] for row in stream.rows] == ["dev"]
    core.stream.sync(pod("web-0"), cluster="prod")
    assert stream.synced


def test_watch_raises_what_all_clusters_say_for_good(core: FakeCore) -> None:
    def fail(state: str, code: str) -> None:
        def prepare(stream: FakeStream) -> None:
            for alias in stream.states:
                stream.say(state, "because", alias, code=code, said="the server's words", todo="do this")

        core.prepare = prepare

    m = manager(core, "dev", "prod")
    for state, code, error in [
        ("login", "login", LoginRequired),
        ("forbidden", "forbidden", Forbidden),
        ("unreachable", "unknown-kind", UnknownKind),
        ("closed", "bad-selector", BadSelector),
        ("closed", "invalid", InvalidArgument),
    ]:
        fail(state, code)
        with pytest.raises(error, match="the server's words") as caught:
            m.watch(f"kind-{code}")
        assert type(caught.value) is error
        assert "prod" in str(caught.value)
    gc.collect()
    assert not any(stream.holders for stream in core.streams.values())


def test_watch_returns_where_a_cluster_may_yet_come(core: FakeCore) -> None:
    core.prepare = lambda stream: stream.say("unreachable", "connection refused")
    m = manager(core)
    stream = m.watch("pods")
    with pytest.raises(NotSynced, match="connection refused"):
        stream.rows  # noqa: B018
    assert "unreachable" in repr(stream)


def test_watch_returns_after_its_time(core: FakeCore) -> None:
    stream = manager(core).watch("pods", timeout=0.01)
    assert stream.clusters["dev"].state == "connecting"


def test_reading_waits_for_the_first_list(core: FakeCore) -> None:
    stream = manager(core).watch("pods", timeout=0.01)
    threading.Timer(0.05, lambda: core.stream.sync(pod("web-0"))).start()
    assert len(stream) == 1


def test_reading_does_not_wait_for_ever(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = manager(core).watch("pods", timeout=0.01)
    monkeypatch.setattr("notebook_mux.handles.source.READ_SECONDS", 0.01)
    monkeypatch.setattr(type(stream._source).ready, "__defaults__", (0.01,))
    with pytest.raises(NotSynced, match="asking what it serves"):
        stream.rows  # noqa: B018


def test_a_stale_stream_is_read(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    core.stream.say("stale", "the socket is gone")
    assert len(stream) == 1
    assert stream.synced


def test_close_ends_it_for_good(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    m = manager(core)
    stream = m.watch("pods")
    stream.close()
    stream.close()
    assert core.streams == {}
    uses = [
        lambda: stream.rows,
        lambda: stream["web-0"],
        lambda: len(stream),
        stream.changes,
        lambda: stream.on_change(print),
        lambda: stream.wait("create"),
        lambda: m.table(stream),
    ]
    for use in uses:
        with pytest.raises(Closed):
            use()
    assert stream.clusters["dev"].state == "closed"
    assert "closed" in repr(stream)
    assert m.watch("pods") is not stream


def test_a_stream_closed_elsewhere_is_closed_here_too(core: FakeCore) -> None:
    synced(core)
    m = manager(core)
    stream = m.watch("pods")
    core.close_stream(core.stream.id)
    with pytest.raises(Closed):
        stream.rows  # noqa: B018
    assert m.watch("pods") is not stream


# --- who holds it -----------------------------------------------------------------------------------------------------


def test_python_holds_it_while_it_is_referred_to(core: FakeCore) -> None:
    synced(core)
    m = manager(core)
    stream = m.watch("pods")
    assert len(core.stream.holders) == 1
    del stream
    gc.collect()
    assert core.stream.holders == set()
    core.linger()
    assert core.streams == {}


def test_a_stream_let_go_is_opened_again_when_it_is_used(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    stream._keep(False)
    core.linger()
    assert core.streams == {}
    assert len(stream) == 1
    assert len(core.asked("open_stream")) == 2


def test_a_callback_and_an_iterator_hold_it(core: FakeCore) -> None:
    synced(core)
    m = manager(core)
    undo = m.watch("pods").on_change(lambda change: None)
    gc.collect()
    assert [name.split("-")[0] for name in core.stream.holders] == ["callback"]
    changes = m.watch("pods").changes()
    gc.collect()
    assert sorted(name.split("-")[0] for name in core.stream.holders) == ["callback", "iterator"]
    undo()
    undo()
    del changes
    gc.collect()
    assert core.stream.holders == set()
    assert core.stream.feeds == []


def test_closing_a_new_handle_ends_the_callbacks_of_an_old_one(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    m = manager(core)
    seen: list[Any] = []
    m.watch("pods").on_change(seen.append, initial=False)
    gc.collect()
    stream = core.stream
    m.watch("pods").close()
    assert stream.feeds == []


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_wait_for_all(core: FakeCore) -> None:
    synced(core, pod("web-0"), pod("web-1", ready=False))
    stream = manager(core).watch("pods")
    threading.Timer(0.05, lambda: core.stream.put(pod("web-1"))).start()
    snapshot = stream.wait("condition=Ready", timeout=10)
    assert [one.name for one in snapshot] == ["web-0", "web-1"]
    assert core.stream.feeds == []
    assert not [name for name in core.stream.holders if name.startswith("wait")]


def test_wait_for_some(core: FakeCore) -> None:
    synced(core)
    stream = manager(core).watch("pods")
    threading.Timer(0.05, lambda: core.stream.put(pod("a"), pod("b"), pod("c", ready=False))).start()
    assert len(stream.wait("condition=Ready", of=2, timeout=10)) == 3
    assert len(stream.wait(lambda one: one.name == "c", of=1, timeout=10)) == 3


def test_wait_for_deletion_is_by_identity(core: FakeCore) -> None:
    synced(core, pod("web-0"), pod("web-1"))
    stream = manager(core).watch("pods")

    def end() -> None:
        eventually(
            lambda: core.stream.feeds and not core.stream.feeds[0]._queue, "the wait knows those there are", seconds=30
        )
        core.stream.delete("uid-default-web-0")
        core.stream.put(pod("web-0", uid="another"))
        core.stream.delete("uid-default-web-1")

    ending = threading.Thread(target=end)
    ending.start()
    assert [one.name for one in stream.wait("delete", timeout=30)] == ["web-0"]
    ending.join()


def test_waiting_for_nothing_is_an_error(core: FakeCore) -> None:
    synced(core)
    stream = manager(core).watch("pods")
    amounts: list[Any] = ["all", 1]
    for of in amounts:
        with pytest.raises(NotFound, match="nothing to wait for"):
            stream.wait("delete", of=of, timeout=1)
    with pytest.raises(NotFound):
        stream.wait("condition=Ready", timeout=1)
    amounts = [0, -1, True, "any", 1.5]
    for of in amounts:
        with pytest.raises(InvalidArgument):
            stream.wait("create", of=of)


def test_a_wait_that_takes_too_long_says_for_whom(core: FakeCore) -> None:
    synced(core, *(pod(f"web-{i}", ready=i == 0) for i in range(6)))
    stream = manager(core).watch("pods")
    with pytest.raises(TimedOut) as caught:
        stream.wait("condition=Ready", timeout=0.02)
    assert "1 of 6, not yet web-1, web-2, web-3 and 2 more" in str(caught.value)
    assert core.stream.feeds == []


def test_a_wait_ends_when_the_stream_is_closed(core: FakeCore) -> None:
    synced(core, pod("web-0", ready=False))
    stream = manager(core).watch("pods")
    threading.Timer(0.05, stream.close).start()
    with pytest.raises(Closed):
        stream.wait("condition=Ready", timeout=10)


def test_a_condition_that_fails_ends_the_wait(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    with pytest.raises(ZeroDivisionError):
        stream.wait(lambda one: 1 / 0)
    assert core.stream.feeds == []


async def test_waiting_can_be_awaited(core: FakeCore) -> None:
    from notebook_mux import aio

    synced(core, pod("web-0", ready=False))
    stream: Stream = await waiting.awaiting(manager(core)._watch("pods"))
    threading.Timer(0.05, lambda: core.stream.put(pod("web-0"))).start()
    assert len(await aio.wait(stream, "condition=Ready")) == 1
