from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from notebook_mux.wire.frames import MAX_FRAME, MAX_PAYLOAD, Channel, decode_frame
from notebook_mux.wire.messages import Retry, Stop, encode
from notebook_mux.wire.sending import CONNECTION_STREAM, MAX_CREDIT, Sender, binary_head

CHANGES = int(Channel.CHANGES)


class Listed:
    """Sends these sizes, one frame each."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = list(sizes)

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        if not self.sizes:
            return None
        size = self.sizes.pop(0)
        assert size <= limit
        return Channel.CHANGES, bytes(size)


def taken(sender: Sender, most: int = 10_000) -> list[tuple[int, int]]:
    """(stream, payload's size) of the frames that come now."""
    found: list[tuple[int, int]] = []
    for _ in range(most):
        frame = sender.next()
        if frame is None:
            return found
        assert isinstance(frame, bytes)
        stream, _, payload = decode_frame(frame)
        found.append((stream, len(payload)))
    return found


def test_a_frame_is_header_and_payload():
    sender = Sender()
    sender.add(258, Listed(3), 100)
    assert sender.next() == b"\0\0\x01\x02\x10\0\0\0"
    assert sender.next() is None
    assert (sender.sent_bytes, sender.sent_frames) == (8, 1)


def test_a_payload_is_handed_on_as_it_came():
    sender, payload = Sender(), b"shared"

    class One:
        def pull(self, limit: int) -> tuple[int, bytes]:
            return Channel.CHANGES, payload

    sender.add(258, One(), 100)
    taken = sender.take()
    assert taken == (b"\0\0\x01\x02\x10", payload)
    assert taken[1] is payload


def test_a_payload_too_long_for_a_frame_is_a_mistake():
    sender = Sender()

    class Long:
        def pull(self, limit: int) -> tuple[int, bytes]:
            return Channel.CHANGES, bytes(limit + 1)

    sender.add(1, Long(), 100)
    with pytest.raises(ValueError, match="does not fit into one frame"):
        sender.take()


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x82\0"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\0\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
    ],
)
def test_the_websockets_header_of_a_frame(size, head):
    assert binary_head(size) == head


def test_control_goes_first_and_costs_nothing():
    sender = Sender(credit=1)
    sender.add(1, Listed(10, 10), 100)
    sender.control(Retry())
    sender.control(Stop(id=1))
    assert sender.next() == encode(Retry())
    assert sender.next() == encode(Stop(id=1))
    assert taken(sender) == [(1, 10)]
    assert sender.credit < 0
    sender.control(Retry())
    assert sender.next() == encode(Retry())


def test_credit_of_a_stream_is_overdrawn_by_less_than_a_frame():
    sender = Sender()
    sender.add(1, Listed(*[MAX_PAYLOAD] * 5), 1)
    assert taken(sender) == [(1, MAX_PAYLOAD)]
    sender.grant(1, MAX_FRAME - 1)
    assert taken(sender) == []
    sender.grant(1, 1)
    assert taken(sender) == [(1, MAX_PAYLOAD)]


def test_a_stream_without_credit_holds_nobody_up():
    sender = Sender()
    sender.add(1, Listed(5), 0)
    sender.add(2, Listed(6), 10)
    assert taken(sender) == [(2, 6)]
    sender.grant(1, 1)
    assert taken(sender) == [(1, 5)]


def test_credit_of_the_connection_counts_for_all():
    sender = Sender(credit=1)
    sender.add(1, Listed(5), 100)
    sender.add(2, Listed(5), 100)
    assert taken(sender) == [(1, 5)]
    sender.grant(CONNECTION_STREAM, 10)
    assert taken(sender) == [(2, 5)]


def test_absurd_credit_is_cut_off():
    sender = Sender()
    sender.add(1, Listed(), 1 << 100)
    sender.grant(1, 1 << 100)
    sender.grant(CONNECTION_STREAM, 1 << 100)
    assert sender.credit == MAX_CREDIT
    sender.grant(77, 5)


def test_urgent_streams_go_first():
    sender = Sender()
    sender.add(1, Listed(*[MAX_PAYLOAD] * 3), 1 << 20)
    sender.add(2, Listed(1, 1), 1 << 20, urgent=True)
    assert taken(sender, 1) == [(2, 1)]
    sender.add(3, Listed(1), 1 << 20, urgent=True)
    assert taken(sender) == [(2, 1), (3, 1), (1, MAX_PAYLOAD), (1, MAX_PAYLOAD), (1, MAX_PAYLOAD)]


