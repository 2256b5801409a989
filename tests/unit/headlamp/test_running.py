from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from notebook_mux.errors import ProtocolError
from notebook_mux.headlamp.bridge import Bridge
from notebook_mux.kernel.core import Core
from notebook_mux.kernel.failure import Failure
from notebook_mux.wire import messages
from notebook_mux.wire.receiving import Receiver
from notebook_mux.wire.remotecommand import outcome
from tests.unit.headlamp.conftest import SOURCE, eventually
from tests.unit.headlamp.fake_server import FakeHeadlamp
from tests.unit.remote.pods import EXEC, SUCCESS, Pods, echo, says

SCOPE = "a-manager"
EVERY = bytes(range(256))


class Runner:
    """A core that may write, and starts programs."""

    def __init__(self, core: Core, url: str) -> None:
        self.core = core
        self.conn = core.connect(("url", url), 30).result(60)
        self.ref = core.contexts(self.conn, SOURCE, ["*"], 30).result(60)[0]["ref"]
        core.scope(self.conn, SCOPE, [self.ref]).result(30)

    def run(self, stdin: bytes | None = None, timeout: float | None = None) -> Future[tuple[bytes, bytes, bytes]]:
        flags = "stdout=true&stderr=true" + ("&stdin=true" if stdin is not None else "")
        return self.core.exec(
            self.conn, self.ref, EXEC, f"{flags}&command=x", scope=SCOPE, stdin=stdin, timeout=timeout
        )

    def is_back(self, lost: int) -> bool:
        return (self.status["reconnects"], self.status["state"]) == (lost, "open")

    @property
    def status(self) -> Any:
        return self.core.status(self.conn)


@pytest.fixture
def runner(headlamp: FakeHeadlamp, make_core: Callable[..., Core]) -> Runner:
    return Runner(make_core(), headlamp.url)


