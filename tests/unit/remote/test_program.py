from __future__ import annotations

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from notebook_mux.errors import OutcomeUnknown, ProtocolError
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.kube.answers import Answer
from notebook_mux.remote import conversation
from notebook_mux.remote.program import INPUT_CREDIT, Order, Program, ending, refusal
from notebook_mux.remote.ring import RING_BYTES
from notebook_mux.wire.frames import Channel
from tests.unit.gateway.tls_api import Api
from tests.unit.remote.pods import EXEC, SUCCESS, V4, V4_BASE64, Pods, echo, says

TOKEN = {"token": "canary"}
EVERY = bytes(range(256))
EXIT_3 = b'\3{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'


class Run:
    """A program and its reader, who reads as fast as it comes."""

    def __init__(self, cluster: Cluster, **order: Any) -> None:
        self.program = Program(cluster, Order(EXEC, "command=x", **order))
        self.output: dict[int, bytes] = {}
        self.place = 0
        self.granted = 0
        self._moved = asyncio.Event()
        self.program.moved = self._moved.set
        self.program.granted = self._grant

    def _grant(self, size: int) -> None:
        self.granted += size

    async def end(self) -> dict[str, Any]:
        """Read to the last frame; gives its fields."""
        pieces: defaultdict[int, list[bytes]] = defaultdict(list)
        while Channel.END not in pieces:
            self._moved.clear()
            while (found := self.program.ring.read(self.place, 50_000)) is not None:
                pieces[found[0]].append(found[1])
                self.place += len(found[1])
                self.program.forget(self.place)
            if Channel.END not in pieces:
                await self._moved.wait()
        self.output = {channel: b"".join(read) for channel, read in pieces.items()}
        fields: dict[str, Any] = json.loads(self.output[Channel.END])
        return fields


@pytest.fixture
def run(api: Api, connect: Callable[..., Cluster]) -> Callable[..., Run]:
    def start(handler: Any, **order: Any) -> Run:
        api.handle = handler
        return Run(connect(api.url, TOKEN), **order)

    return start


async def test_output_status_and_end(run: Callable[..., Run]):
    one = run(Pods(says(b"\1" + EVERY, b"\2err", b"\1", b"\1more", EXIT_3)))
    assert await one.end() == {}
    assert one.output[1] == EVERY + b"more"
    assert one.output[2] == b"err"
    assert json.loads(one.output[3])["reason"] == "NonZeroExitCode"
    await asyncio.wait_for(asyncio.shield(one.program._task), 30)
    assert one.program.over


async def test_the_older_version_is_spoken_too(run: Callable[..., Run]):
    pods = Pods(says(b"\1out", SUCCESS), protocols=(V4,))
    one = run(pods)
    assert await one.end() == {}
    assert one.output[1] == b"out"
    with_input = run(pods, stdin=True)
    ended = await with_input.end()
    assert (ended["code"], ended["what"]) == ("server", "the API server takes no program with input that ends")
    assert pods.starts == 1, "nothing was started that could not be given its input"


async def test_output_as_text_for_a_way_that_passes_nothing_else(run: Callable[..., Run]):
    async def says_text(socket: web.WebSocketResponse) -> None:
        for message in (b"\1" + EVERY, b"\2err", EXIT_3):
            await socket.send_str(f"{message[0]}{base64.b64encode(message[1:]).decode()}")

    one = run(Pods(says_text, protocols=(V4_BASE64,), first="1"))
    assert await one.end() == {}
    assert (one.output[1], one.output[2]) == (EVERY, b"err")
    assert json.loads(one.output[3])["reason"] == "NonZeroExitCode"


