from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from notebook_mux.tailing.lines import NS, parse_stamp
from tests.conftest import ORIGINAL_ENVIRON
from tests.unit.tailing.node import Node, Reading

CUTS = int(ORIGINAL_ENVIRON.get("NOTEBOOK_MUX_CUTS", "100"))
"""Over the recorded stream."""

TEXTS = (b"", b"equal", b"equal", b"  indented", b"\xff\xfe\x00\x1b[31mred", b"x" * 40_000, b"one\rtwo")


def made(**options: Any) -> tuple[Node, Reading]:
    node = Node()
    return node, Reading(node, random.Random(1), **options)


def texts(reading: Reading) -> list[bytes]:
    return [text for _, text in reading.lines_had]


def marks(reading: Reading) -> list[str]:
    return [mark["mark"] for mark in reading.marks]


def test_lines_come_as_they_are_written() -> None:
    node, reading = made()
    node.write(b"one")
    reading.open()
    reading.take()
    node.write(b"two")
    reading.take()
    assert texts(reading) == [b"one", b"two"]
    assert reading.requests == ["container=main&timestamps=true&follow=true"]
    assert reading.tail.state == "live"


def test_a_cut_is_gone_on_from_where_it_stood() -> None:
    node, reading = made()
    for at in range(5):
        node.write(b"line %d" % at)
    reading.open()
    reading.cut(90)
    node.write(b"line 5")
    reading.open()
    reading.take()
    assert texts(reading) == [b"line %d" % at for at in range(6)]
    assert "sinceTime=2027-01-15T07%3A59%3A59Z" in reading.requests[1]
    assert "tailLines" not in reading.requests[1]


def test_equal_lines_of_one_moment_count_by_number() -> None:
    node, reading = made()
    for _ in range(3):
        node.write(b"equal")
    reading.open()
    reading.take()
    for _ in range(2):
        node.write(b"equal")
    reading.cut(0)
    reading.open()
    reading.take()
    assert texts(reading) == [b"equal"] * 5


def test_a_tail_does_not_give_older_lines_after_a_cut() -> None:
    node, reading = made(tail=2)
    for at in range(10):
        node.write(b"line %d" % at)
    reading.open()
    reading.take()
    assert texts(reading) == [b"line 8", b"line 9"]
    reading.cut(0)
    node.write(b"line 10")
    reading.open()
    reading.take()
    assert texts(reading) == [b"line 8", b"line 9", b"line 10"]


def test_a_tail_of_none_gives_what_comes_from_now_on_also_during_a_cut() -> None:
    node, reading = made(tail=0)
    node.write(b"old")
    reading.open()
    reading.take()
    reading.open()
    reading.cut(0)
    node.write(b"new")
    reading.open()
    reading.take()
    assert texts(reading) == [b"new"]


def test_a_line_stamped_late_by_the_other_stream_is_not_lost() -> None:
    node, reading = made()
    node.write(b"out", node.now + NS)
    reading.open()
    reading.take()
    reading.cut(0)
    node.write(b"err", node.now + NS - 1_000_000)
    reading.open()
    reading.take()
    assert texts(reading) == [b"out", b"err"]


