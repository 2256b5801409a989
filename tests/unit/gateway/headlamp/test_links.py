from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect

from notebook_mux.gateway.headlamp import links
from notebook_mux.gateway.headlamp.links import UNSENT_BYTES, WRITER_LIMIT, Link
from tests.serving import stop_serving
from tests.waiting import until


class Pair:
    """A link and the client at its other end."""

    def __init__(self, link: Link, client: ClientConnection) -> None:
        self.link, self.client = link, client


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    made: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def upgrade(request: web.Request) -> Any:
        response = web.WebSocketResponse(autoclose=False, autoping=False, compress=False, writer_limit=WRITER_LIMIT)
        await response.prepare(request)
        made.set_result(Link(response, request))
        await over.wait()
        return response

    app = web.Application()
    app.router.add_get("/", upgrade)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    async with connect(url, proxy=None, compression=None, ping_interval=None, max_queue=1, close_timeout=0.2) as client:
        yield Pair(await made, client)
    over.set()
    await stop_serving(runner)


async def test_frames_go_both_ways(pair: Pair):
    await pair.client.send("text é")
    await pair.client.send(b"\x00\xff")
    assert [await pair.link.receive() for _ in range(2)] == ["text é", b"\x00\xff"]
    await pair.link.send("é".encode())
    assert await pair.client.recv() == "é"


async def test_a_ping_is_answered(pair: Pair):
    reading = asyncio.create_task(pair.link.receive())
    await (await pair.client.ping(b"x"))
    await pair.client.close()
    assert await reading is None


class Clock:
    """Time goes on when the test says so: a machine that is busy elsewhere is no client that says nothing."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(links, "time", made)
    return made


async def test_a_client_that_answers_pings_stays(clock: Clock, pair: Pair):
    reading = asyncio.create_task(pair.link.receive())
    watching = asyncio.create_task(pair.link.watch_over(ping=0.01, silent=0.3))
    for _ in range(5):
        clock.now += 0.2
        await until(lambda: pair.link._heard == clock.now, "a pong of now")
        assert not watching.done()
    for task in (reading, watching):
        task.cancel()
    await asyncio.gather(reading, watching, return_exceptions=True)


async def test_a_client_that_is_half_gone_is_given_up(pair: Pair):
    pair.client.transport.pause_reading()  # its socket is open, and nobody is there
    reading = asyncio.create_task(pair.link.receive())
    async with asyncio.timeout(30):
        await pair.link.watch_over(ping=0.01, silent=0.1)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    pair.client.transport.resume_reading()


async def test_progress_counts_as_life(clock: Clock, pair: Pair):
    watching = asyncio.create_task(pair.link.watch_over(ping=0.01, silent=0.2))
    for _ in range(10):
        clock.now += 0.1
        pair.link.progressed()
        await asyncio.sleep(0.02)
        assert not watching.done()
    clock.now += 0.2
    await asyncio.wait_for(watching, 30)


async def test_a_closed_link_says_nothing_and_is_cut(pair: Pair):
    pair.client.transport.pause_reading()
    await pair.link.close(1001, "the gateway ends")
    pair.client.transport.resume_reading()
    await pair.client.wait_closed()
    with pytest.raises(OSError, match="closing transport"):
        await pair.link.send(b"x")


async def test_the_reason_of_a_close_is_told(pair: Pair):
    closing = asyncio.create_task(pair.link.close(1001, "the gateway ends"))
    await pair.client.wait_closed()
    await closing
    assert (pair.client.close_code, pair.client.close_reason) == (1001, "the gateway ends")


async def test_one_that_gives_up_waiting_takes_nobody_with_it(pair: Pair):
    """The client reads nothing: a sender waits, another is cancelled, and pings go on."""
    pair.client.transport.pause_reading()
    sending = asyncio.create_task(flood(pair.link))
    await blocked(pair.link)
    other = asyncio.create_task(pair.link.send(b"x"))
    watching = asyncio.create_task(pair.link.watch_over(ping=0.01, silent=60))
    done, _ = await asyncio.wait((other,), timeout=0.1)
    assert not done
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    third = asyncio.create_task(pair.link.send(b"x"))
    done, _ = await asyncio.wait((sending, third, watching), timeout=0.1)
    assert not done
    pair.client.transport.resume_reading()
    while not third.done():
        await pair.client.recv()
    assert third.exception() is None
    for task in (sending, watching):
        task.cancel()
    await asyncio.gather(sending, watching, return_exceptions=True)
    await pair.link.close(1000, "")


async def test_a_blocked_send_fails_when_the_client_goes(pair: Pair):
    pair.client.transport.pause_reading()
    sending = asyncio.create_task(flood(pair.link))
    await blocked(pair.link)
    pair.client.transport.abort()
    with pytest.raises(OSError, match=r".*"):
        await sending
    await pair.link.close(1000, "")


async def flood(link: Link) -> None:
    while True:
        await link.send(b"x" * UNSENT_BYTES)


async def blocked(link: Link) -> None:
    """Until the system takes no more."""
    while link._transport.get_write_buffer_size() <= UNSENT_BYTES:
        await asyncio.sleep(0.01)
