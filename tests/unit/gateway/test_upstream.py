from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from notebook_mux.gateway import watching
from notebook_mux.gateway.upstream import Upstream
from notebook_mux.wire.frames import Kind, decode_records
from tests.unit.gateway.model_server import Mirror, ModelCluster, until


def begin(cluster: ModelCluster, **options: Any) -> tuple[Upstream, Mirror]:
    upstream = Upstream(cluster, "/api/v1/things", patience=0.0, **options)  # type: ignore[arg-type]
    mirror = Mirror(upstream)
    upstream.subscribe(mirror)
    return upstream, mirror


def same(upstream: Upstream, mirror: Mirror, cluster: ModelCluster) -> bool:
    kept = {}
    for encoded in upstream.records.values():
        [(_, _, record)] = decode_records(encoded)
        kept[record.uid] = (record.name, record.version)  # type: ignore[union-attr]
    return upstream.is_synced and kept == mirror.listed() == cluster.listed()


@pytest.mark.parametrize("watch_list", [True, False])
@pytest.mark.parametrize("table", [True, False])
async def test_lists_and_watches(watch_list: bool, table: bool):
    cluster = ModelCluster(table=table, watch_list=watch_list, page=2)
    for name in "abcde":
        cluster.put(name)
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    assert len(upstream.records) == 5
    assert set(upstream.numbers.values()) == {0}
    assert [column["name"] for column in upstream.columns] == (["Name", "Value"] if table else [])
    cluster.put("a", "other")
    cluster.delete("b")
    cluster.put("f")
    await until(lambda: mirror.number == 3)
    assert mirror.seen == [(1, "a", False), (2, "b", True), (3, "f", False)]
    assert same(upstream, mirror, cluster)
    assert ("state", "live") in mirror.log
    record = next(r for r in mirror.held.values() if r.name == "a")
    assert record.cells == (b'["a", "other"]' if table else b"[]")
    assert b'"value": "other"' in record.object
    assert record.created == "2026-01-01T00:00:00Z"
    assert record.namespace == "ns"
    await upstream.aclose()
    assert upstream.state.state == "closed"
    assert mirror.log[-1] == ("state", "closed")


async def test_a_normal_end_goes_on_without_a_list():
    cluster = ModelCluster()
    cluster.put("a")
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    cluster.put("b")
    await until(lambda: mirror.number == 1)
    for how in ("normal", "half", "reset"):
        cluster.end_watches(how)
        cluster.put(f"after-{how}")
        await until(lambda how=how: any(name == f"after-{how}" for _, name, _ in mirror.seen))
    assert sum("sendInitialEvents" in request for request in cluster.requests) == 1
    assert upstream.relists == 0
    assert same(upstream, mirror, cluster)
    await upstream.aclose()


async def test_an_expired_version_is_told_as_a_difference():
    cluster = ModelCluster()
    for name in "abcd":
        cluster.put(name)
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    incarnation = upstream.incarnation
    cluster.end_watches("expired")
    cluster.put("c", "new")
    cluster.delete("a")
    cluster.put("e")
    cluster.put("b", "new")
    cluster.compact()
    await until(lambda: ("relisted", 4) in mirror.log)
    assert mirror.seen == [(1, "a", True), (2, "c", False), (3, "e", False), (4, "b", False)], (
        "deletions, then by version"
    )
    assert upstream.incarnation == incarnation
    assert upstream.relists == 1
    assert same(upstream, mirror, cluster)
    assert upstream.number_of_version(str(cluster.version)) == 4
    assert upstream.number_of_version(str(cluster.version - 1)) is None, "inside the difference no place is true"
    await upstream.aclose()


async def test_other_columns_renew_all_rows():
    cluster = ModelCluster()
    cluster.put("a")
    cluster.put("b")
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    cluster.columns = [*cluster.columns, {**cluster.columns[0], "name": "More"}]
    mirror.held = {uid: _older(record) for uid, record in mirror.held.items()}
    cluster.end_watches()
    cluster.put("c")
    await until(lambda: any(entry[0] == "relisted" for entry in mirror.log))
    assert ("columns", ["Name", "Value", "More"]) in mirror.log
    assert {name for _, name, _ in mirror.seen} == {"a", "b", "c"}
    await upstream.aclose()


