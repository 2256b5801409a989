from __future__ import annotations

from notebook_mux.gateway.upstream_store import UpstreamStore
from notebook_mux.kube.states import Item
from notebook_mux.kube.table_events import Metadata
from notebook_mux.wire.frames import Record, decode_records


def meta(name: str, version: str, uid: str | None = None) -> Metadata:
    return Metadata(name=name, namespace="ns", uid=f"uid-{name}" if uid is None else uid, resourceVersion=version)


def put(store: UpstreamStore, name: str, version: str, content: bytes = b"{}") -> Item | None:
    return store.change(False, meta(name, version), b"[]", content, 1.0)


def full(**limits: int) -> UpstreamStore:
    store = UpstreamStore(**limits)
    store.begin()
    store.listed(meta("a", "1"), b"[]", b"{}", 1.0)
    store.listed(meta("b", "2"), b"[]", b"{}", 1.0)
    assert store.finish("10") == []
    return store


def record(encoded: bytes) -> Record:
    [(_, _, found)] = decode_records(encoded)
    assert isinstance(found, Record)
    return found


def test_the_first_list_has_no_numbers():
    store = full()
    assert (store.number, store.numbers) == (0, {"uid-a": 0, "uid-b": 0})
    assert record(store.records["uid-a"]).version == "1"
    assert store.replay_after(0) == []
    assert store.number_of_version("10") == 0
    assert store.number_of_version("1") is None
    assert store.number_of_version("") is None


def test_changes_are_numbered_and_none_is_taken_twice():
    store = full()
    item = put(store, "c", "11")
    assert item is not None
    assert item[:3] == (1, "uid-c", False)
    assert store.records["uid-c"] is item[3], "the bytes are kept once"
    assert put(store, "c", "11") is None
    gone = store.change(True, meta("a", "12"), b"[]", b"{}", 1.0)
    assert gone is not None
    assert gone[:3] == (2, "uid-a", True)
    assert record(gone[3]).version == "12"
    assert store.change(True, meta("a", "12"), b"[]", b"{}", 1.0) is None
    assert set(store.records) == set(store.numbers) == {"uid-b", "uid-c"}
    assert [number for number, *_ in store.replay_after(0) or ()] == [1, 2]
    assert [number for number, *_ in store.replay_after(1) or ()] == [2]
    assert store.replay_after(2) == []
    assert store.replay_after(3) is None
    assert store.number_of_version("11") == 1
    store.mark("15")
    assert store.number_of_version("15") == 2


def test_a_new_list_is_its_difference():
    store = full()
    store.begin()
    for name, version in (("d", "30"), ("b", "2"), ("c", "9")):
        store.listed(meta(name, version), b"[]", b"{}", 1.0)
    store.listed(meta("e", "31"), b"[]", b"{}", 1.0)
    store.unlisted(meta("e", "32"))
    items = store.finish("40")
    assert [(number, uid, deleted) for number, uid, deleted, _ in items] == [
        (1, "uid-a", True), (2, "uid-c", False), (3, "uid-d", False),
    ]  # fmt: skip
    assert record(items[0][3]).name == "a"
    assert (store.number_of_version("30"), store.number_of_version("40")) == (None, 3)
    assert store.replay_after(0) == [(n, uid, "", encoded) for n, uid, _, encoded in items]


def test_versions_that_are_no_numbers_are_taken_as_they_come():
    store = full()
    store.begin()
    for name, version in (("b", "2"), ("a", "1"), ("x", "v9"), ("y", "v1")):
        store.listed(meta(name, version), b"[]", b"{}", 1.0)
    assert [uid for _, uid, _, _ in store.finish("v")] == ["uid-x", "uid-y"]


def test_a_list_that_is_begun_again_is_forgotten():
    store = UpstreamStore()
    store.begin()
    store.listed(meta("old", "1"), b"[]", b"{}", 1.0)
    store.begin()
    store.listed(meta("new", "2"), b"[]", b"{}", 1.0)
    store.finish("3")
    assert set(store.records) == {"uid-new"}
    store.begin()
    store.listed(meta("half", "4"), b"[]", b"{}", 1.0)
    store.begin()
    store.listed(meta("new", "2"), b"[]", b"{}", 1.0)
    assert store.finish("5") == []


def test_other_cells_are_another_state():
    store = full()
    store.rows_changed()
    store.begin()
    for name, version in (("a", "1"), ("b", "2")):
        store.listed(meta(name, version), b'["more"]', b"{}", 1.0)
    assert [uid for _, uid, _, _ in store.finish("10")] == ["uid-a", "uid-b"]
    store.begin()
    for name, version in (("a", "1"), ("b", "2")):
        store.listed(meta(name, version), b'["more"]', b"{}", 1.0)
    assert store.finish("11") == []


def test_objects_without_a_uid():
    store = full()
    item = store.change(False, meta("m", "5", uid=""), b"[]", b"{}", 1.0)
    assert item is not None
    assert item[1] == "-/ns/m"
    assert store.change(True, meta("m", "6", uid=""), b"[]", b"{}", 1.0) is not None


def test_the_ring_is_bounded_by_count_and_by_bytes():
    store = full(ring_records=3)
    for version in range(11, 16):
        put(store, "a", str(version))
    assert [number for number, *_ in store.replay_after(2) or ()] == [3, 4, 5]
    assert store.replay_after(1) is None
    small = full(ring_bytes=2000)
    for version in range(11, 16):
        put(small, "a", str(version), b'"%s"' % (b"x" * 700))
    assert [number for number, *_ in small.replay_after(3) or ()] == [4, 5]
    assert small.replay_after(2) is None
    put(small, "a", "20", b'"%s"' % (b"x" * 5000))
    assert small.replay_after(6) == []
    assert small.replay_after(5) is None