def test_a_clock_that_is_set_back_loses_nothing() -> None:
    node, reading = made()
    for at in range(2000):
        node.write(b"before %d" % at, node.now + at * NS // 100)
    reading.open()
    reading.take()
    node.now -= 3600 * NS
    node.write(b"after")
    reading.take()
    reading.cut(0)
    node.write(b"later")
    reading.open()
    reading.take()
    reading.pass_time(3)
    assert texts(reading)[2000:] == [b"after", b"later"]
    assert len(reading.lines_had) == 2002


def span(gap: dict[str, Any]) -> int:
    start, stop = parse_stamp(gap["from"]), parse_stamp(gap["to"])
    assert start is not None
    assert stop is not None
    return stop - start


def restart(node: Node) -> None:
    node.stop()
    node.start()


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told yet"])
def test_a_restart_while_cut_gives_the_rest_of_the_earlier_instance(told: bool) -> None:
    node, reading = made()
    node.write(b"a1")
    reading.open()
    reading.take()
    reading.cut(0)
    node.write(b"a2")
    restart(node)
    node.write(b"b1")
    if told:
        reading.tell()
    reading.open()
    reading.take()
    reading.finish()
    assert texts(reading) == [b"a1", b"a2", b"b1"]
    assert marks(reading) == ["restarted"]
    assert reading.marks[0]["at"] == 2
    assert reading.tail.restart == 1


def test_a_restart_that_is_followed() -> None:
    node, reading = made()
    node.write(b"a1")
    reading.open()
    reading.take()
    restart(node)
    node.write(b"b1")
    reading.finish()
    assert texts(reading) == [b"a1", b"b1"]
    assert marks(reading) == ["restarted"]


def test_a_restart_within_a_second_is_told_without_another_line() -> None:
    """What the new one says may be stamped like an old line that the tail has left out: it waits for no more."""
    node, reading = made(tail=100)
    node.write(b"a1")
    reading.open()
    reading.take()
    node.write(b"a2")
    reading.take()
    node.stop()
    reading.tell()
    reading.take()
    reading.open()
    node.start()
    reading.take()
    node.write(b"b1")
    reading.finish()
    assert texts(reading) == [b"a1", b"a2", b"b1"]
    assert marks(reading) == ["waiting", "restarted"]


def test_two_restarts_that_were_missed_are_a_gap_with_its_span() -> None:
    node, reading = made()
    node.write(b"a1")
    reading.open()
    reading.take()
    reading.cut(0)
    node.write(b"a2")
    restart(node)
    node.now += 5 * NS
    node.write(b"b1")
    restart(node)
    node.write(b"c1")
    reading.tell()
    reading.finish()
    assert texts(reading) == [b"a1", b"b1", b"c1"]
    assert marks(reading) == ["gap", "restarted"]
    gap = reading.marks[0]
    assert gap["at"] == 1
    assert span(gap) == 5 * NS


def test_what_was_rotated_away_is_a_gap_with_its_span() -> None:
    node, reading = made()
    node.write(b"a1")
    reading.open()
    reading.take()
    reading.cut(0)
    node.write(b"a2")
    node.rotate()
    node.now += 3 * NS
    node.write(b"a3")
    reading.finish()
    assert texts(reading) == [b"a1", b"a3"]
    assert marks(reading) == ["gap"]
    assert span(reading.marks[0]) == 3 * NS


def test_a_rotation_that_took_only_old_lines_is_no_gap() -> None:
    node, reading = made()
    node.write(b"a1")
    node.rotate()
    node.write(b"a2")
    node.write(b"a3")
    reading.open()
    reading.take()
    assert texts(reading) == [b"a2", b"a3"]
    reading.cut(0)
    node.runs[-1].file_from = 2
    node.write(b"a4")
    reading.finish()
    assert texts(reading) == [b"a2", b"a3", b"a4"]
    assert marks(reading) == []


def test_a_container_that_ends_for_good() -> None:
    node, reading = made()
    node.write(b"a1")
    reading.open()
    reading.take()
    node.write(b"a2")
    node.over = True
    node.stop()
    reading.finish()
    assert texts(reading) == [b"a1", b"a2"]
    assert reading.tail.finished
    assert reading.tail.state == "ended"
    assert marks(reading) == ["ended"]
    assert "exit code 1" in reading.marks[0]["text"]


def test_a_crash_loop_is_read_and_waits() -> None:
    node, reading = made()
    reading.open()
    for turn in range(4):
        node.write(b"turn %d" % turn)
        reading.take()
        node.stop()
        reading.finish()
        assert reading.tail.state == "waiting"
        asked = len(reading.requests)
        reading.finish()
        assert len(reading.requests) == asked, "a container that waits is not polled"
        node.start()
        reading.finish()
    assert texts(reading) == [b"turn %d" % turn for turn in range(4)]
    assert marks(reading).count("restarted") == 4


def test_without_follow_it_is_read_once() -> None:
    node, reading = made(follow=False, tail=1)
    node.write(b"one")
    node.write(b"two")
    reading.finish()
    assert texts(reading) == [b"two"]
    assert reading.requests == ["container=main&timestamps=true&tailLines=1"]
    assert (reading.tail.state, reading.tail.finished, reading.tail.settled) == ("ended", True, True)


def test_previous_is_the_instance_before_and_nothing_else() -> None:
    node = Node()
    node.write(b"a1")
    restart(node)
    node.write(b"b1")
    reading = Reading(node, random.Random(1), previous=True)
    reading.finish()
    assert texts(reading) == [b"a1"]
    assert reading.tail.finished


def test_previous_of_one_that_never_restarted_is_an_error() -> None:
    _, reading = made(previous=True)
    reading.finish()
    assert reading.tail.state == "failed"
    assert "not found" in (reading.tail.said or "")


# --- anything, cut anywhere ------------------------------------------------------------------------------------------

OPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, len(TEXTS) - 1), st.sampled_from((0, 0, 1, 300_000_000, 2 * NS))),
        st.tuples(st.just("late"), st.integers(0, len(TEXTS) - 1), st.integers(0, 900_000_000)),
        st.tuples(st.just("cut"), st.integers(0, 200)),
        st.tuples(st.just("cut"), st.integers(0, 100_000)),
        st.tuples(st.just("take"), st.integers(0, 200)),
        st.tuples(st.just("open")),
        st.tuples(st.just("tell")),
        st.tuples(st.just("time"), st.sampled_from((0.05, 1.0, 4.0))),
        st.tuples(st.just("restart")),
        st.tuples(st.just("rotate")),
    ),
    max_size=60,
)


