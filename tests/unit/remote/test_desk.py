from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.wire import messages
from notebook_mux.wire.frames import NUMBER, Channel, encode_frame
from tests.unit.gateway.serving import INSTANCE, Client, Serving, serving, until_closed
from tests.unit.gateway.tls_api import Api
from tests.unit.remote.pods import EXEC, SUCCESS, Pods, echo, says

ID = "0123456789abcdef"
EVERY = bytes(range(256))


def order(stream: int = 5, **fields: Any) -> messages.Exec:
    given: dict[str, Any] = {
        "stream": stream,
        "program": ID,
        "cluster": "ref-one",
        "path": EXEC,
        "query": "command=x",
        "scope": "s",
        "credit": 1 << 20,
    }
    return messages.Exec(**(given | fields))


@pytest.fixture
async def running(api: Api, connect: Callable[..., Cluster]) -> AsyncIterator[Serving]:
    async with serving() as found:
        cluster = connect(api.url, {"token": "canary"})

        async def resolve(client: Client) -> None:
            await client.resolve()
            found.clusters.known["ref-one"].websocket = cluster.websocket  # type: ignore[attr-defined]
            await client.ask(messages.Scope(id=8000, scope="s", write=["ref-one"]))

        found.ready = resolve  # type: ignore[attr-defined]
        yield found


async def ready(running: Serving, client: Client) -> Client:
    await running.ready(client)  # type: ignore[attr-defined]
    return client


async def answer(client: Client, message: messages.Exec) -> Any:
    await client.say(message)
    return await client.told()


async def output(client: Client, stream: int = 5) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while Channel.END not in found:
        channel, payload = await client.data(stream)
        found[channel] = found.get(channel, b"") + payload
    return found


def stdin(place: int, data: bytes, stream: int = 5) -> bytes:
    return encode_frame(stream, Channel.STDIN, NUMBER.pack(place) + data)


CLOSE = encode_frame(5, Channel.CLOSE, b"\0")


async def test_a_program_on_a_stream(api: Api, running: Serving):
    api.handle = Pods(says(b"\1out", b"\2err", SUCCESS))
    async with running.client() as client:
        await ready(running, client)
        assert await answer(client, order()) == messages.Joined(stream=5, credit=256 * 1024)
        assert await output(client) == {1: b"out", 2: b"err", 3: SUCCESS[1:], 19: b"{}"}
        await client.say(messages.Unsubscribe(stream=5))
        assert await client.ask(messages.Probe(id=6, cluster="ref-one"))
        assert len(running.shared.programs) == 0


async def test_input_and_the_credit_for_it(api: Api, running: Serving):
    api.handle = Pods(echo)
    async with running.client() as client:
        await ready(running, client)
        await answer(client, order(stdin=True))
        await client.socket.send(stdin(0, EVERY))
        await client.socket.send(stdin(200, EVERY[200:] + b"more"))
        await client.socket.send(CLOSE)
        assert (await output(client))[1] == EVERY + b"more"
        granted = [message.bytes for message in client.messages if isinstance(message, messages.Credit)]
        assert sum(granted) == 260


async def test_looking_only_is_refused_before_anything_is_dialled(api: Api, running: Serving):
    api.handle = pods = Pods(echo)
    async with running.client() as client:
        await ready(running, client)
        for scope in ("", "other"):
            ended = await answer(client, order(scope=scope))
            assert (type(ended), ended.stream, ended.code) == (messages.Ended, 5, "write-refused")
        assert "running a program in x/web-0 would change something" in ended.what
    assert (pods.starts, api.seen, len(running.shared.programs)) == (0, [], 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/api/v1/namespaces/x/pods/web-0/log"},
        {"path": "/api/v1/namespaces/x/pods/web-0/portforward"},
        {"path": "/api/v1/namespaces/x/services/web-0/exec"},
        {"path": "/apis/v1/namespaces/x/pods/web-0/exec"},
        {"path": "/api/v1/namespaces/x/pods/web-0/exec/exec"},
        {"path": "/api/v1/namespaces/x/pods/../exec"},
        {"query": "a b"},
        {"timeout": -1.0},
        {"timeout": 1e9},
        {"program": "short"},
    ],
)
async def test_what_is_no_program(api: Api, running: Serving, fields: dict[str, Any]):
    async with running.client() as client:
        await ready(running, client)
        ended = await answer(client, order(**fields))
        assert (type(ended), ended.code) == (messages.Ended, "invalid")
    assert api.seen == []


