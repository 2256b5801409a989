"""What no client of Headlamp's dialect can do to others, and that none costs much."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notebook_mux.gateway.headlamp import multiplexer, rooms
from notebook_mux.wire import headlamp as wire
from tests.unit.gateway.headlamp.api import EXEC, PODS, Served, served
from tests.waiting import until


@contextlib.asynccontextmanager
async def two(tmp_path: Any, **options: Any) -> AsyncIterator[tuple[Served, Any, Any]]:
    async with served(tmp_path, **options) as running, running.client() as one, running.client() as other:
        yield running, one, other


async def test_nested_json_ends_nothing(tmp_path):
    async with two(tmp_path) as (running, one, other):
        await one.subscribe()
        watch = await running.api.watches.get()
        for frame in ("[" * 200_000, '{"x":' * 150_000, '{"clusterId":"one","data":' + "[" * 200_000):
            await one.socket.send(frame)
            assert "parsing message" in (await one.hears(wire.ERROR))["error"]
        deep = "[" * 100_000 + "]" * 100_000
        await watch.line(deep.encode())
        assert (await one.told()).data == deep
        await other.subscribe()


async def test_a_huge_frame_ends_its_own_socket_only(tmp_path):
    async with two(tmp_path) as (running, one, other):
        await other.subscribe()
        watch = await running.api.watches.get()
        with contextlib.suppress(ConnectionClosed):
            await one.socket.send("x" * (rooms.MAX_CLIENT_FRAME + 1))
        await one.socket.wait_closed()
        assert one.socket.close_code == 1009
        await watch.event()
        await other.hears(wire.DATA)


async def test_dials_of_one_client_are_bounded(tmp_path):
    release = asyncio.Event()

    async def wait(request):
        if request.query.get("slow"):
            await release.wait()

    async with two(tmp_path) as (running, one, other):
        running.api.before_watch = wait
        for number in range(multiplexer.DIALS * 3):
            await one.say(query=f"watch=1&slow={number + 1}")
        await one.say("PING")
        await one.hears(wire.ERROR)
        await other.subscribe()
        assert running.api.most <= multiplexer.DIALS + 1
        release.set()
        for _ in range(multiplexer.DIALS * 3):
            assert (await one.hears(wire.STATUS))["state"] == "connected"


async def test_subscriptions_of_one_client_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(multiplexer, "MAX_SUBSCRIPTIONS", 3)
    async with two(tmp_path) as (_, one, other):
        for number in range(3):
            await one.subscribe(user=f"u{number}")
        await one.say(user="more")
        assert (await one.hears(wire.ERROR, user_id="more"))["code"] == 429
        await one.say(wire.CLOSE, user="u0")
        await one.hears(wire.STATUS)
        await one.subscribe(user="more")
        await other.subscribe()


async def test_upstreams_of_all_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "MAX_UPSTREAMS", 1)
    async with two(tmp_path) as (_, one, other):
        await one.subscribe()
        await other.say()
        assert (await other.hears(wire.ERROR))["code"] == 429


async def test_clients_and_tunnels_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "MAX_CLIENTS", 1)
    monkeypatch.setattr(rooms, "MAX_TUNNELS", 1)
    async with served(tmp_path, write=True) as running, running.client():
        with pytest.raises(InvalidStatus) as caught:
            await running.socket().__aenter__()
        assert caught.value.response.status_code == 503
        async with running.socket(f"/clusters/one{EXEC}"):
            with pytest.raises(InvalidStatus) as caught:
                await running.socket(f"/clusters/one{EXEC}").__aenter__()
            assert caught.value.response.status_code == 429
            assert len(running.api.seen) == 1


async def test_a_client_that_does_not_read_costs_little_and_delays_nobody(tmp_path):
    async with served(tmp_path) as running, running.socket(max_queue=1) as deaf, running.client() as other:
        await deaf.send(wire.encode(wire.Envelope("one", PODS, "u", wire.REQUEST, "watch=1")))
        watch = await running.api.watches.get()
        await other.subscribe()
        theirs = await running.api.watches.get()

        async def flood() -> None:
            for number in range(500):
                await watch.event(version=number, text="x" * 100_000)

        flooding = asyncio.create_task(flood())
        for number in range(200):
            await theirs.event(version=number)
            event = await other.hears(wire.DATA)
            assert event["object"]["metadata"]["resourceVersion"] == str(number)
        assert not flooding.done(), "fifty megabytes were taken for a client that reads nothing"
        flooding.cancel()
        deaf.transport.abort()


async def test_garbage_without_reading_is_not_answered_for_ever(tmp_path):
    async with served(tmp_path) as running, running.socket(max_queue=1) as deaf, running.client() as other:

        async def flood() -> None:
            while True:
                await deaf.send('{"clusterId": "' + "x" * 50_000 + '"')

        def waiting() -> int:
            return max(len(one._errands) for one in running.headlamp.clients)

        flooding = asyncio.create_task(flood())
        await until(lambda: waiting() > multiplexer.MAX_ERRANDS, "it is full", seconds=60)
        await other.subscribe()
        await asyncio.sleep(0.3)  # what is shown is that no more come
        assert waiting() <= multiplexer.MAX_ERRANDS + 1
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        deaf.transport.abort()