class Sampled:
    """Runs operations, with at most one restart between two moments at which all was read."""

    def __init__(self, *, restarts: bool, rotation: bool, tail: int = -1) -> None:
        self.node = Node()
        self.reading = Reading(self.node, random.Random(3), tail=tail)
        self.restarts, self.rotation = restarts, rotation
        self.count = 0

    def text(self, which: int) -> bytes:
        """Lines that differ where some may be missing, so that it can be told which."""
        self.count += 1
        return b"%d " % self.count + TEXTS[which] if self.rotation else TEXTS[which]

    def run(self, ops: list[tuple[Any, ...]]) -> None:
        node, reading = self.node, self.reading
        for op in ops:
            kind = op[0]
            if kind == "write":
                node.now += op[2]
                node.write(self.text(op[1]))
            elif kind == "late":
                last = node.runs[-1].written
                if last:
                    node.write(self.text(op[1]), max(s for s, _ in last) - op[2])
            elif kind == "cut":
                reading.open()
                reading.cut(op[1])
            elif kind == "take":
                reading.open()
                reading.take(op[1])
            elif kind == "open":
                reading.open()
            elif kind == "tell":
                reading.tell()
            elif kind == "time":
                reading.pass_time(op[1])
            elif kind == "restart" and self.restarts:
                reading.finish()
                node.write(b"last words of %d" % len(node.runs))
                reading.cut(7)
                node.now += NS // 10
                restart(node)
            elif kind == "rotate" and self.rotation:
                node.rotate()
        reading.finish()


@given(OPS)
@settings(max_examples=300, deadline=None)
def test_whatever_is_cut_each_line_comes_once(ops: list[tuple[Any, ...]]) -> None:
    sampled = Sampled(restarts=True, rotation=False)
    sampled.run(ops)
    written = [line for run in sampled.node.runs for line in run.written]
    assert sampled.reading.lines_had == written
    assert "gap" not in marks(sampled.reading)