async def test_it_is_joined_where_it_was_left(api: Api, running: Serving):
    go = asyncio.Event()

    async def script(socket: Any) -> None:
        await socket.send_bytes(b"\1before ")
        message = await socket.receive()
        await go.wait()
        await socket.send_bytes(b"\1" + message.data[1:])
        await socket.send_bytes(SUCCESS)

    api.handle = pods = Pods(script)
    async with running.client() as client:
        await ready(running, client)
        await answer(client, order(stdin=True))
        assert await client.data(5) == (1, b"before ")
        await client.socket.send(stdin(0, b"hello"))
        assert isinstance(await client.told(), messages.Credit)
    async with running.client() as client:
        await ready(running, client)
        joined = await answer(client, order(7, attempt=2, instance=INSTANCE, received=3, stdin=True))
        assert joined == messages.Joined(stream=7, taken=5, credit=256 * 1024)
        go.set()
        found = await output(client, 7)
        assert (found[1], json.loads(found[19])) == (b"ore hello", {})
    assert pods.starts == 1


async def test_a_later_attempt_takes_it_and_an_earlier_one_comes_too_late(api: Api, running: Serving):
    go = asyncio.Event()

    async def script(socket: Any) -> None:
        await go.wait()
        await socket.send_bytes(SUCCESS)

    api.handle = pods = Pods(script)
    async with running.client() as first, running.client() as second:
        await ready(running, first)
        await ready(running, second)
        await answer(first, order())
        await answer(second, order(attempt=3))
        late = await answer(first, order(6, attempt=2))
        assert (type(late), late.code) == (messages.Ended, "protocol")
        go.set()
        assert (await output(second))[19] == b"{}"
    assert pods.starts == 1


async def test_another_gateway_had_it(api: Api, running: Serving):
    async with running.client() as client:
        await ready(running, client)
        ended = await answer(client, order(attempt=2, instance="another"))
        assert (ended.code, ended.what) == ("outcome-unknown", "the gateway that had started the program is gone")
    assert api.seen == []


async def test_a_place_that_is_not_there(api: Api, running: Serving):
    api.handle = Pods(echo)
    async with running.client() as client:
        await ready(running, client)
        ended = await answer(client, order(received=5))
        assert ended.code == "protocol"
        assert len(running.shared.programs) == 0


@pytest.mark.parametrize(
    "frame",
    [
        stdin(1, b"x"),
        stdin(0, b""),
        encode_frame(5, Channel.STDIN, b"1234567"),
        encode_frame(5, Channel.CLOSE, b"\1"),
        encode_frame(5, Channel.CLOSE, b""),
        encode_frame(5, Channel.STDOUT, b"x"),
        encode_frame(5, Channel.RESIZE, b"{}"),
        bytes(70_000),
    ],
    ids=["gap", "empty", "short", "close of stdout", "empty close", "stdout", "resize", "long"],
)
async def test_frames_that_mean_nothing_end_the_connection(api: Api, running: Serving, frame: bytes):
    api.handle = Pods(echo)
    async with running.client() as client:
        await ready(running, client)
        await answer(client, order(stdin=True))
        await client.socket.send(frame)
        goodbye, code = await until_closed(client)
        assert (goodbye.code, code) == ("protocol", 1002)


async def test_counts_below_zero_end_the_connection(running: Serving):
    for fields in ({"credit": -1}, {"received": -1}, {"attempt": 0}):
        async with running.client() as client:
            await ready(running, client)
            await client.say(order(**fields))
            goodbye, _ = await until_closed(client)
            assert goodbye.code == "protocol"


async def test_the_ring_keeps_what_was_not_granted_for(api: Api, running: Serving):
    api.handle = Pods(says(*(b"\1" + bytes(30_000) for _ in range(10)), SUCCESS))
    async with running.client() as client:
        await ready(running, client)
        await answer(client, order(credit=100_000))
        got = frames = 0
        while got + 5 * frames < 100_000:
            got, frames = got + len((await client.data(5))[1]), frames + 1
        [held] = running.shared.programs
        assert held.program.ring.start == 0
        await client.say(messages.Credit(stream=5, bytes=got + 5 * frames))
        async with asyncio.timeout(30):
            while not held.program.ring.start:
                await asyncio.sleep(0.01)
        assert held.program.ring.start == got, "what was not granted for may be asked for again"
        await client.say(messages.Credit(stream=5, bytes=1 << 20))
        assert len((await output(client))[1]) == 300_000 - got
