"""The store: records in, differences out, a place to resume from."""

from __future__ import annotations

import tracemalloc

import msgspec
import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import ProtocolError
from notebook_mux.kernel.store import Store, size
from notebook_mux.wire.frames import (
    Kind,
    Position,
    Record,
    Skipped,
    decode_records,
    encode_position,
    encode_record,
)

AT = Position("gateway", "first", "10")


def pod(name: str, version: str = "1") -> Record:
    return Record(f"uid-{name}", "default", name, version, "", 0.0)


def synced(*names: str) -> Store:
    store = Store()
    store.apply([(Kind.BEGIN, 0, AT), *((Kind.PUT, 1, pod(n)) for n in names), (Kind.END, 1, AT)])
    return store


def test_a_snapshot_is_synced_at_its_end_only() -> None:
    store = Store()
    store.apply([(Kind.BEGIN, 0, AT), (Kind.PUT, 1, pod("a"))])
    assert (store.synced, store.resume()) == (False, None)
    store.apply([(Kind.END, 7, Position("gateway", "first", "12"))])
    assert store.synced
    resume = store.resume()
    assert resume is not None
    assert (resume.instance, resume.incarnation, resume.number, resume.version) == ("gateway", "first", 7, "12")


def test_differences_tell_old_and_new() -> None:
    store = synced("a")
    old = store.objects["uid-a"]
    new = pod("a", "2")
    assert store.apply([(Kind.PUT, 2, new)]) == [("MODIFIED", new, old)]
    gone = pod("a", "3")
    assert store.apply([(Kind.DELETE, 3, gone)]) == [("DELETED", gone, new)]
    assert store.apply([(Kind.DELETE, 4, gone)]) == []


def test_the_version_of_the_last_change_or_bookmark_is_where_to_resume() -> None:
    store = synced("a")
    store.apply([(Kind.PUT, 2, pod("a", "20"))])
    assert store.resume().version == "20"  # type: ignore[union-attr]
    store.apply([(Kind.PROGRESS, 2, Position("gateway", "first", "31"))])
    assert store.resume().version == "31"  # type: ignore[union-attr]


def test_a_second_snapshot_gives_the_difference_only() -> None:
    store = synced("same", "changed", "gone")
    changed = pod("changed", "2")
    differences = store.apply(
        [
            (Kind.BEGIN, 0, AT),
            (Kind.PUT, 1, pod("same")),
            (Kind.PUT, 2, changed),
            (Kind.PUT, 3, pod("new")),
            (Kind.END, 3, AT),
        ]
    )
    assert [(kind, new.name) for kind, new, _ in differences if new] == [
        ("MODIFIED", "changed"),
        ("ADDED", "new"),
        ("DELETED", "gone"),
    ]


def test_an_interrupted_snapshot_cannot_be_resumed_and_deletes_nothing() -> None:
    store = synced("a", "b")
    store.apply([(Kind.BEGIN, 0, AT), (Kind.PUT, 1, pod("a"))])
    store.interrupted()
    assert store.resume() is None
    assert set(store.objects) == {"uid-a", "uid-b"}


def test_a_number_twice_is_counted_and_not_applied() -> None:
    store = synced("a")
    store.apply([(Kind.PUT, 5, pod("a", "5"))])
    assert store.apply([(Kind.PUT, 5, pod("a", "4")), (Kind.DELETE, 3, pod("a", "3"))]) == []
    assert store.repeated == 2
    assert store.objects["uid-a"].version == "5"


def test_left_out_states_are_counted() -> None:
    store = synced()
    store.apply([(Kind.SKIPPED, 9, Skipped(4, "slow")), (Kind.SKIPPED, 9, Skipped(0, "relist"))])
    assert (store.skipped, store.relists) == (4, 1)


@pytest.mark.parametrize(
    "changes",
    [
        [(Kind.END, 1, AT)],
        [(Kind.BEGIN, 0, AT), (Kind.PROGRESS, 1, AT)],
        [(Kind.BEGIN, 0, AT), (Kind.RESUMED, 1, AT)],
        [(Kind.COLUMNS, 0, b"{")],
    ],
)
def test_an_order_that_is_not_allowed(changes: list[object]) -> None:
    with pytest.raises(ProtocolError):
        Store().apply(changes)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.sampled_from(["put", "delete", "snapshot"]), st.sampled_from("abcde")), max_size=60),
)
def test_applying_the_differences_gives_the_store(steps: list[tuple[str, str]]) -> None:
    store, truth, mirror, number = synced(), {}, {}, 1
    for step, name in steps:
        number += 1
        if step == "snapshot":
            changes = [(Kind.BEGIN, 0, AT), *((Kind.PUT, number, r) for r in truth.values()), (Kind.END, number, AT)]
        elif step == "put":
            truth[name] = pod(name, str(number))
            changes = [(Kind.PUT, number, truth[name])]
        else:
            truth.pop(name, None)
            changes = [(Kind.DELETE, number, pod(name, str(number)))]
        for kind, new, old in store.apply(changes):  # type: ignore[arg-type]
            known = new or old
            assert known is not None
            assert (kind == "ADDED") == (known.uid not in mirror)
            if kind == "DELETED":
                del mirror[known.uid]
            else:
                mirror[known.uid] = known
    assert {r.name: r.version for r in mirror.values()} == {n: r.version for n, r in truth.items()}
    assert mirror == store.objects


def test_columns_are_data() -> None:
    store = synced()
    store.apply([(Kind.COLUMNS, 0, msgspec.json.encode([{"name": "Name"}]))])
    assert store.columns == [{"name": "Name"}]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.binary(max_size=40), st.integers(1, 10**6))))
def test_the_bytes_held_are_those_of_the_records(steps: list[tuple[str, bool, bytes, int]]) -> None:
    store = synced("a", "b")
    for number, (name, stays, content, version) in enumerate(steps, 2):
        record = Record(f"uid-{name}", "default", name, str(version), "", 0.0, content, content * 2)
        store.apply([(Kind.PUT if stays else Kind.DELETE, number, record)])
        assert store.held == sum(map(size, store.objects.values()))
    store.apply([(Kind.BEGIN, 0, AT), (Kind.PUT, 0, pod("c")), (Kind.END, 99, AT)])
    assert store.held == size(store.objects["uid-c"])


def test_what_is_said_to_be_held_is_what_python_says() -> None:
    def frames() -> list[bytes]:
        said = b'{"metadata":{"name":"web","labels":{"app":"web"}},"status":{"phase":"Running"}}' * 20
        one = [
            encode_record(Kind.PUT, n, f"{n:08}-0000-4000-8000-000000000000", "shop", f"web-{n}", f"{n + 10**6}",
                          "2026-11-30T10:00:00Z", 1.5e9 + n, b'["web","1/1","Running"]', said)
            for n in range(1, 2001)
        ]  # fmt: skip
        return [encode_position(Kind.BEGIN, 0, AT), *one, encode_position(Kind.END, 2001, AT)]

    sent = frames()
    store = Store()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for frame in sent:
            store.apply(decode_records(frame))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert store.memory == pytest.approx(taken, rel=0.1)