class Held:
    """A program that says one thing, and the next when it is let go."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.go_on = threading.Event()
        self.ended = 0

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        self.sockets.append(socket)
        await socket.send_bytes(b"\1before ")
        try:
            while not self.go_on.is_set():
                await asyncio.sleep(0.005)
        finally:
            self.ended += 1
        await socket.send_bytes(b"\1after")
        await socket.send_bytes(SUCCESS)


def test_output_input_and_the_end(headlamp: FakeHeadlamp, runner: Runner) -> None:
    headlamp.pods = Pods(says(b"\1out", b"\2err", SUCCESS))
    status, stdout, stderr = runner.run().result(30)
    assert (outcome(status).code, stdout, stderr) == (0, b"out", b"err")
    headlamp.pods = Pods(echo)
    content = EVERY * 8000
    assert runner.run(content).result(60)[1] == content
    eventually(lambda: runner.status["direct_sockets"] == 0)


def test_a_manager_that_may_only_look_starts_nothing(headlamp: FakeHeadlamp, runner: Runner) -> None:
    headlamp.pods = pods = Pods(echo)
    with pytest.raises(Failure) as caught:
        runner.core.exec(runner.conn, runner.ref, EXEC, "command=x", scope="another").result(30)
    assert caught.value.code == "write-refused"
    assert pods.starts == 0


def test_a_socket_of_its_own_for_each_program(headlamp: FakeHeadlamp, runner: Runner) -> None:
    held = Held()
    headlamp.pods = Pods(held)
    programs = [runner.run() for _ in range(3)]
    eventually(lambda: len(held.sockets) == 3)
    # What runs over there may run before its socket is told open here.
    eventually(lambda: (runner.status["sockets"], runner.status["direct_sockets"]) == (1, 3))
    held.go_on.set()
    assert [program.result(30)[1] for program in programs] == [b"before after"] * 3
    eventually(lambda: runner.status["direct_sockets"] == 0)


def test_a_program_that_is_not_wanted_any_more_is_cut(headlamp: FakeHeadlamp, runner: Runner) -> None:
    held = Held()
    headlamp.pods = Pods(held)
    program = runner.run()
    eventually(lambda: held.sockets)
    assert program.cancel()
    eventually(lambda: held.ended == 1)
    eventually(lambda: runner.status["direct_sockets"] == 0)


def test_a_time_limit(headlamp: FakeHeadlamp, runner: Runner) -> None:
    headlamp.pods = Pods(Held())
    with pytest.raises(Failure) as caught:
        runner.run(timeout=0.2).result(30)
    assert caught.value.code == "timeout"


def test_a_socket_that_is_lost_leaves_the_outcome_unknown(headlamp: FakeHeadlamp, runner: Runner) -> None:
    async def breaks(socket: web.WebSocketResponse) -> None:
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    headlamp.pods = pods = Pods(breaks)
    with pytest.raises(Failure) as caught:
        runner.run().result(30)
    assert (caught.value.code, pods.starts) == ("outcome-unknown", 1)


def test_programs_outlive_the_multiplexed_socket(headlamp: FakeHeadlamp, runner: Runner) -> None:
    held = Held()
    headlamp.pods = pods = Pods(held)
    program = runner.run()
    eventually(lambda: held.sockets)
    for lost in range(1, 4):
        headlamp.cut()
        eventually(partial(runner.is_back, lost))
    held.go_on.set()
    assert program.result(30)[1] == b"before after"
    assert pods.starts == 1


def test_a_server_that_goes_takes_its_programs_and_says_so_at_once(headlamp: FakeHeadlamp, runner: Runner) -> None:
    held = Held()
    headlamp.pods = pods = Pods(held)
    program = runner.run()
    eventually(lambda: held.sockets)
    headlamp.stop()
    with pytest.raises(Failure) as caught:
        program.result(30)
    assert (caught.value.code, pods.starts) == ("outcome-unknown", 1)
    assert caught.value.fields["what"] == "the connection to the API server ended before the program did"


def test_the_end_of_the_connection_ends_them(headlamp: FakeHeadlamp, runner: Runner) -> None:
    held = Held()
    headlamp.pods = Pods(held)
    program = runner.run()
    eventually(lambda: held.sockets)
    runner.core.close(runner.conn).result(30)
    with pytest.raises(Failure) as caught:
        program.result(30)
    assert caught.value.code == "closed"
    eventually(lambda: held.ended == 1)


def test_a_slow_reader_stops_the_server(
    headlamp: FakeHeadlamp, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel has not taken in waits in the program's ring, and then in the server."""
    sent = 0

    async def flood(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        for _ in range(2000):
            await socket.send_bytes(b"\1" + bytes(32_768))
            sent += 32_768
        await socket.send_bytes(SUCCESS)

    taking = Receiver.credits
    monkeypatch.setattr(Receiver, "credits", lambda self: [])
    headlamp.pods = Pods(flood)
    program = runner.run()
    before = -1

    def stands() -> bool:
        nonlocal before
        same, before = sent == before, sent
        return same and sent > 0

    waiting = threading.Event()
    while not stands():
        waiting.wait(0.3)
    assert sent < 2000 * 32_768
    monkeypatch.setattr(Receiver, "credits", taking)
    runner.core.cut(runner.conn)
    assert len(program.result(90)[1]) == 2000 * 32_768


async def told(bridge: Bridge, *said: messages.Message) -> list[Any]:
    """What a bridge answers, in messages."""
    for message in said:
        bridge.send(messages.encode(message))
    found: list[Any] = []
    async with asyncio.timeout(30):
        async for frame in bridge.frames():
            found.append(messages.decode_gateway(frame))
            if len(found) == len(said):
                break
    return found


async def test_what_needs_a_gateway_of_ours_is_refused_in_words(headlamp: FakeHeadlamp) -> None:
    bridge = await Bridge.open(headlamp.url, None)
    try:
        welcome, ticket, page = await told(
            bridge,
            messages.Hello(package="0"),
            messages.Ticket(id=1, terminal="x", origin="http://localhost:8888"),
            messages.Page(id=2, key="x"),
        )
        assert welcome.package.endswith("(Headlamp)")
        assert (ticket.code, ticket.what) == (
            "invalid",
            "a terminal by way of a Headlamp server has no WebSocket of a page's own",
        )
        assert (page.code, page.what) == ("invalid", "a Headlamp server shows no pages of a forward")
    finally:
        await bridge.close()


@pytest.mark.parametrize(
    "nonsense",
    [messages.encode(messages.Size(stream=1, columns=-1, rows=24)), bytes(64 * 1024 + 5)],
)
async def test_nonsense_is_an_end_with_a_reason(headlamp: FakeHeadlamp, nonsense: str | bytes) -> None:
    bridge = await Bridge.open(headlamp.url, None)
    try:
        bridge.send(nonsense)
        with pytest.raises(ProtocolError, match=r"a view of -1 by 24|a binary frame of 65541 bytes"):
            await anext(bridge.frames())
    finally:
        await bridge.close()
