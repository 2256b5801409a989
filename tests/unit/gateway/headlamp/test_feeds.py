from __future__ import annotations

import asyncio

import pytest

from notebook_mux.gateway.headlamp import feeds
from notebook_mux.wire import headlamp as wire
from tests.unit.gateway.headlamp.api import PODS, WATCH, refusal, served
from tests.waiting import until

LOG = f"{PODS}/web-0/log"


async def test_who_joins_hears_all_of_it_once(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe(user="first")
        watch = await running.api.watches.get()
        for number in range(20):
            await watch.event(version=number)
            await client.hears(wire.DATA)
        await client.say(user="second")
        for number in range(20, 40):
            await watch.event(version=number)
        heard: dict[str, list[int]] = {"first": list(range(20)), "second": []}
        while len(heard["first"]) + len(heard["second"]) < 80:
            found = await client.told()
            if found.type == wire.DATA:
                heard[found.user_id].append(int(found.data.partition('"resourceVersion": "')[2].partition('"')[0]))
        assert heard == {"first": list(range(40)), "second": list(range(40))}
        assert running.api.most == 1


async def test_one_that_has_said_much_is_joined_by_nobody(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe(user="first")
        watch = await running.api.watches.get()
        await watch.event(text="x" * feeds.PAST_BYTES)
        await client.hears(wire.DATA)
        await client.subscribe(user="second")
        await running.api.watches.get()
        await client.subscribe(user="third")
        assert running.api.most == 2
        await watch.event(name="late")
        await client.hears(wire.DATA, user_id="first")


async def test_who_has_left_hears_nothing_more(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe(user="first")
        watch = await running.api.watches.get()
        await client.subscribe(user="second")
        await client.say(wire.CLOSE, user="first")
        assert (await client.hears(wire.STATUS, user_id="first"))["state"] == "closed"
        for _ in range(5):
            await watch.event()
            await client.hears(wire.DATA, user_id="second")
        await client.say(wire.CLOSE, user="second")
        await client.hears(wire.STATUS, user_id="second")
        async with asyncio.timeout(30):
            while running.api.open:
                await asyncio.sleep(0.01)


async def test_close_and_request_back_to_back_leave_one(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        for _ in range(50):
            await client.say()
            await client.say(wire.CLOSE)
        await client.say()
        states: list[str] = []
        while states.count("closed") < 50 or states[-1] != "connected":
            states.append(wire.state_of(await client.told()).state)
        await until(lambda: running.api.open == 1, "those that were not wanted any more have gone")
        (one,) = running.headlamp.clients
        assert (len(one.subscriptions), len(one.feeds)) == (1, 1)
        while not running.api.watches.empty():
            watch = running.api.watches.get_nowait()
        await watch.event(name="only")
        assert (await client.told()).type == wire.DATA
        assert states.count("closed") == 50


async def test_a_close_without_a_query_means_all_of_the_path(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        for query in ("watch=1&x=1", "watch=1&x=2"):
            await client.subscribe(query=query)
        await client.subscribe(query="watch=1", user="other")
        await client.say(wire.CLOSE, query="")
        for _ in range(2):
            assert (await client.hears(wire.STATUS, user_id="u1"))["state"] == "closed"
        (one,) = running.headlamp.clients
        assert [key[3] for key in one.subscriptions] == ["other"]


async def test_a_break_is_told_from_an_end(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe()
        (await running.api.watches.get()).abort()
        status = await client.hears(wire.STATUS)
        assert (status["state"], status["code"]) == ("closed", 502)
        assert "one" in running.headlamp.contexts._found
        await client.subscribe()
        (await running.api.watches.get()).end()
        await client.hears(wire.COMPLETE)
        assert (await client.hears(wire.STATUS))["error"] == ""


async def test_an_expired_version_is_passed_on_as_it_came(tmp_path):
    line = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}'
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe()
        watch = await running.api.watches.get()
        await watch.line(line)
        watch.end()
        assert (await client.told()).data.encode() == line
        await client.hears(wire.COMPLETE)


async def test_a_long_line_in_pieces_is_one_event(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe()
        watch = await running.api.watches.get()
        await watch.event(text="é" * 1_000_000)
        assert (await client.hears(wire.DATA))["object"]["text"] == "é" * 1_000_000


@pytest.mark.parametrize("query", ["follow=true", "tailLines=5"])
async def test_a_log_comes_as_bytes(tmp_path, query):
    async def log(request):
        from aiohttp import web

        return web.Response(body=b"line 1\n\xff\xfe\nline 2")

    async with served(tmp_path) as running, running.client() as client:
        running.api.routes[LOG] = log
        await client.subscribe(path=LOG, query=query)
        found = b""
        while (envelope := await client.told()).type == wire.DATA:
            assert envelope.binary
            found += envelope.payload()
        assert found == b"line 1\n\xff\xfe\nline 2"
        assert envelope.type == wire.COMPLETE


async def test_a_refused_one_may_be_asked_for_again_at_once(tmp_path):
    refused = True

    async def refuse(request):
        return refusal(429, "TooManyRequests", "later") if refused else None

    async with served(tmp_path) as running, running.client() as client:
        running.api.before_watch = refuse
        for _ in range(3):
            await client.say()
            assert (await client.hears(wire.STATUS))["state"] == "error"
            assert (await client.hears(wire.ERROR))["error"] == "429: later"
        refused = False
        await client.subscribe(query=WATCH)
