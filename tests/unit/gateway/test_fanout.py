from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from notebook_mux.gateway.fanout import Subscriber
from notebook_mux.gateway.payload import number_of, version_of
from notebook_mux.wire.frames import MAX_PAYLOAD, Channel, Kind
from notebook_mux.wire.messages import Resume
from tests.unit.gateway.fake_feed import FakeFeed, record
from tests.unit.gateway.model_client import ModelClient

INSTANCE = "gateway-1"


class Line:
    """A subscriber and the client at its other end."""

    def __init__(self, feed: FakeFeed, client: ModelClient | None = None, instance: str = INSTANCE, **limits: Any):
        self.feed = feed
        self.client = client or ModelClient()
        self.wakes: list[str] = []
        self.subscriber = Subscriber(
            feed, instance, self.client.resume(), lambda: self.wakes.append("wake"),
            lambda: self.wakes.append("tell"), **limits,
        )  # fmt: skip
        feed.subscribe(self.subscriber)
        self.subscriber.start()

    def pull(self, limit: int = MAX_PAYLOAD, most: int = 10_000) -> int:
        """Move up to `most` frames; returns how many there were."""
        for count in range(most):
            pulled = self.subscriber.pull(limit)
            if pulled is None:
                return count
            assert len(pulled[1]) <= MAX_PAYLOAD
            self.client.frame(*pulled)
        return most

    def cut(self) -> ModelClient:
        self.feed.unsubscribe(self.subscriber)
        self.client.cut()
        return self.client

    def check(self) -> None:
        """All arrived: the client has what the upstream has, and saw what it should."""
        feed, client = self.feed, self.client
        assert {uid: r.version for uid, r in client.objects.items()} == {
            uid: version_of(encoded) for uid, encoded in feed.records.items()
        }
        assert client.number <= feed.number
        assert len(client.seen) == len(set(client.seen))
        expected = list(range(client.floor + 1, feed.number + 1))
        if client.skipped:
            assert len(client.seen) + client.skipped >= len(expected)
        else:
            assert client.seen == expected


def test_a_snapshot_and_then_changes():
    feed = FakeFeed("a", "b")
    line = Line(feed)
    line.pull()
    assert line.client.kinds == [Kind.BEGIN, Kind.COLUMNS, Kind.PUT, Kind.PUT, Kind.END]
    assert b'"Name"' in line.client.columns
    assert line.client.synced
    feed.put("c", flush=False)
    feed.put("a", flush=False)
    feed.delete("b")
    assert line.pull() == 1
    assert line.client.kinds[5:] == [Kind.PUT, Kind.PUT, Kind.DELETE]
    line.check()


def test_nothing_is_said_before_the_first_list():
    feed = FakeFeed("a")
    feed.is_synced = False
    line = Line(feed)
    feed.put("b")
    assert line.pull() == 0
    feed.is_synced = True
    line.subscriber.synced()
    line.pull()
    line.subscriber.synced()
    assert line.pull() == 0
    line.check()


def test_changes_under_the_bound_are_sent_one_by_one():
    feed = FakeFeed("a")
    line = Line(feed)
    line.pull()
    for _ in range(50):
        feed.put("a")
    line.pull()
    assert line.client.skipped == 0
    assert line.client.seen == list(range(1, 51))
    line.check()


def test_beyond_the_bound_the_latest_states_are_sent_and_the_others_counted():
    feed = FakeFeed("a", "b", "c")
    line = Line(feed, queue_bytes=2000)
    line.pull()
    for _ in range(100):
        feed.put("a")
        feed.put("b")
    feed.delete("c")
    line.pull()
    assert line.client.skipped > 100
    assert len(line.client.seen) + line.client.skipped == 201
    assert line.subscriber.skipped == line.client.skipped
    line.check()


def test_a_stuck_reader_costs_bounded_memory():
    feed = FakeFeed()
    line = Line(feed, queue_bytes=10_000, tombstone_bytes=10_000)
    line.pull()
    for index in range(2000):
        feed.put(f"n{index}")
        feed.delete(f"n{index}")
        assert line.subscriber.waiting_bytes < 25_000
    line.pull()
    assert line.client.snapshots > 1
    line.check()


def test_a_snapshot_that_is_overtaken_ends_where_it_stands():
    feed = FakeFeed(*(f"o{index}" for index in range(20)))
    line = Line(feed, queue_bytes=1000)
    line.pull(limit=400, most=4)
    for _ in range(3):
        for index in range(20):
            feed.put(f"o{index}")
    feed.delete("o3")
    feed.delete("o19")
    feed.put("new")
    line.pull(limit=400)
    assert line.client.snapshots == 1
    line.check()


