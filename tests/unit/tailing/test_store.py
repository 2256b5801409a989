from __future__ import annotations

import threading
from typing import Any

from hypothesis import given, strategies as st

from notebook_mux.tailing import store as module
from notebook_mux.tailing.store import LINE_COST, LogStore
from tests.unit.tailing.held import lines_of


def all_of(store: LogStore, most: int = 5000, after: int = 0) -> list[tuple[int, int, int, int, bytes]]:
    found: list[tuple[int, int, int, int, bytes]] = []
    while True:
        read = store.read(after, most)
        if read["first"] == read["end"]:
            return found
        found += lines_of(read)
        after = read["end"] - 1


BATCHES = st.lists(st.tuples(st.integers(0, 3), st.lists(st.binary(max_size=40), min_size=1, max_size=30)), max_size=20)


@given(BATCHES, st.integers(1, 60), st.integers(1, 7), st.integers(1, 200))
def test_lines_are_read_as_they_were_added(batches: Any, most: int, segment_lines: int, segment_bytes: int) -> None:
    store = LogStore(segment_lines=segment_lines, segment_bytes=segment_bytes)
    expected = []
    for source, texts in batches:
        first = store.end
        store.add(source, [10**18 + at for at in range(len(texts))], [at % 128 for at in range(len(texts))], texts)
        expected += [(first + at, 10**18 + at, source, at % 128, text) for at, text in enumerate(texts)]
    assert all_of(store, most) == expected
    assert len(store) == len(expected)
    assert store.counts()["bytes"] == sum(len(line[4]) + LINE_COST for line in expected)
    if expected:
        assert all_of(store, most, expected[-1][0] // 2) == expected[expected[-1][0] // 2 :]


@given(BATCHES, st.integers(1, 40), st.integers(100, 2000))
def test_the_bounds_hold_and_the_newest_stay(batches: Any, max_lines: int, max_bytes: int) -> None:
    store = LogStore(max_lines, max_bytes)
    every: list[bytes] = []
    for source, texts in batches:
        store.add(source, [1] * len(texts), [0] * len(texts), texts)
        every += texts
        counts = store.counts()
        assert counts["lines"] <= max_lines
        assert counts["bytes"] <= max_bytes or counts["lines"] == 1
        assert counts["dropped"] == counts["oldest"] - 1 == len(every) - counts["lines"]
    kept = [line[4] for line in all_of(store)]
    assert kept == every[len(every) - len(kept) :]
    assert bool(kept) == bool(every)


def test_what_is_asked_for_and_gone_begins_at_the_oldest() -> None:
    store = LogStore(80, 10**6)
    for at in range(500):
        store.add(0, [at], [0], [b"%d" % at])
    read = store.read(3, 10)
    assert read["first"] == store.oldest > 400
    assert lines_of(read)[0][4] == b"%d" % (store.oldest - 1)
    assert store.read(store.end - 1, 10)["text"] == b""
    assert store.read(10**9, 10)["first"] == store.end


def test_one_reading_is_bounded_by_bytes() -> None:
    store = LogStore()
    for _ in range(40):
        store.add(0, [1], [0], [b"x" * 256 * 1024])
    read = store.read(0, 5000)
    assert len(read["text"]) <= module.READ_BYTES
    assert len(all_of(store)) == 40


def test_readers_on_other_threads_see_whole_lines() -> None:
    store = LogStore(5000, 10**6)
    wrong: list[Any] = []
    done = threading.Event()

    def look() -> None:
        after = 0
        while not done.is_set():
            read = store.read(after, 700)
            for number, time, source, flags, text in lines_of(read):
                if (time, source, flags, text) != (number, number % 7, number % 64, b"line %d" % number):
                    wrong.append((number, time, text))
            after = max(0, read["end"] - 1) if read["end"] > read["first"] else 0

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 30_001):
        store.add(number % 7, [number], [number % 64], [b"line %d" % number])
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
