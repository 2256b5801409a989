from __future__ import annotations

import datetime as dt
import itertools

from hypothesis import given, strategies as st

from notebook_mux.tailing.lines import NS, Lines, parse_stamp, say_second, say_stamp
from notebook_mux.tailing.store import LogStore

LOG = (
    b"2026-11-29T19:30:05.600000000Z one\n"
    b"2026-11-29T19:30:05.600000001Z \n"
    b"2026-11-29T20:30:06.000000002+01:00 with an offset\n"
    b"2026-11-29T19:30:07.5Z short\n"
    b"2026-11-29T19:30:08Z \xff\xfe\x00\r\n"
)
FIRST = 1_795_980_605_600_000_000


def read(pieces: list[bytes], **options: int) -> tuple[list[int], list[bytes], list[bytes], list[int]]:
    lines = Lines(**options)
    stamps: list[int] = []
    texts: list[bytes] = []
    remarks: list[bytes] = []
    cut: list[int] = []
    for batch in (*map(lines.feed, pieces), lines.rest()):
        cut += [len(texts) + at for at in batch.cut]
        stamps += batch.stamps
        texts += batch.texts
        remarks += batch.remarks
    return stamps, texts, remarks, cut


def test_lines_and_their_times() -> None:
    stamps, texts, remarks, _ = read([LOG])
    assert texts == [b"one", b"", b"with an offset", b"short", b"\xff\xfe\x00\r"]
    assert stamps == [FIRST, FIRST + 1, FIRST + 400_000_002, FIRST + 1_900_000_000, FIRST + 2_400_000_000]
    assert remarks == []


@given(st.lists(st.integers(0, len(LOG)), max_size=8))
def test_wherever_the_pieces_end(places: list[int]) -> None:
    edges = [0, *sorted(places), len(LOG)]
    pieces = [LOG[start:stop] for start, stop in itertools.pairwise(edges)]
    assert read(pieces) == read([LOG])


def test_what_has_no_time_is_the_servers_own_word() -> None:
    said = b"unable to retrieve container logs for containerd://1"
    _, texts, remarks, _ = read([LOG + said])
    assert remarks == [said]
    assert len(texts) == 5
    junk = b"2026-13-29T19:30:05.600000000Z no\n2026-11-29T19:30:05.60000 000Z no\n\n   \n2026\n"
    assert len(read([junk])[2]) == 4


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.integers(1, 50))
def test_a_line_is_cut_at_the_same_place_wherever_the_pieces_end(sizes: list[int], piece: int) -> None:
    log = b"".join(b"2026-11-29T19:30:05.600000000Z " + b"x" * size + b"\n" for size in sizes)
    stamps, texts, _, cut = read([log[at : at + piece] for at in range(0, len(log), piece)], max_line=100)
    assert texts == [b"x" * min(size, 100) for size in sizes]
    assert cut == [at for at, size in enumerate(sizes) if size > 100]
    assert len(stamps) == len(sizes)


def test_a_line_without_an_end_takes_no_more_than_its_limit() -> None:
    lines = Lines(max_line=1000)
    lines.feed(b"2026-11-29T19:30:05.600000000Z ")
    for _ in range(1000):
        assert lines.feed(b"x" * 10_000).texts == []
    batch = lines.feed(b"\n2026-11-29T19:30:06.600000000Z next\n")
    assert batch.texts == [b"x" * 1000, b"next"]
    assert batch.cut == [0]


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2200, 1, 1)), st.integers(0, 999))
def test_times_are_said_as_they_are_read(when: dt.datetime, rest: int) -> None:
    moment = int(when.replace(tzinfo=dt.UTC, microsecond=0).timestamp()) * NS + when.microsecond * 1000 + rest
    assert say_stamp(moment) == f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond:06d}{rest:03d}Z"
    assert parse_stamp(say_stamp(moment)) == moment
    assert say_second(moment) == f"{when:%Y-%m-%dT%H:%M:%S}Z"
    assert parse_stamp("nonsense") is None


def test_a_time_that_no_column_can_hold_is_none() -> None:
    late, early = b"9999-12-31T23:59:59.000000000Z late", b"0001-01-01T00:00:00.000000000Z early"
    stamps, texts, remarks, _ = read([late + b"\n" + early + b"\n" + b"2262-04-11T23:47:15.000000000Z kept\n"])
    assert (texts, remarks) == ([b"kept"], [late, early])
    store = LogStore()
    store.add(0, stamps, [0], texts)
    assert len(store) == 1