def _older(record: Any) -> Any:
    record.version = "0"
    return record


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [
        ("401", "login", 401),
        ("403", "forbidden", 403),
        ("404", "missing", 404),
        ("400", "invalid", 400),
        ("422", "invalid", 422),
        ("429", "unreachable", 429),
        ("503", "unreachable", 503),
        ("refused", "unreachable", None),
        ("plugin", "login", None),
    ],
)
async def test_states(fault: str, state: str, code: int | None):
    cluster = ModelCluster()
    cluster.faults.extend([fault] * 3)
    upstream = Upstream(cluster, "/api/v1/things")  # type: ignore[arg-type]
    mirror = Mirror(upstream)
    upstream.subscribe(mirror)
    await until(lambda: upstream.state.state == state)
    assert upstream.state.code == code
    assert upstream.state.said or upstream.state.reason
    assert upstream.state.fresh is None, "there are no rows"
    assert not upstream.is_synced
    assert (upstream.state.retry_at is None) == (state == "invalid")
    cluster.faults.clear()
    cluster.put("a")
    upstream.retry()
    await until(lambda: upstream.is_synced)
    assert upstream.state.state == "live"
    assert cluster.forgotten == 1
    assert same(upstream, mirror, cluster)
    await upstream.aclose()


async def test_resume_version_begins_exactly_there():
    cluster = ModelCluster()
    cluster.put("a")
    cluster.put("b")
    then = str(cluster.version)
    cluster.put("c")
    cluster.delete("a")
    upstream, mirror = begin(cluster, resume_version=then)
    await until(lambda: mirror.number == 2)
    assert upstream.start_version == then
    assert upstream.number_of_version(then) == 0
    assert mirror.seen == [(1, "c", False), (2, "a", True)]
    assert [number for number, *_ in upstream.replay_after(0) or ()] == [1, 2]
    assert upstream.replay_after(3) is None
    assert upstream.number_of_version(str(cluster.version)) == 2
    await upstream.aclose()


@pytest.mark.parametrize("version", ["100000", "abc", "101"])
async def test_a_resume_version_that_cannot_be_had_is_a_fresh_list(version: str):
    cluster = ModelCluster()
    cluster.put("a")
    cluster.put("b")
    cluster.compact()
    upstream, mirror = begin(cluster, resume_version=version)
    await until(lambda: upstream.is_synced)
    assert upstream.start_version == ""
    assert same(upstream, mirror, cluster)
    await upstream.aclose()


async def test_readers_share_and_the_last_one_ends_it():
    cluster = ModelCluster()
    cluster.put("a")
    ended: list[Upstream] = []
    upstream, mirror = begin(cluster, linger=0.0, on_end=ended.append)
    await until(lambda: upstream.is_synced)
    other = Mirror(upstream)
    upstream.subscribe(other)
    cluster.put("b")
    await until(lambda: mirror.number == other.number == 1)
    upstream.unsubscribe(mirror)
    upstream.unsubscribe(mirror)
    await asyncio.sleep(0.01)
    assert not ended
    upstream.unsubscribe(other)
    upstream.subscribe(other)
    await asyncio.sleep(0.01)
    assert not ended, "a reader came before it had lingered out"
    upstream.unsubscribe(other)
    await until(lambda: ended == [upstream])
    await until(lambda: not cluster.open)
    with pytest.raises(RuntimeError):
        upstream.subscribe(other)


async def test_a_new_reader_gets_nothing_twice():
    cluster = ModelCluster()
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    cluster.put("first")
    await until(lambda: mirror.number == 1)
    cluster.put("second")
    await until(lambda: upstream.number == 2)  # perhaps not given to the readers yet
    other = Mirror(upstream)
    upstream.subscribe(other)
    cluster.put("third")
    await until(lambda: mirror.number == other.number == 3)
    assert [name for _, name, _ in other.seen][-1] == "third"
    assert same(upstream, other, cluster)
    await upstream.aclose()


async def test_a_reader_that_fails_harms_no_other(caplog: pytest.LogCaptureFixture):
    cluster = ModelCluster()
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    bad = Mirror(upstream)
    bad.number = 77
    upstream._flusher.sinks = {bad: None, mirror: None}
    cluster.put("a")
    await until(lambda: mirror.number == 1)
    assert "a reader failed" in caplog.text
    await upstream.aclose()


async def test_what_cannot_be_decoded_is_listed_again():
    cluster = ModelCluster()
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    cluster.open[0].end(half=b'{"type":"ADDED","object":[]}\n')
    cluster.put("a")
    await until(lambda: ("state", "unreachable") in mirror.log)
    await until(lambda: mirror.number == 1)
    assert upstream.state.state == "live"
    assert same(upstream, mirror, cluster)
    await upstream.aclose()


