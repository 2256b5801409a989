from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from notebook_mux.errors import ProtocolError, WriteRefused
from notebook_mux.remote import viewers
from notebook_mux.remote.ring import CHUNK, Ring
from notebook_mux.remote.viewers import GRANT, INPUT_CREDIT, Seat
from notebook_mux.wire.frames import Channel, encode_frame
from tests.unit.remote.standing import Eye, terminal


def put(of: object, data: bytes, channel: int = Channel.STDOUT) -> None:
    of._put(channel, data)  # type: ignore[attr-defined]


async def test_frames_as_they_travel():
    one = terminal()
    eye = Eye(one)
    put(one, b"hi\r\n")
    put(one, b"err", Channel.STDERR)
    found = [eye.viewer.pull(100) for _ in range(4)]
    state = found[0]
    assert state is not None
    assert (state[0], json.loads(state[1])["state"]) == (3, "starting")
    assert found[1:3] == [(20, b'{"live":true}'), (1, b"hi\r\n")]
    assert found[3] == (2, b"err")
    assert eye.viewer.pull(100) is None
    assert encode_frame(11, *found[1]) == bytes.fromhex("0000000b 14 7b226c697665223a747275657d")  # type: ignore[misc]
    one.resize(eye.viewer, 120, 32)
    assert eye.viewer.pull(100) == (20, b'{"columns":120,"rows":32}')


async def test_what_is_shown_again_ends_where_it_was_when_it_came():
    one = terminal()
    put(one, b"before")
    eye = Eye(one)
    put(one, b"after")
    frames = []
    while (frame := eye.pull()) is not None:
        frames.append(frame)
    assert [channel for channel, _ in frames] == [3, 1, 20, 1]
    assert [payload for channel, payload in frames if channel == 1] == [b"before", b"after"]


async def test_states_are_frames_of_their_own():
    one = terminal()
    one.began(["sh"])
    one.began(["sh"])
    eye = Eye(one).all()
    assert [state["state"] for state in eye.states] == ["starting", "running", "running"]