def test_columns_that_change_come_before_the_next_record():
    feed = FakeFeed("a")
    line = Line(feed)
    line.pull()
    feed.put("a")
    line.subscriber.columns_changed()
    line.pull()
    assert line.client.kinds[-2:] == [Kind.COLUMNS, Kind.PUT]


def test_a_bookmark_comes_when_nothing_else_waits():
    feed = FakeFeed("a")
    line = Line(feed)
    line.pull()
    feed.bookmark()
    feed.put("a")
    line.pull()
    assert line.client.kinds[-1:] == [Kind.PUT]
    feed.bookmark()
    line.pull()
    assert line.client.kinds[-1:] == [Kind.PROGRESS]
    assert line.client.position is not None
    assert line.client.position.version == feed.version


def test_a_new_list_is_told():
    feed = FakeFeed("a")
    line = Line(feed)
    line.pull()
    feed.put("b")
    line.subscriber.relisted()
    line.pull()
    assert line.client.relists == 1
    assert line.client.kinds[-1] == Kind.PROGRESS
    line.check()


def test_a_long_record_is_cut_and_nothing_comes_in_between():
    feed = FakeFeed("a")
    line = Line(feed)
    line.pull()
    feed.put("big", size=3 * MAX_PAYLOAD)
    feed.put("b")
    channels = []
    while (pulled := line.subscriber.pull(MAX_PAYLOAD)) is not None:
        channels.append(pulled[0])
        line.client.frame(*pulled)
    assert channels == [Channel.PART, Channel.PART, Channel.PART, Channel.CHANGES, Channel.CHANGES]
    line.check()


def test_frames_are_filled():
    feed = FakeFeed(*(f"o{index}" for index in range(2000)))
    line = Line(feed)
    sizes = []
    while (pulled := line.subscriber.pull(MAX_PAYLOAD)) is not None:
        sizes.append(len(pulled[1]))
    assert all(size > MAX_PAYLOAD - 300 for size in sizes[:-1])


def test_the_state_is_told():
    feed = FakeFeed("a")
    line = Line(feed)
    feed.say("stale")
    assert line.wakes[-1] == "tell"


def test_the_same_gateway_replays_by_number():
    feed = FakeFeed("a")
    client = Line(feed)
    client.pull()
    feed.put("a")
    client.pull()
    held = client.cut()
    held.kinds.clear()
    feed.put("b")
    feed.delete("a")
    line = Line(feed, held)
    line.pull()
    assert held.kinds == [Kind.RESUMED, Kind.COLUMNS, Kind.PUT, Kind.DELETE]
    assert held.snapshots == 1
    line.check()


@pytest.mark.parametrize("field", ["instance", "incarnation"])
def test_another_gateway_goes_on_by_version(field):
    feed = FakeFeed("a")
    feed.put("a")
    known = feed.version
    feed.put("b")
    at: dict[str, Any] = {"instance": INSTANCE, "incarnation": "inc-1", "number": 77, "version": known} | {field: "x"}
    subscriber = Subscriber(feed, INSTANCE, Resume(**at), lambda: None, lambda: None)
    subscriber.start()
    pulled = subscriber.pull(MAX_PAYLOAD)
    assert pulled is not None
    assert pulled[1][0] == Kind.RESUMED
    assert number_of(pulled[1]) == 1
    assert subscriber.resumes == 1


@pytest.mark.parametrize(
    "at",
    [
        {"instance": INSTANCE, "incarnation": "inc-1", "number": 3, "version": "5"},
        {"instance": INSTANCE, "incarnation": "inc-1", "number": -1, "version": "5"},
        {"instance": INSTANCE, "incarnation": "inc-1", "number": 0, "version": ""},
        {"instance": "x", "incarnation": "inc-1", "number": 0, "version": ""},
        {"instance": "x", "incarnation": "inc-1", "number": 0, "version": "99"},
    ],
    ids=["ahead", "negative", "older than the ring", "no version", "unknown version"],
)
def test_what_is_not_known_gets_a_snapshot(at):
    feed = FakeFeed("a", ring=1)
    feed.put("a")
    feed.put("a")
    subscriber = Subscriber(feed, INSTANCE, Resume(**at), lambda: None, lambda: None)
    subscriber.start()
    pulled = subscriber.pull(MAX_PAYLOAD)
    assert pulled is not None
    assert pulled[1][0] == Kind.BEGIN


def test_a_shared_batch_is_not_copied():
    feed = FakeFeed()
    lines = [Line(feed) for _ in range(3)]
    for line in lines:
        line.pull()
    feed.put("a")
    pulled = [line.subscriber.pull(MAX_PAYLOAD) for line in lines]
    assert len({id(payload) for _, payload in filter(None, pulled)}) == 1