@given(OPS, st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_with_a_tail_the_rest_comes_once_and_nothing_older(ops: list[tuple[Any, ...]], tail: int) -> None:
    sampled = Sampled(restarts=True, rotation=False, tail=tail)
    for at in range(20):
        sampled.node.now += 1
        sampled.node.write(b"old %d" % (at // 2))
    sampled.reading.open()
    sampled.reading.take()
    sampled.reading.open()
    sampled.run(ops)
    written = [line for run in sampled.node.runs for line in run.written][20 - tail :]
    assert sampled.reading.lines_had == written


@given(OPS)
@settings(max_examples=300, deadline=None)
def test_what_is_rotated_away_is_said_and_nothing_comes_twice(ops: list[tuple[Any, ...]]) -> None:
    sampled = Sampled(restarts=True, rotation=True)
    sampled.run(ops)
    written = [line for run in sampled.node.runs for line in run.written]
    had = sampled.reading.lines_had
    places = {line: at for at, line in enumerate(written)}
    order = [places[line] for line in had]
    assert order == sorted(set(order)), "twice, or out of order"
    gaps = [mark for mark in sampled.reading.marks if mark["mark"] == "gap"]
    for run in sampled.node.runs:
        came = [line in set(had) for line in run.written]
        kept = [at for at, is_there in enumerate(came) if is_there]
        missing = kept and len(kept) <= kept[-1] - kept[0]
        assert gaps or not missing, "of one that was read, what is missing is said as soon as more comes"


CRASHES = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 2), st.sampled_from((0, 1, 300_000_000, 2 * NS))),
        st.tuples(st.just("cut"), st.integers(0, 200)),
        st.tuples(st.just("take"), st.integers(0, 200)),
        st.tuples(st.just("time"), st.sampled_from((0.05, 1.0, 4.0))),
        st.tuples(st.sampled_from(("open", "tell", "crash", "stop", "start", "finish"))),
    ),
    max_size=40,
)


@given(CRASHES)
@settings(max_examples=500, deadline=None)
def test_restarts_at_any_moment_repeat_nothing_and_what_they_lose_is_said(ops: list[tuple[Any, ...]]) -> None:
    node, reading = made()
    for number, (kind, *values) in enumerate(ops):
        if kind == "write" and node.running:
            node.now += values[1]
            node.write(b"%d " % number + TEXTS[values[0]])
        elif kind in ("cut", "take"):
            reading.open()
            getattr(reading, kind)(values[0])
        elif kind == "time":
            reading.pass_time(values[0])
        elif kind in ("open", "tell", "finish"):
            getattr(reading, kind)()
        elif kind == "crash" and node.running:
            node.now += NS // 10
            restart(node)
        elif kind == "stop" and node.running:
            node.stop()
        elif kind == "start" and not node.running:
            node.now += 10 * NS
            node.start()
    reading.finish()
    written = [line for run in node.runs for line in run.written]
    places = {line: at for at, line in enumerate(written)}
    order = [places[line] for line in reading.lines_had]
    assert order == sorted(set(order)), "twice, or out of order"
    whole = not order or order == list(range(order[0], len(written)))
    assert whole or "gap" in marks(reading)


def test_a_recorded_stream_cut_a_thousand_times() -> None:
    rng = random.Random(42)
    node, reading = made()
    for at in range(4000):
        node.now += rng.choice((0, 0, 1, 1000, 50_000_000, 400_000_000))
        text = rng.choice((b"equal", b"", b"line %d" % at, b"\xff\x00" + b"y" * rng.randrange(300)))
        late = rng.choice((0, 0, 0, 700_000_000)) if at else 0
        node.write(text if at % 500 else b"z" * 50_000, node.now - late)
    total = sum(len(text) + 32 for _, text in node.runs[-1].written)
    cuts = 0
    while cuts < CUTS:
        reading.open()
        reading.cut(rng.randrange(max(2, 4 * total // CUTS)))
        cuts += 1
    reading.finish()
    assert reading.lines_had == node.runs[-1].written