@pytest.mark.parametrize("chosen", [(), ("v9.channel.k8s.io",)])
async def test_a_version_that_was_not_offered_is_no_outcome(run: Callable[..., Run], chosen: tuple[str, ...]):
    gone = asyncio.Event()

    async def chooses(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        if chosen:
            socket.headers["Sec-WebSocket-Protocol"] = chosen[0]
        await socket.prepare(request)
        await socket.receive()
        gone.set()
        return socket

    ended = await run(chooses).end()
    assert ended["code"] == "outcome-unknown"
    assert "offered: v5.channel.k8s.io" in ended["said"]
    await asyncio.wait_for(gone.wait(), 30)


async def test_input_to_its_end(run: Callable[..., Run]):
    one = run(Pods(echo), stdin=True)
    one.program.feed(0, EVERY)
    one.program.feed(100, EVERY[100:] + b"more")
    one.program.feed(0, EVERY)
    one.program.end_input()
    one.program.end_input()
    assert await one.end() == {}
    assert (one.output[1], one.program.taken, one.granted) == (EVERY + b"more", 260, 260)


async def test_input_that_cannot_be(run: Callable[..., Run]):
    one = run(Pods(echo), stdin=True)
    with pytest.raises(ProtocolError, match="input from byte 1 on, where 0"):
        one.program.feed(1, b"x")
    with pytest.raises(ProtocolError, match="more input than was granted"):
        one.program.feed(0, bytes(INPUT_CREDIT + 1))
    one.program.feed(0, b"x")
    one.program.end_input()
    with pytest.raises(ProtocolError, match="after its end"):
        one.program.feed(1, b"y")
    await one.end()
    other = run(Pods(says(SUCCESS)))
    with pytest.raises(ProtocolError, match="takes none"):
        other.program.feed(0, b"x")
    await other.end()


async def test_a_program_that_reads_nothing_has_an_end(run: Callable[..., Run]):
    one = run(Pods(says(b"\2no", EXIT_3)), stdin=True)
    one.program.feed(0, bytes(INPUT_CREDIT))
    assert await one.end() == {}
    assert one.output[2] == b"no"


async def test_no_status_is_no_outcome(run: Callable[..., Run]):
    async def breaks(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\1some")
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    one = run(Pods(breaks))
    ended = await one.end()
    assert (ended["code"], one.output[1]) == ("outcome-unknown", b"some")
    assert ended["what"] == "the connection to the API server ended before the program did"
    quiet = run(Pods(says(b"\1some")))
    assert (await quiet.end())["code"] == "outcome-unknown"


async def test_nonsense_from_the_server(run: Callable[..., Run]):
    one = run(Pods(says(b"\7what")))
    assert (await one.end())["code"] == "protocol"


async def test_a_slow_reader_stops_the_server(run: Callable[..., Run]):
    sent = 0

    async def flood(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        for _ in range(1000):
            await socket.send_bytes(b"\1" + bytes(32_768))
            sent += 32_768
        await socket.send_bytes(SUCCESS)

    one = run(Pods(flood))
    before = -1
    while sent != before or not one.program.ring.full:
        before = sent
        await asyncio.sleep(0.2)
    assert one.program.ring.end <= RING_BYTES + 32_768
    assert sent < 1000 * 32_768
    assert await one.end() == {}
    assert len(one.output[1]) == 1000 * 32_768


async def test_a_time_limit(run: Callable[..., Run]):
    gone = asyncio.Event()

    async def waits(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        gone.set()

    one = run(Pods(waits), timeout=5.0)
    ended = await one.end()
    assert (ended["code"], ended["cluster"]) == ("timeout", "prod")
    assert "did not end within 5 s" in ended["what"]
    await asyncio.wait_for(gone.wait(), 30)


async def test_output_before_a_time_limit_comes_before_the_end(run: Callable[..., Run]):
    async def says_and_waits(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\1some")
        await socket.send_bytes(b"\2words")
        await socket.receive()

    one = run(Pods(says_and_waits), timeout=5.0)
    assert (await one.end())["code"] == "timeout"
    assert (one.output[1], one.output[2]) == (b"some", b"words")


async def test_nothing_that_was_read_is_lost_to_a_time_limit(run: Callable[..., Run]):
    """A reader that has taken nothing: what is read and does not fit comes all the same."""

    async def flood(socket: web.WebSocketResponse) -> None:
        for number in range(1000):
            await socket.send_bytes(b"\1" + number.to_bytes(4) * 8192)

    one = run(Pods(flood), timeout=5.0)
    while not one.program.over:
        await asyncio.sleep(0.01)
    assert one.program._held is not None
    assert (await one.end())["code"] == "timeout"
    pieces = len(one.output[1]) // 32_768
    assert one.output[1] == b"".join(number.to_bytes(4) * 8192 for number in range(pieces))
    assert one.program.ring.end == pieces * 32_768 + len(one.output[Channel.END])


async def test_it_is_ended(run: Callable[..., Run]):
    here, gone = asyncio.Event(), asyncio.Event()

    async def waits(socket: web.WebSocketResponse) -> None:
        here.set()
        await socket.receive()
        gone.set()

    one = run(Pods(waits))
    await asyncio.wait_for(here.wait(), 30)
    await one.program.end()
    await asyncio.wait_for(gone.wait(), 30)


async def test_pings_keep_the_way_open(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conversation, "PING_SECONDS", 0.05)
    came: list[Any] = []

    async def hears(socket: web.WebSocketResponse) -> None:
        socket._autoping = False
        came.append((await socket.receive()).type)
        await socket.ping(b"and back")
        await socket.send_bytes(SUCCESS)

    assert await run(Pods(hears)).end() == {}
    assert [kind.name for kind in came] == ["PING"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 504])
async def test_a_refusal(run: Callable[..., Run], status: int):
    body = {"kind": "Status", "message": 'pods "web-0" not found'}
    ended = await run(lambda request: web.json_response(body, status=status)).end()
    codes = {400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 500: "server", 504: "outcome-unknown"}
    assert (ended["code"], ended["said"]) == (codes[status], 'pods "web-0" not found')


def test_a_cluster_without_containers():
    body = b'{"kind":"Status","message":"the server could not find the requested resource"}'
    error = refusal(Answer(404, {}, body), "demo", stdin=False)
    assert (error.code, error.what) == ("server", "this cluster runs no programs in its containers")
    assert "nm.demo()" in (error.todo or "")


async def test_nobody_there_is_no_start(connect: Callable[..., Cluster]):
    one = Run(connect("https://127.0.0.1:1", TOKEN))
    assert (await one.end())["code"] == "unreachable"


async def test_a_server_that_hangs_up_on_the_start_was_asked_once(run: Callable[..., Run], api: Api):
    def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    ended = await run(hang_up).end()
    assert ended["code"] == "outcome-unknown"
    assert len(api.seen) == 1


def test_the_last_frame():
    assert ending(None) == b"{}"
    error = OutcomeUnknown("what", cluster="c", todo="do")
    assert json.loads(ending(error)) == {"code": "outcome-unknown", "what": "what", "cluster": "c", "todo": "do"}