def test_batches_that_fill_a_frame_are_shared_when_several_wait():
    feed = FakeFeed()
    lines = [Line(feed) for _ in range(3)]
    for line in lines:
        line.pull()
    for index in range(4):
        feed.put(f"big-{index}", size=MAX_PAYLOAD - 400)
    got = []
    for line in lines:
        payloads = []
        while (pulled := line.subscriber.pull(MAX_PAYLOAD)) is not None:
            line.client.frame(*pulled)
            payloads.append(pulled[1])
        got.append([id(payload) for payload in payloads[-4:]])
        line.check()
    assert got[0] == got[1] == got[2]


def test_a_bookmark_after_shared_batches_is_told():
    feed = FakeFeed()
    line = Line(feed)
    line.pull()
    feed.put("a")
    line.pull()
    feed.put("b")
    line.pull()
    line.subscriber.progress(feed.number, "900")
    line.pull()
    assert line.client.kinds[-1] == Kind.PROGRESS
    assert line.pull() == 0
    line.check()


def test_what_waited_to_be_flushed_is_in_the_snapshot_and_not_sent_again():
    feed = FakeFeed("a")
    line = Line(feed)
    feed.put("a", flush=False)
    line.pull()
    assert line.client.floor == 1
    feed.put("b")
    line.pull()
    assert line.client.seen == [2]
    line.check()


def test_a_reader_that_comes_back_too_late_is_told_how_much_it_missed():
    feed = FakeFeed("a", ring=2)
    line = Line(feed)
    line.pull()
    held = line.cut()
    for _ in range(5):
        feed.put("a")
    feed.put("b")
    feed.delete("b")
    line = Line(feed, held)
    line.pull()
    assert (held.snapshots, held.skipped) == (2, 6)
    line.check()


def test_version_and_number_of_a_record():
    encoded = record(Kind.PUT, 7, "a", "1234")
    assert (number_of(encoded), version_of(encoded)) == (7, "1234")


names = st.sampled_from("abcdefgh")


class Interleavings(RuleBasedStateMachine):
    """Any order of changes, flushes, frames, cuts, restarts of the gateway; a client that is strict."""

    @initialize(there=st.sets(names), ring=st.sampled_from([0, 3, 1000]), bound=st.sampled_from([300, 1200, 1 << 20]))
    def begin(self, there: set[str], ring: int, bound: int) -> None:
        self.ring = ring
        self.limits: dict[str, Any] = {"queue_bytes": bound, "tombstone_bytes": bound}
        self.gateways = 1
        self.feed = FakeFeed(*sorted(there), ring=ring)
        self.line = Line(self.feed, **self.limits)

    @rule(name=names, size=st.sampled_from([0, 0, 0, 300]), flush=st.booleans())
    def put(self, name: str, size: int, flush: bool) -> None:
        self.feed.put(name, size, flush=flush)

    @rule(name=names, times=st.integers(2, 6))
    def put_often(self, name: str, times: int) -> None:
        for _ in range(times):
            self.feed.put(name)

    @rule(name=names, flush=st.booleans())
    def delete(self, name: str, flush: bool) -> None:
        self.feed.delete(name, flush=flush)

    @rule()
    def bookmark(self) -> None:
        self.feed.bookmark()

    @rule(limit=st.integers(200, 900), most=st.integers(1, 4))
    def pull(self, limit: int, most: int) -> None:
        self.line.pull(limit, most)

    @rule()
    def cut_and_resume(self) -> None:
        client = self.line.cut()
        self.feed.flush()
        self.line = Line(self.feed, client, f"gateway-{self.gateways}", **self.limits)

    @rule(missed=st.lists(names, max_size=4), expired=st.booleans())
    def restart(self, missed: list[str], expired: bool) -> None:
        """The gateway dies; another one watches from the client's version, unless that has expired."""
        client = self.line.cut()
        self.feed.flush()
        for name in missed:
            self.feed.put(name)
        resume = client.resume()
        self.gateways += 1
        self.feed = self.feed.restarted(None if expired or resume is None else resume.version, f"inc-{self.gateways}")
        self.line = Line(self.feed, client, f"gateway-{self.gateways}", **self.limits)

    @invariant()
    def bounded(self) -> None:
        if hasattr(self, "line"):
            # A fold comes after the batch that is over the bound, and what was left of a snapshot is shared.
            assert self.line.subscriber.waiting_bytes <= 2 * self.limits["queue_bytes"] + 2000

    def teardown(self) -> None:
        if hasattr(self, "line"):
            self.feed.flush()
            self.line.pull()
            self.line.check()


Interleavings.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestInterleavings = Interleavings.TestCase
