from __future__ import annotations

from hypothesis import given, strategies as st

from notebook_mux.remote.ring import CHUNK, CHUNK_COST, Ring


def test_what_is_put_in_comes_out_by_channel():
    ring = Ring()
    assert ring.read(0, 10) is None
    ring.put(1, b"one")
    ring.put(1, b" two")
    ring.put(2, b"three")
    ring.put(1, b"")
    assert (ring.start, ring.end) == (0, 12)
    assert ring.read(0, 100) == (1, b"one two")
    assert ring.read(2, 3) == (1, b"e t")
    assert ring.read(7, 100) == (2, b"three")
    assert ring.read(12, 100) is None


def test_what_the_reader_has_is_forgotten_and_no_more():
    ring = Ring()
    for _ in range(4):
        ring.put(1, bytes(CHUNK))
    ring.forget(CHUNK + 5)
    assert ring.start == CHUNK + 5
    assert ring.read(CHUNK + 5, 3) == (1, bytes(3))
    ring.forget(3)
    assert ring.start == CHUNK + 5, "nothing comes back"
    ring.forget(1 << 40)
    assert ring.start == ring.end == 4 * CHUNK
    ring.put(2, b"x")
    assert ring.read(4 * CHUNK, 9) == (2, b"x")


def test_what_is_apart_is_read_alone():
    ring = Ring()
    ring.put(3, b"one", apart=True)
    ring.put(3, b"two", apart=True)
    ring.put(3, b"three")
    ring.put(3, b"four")
    read, place = [], 0
    while (found := ring.read(place, 100)) is not None:
        read.append(found[1])
        place += len(found[1])
    assert read == [b"one", b"two", b"threefour"]


def test_the_oldest_goes_first():
    ring = Ring()
    ring.put(1, bytes(CHUNK))
    ring.put(2, b"error")
    ring.put(1, b"more")
    ring.forget(10)
    assert ring.pop() == (1, bytes(CHUNK - 10))
    assert (ring.start, ring.read(CHUNK, 9)) == (CHUNK, (2, b"error"))
    assert ring.pop() == (2, b"error")
    assert ring.pop() == (1, b"more")
    assert ring.start == ring.end
    ring.put(1, b"x")
    assert ring.read(ring.start, 9) == (1, b"x")


def test_it_is_full_by_bytes_and_by_pieces():
    ring = Ring(limit=10_000)
    ring.put(1, bytes(9000))
    assert not ring.full
    ring.put(2, bytes(1000))
    assert ring.full
    ring.forget(9000)
    assert not ring.full
    small = Ring(limit=10_000)
    for at in range(10_000 // CHUNK_COST + 1):
        small.put(1 + at % 2, b"x")
    assert small.full, "alternating pieces of a byte cost more than their bytes"


@given(
    puts=st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=50)), max_size=40),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=20),
    forgets=st.booleans(),
)
def test_all_of_it_in_order(puts, sizes, forgets):
    ring, place, got = Ring(), 0, {1: b"", 2: b"", 3: b""}
    for at, (channel, data) in enumerate(puts):
        ring.put(channel, data)
        if at % 3 == 0 and (found := ring.read(place, sizes[at % len(sizes)])) is not None:
            got[found[0]] += found[1]
            place += len(found[1])
            if forgets:
                ring.forget(place)
    while (found := ring.read(place, sizes[place % len(sizes)])) is not None:
        got[found[0]] += found[1]
        place += len(found[1])
    assert got == {channel: b"".join(d for c, d in puts if c == channel) for channel in got}
    assert place == ring.end