def test_a_flood_is_not_urgent():
    sender = Sender()
    flood = _Endless(MAX_PAYLOAD)
    sender.add(1, flood, 1 << 40, urgent=True)
    sender.add(2, _Endless(MAX_PAYLOAD), 1 << 40)
    assert taken(sender, 5) == [(stream, MAX_PAYLOAD) for stream in (1, 2, 1, 2, 1)], "it shares its turns"
    sender.add(3, Listed(1), 1 << 40, urgent=True)
    assert taken(sender, 1) == [(3, 1)], "an echo does not wait for it"


def test_a_flood_that_has_ended_is_urgent_again():
    sender = Sender()
    source = Listed(*[MAX_PAYLOAD] * 2)
    sender.add(1, source, MAX_FRAME, urgent=True)
    sender.add(2, _Endless(MAX_PAYLOAD), 1 << 40)
    assert taken(sender, 3) == [(1, MAX_PAYLOAD), (2, MAX_PAYLOAD), (2, MAX_PAYLOAD)], "its credit is used up"
    sender.grant(1, 1 << 30)
    assert sorted(taken(sender, 2)) == [(1, MAX_PAYLOAD), (2, MAX_PAYLOAD)]
    taken(sender, 2)
    source.sizes.append(1)
    sender.wake(1)
    assert taken(sender, 1) == [(1, 1)]


def test_a_turn_is_as_many_bytes_as_a_frame_has():
    sender = Sender()
    sender.add(1, Listed(*[MAX_PAYLOAD] * 4), 1 << 30)
    sender.add(2, Listed(*[MAX_PAYLOAD // 4] * 8), 1 << 30)
    order = [stream for stream, _ in taken(sender)]
    assert order[:12] == [1, 2, 2, 2, 2, 1, 2, 2, 2, 2, 1, 1]


def test_a_source_with_nothing_is_asked_again_only_when_woken():
    sender = Sender()
    source = Listed()
    sender.add(1, source, 100)
    assert taken(sender) == []
    source.sizes.append(4)
    assert taken(sender) == []
    sender.wake(1)
    sender.wake(1)
    sender.wake(99)
    assert taken(sender) == [(1, 4)]


def test_a_removed_stream_is_silent():
    sender = Sender()
    sender.add(1, Listed(5, 5), 100)
    assert taken(sender, 1) == [(1, 5)]
    sender.remove(1)
    sender.remove(1)
    sender.grant(1, 50)
    assert taken(sender) == []


def test_a_source_may_end_itself_while_it_is_asked():
    sender = Sender()

    class Once:
        def pull(self, limit: int) -> tuple[int, bytes]:
            sender.remove(1)
            return Channel.END, b""

    sender.add(1, Once(), 100)
    sender.add(2, Listed(1), 100)
    assert taken(sender) == [(1, 0), (2, 1)]


@given(st.lists(st.integers(1, MAX_PAYLOAD), min_size=1, max_size=30), st.integers(1, 9))
def test_all_comes_in_order_and_adds_up(sizes, streams):
    sender = Sender()
    for stream in range(1, streams + 1):
        sender.add(stream, Listed(*sizes), 1 << 30)
    found = taken(sender)
    assert sender.sent_bytes == sum(size + 5 for _, size in found)
    for stream in range(1, streams + 1):
        assert [size for each, size in found if each == stream] == sizes


class Turns(RuleBasedStateMachine):
    """Ten streams that always have something, of sizes that differ: none gets far ahead of another."""

    @initialize(sizes=st.lists(st.integers(1, MAX_PAYLOAD), min_size=10, max_size=10))
    def begin(self, sizes: list[int]) -> None:
        self.sender = Sender(credit=1 << 40)
        self.sent = dict.fromkeys(range(1, 11), 0)
        for stream, size in enumerate(sizes, 1):
            self.sender.add(stream, _Endless(size), 1 << 40)

    @rule(frames=st.integers(1, 60))
    def send(self, frames: int) -> None:
        for stream, size in taken(self.sender, frames):
            self.sent[stream] += size + 5
        assert max(self.sent.values()) - min(self.sent.values()) <= 3 * MAX_FRAME

    @rule(stream=st.integers(1, 10))
    def wake(self, stream: int) -> None:
        self.sender.wake(stream)


class _Endless:
    def __init__(self, size: int) -> None:
        self.size = size

    def pull(self, limit: int) -> tuple[int, bytes]:
        return CHANGES, bytes(self.size)


TestTurns = Turns.TestCase
