from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.programs import AWAY_SECONDS, MAX_OUTPUT, Program
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_PAYLOAD, NUMBER, Channel

SUCCESS = b'{"status":"Success"}'
CREDIT = 1 << 20


class Line:
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        self.welcome: messages.Welcome | None = messages.Welcome(instance="one", package="0")
        self.written: list[tuple[int, int, bytes]] = []

    def write(self, stream: int, channel: int, payload: bytes) -> None:
        self.written.append((stream, channel, payload))

    def input(self) -> bytes:
        """What the frames of stdin say together, each at its place."""
        found = bytearray()
        for _, channel, payload in self.written:
            if channel == Channel.STDIN:
                (place,) = NUMBER.unpack_from(payload)
                data = payload[NUMBER.size :]
                assert place <= len(found), "a gap"
                found[place : place + len(data)] = data
        return bytes(found)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def program(line: Line, stdin: bytes | None = None, **more: Any) -> Program:
    return Program(line, lambda: "ref", stdin, path="/p", query="q", scope="s", timeout=3.0, **more)


async def test_output_comes_together():
    one = program(Line())
    start = one.begin(4, CREDIT)
    assert start is not None
    assert (start.stream, start.attempt, start.instance, start.received) == (4, 1, "", 0)
    assert (start.cluster, start.path, start.query, start.scope, start.timeout) == ("ref", "/p", "q", "s", 3.0)
    assert (start.stdin, start.credit, len(start.program)) == (False, CREDIT, 32)
    for channel, payload in ((1, b"a"), (2, b"err"), (1, b"b"), (3, SUCCESS[:5]), (3, SUCCESS[5:]), (19, b"{}")):
        assert not one.done.done()
        one.data(channel, payload)
    assert await one.done == (SUCCESS, b"ab", b"err")
    one.data(1, b"late")
    assert one.begin(5, CREDIT) is None


async def test_it_is_joined_behind_what_it_has():
    line = Line()
    one = program(line)
    first = one.begin(4, CREDIT)
    one.data(1, b"abc")
    one.lost("the socket was cut", 1.0)
    again = one.begin(9, CREDIT)
    assert first is not None
    assert again is not None
    assert (again.stream, again.attempt, again.instance, again.received) == (9, 2, "one", 3)
    assert again.program == first.program
    assert line.welcome is not None
    line.welcome = messages.Welcome(instance="two", package="0")
    one.lost("the socket was cut", 1.0)
    third = one.begin(10, CREDIT)
    assert third is not None
    assert (third.attempt, third.instance) == (3, "one"), "the first one's, so that the second can refuse"


async def test_input_goes_as_it_is_granted_and_again_from_where_it_stopped():
    line, content = Line(), bytes(range(256)) * 1000
    one = program(line, content)
    one.begin(4, CREDIT)
    assert line.written == []
    one.control(messages.Joined(stream=4, taken=0, credit=100_000))
    assert line.input() == content[:100_000]
    assert max(len(payload) for _, _, payload in line.written) == MAX_PAYLOAD
    one.control(messages.Credit(stream=4, bytes=50_000))
    assert line.input() == content[:150_000]
    one.lost("the socket was cut", 1.0)
    before = len(line.written)
    one.control(messages.Credit(stream=4, bytes=50_000))
    assert len(line.written) == before, "nothing is written where there is no socket"
    one.begin(5, CREDIT)
    one.control(messages.Joined(stream=5, taken=120_000, credit=1 << 20))
    assert line.written[before][2][: NUMBER.size] == NUMBER.pack(120_000)
    assert line.input() == content
    assert line.written[-1] == (5, Channel.CLOSE, b"\0")
    one.control(messages.Credit(stream=5, bytes=1))
    assert [channel for _, channel, _ in line.written].count(Channel.CLOSE) == 1
    one.begin(6, CREDIT)
    one.control(messages.Joined(stream=6, taken=len(content), credit=0))
    assert line.written[-1] == (6, Channel.CLOSE, b"\0"), "the end is said again: it may have been lost"


async def test_what_came_before_the_time_limit_is_kept():
    one = program(Line())
    one.begin(4, CREDIT)
    for channel, payload in ((1, b"a"), (2, b"err"), (1, b"b"), (19, b'{"code":"timeout","what":"too late"}')):
        one.data(channel, payload)
    with pytest.raises(Failure) as caught:
        await one.done
    assert caught.value.fields == {"what": "too late", "stdout": b"ab", "stderr": b"err"}


async def test_empty_input_is_an_end_at_once():
    line = Line()
    one = program(line, b"")
    assert one.begin(4, CREDIT)
    one.control(messages.Joined(stream=4, credit=10))
    assert line.written == [(4, Channel.CLOSE, b"\0")]


async def failed(one: Program) -> Failure:
    with pytest.raises(Failure) as caught:
        await one.done
    return caught.value


async def test_how_it_fails():
    one = program(Line())
    one.begin(4, CREDIT)
    one.control(messages.Ended(stream=4, code="write-refused", what="no", todo="ask"))
    failure = await failed(one)
    assert (failure.code, failure.fields["todo"]) == ("write-refused", "ask")
    one = program(Line())
    one.begin(4, CREDIT)
    one.data(19, json.dumps({"code": "unreachable", "what": "too long", "todo": "more"}).encode())
    failure = await failed(one)
    assert (failure.code, failure.fields) == ("unreachable", {"what": "too long", "todo": "more"})


async def test_too_much_output():
    one = program(Line())
    one.begin(4, CREDIT)
    one.received = MAX_OUTPUT
    one.data(1, b"x")
    assert "more than 512 MiB" in (await failed(one)).fields["what"]


async def test_closed_for_good_or_away_for_too_long():
    one = program(Line())
    one.lost("closed", None)
    assert not one.done.done(), "it was never started, and may still be"
    one.begin(4, CREDIT)
    one.lost("closed", None)
    assert (await failed(one)).code == "outcome-unknown"
    clock = Clock()
    one = program(Line(), clock=clock)
    one.begin(4, CREDIT)
    clock.now = 2 * AWAY_SECONDS
    one.data(1, b"a program may be silent for long")
    one.lost("the socket was cut", 1.0)
    clock.now += AWAY_SECONDS
    one.lost("no gateway answers", 1.0)
    assert not one.done.done()
    clock.now += 1
    assert one.begin(5, CREDIT) is None
    assert (await failed(one)).fields["what"] == "the gateway was away for too long"


async def test_nobody_waits_any_more():
    one = program(Line())
    one.done.cancel()
    one.fail(Failure("closed", "late"))
    one.data(19, b"{}")
    await asyncio.sleep(0)
    assert one.done.cancelled()
