from __future__ import annotations

import json
import math
from typing import Any

import pytest

from notebook_mux.errors import ProtocolError
from notebook_mux.widgets.panes import (
    FULL_BYTES,
    FULL_SECONDS,
    GATHER_SECONDS,
    MESSAGE_BYTES,
    Pane,
    unpacked,
)
from notebook_mux.wire.frames import NUMBER, Channel, encode_frame

from .fake_session import FakeSession


def view(**more: Any) -> str:
    asked = {"type": "view", "stream": 1, "terminal": "", "view": "v" * 16, "columns": 80, "rows": 24}
    return json.dumps(asked | {"credit": 1 << 20, "received": -1} | more)


def stdin(number: int, data: bytes) -> bytes:
    return encode_frame(1, Channel.STDIN, NUMBER.pack(number) + data)


class Sent:
    """What a pane published, and how often it asked for a turn."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        self.pokes = 0
        self.session = FakeSession()
        self.pane = Pane("p1", "v" * 16, self.publish, self.poke)

    def publish(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.messages.append((content, buffers))

    def poke(self, _pane: Pane) -> None:
        self.pokes += 1

    def items(self) -> list[Any]:
        return [item for content, buffers in self.messages for item in unpacked(content["items"], buffers)]

    def run(self, now: float) -> float:
        """Turns until there is nothing to send; returns the time then."""
        while True:
            sent, next_ = self.pane.turn(now)
            if not sent and next_ == math.inf:
                return now
            now = max(now, next_) if next_ != math.inf else now


@pytest.fixture
def sent() -> Sent:
    return Sent()


def test_what_a_page_says_goes_on_and_what_comes_goes_to_it(sent):
    sent.session.print("hello")
    sent.pane.take(sent.session, [view()])
    assert sent.pokes > 0
    assert not sent.messages  # never on the core's thread
    sent.run(100.0)
    (content, _buffers), *_ = sent.messages
    assert content["t"] == "terminal"
    assert (content["page"], content["view"], content["n"]) == ("p1", "v" * 16, 0)
    shown, size, event, output, live = sent.items()
    assert json.loads(shown)["type"] == "shown"
    assert b"columns" in size
    assert event[4] == Channel.ERROR
    assert output == encode_frame(1, Channel.STDOUT, b"hello")
    assert b"live" in live
    sent.pane.take(sent.session, [stdin(0, b"ls\r")])
    assert bytes(sent.session.typed["v" * 16]) == b"ls\r"


def test_the_first_goes_at_once_and_the_rest_is_gathered(sent):
    sent.pane.take(sent.session, [view()])
    now = sent.run(100.0) + 1
    before = len(sent.messages)
    sent.session.print("a")
    assert sent.pane.turn(now) == (True, math.inf)
    sent.session.print("b")
    assert sent.pane.turn(now) == (False, now + GATHER_SECONDS)
    sent.session.print("c")
    assert sent.pane.turn(now + GATHER_SECONDS)[0]
    assert [len(content["items"]) for content, _ in sent.messages[before:]] == [1, 2]
    assert [content["n"] for content, _ in sent.messages] == list(range(len(sent.messages)))


def test_much_goes_earlier_in_bounded_messages_and_nothing_is_merged(sent):
    sent.pane.take(sent.session, [view()])
    now = sent.run(100.0) + 1
    before, had = len(sent.messages), len(sent.items())
    sent.session.print("x")
    sent.pane.turn(now)
    sent.session.print(b"y" * (2 * FULL_BYTES))
    assert sent.pane.turn(now)[1] == now + FULL_SECONDS
    sent.session.print(b"z" * (700 * 1024))
    now = sent.run(now)
    assert all(sum(map(len, buffers)) <= MESSAGE_BYTES for _, buffers in sent.messages[before:])
    frames = sent.items()[had:]
    assert frames == [encode_frame(1, Channel.STDOUT, data) for _, data in sent.session.ring[-len(frames) :]]
    assert len(sent.messages) - before <= 5


def test_a_page_that_does_not_answer_gets_no_more_than_its_credit(sent):
    sent.pane.take(sent.session, [view(credit=100_000)])
    now = sent.run(100.0)
    sent.session.print(b"x" * 5_000_000)
    now = sent.run(now)
    got = sum(len(item) for item in sent.items() if isinstance(item, bytes) and item[4] == Channel.STDOUT)
    assert 100_000 <= got < 100_000 + 64 * 1024
    sent.pane.take(sent.session, [json.dumps({"type": "credit", "stream": 1, "bytes": 50_000})])
    sent.run(now + 1)
    more = sum(len(item) for item in sent.items() if isinstance(item, bytes) and item[4] == Channel.STDOUT)
    assert more > got


def test_another_view_begins_anew_and_what_the_earlier_one_had_left_is_dropped(sent):
    sent.session.print("one")
    sent.pane.take(sent.session, [view()])  # nothing of this has been sent
    place = sum(len(data) for _, data in sent.session.ring)
    sent.session.print("two")
    sent.pane.take(sent.session, [view(received=place)])
    sent.run(100.0)
    assert [content["n"] for content, _ in sent.messages] == [0]
    payloads = b"".join(item[5:] for item in sent.items() if isinstance(item, bytes) and item[4] == Channel.STDOUT)
    assert payloads == b"two"
    assert len(sent.session.views) == 1


def test_unsubscribe_and_close_let_go_of_the_view(sent):
    sent.pane.take(sent.session, [view()])
    sent.pane.take(sent.session, ['{"type":"unsubscribe","stream":1}'])
    assert not sent.session.views
    sent.session.print("nobody looks")
    assert sent.pane.turn(100.0) == (False, math.inf)
    sent.pane.take(sent.session, [view()])
    assert len(sent.session.views) == 1
    sent.pane.close()
    sent.pane.close()
    assert not sent.session.views
    sent.pane.take(sent.session, [view()])
    assert not sent.session.views


def test_what_a_page_may_not_say_is_refused(sent):
    sent.pane.take(sent.session, [view()])
    with pytest.raises(ProtocolError):
        sent.pane.take(sent.session, ['{"type":"hangup"}'])
    with pytest.raises(ProtocolError):
        sent.pane.take(sent.session, [encode_frame(1, Channel.STDOUT, b"x")])
    with pytest.raises(ValueError, match="not among"):
        unpacked([0], [])
