"""The multiplexed socket and the direct ones: signs of life, doubts, the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from notebook_mux.headlamp import sockets as module
from notebook_mux.headlamp.client import Ended, Refused, Silent
from notebook_mux.headlamp.sockets import DEAD_TICKS, DirectSocket, MuxSocket
from notebook_mux.kube.troubles import Trouble
from tests.waiting import until

WAIT_SECONDS = 30.0
PATH = "/api/v1/pods"


async def room() -> None:
    """There always is."""


class Heard:
    """A listener that remembers."""

    def __init__(self, query: str = "again") -> None:
        self.all: list[Any] = []
        self.query = query

    def opened(self) -> None:
        self.all.append("opened")

    def data(self, payload: bytes) -> None:
        self.all.append(payload)

    def over(self, how: Ended | Refused | Silent | Trouble) -> None:
        self.all.append(how)

    def query_now(self) -> str:
        return self.query


def status(state: str) -> str:
    data = json.dumps({"state": state, "error": ""})
    return json.dumps({"clusterId": "real", "path": PATH, "query": "", "userId": "", "data": data, "type": "STATUS"})


@contextlib.asynccontextmanager
async def serving(handler: Callable[[ServerConnection], Awaitable[None]], **options: Any) -> AsyncIterator[str]:
    options = {
        "subprotocols": [Subprotocol("headlamp.multiplexer.k8s.io"), Subprotocol("base64.binary.k8s.io")],
        **options,
    }
    async with serve(handler, "127.0.0.1", 0, ping_interval=None, **options) as server:
        assert isinstance(server, Server)
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def test_a_server_that_answers_pings_lives_though_it_says_nothing():
    async with serving(lambda socket: socket.wait_closed()) as url:
        socket = await MuxSocket.open(url, {}, room, tick_seconds=0.01)
        await asyncio.sleep(0.01 * DEAD_TICKS * 3)
        assert not socket.ended.done()
        await socket.close()


async def test_a_server_that_answers_nothing_is_given_up_with_a_reason():
    over = asyncio.Event()

    async def frozen(socket: ServerConnection) -> None:
        socket.transport.pause_reading()  # no pong any more
        await over.wait()
        socket.transport.abort()

    async with serving(frozen) as url:
        socket = await MuxSocket.open(url, {}, room, tick_seconds=0.01)
        heard = Heard()
        socket.watch("real", PATH, "", "me", heard)
        async with asyncio.timeout(WAIT_SECONDS):
            assert "no sign of life from the Headlamp server" in await socket.ended
        assert heard.all == [Trouble("unreachable", socket.ended.result())]
        socket.abort()
        over.set()


def test_a_pong_may_take_as_long_as_the_servers_own_dial():
    assert DEAD_TICKS * module.TICK_SECONDS > 2 * 45


async def test_a_watch_in_doubt_is_asked_for_again_from_where_it_stands():
    asked: list[dict[str, Any]] = []

    async def answer(socket: ServerConnection) -> None:
        async for frame in socket:
            asked.append(json.loads(frame))
            if len(asked) <= 2:
                await socket.send(status("connected"))
            if len(asked) == 2:
                await socket.send(status("closed"))

    async with serving(answer) as url:
        socket = await MuxSocket.open(url, {}, room)
        one, two = Heard("one=now"), Heard("two=now")
        socket.watch("real", PATH, "one", "me", one)
        socket.watch("real", PATH, "two", "me", two)
        await until(lambda: len(asked) == 4)
        assert [said["query"] for said in asked] == ["one", "two", "one=now", "two=now"]
        assert [said["userId"] for said in asked[2:]] == [said["userId"] for said in asked[:2]]
        assert one.all == two.all == ["opened"]
        await socket.close()


async def test_nobody_hears_of_what_is_not_wanted_any_more():
    async def answer(socket: ServerConnection) -> None:
        async for _ in socket:
            await socket.send(status("connected"))

    async with serving(answer) as url:
        socket = await MuxSocket.open(url, {}, room)
        heard = Heard()
        asked = socket.watch("real", PATH, "", "me", heard)
        await until(lambda: heard.all)
        socket.unwatch(asked)
        socket.unwatch(asked)
        await socket.close()
        assert heard.all == ["opened"]
        assert socket.ended.result()


async def test_the_reason_of_a_close_is_kept():
    async def leave(socket: ServerConnection) -> None:
        await socket.close(1012, "restarting")

    async with serving(leave) as url:
        socket = await MuxSocket.open(url, {}, room)
        async with asyncio.timeout(WAIT_SECONDS):
            assert await socket.ended == "the Headlamp server closed the socket (1012 restarting)"
        await socket.close()


async def test_a_direct_watch_names_an_origin_and_offers_one_sub_protocol():
    seen: list[dict[str, str]] = []

    async def watch(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append(dict(socket.request.headers.raw_items()))
        await socket.send('{"type":"ADDED"}\n')
        await socket.close()

    async with serving(watch) as url:
        heard = Heard()
        trouble = await DirectSocket().run(f"{url}/x", {"Cookie": "a=b"}, "http://origin.example", heard, room)
    assert trouble is None
    assert heard.all == ["opened", b'{"type":"ADDED"}\n']
    assert seen[0]["Origin"] == "http://origin.example"
    assert seen[0]["Sec-WebSocket-Protocol"] == "base64.binary.k8s.io"
    assert seen[0]["Cookie"] == "a=b"


async def test_a_direct_refusal_has_the_clusters_words():
    def refuse(connection: ServerConnection, request: Any) -> Any:
        return connection.respond(403, '{"kind":"Status","code":403,"message":"pods is forbidden"}')

    async with serving(lambda socket: socket.wait_closed(), process_request=refuse) as url:
        trouble = await DirectSocket().run(url, {}, "http://o", Heard(), room)
    assert trouble is not None
    assert (trouble.kind, trouble.said) == ("forbidden", "pods is forbidden")


async def test_a_direct_socket_that_is_cut_and_one_that_nobody_opens():
    async def cut(socket: ServerConnection) -> None:
        socket.transport.abort()

    async with serving(cut) as url:
        trouble = await DirectSocket().run(url, {}, "http://o", Heard(), room)
    assert trouble == Trouble("unreachable", "the direct WebSocket was cut")
    nobody = await DirectSocket().run("ws://127.0.0.1:9", {}, "http://o", Heard(), room)
    assert nobody is not None
    assert nobody.kind == "unreachable"


async def test_many_that_end_at_once_are_asked_for_again_once_each():
    count, asked = 50, []

    async def answer(socket: ServerConnection) -> None:
        async for frame in socket:
            asked.append(json.loads(frame))
            if len(asked) <= count:
                await socket.send(status("connected"))
            if len(asked) == count:
                for _ in range(count):
                    await socket.send(status("closed"))

    async with serving(answer) as url:
        socket = await MuxSocket.open(url, {}, room)
        for _ in range(count):
            socket.watch("real", PATH, "", "me", Heard())
        await until(lambda: len(asked) >= 2 * count and socket._asking is None)
        assert len(asked) <= 3 * count, "one round, and one more for those that ended last"
        await socket.close()


async def test_a_redirect_is_not_followed_for_it_would_carry_the_token_along():
    reached: list[str] = []

    async def stranger(socket: ServerConnection) -> None:
        reached.append("stranger")

    async with serving(stranger) as elsewhere:

        def redirect(connection: ServerConnection, request: Any) -> Any:
            response = connection.respond(302, "")
            response.headers["Location"] = elsewhere
            return response

        async with serving(lambda socket: socket.wait_closed(), process_request=redirect) as url:
            with pytest.raises(InvalidStatus):
                await MuxSocket.open(url, {"X-HEADLAMP_BACKEND-TOKEN": "t"}, room)
            assert (await DirectSocket().run(url, {}, "http://o", Heard(), room)) is not None
    assert reached == []


async def test_a_frame_that_trips_us_ends_the_socket_and_not_its_reader_alone():
    class Trips(Heard):
        def opened(self) -> None:
            raise LookupError("a mistake of ours")

    async def answer(socket: ServerConnection) -> None:
        async for _ in socket:
            await socket.send(status("connected"))

    async with serving(answer) as url:
        socket = await MuxSocket.open(url, {}, room)
        heard = Trips()
        socket.watch("real", PATH, "", "me", heard)
        async with asyncio.timeout(WAIT_SECONDS):
            assert "not understood" in await socket.ended
        assert socket.garbage
        assert heard.all == [Trouble("unreachable", socket.ended.result())]
        socket.abort()


async def test_a_direct_socket_waits_until_there_is_room():
    read: list[int] = []
    may = asyncio.Semaphore(0)

    async def wait() -> None:
        read.append(len(heard.all))
        await may.acquire()

    async def send(socket: ServerConnection) -> None:
        for number in range(3):
            await socket.send(str(number))
        await socket.close()

    async with serving(send) as url:
        heard = Heard()
        running = asyncio.create_task(DirectSocket().run(url, {}, "http://o", heard, wait))
        await until(lambda: read)
        assert heard.all == ["opened", b"0"]
        for _ in range(3):
            may.release()
        assert await running is None
        assert heard.all == ["opened", b"0", b"1", b"2"]
