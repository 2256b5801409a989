from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import receiving
from notebook_mux.wire.frames import MAX_FRAME, MAX_PAYLOAD, Channel, encode_frame
from notebook_mux.wire.messages import Answer, Credit, Goodbye, State, Welcome, encode
from notebook_mux.wire.receiving import Receiver
from notebook_mux.wire.sending import Sender

WELCOME = encode(Welcome(instance="i", package="0", credit=1000))


def opened(stream_window: int = 400) -> Receiver:
    receiver = Receiver(stream_window=stream_window)
    receiver.text(WELCOME)
    assert receiver.open(1) == stream_window
    return receiver


def test_the_welcome_is_kept():
    receiver = Receiver()
    assert receiver.text(WELCOME) == receiver.welcome == Welcome(instance="i", package="0", credit=1000)
    assert receiver.connection_window == 1000
    with pytest.raises(ProtocolError, match="twice"):
        receiver.text(WELCOME)


def test_nothing_but_goodbye_comes_before_the_welcome():
    receiver = Receiver()
    assert receiver.text(encode(Goodbye(code="closing", what="w"))) == Goodbye(code="closing", what="w")
    with pytest.raises(ProtocolError, match="answer before its welcome"):
        receiver.text(encode(Answer(id=1)))
    with pytest.raises(ProtocolError, match="data before its welcome"):
        receiver.binary(encode_frame(1, Channel.CHANGES, b"x"))


def test_data_of_a_stream_that_is_wanted():
    receiver = opened()
    assert receiver.binary(b"\0\0\0\x01\x10abc") == (1, Channel.CHANGES, b"abc")
    assert receiver.binary(b"\0\0\0\x01\x12abc") == (1, Channel.BODY, b"abc")
    assert receiver.received_bytes == 16 + len(WELCOME)


def test_data_of_others_is_dropped_and_yet_counted():
    receiver = opened()
    assert receiver.binary(encode_frame(2, Channel.CHANGES, bytes(295))) is None
    assert receiver.binary(encode_frame(0, Channel.CHANGES, bytes(195))) is None
    assert receiver.credits() == [Credit(stream=0, bytes=500)]
    receiver.forget(1)
    assert receiver.binary(encode_frame(1, Channel.CHANGES, b"x")) is None


def test_parts_are_joined():
    receiver = opened()
    receiver.open(2)
    assert receiver.binary(b"\0\0\0\x01\x11ab") is None
    assert receiver.binary(b"\0\0\0\x02\x10xy") == (2, Channel.CHANGES, b"xy")
    assert receiver.binary(b"\0\0\0\x01\x11cd") is None
    assert receiver.binary(b"\0\0\0\x01\x10ef") == (1, Channel.CHANGES, b"abcdef")
    assert receiver.binary(b"\0\0\0\x01\x10gh") == (1, Channel.CHANGES, b"gh")


def test_parts_of_a_stream_that_was_given_up_are_forgotten():
    receiver = opened()
    receiver.binary(b"\0\0\0\x01\x11ab")
    receiver.forget(1)
    receiver.open(1)
    assert receiver.binary(b"\0\0\0\x01\x10ef") == (1, Channel.CHANGES, b"ef")


def test_a_record_has_a_limit(monkeypatch):
    monkeypatch.setattr(receiving, "MAX_RECORD", 5)
    receiver = opened()
    receiver.binary(b"\0\0\0\x01\x11abcde")
    with pytest.raises(ProtocolError, match="more than 5 bytes"):
        receiver.binary(b"\0\0\0\x01\x11f")


@pytest.mark.parametrize("frame", [b"", b"\0\0\0\x01", bytes(MAX_FRAME + 1)])
def test_a_frame_of_a_wrong_size(frame):
    with pytest.raises(ProtocolError):
        opened().binary(frame)


def test_credit_is_due_at_half_a_window():
    receiver = opened(stream_window=400)
    receiver.binary(encode_frame(1, Channel.CHANGES, bytes(194)))
    assert receiver.credits() == []
    receiver.binary(encode_frame(1, Channel.CHANGES, b""))
    assert receiver.credits() == [Credit(stream=1, bytes=204)]
    assert receiver.credits() == []
    receiver.binary(encode_frame(1, Channel.CHANGES, bytes(300)))
    assert receiver.credits() == [Credit(stream=1, bytes=305), Credit(stream=0, bytes=509)]


def test_control_messages():
    receiver = opened()
    assert receiver.text(encode(State(stream=1, state="live"))) == State(stream=1, state="live")
    with pytest.raises(ProtocolError):
        receiver.text("nonsense")


class _Sizes:
    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        return (Channel.CHANGES, bytes(self.sizes.pop(0))) if self.sizes else None


@given(
    st.lists(st.lists(st.integers(0, MAX_PAYLOAD), max_size=15), min_size=1, max_size=4),
    st.integers(1, 3 * MAX_FRAME),
    st.integers(1, 3 * MAX_FRAME),
    st.randoms(use_true_random=False),
)
def test_sender_and_receiver_never_stall_each_other(streams, stream_window, connection_window, random):
    """Whatever the windows, whatever the frames, whenever a stream is given up: all that is wanted arrives."""
    sender = Sender(credit=connection_window)
    receiver = Receiver(stream_window=stream_window)
    receiver.text(encode(Welcome(instance="i", package="0", credit=connection_window)))
    sources = {number: _Sizes(list(sizes)) for number, sizes in enumerate(streams, 1)}
    for number, source in sources.items():
        sender.add(number, source, receiver.open(number))
    given_up = random.choice([0, *sources])
    after = random.randrange(10)
    count = 0
    while (frame := sender.next()) is not None:
        assert isinstance(frame, bytes)
        receiver.binary(frame)
        count += 1
        if count == after and given_up:
            receiver.forget(given_up)
            sender.remove(given_up)
        for credit in receiver.credits():
            sender.grant(credit.stream, credit.bytes)
    assert all(not source.sizes for number, source in sources.items() if number != given_up)


def test_a_lent_streams_credit_is_not_ours_to_grant():
    receiver = Receiver(stream_window=100, connection_window=1000)
    receiver.text(WELCOME)
    receiver.open(7, lent=True)
    assert receiver.binary(encode_frame(7, 1, bytes(495))) == (7, 1, bytes(495))
    assert receiver.credits() == [Credit(stream=0, bytes=500)]
    receiver.forget(7)
    assert receiver.binary(encode_frame(7, 1, b"x")) is None