async def test_a_mistake_of_ours_does_not_end_it(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    cluster = ModelCluster()
    cluster.put("a")
    real = watching.Watching.run
    calls = iter([True, False])

    async def broken(self: Any, path: str, query: str) -> Any:
        if next(calls, False):
            raise KeyError("a mistake")
        return await real(self, path, query)

    monkeypatch.setattr(watching.Watching, "run", broken)
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    assert "goes on with a new list" in caplog.text
    assert same(upstream, mirror, cluster)
    await upstream.aclose()


async def test_a_silent_server_is_stale_then_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(watching, "QUIET_SECONDS", 0.0)
    cluster = ModelCluster()
    cluster.put("a")
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    cluster.alive = False
    cluster.faults.extend(["refused"] * 2)
    await until(lambda: ("state", "stale") in mirror.log)
    await until(lambda: ("state", "unreachable") in mirror.log)
    assert upstream.state.fresh is not None
    assert upstream.state.fresh <= upstream.state.since, "of the last sign of life, however often the state moves"
    cluster.alive = True
    cluster.put("b")
    await until(lambda: upstream.state.state == "live" and mirror.number == 1)
    assert upstream.state.fresh is None
    assert upstream.relists == 0
    assert same(upstream, mirror, cluster)
    await upstream.aclose()


async def test_stale_and_back_on_the_same_connection(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(watching, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(watching, "MISSES", 1000)
    cluster = ModelCluster()
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    cluster.alive = False
    await until(lambda: upstream.state.state == "stale")
    cluster.put("a")
    await until(lambda: ("state", "live") in mirror.log[mirror.log.index(("state", "stale")) :])
    asked = len(cluster.requests)
    await until(lambda: upstream.state.state == "stale")
    upstream.retry()  # someone does not want to wait: another connection
    await until(lambda: len(cluster.requests) > asked)
    cluster.alive = True
    await until(lambda: upstream.state.state == "live")
    await upstream.aclose()


async def test_initial_events_that_never_end_become_a_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(watching, "INITIAL_SILENCE_SECONDS", 0.02)

    class Endless(ModelCluster):
        def _mark(self, initial_end: bool = False) -> dict[str, Any]:
            return super()._mark(initial_end=False)

    cluster = Endless()
    cluster.put("a")
    upstream, mirror = begin(cluster)
    await until(lambda: upstream.is_synced)
    assert any("limit" in request for request in cluster.requests)
    assert same(upstream, mirror, cluster)
    await upstream.aclose()


OPERATIONS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("abcd")),
    st.tuples(st.just("delete"), st.sampled_from("abcd")),
    st.tuples(st.just("bookmark"), st.none()),
    st.tuples(st.just("compact"), st.none()),
    st.tuples(st.just("end"), st.sampled_from(["normal", "half", "reset", "expired", "internal"])),
    st.tuples(st.just("fault"), st.sampled_from(["refused", "410", "429", "500", "503", "401", "403", "404"])),
    st.tuples(st.just("turns"), st.integers(1, 30)),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    operations=st.lists(OPERATIONS, max_size=40),
    table=st.booleans(),
    watch_list=st.booleans(),
    piece=st.sampled_from([7, 100, 1 << 20]),
    page=st.sampled_from([0, 1, 2]),
    resume=st.booleans(),
)
def test_after_anything_the_store_equals_a_fresh_list(operations, table, watch_list, piece, page, resume):
    async def scenario() -> None:
        cluster = ModelCluster(table=table, watch_list=watch_list, piece=piece, page=page)
        cluster.put("a")
        cluster.put("b")
        upstream, mirror = begin(cluster, resume_version=str(cluster.version) if resume else None)
        for operation, argument in operations:
            if operation == "put":
                cluster.put(argument)
            elif operation == "delete":
                cluster.delete(argument)
            elif operation == "bookmark":
                cluster.bookmark()
            elif operation == "compact":
                cluster.compact()
            elif operation == "end":
                cluster.end_watches(argument)
            elif operation == "fault":
                cluster.faults.append(argument)
            else:
                for _ in range(argument):
                    await asyncio.sleep(0)
        cluster.faults.clear()
        upstream.retry()
        cluster.put("last")
        await until(lambda: same(upstream, mirror, cluster) and upstream.state.state == "live")
        replay = upstream.replay_after(0)
        assert replay is not None
        assert [number for number, *_ in replay] == list(range(1, upstream.number + 1))
        for number, uid, _, encoded in replay:
            assert decode_records(encoded)[0][1] == number
            assert encoded[0] in (Kind.PUT, Kind.DELETE)
            assert uid
        await upstream.aclose()
        assert not cluster.open

    asyncio.run(scenario())