async def test_skipped():
    one = terminal()
    one.ring._limit = 3 * CHUNK
    eye = Eye(one).all()
    place = eye.viewer.place
    one.resize(eye.viewer, 80, 24)
    eye.all()
    put(one, b"\x1b[31m" + bytes(CHUNK - 5))
    for _ in range(4):
        put(one, "€".encode() * (CHUNK // 3))
    eye.notes.clear()
    eye.all()
    skipped, restore = eye.notes
    assert skipped == {"skipped": skipped["place"] - place, "place": skipped["place"]}
    assert restore["restore"].endswith("\x1b[0;31m")
    assert restore["state"]["state"] == "starting"
    assert eye.viewer.skipped == skipped["skipped"]
    assert eye.output.decode().strip("€") == "", "it goes on with a whole character"
    assert one._wiggle is not None, "it is drawn anew"


async def test_a_view_without_output_is_told_the_states_alone():
    one = terminal()
    put(one, b"output")
    eye = Eye(one, output=False)
    one.began(["sh"])
    put(one, b"more")
    eye.all()
    assert [state["state"] for state in eye.states] == ["starting", "running"]
    assert (eye.output, eye.notes, eye.viewer.waited) == (b"", [{"live": True}], False)
    assert eye.viewer.place < one.ring.end
    for _ in range(viewers.MAX_STATES + 5):
        one.began([])
    assert len(eye.all().states) == viewers.MAX_STATES + 2


async def test_input_and_its_numbers():
    one = terminal()
    eye = Eye(one)
    seat = eye.viewer.seat
    eye.viewer.feed(0, b"abc")
    eye.viewer.feed(0, b"abc")
    eye.viewer.feed(2, b"cde")
    assert (seat.taken, seat.waiting, seat.room) == (5, 5, INPUT_CREDIT - 5)
    assert [one._typed.take(), one._typed.take(), one._typed.take()] == [b"abc", b"de", None]
    with pytest.raises(ProtocolError, match="input from byte 6 on, where 5 have come"):
        eye.viewer.feed(6, b"x")
    with pytest.raises(ProtocolError, match="more input than was granted"):
        eye.viewer.feed(5, bytes(INPUT_CREDIT + 1))
    silent = Eye(terminal(stdin=False))
    with pytest.raises(ProtocolError, match="takes none"):
        silent.viewer.feed(0, b"x")


async def test_what_is_refused_is_told_once_for_all():
    one = terminal()
    eye = Eye(one).all()

    def check() -> None:
        raise WriteRefused("no", todo="do")

    one.check = check
    eye.viewer.feed(0, b"abc")
    eye.viewer.feed(3, b"de")
    assert eye.viewer.pull(100) == (20, b'{"refused":5,"code":"write-refused","what":"no","todo":"do"}')
    assert one._typed.take() is None
    assert (eye.viewer.seat.taken, eye.viewer.seat.waiting) == (5, 0)


def test_credit_comes_in_steps():
    seat = Seat()
    seat.waiting = GRANT + 5
    seat.passed_on(GRANT)
    assert (seat.waiting, seat.owed, seat.room) == (5, GRANT, INPUT_CREDIT - GRANT - 5)


class Views(RuleBasedStateMachine):
    """Views that come and go and read little or much of a short ring: each place shows what was written there."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()

    @initialize(limit=st.integers(2_000, 20_000))
    def begin(self, limit: int) -> None:
        async def make() -> None:
            self.terminal = terminal()
            self.terminal._task.cancel()

        self.loop.run_until_complete(make())
        self.terminal.ring = Ring(limit)
        self.terminal.viewers.clear()
        self.whole = b""
        self.eyes: dict[int, Eye] = {}
        self.places: dict[int, int] = {}

    @rule(data=st.binary(min_size=1, max_size=200), times=st.integers(1, 80))
    def write(self, data: bytes, times: int) -> None:
        put(self.terminal, data * times)
        self.whole += data * times

    @rule(number=st.integers(1, 3), again=st.booleans())
    def come(self, number: int, again: bool) -> None:
        received = self.places.get(number, -1) if again else -1
        self.eyes[number] = eye = Eye(self.terminal, f"view-{number:012d}", received)
        self.places[number] = eye.viewer.place

    @rule(number=st.integers(1, 3), frames=st.integers(1, 20), limit=st.integers(4096, 65_531))
    def read(self, number: int, frames: int, limit: int) -> None:
        eye = self.eyes.get(number)
        for _ in range(frames if eye is not None and eye.why is None else 0):
            assert eye is not None
            seen = len(eye.output)
            if eye.pull(limit) is None:
                assert self.places[number] == len(self.whole)
                break
            for note in eye.notes:
                if "skipped" in note:
                    assert note["place"] - note["skipped"] == self.places[number]
                    self.places[number] = note["place"]
            eye.notes.clear()
            new = eye.output[seen:]
            assert new == self.whole[self.places[number] : self.places[number] + len(new)]
            self.places[number] += len(new)

    @rule(number=st.integers(1, 3))
    def go(self, number: int) -> None:
        if number in self.eyes:
            self.terminal.leave(self.eyes.pop(number).viewer)

    def teardown(self) -> None:
        self.loop.close()


TestViews = Views.TestCase
TestViews.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@given(st.binary(max_size=4), st.booleans())
def test_it_begins_with_a_whole_character(tail: bytes, output: bool):
    async def run() -> None:
        one = terminal()
        one.ring._limit = 2 * CHUNK
        put(one, bytes(CHUNK))
        put(one, tail + "ü".encode() * 20 + bytes(CHUNK - 44))
        put(one, bytes(CHUNK))
        eye = Eye(one, output=output).all()
        assert not eye.output or eye.output[0] not in viewers.CONTINUED or eye.output[:3].strip(b"\x80\xbf") == b""
        await one.close(WriteRefused("over"))

    asyncio.run(run())
