from __future__ import annotations

from hypothesis import given, strategies as st

from notebook_mux.tailing import cursor as module
from notebook_mux.tailing.cursor import Again, Cursor
from notebook_mux.tailing.lines import NS, Batch

START = 1_800_000_000 * NS
Line = tuple[int, bytes]

LINES = st.lists(st.tuples(st.integers(0, 2).map(lambda n: START + n), st.sampled_from((b"a", b"b"))), max_size=12)


def batch(lines: list[Line]) -> Batch:
    return Batch([stamp for stamp, _ in lines], [text for _, text in lines], [], [])


def lines_of(found: Batch | None) -> list[Line] | None:
    return None if found is None else list(zip(found.stamps, found.texts, strict=True))


def stood(lines: list[Line], *, cut: bool = False) -> Cursor:
    cursor = Cursor(cut=cut)
    cursor.add(batch(lines))
    return cursor


def new(again: Again, lines: list[Line], sizes: tuple[int, ...] = (1, 3)) -> list[Line]:
    """All that is new in an answer that comes in pieces."""
    found: list[Line] = []
    at = 0
    while at < len(lines):
        size = sizes[at % len(sizes)]
        found += lines_of(again.take(batch(lines[at : at + size]))) or []
        at += size
    return found + (lines_of(again.settle()) or [])


@given(LINES, LINES)
def test_what_was_had_comes_once_however_equal_lines_are(had: list[Line], more: list[Line]) -> None:
    again = stood(had).again()
    assert new(again, had + more) == more
    assert again.state == "found"


def test_lines_before_a_tail_are_not_taken_for_new_ones() -> None:
    older = [(START, b"%d" % at) for at in range(50)]
    had = [(START, b"had %d" % at) for at in range(3)]
    more = [(START + NS, b"new")]
    again = stood(had, cut=True).again()
    assert new(again, older + had + more) == more


def test_what_was_rotated_away_of_old_lines_is_no_loss() -> None:
    had = [(START, b"%d" % at) for at in range(9)]
    more = [(START + NS, b"new")]
    for first in range(9):
        assert new(stood(had).again(), had[first:] + more) == more


def test_nothing_of_what_was_had() -> None:
    again = stood([(START, b"had")]).again()
    other = [(START + NS, b"other"), (START + NS, b"lines")]
    assert new(again, other) == []
    assert again.state == "missed"
    assert lines_of(again.held()) == other


def test_an_answer_that_ends_among_old_lines_has_nothing_new() -> None:
    had = [(START, b"equal")] * 5
    again = stood(had).again()
    assert new(again, had[:3]) == []
    assert again.state == "found"


def test_seconds_before_the_last_are_forgotten_and_asked_for_no_more() -> None:
    cursor = Cursor()
    for at in range(20_000):
        cursor.add(batch([(START + at * NS // 100, b"%d" % at)]))
    assert len(cursor) < 1000
    assert cursor.since == "2027-01-15T08:03:18Z"
    assert Cursor("2026-01-01T00:00:00Z").since == "2026-01-01T00:00:00Z"


def test_the_users_own_time_is_the_earliest() -> None:
    cursor = Cursor("2027-01-15T08:00:00Z")
    cursor.add(batch([(START + 1, b"x")]))
    assert cursor.since == "2027-01-15T08:00:00Z"


def test_what_is_held_is_bounded() -> None:
    had = [(START, b"had")]
    again = stood(had, cut=True).again()
    lines = [(START, b"older")] * (module.HELD_LINES + 10)
    for at in range(0, len(lines), 1000):
        again.take(batch(lines[at : at + 1000]))
    assert again.state == "missed"
    assert lines_of(again.held()) == []
