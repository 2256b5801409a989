from __future__ import annotations

import asyncio
import json

from aiohttp import web

from notebook_mux.gateway.headlamp import multiplexer
from notebook_mux.gateway.headlamp.links import UNSENT_BYTES, Link
from notebook_mux.wire import headlamp as wire
from tests.unit.gateway.headlamp.api import EXEC, PODS, WATCH, Watch, refusal, served


async def test_events_come_in_order_and_whole(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe()
        watch = await running.api.watches.get()
        assert watch.request.raw_path == f"{PODS}?{WATCH}"
        for number in range(50):
            await watch.event("MODIFIED", version=number, text="é😀 <&>")
        for number in range(50):
            event = await client.hears(wire.DATA, cluster_id="one", path=PODS, query=WATCH, user_id="u1")
            assert event["object"]["metadata"]["resourceVersion"] == str(number)
            assert event["object"]["text"] == "é😀 <&>"
        watch.end()
        await client.hears(wire.COMPLETE, query=WATCH, user_id="u1")
        assert await client.hears(wire.STATUS, query="", user_id="u1") == {
            "state": "closed", "error": "", "query": WATCH,
        }  # fmt: skip


async def test_the_query_is_part_of_the_key(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe(query="watch=1&labelSelector=a")
        first = await running.api.watches.get()
        await client.subscribe(query="watch=1&labelSelector=b")
        second = await running.api.watches.get()
        await second.event(name="b")
        assert (await client.hears(wire.DATA, query="watch=1&labelSelector=b"))["object"]["metadata"]["name"] == "b"
        await client.say(wire.CLOSE, query="watch=1&labelSelector=b")
        assert (await client.hears(wire.STATUS))["state"] == "closed"
        await first.event(name="a")
        assert (await client.hears(wire.DATA, query="watch=1&labelSelector=a"))["object"]["metadata"]["name"] == "a"


async def test_two_clients_do_not_disturb_each_other(tmp_path):
    async with served(tmp_path) as running, running.client() as one, running.client() as two:
        await one.subscribe()
        watch = await running.api.watches.get()
        await two.subscribe()
        other = await running.api.watches.get()
        await two.say(wire.CLOSE)
        assert (await two.hears(wire.STATUS))["state"] == "closed"
        await watch.event()
        await one.hears(wire.DATA)
        await two.subscribe()
        other = await running.api.watches.get()
        two.socket.transport.abort()
        await watch.event()
        await one.hears(wire.DATA)
        del other


async def test_a_duplicate_is_answered_and_asked_once(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe()
        watch = await running.api.watches.get()
        await client.subscribe()
        await watch.event()
        await client.hears(wire.DATA)
        await watch.event("DELETED")
        assert (await client.hears(wire.DATA))["type"] == "DELETED"
        assert running.api.most == 1


async def test_users_of_one_client_share_an_upstream(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe(user="a")
        watch = await running.api.watches.get()
        await watch.event(name="first")
        await client.hears(wire.DATA, user_id="a")
        await client.subscribe(user="b")
        assert (await client.hears(wire.DATA, user_id="b"))["object"]["metadata"]["name"] == "first"
        await watch.event(name="second")
        assert {(await client.told()).user_id for _ in range(2)} == {"a", "b"}
        await client.say(wire.CLOSE, user="a")
        await client.hears(wire.STATUS, user_id="a")
        await watch.event(name="third")
        await client.hears(wire.DATA, user_id="b")
        assert running.api.most == 1


async def test_errors_name_their_cause(tmp_path):
    async def refuse(request):
        return refusal(403, "Forbidden", 'pods is forbidden: User "me" cannot watch')

    async with served(tmp_path) as running, running.client() as client:
        running.api.before_watch = refuse
        await client.say()
        status = await client.hears(wire.STATUS, user_id="u1")
        assert (status["state"], status["code"], status["reason"]) == ("error", 403, "Forbidden")
        error = await client.hears(wire.ERROR, query=WATCH, user_id="u1")
        assert error == {"error": '403: pods is forbidden: User "me" cannot watch', "code": 403, "reason": "Forbidden"}
        await client.say(cluster="dead")
        assert "onnection refused" in (await client.hears(wire.STATUS))["error"]
        await client.hears(wire.ERROR, cluster_id="dead")
        await client.say(cluster="none")
        await client.hears(wire.STATUS)
        assert "there is no cluster of that name" in (await client.hears(wire.ERROR, cluster_id="none"))["error"]
        await client.say(query="limit=1")
        assert "only watches" in (await client.hears(wire.ERROR))["error"]


async def test_garbage_is_named_and_the_others_go_on(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe()
        watch = await running.api.watches.get()
        for frame in ("{not json", "[]", "null", "1", "[" * 100_000, '{"clusterId":' * 20_000, b"\xff\xfe", ""):
            await client.socket.send(frame)
            assert (await client.hears(wire.ERROR, cluster_id=""))["error"].startswith("parsing message: ")
        await client.socket.send(json.dumps({"clusterId": "one", "path": PODS, "query": "watch=1", "type": "REQUEST"}))
        assert "userId" in (await client.hears(wire.ERROR, cluster_id="one", path=PODS))["error"]
        await client.say(user="")
        assert (await client.hears(wire.ERROR))["error"] == "parsing message: userId must not be empty"
        await client.say("PING")
        assert (await client.hears(wire.ERROR))["error"] == "unsupported message type: PING"
        await client.say(wire.CLOSE, path="/nothing")
        await watch.event()
        await client.hears(wire.DATA)


async def test_exec_needs_write(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.say(path=EXEC, query="command=cat&stdin=1")
        error = await client.hears(wire.ERROR)
        assert (error["code"], "--write" in error["error"]) == (403, True)
        assert running.api.seen == []


async def test_exec_carries_bytes(tmp_path):
    async with served(tmp_path, write=True) as running, running.client() as client:
        query = "command=cat&stdin=1&stdout=1"
        await client.subscribe(path=EXEC, query=query, data="\0first")
        found = await client.told()
        assert (found.type, found.payload()) == (wire.DATA, b"\0first")
        await client.say(path=EXEC, query=query, data="\0exit")
        await client.hears(wire.COMPLETE)
        assert (await client.hears(wire.STATUS))["state"] == "closed"


async def test_a_slow_dial_holds_nobody_up(tmp_path):
    release = asyncio.Event()

    async def wait(request):
        if request.query.get("slow"):
            await release.wait()

    async with served(tmp_path) as running, running.client() as client:
        running.api.before_watch = wait
        for number in range(30):
            await client.say(query=f"watch=1&slow={number + 1}")
        await client.subscribe()
        await client.socket.ping()
        release.set()
        for _ in range(30):
            assert (await client.hears(wire.STATUS))["state"] == "connected"


async def test_a_client_that_reads_again_has_missed_nothing(tmp_path):
    """While it reads nothing, one of its subscriptions is closed, pings wait, and the others go on afterwards."""
    async with served(tmp_path) as running, running.client() as client:
        users = ["watch=1&a=1", "watch=1&a=2", "watch=1&a=3"]
        watches = []
        for query in users:
            await client.subscribe(query=query)
            watches.append(await running.api.watches.get())
        client.socket.transport.pause_reading()

        async def flood(watch: Watch) -> None:
            for number in range(150):
                await watch.event(version=number, text="x" * 50_000)

        floods = [asyncio.create_task(flood(watch)) for watch in watches]
        (one,) = running.headlamp.clients
        assert isinstance(one._link, Link)
        async with asyncio.timeout(60):
            while one._link._transport.get_write_buffer_size() <= UNSENT_BYTES:
                await asyncio.sleep(0.01)
            await client.say(wire.CLOSE, query=users[1])
            while len(one.subscriptions) > 2:
                await asyncio.sleep(0.01)
        client.socket.transport.resume_reading()
        heard: dict[str, list[int]] = {query: [] for query in users}
        while len(heard[users[0]]) + len(heard[users[2]]) < 300:
            found = await client.told()
            if found.type == wire.DATA:
                version = json.loads(found.data)["object"]["metadata"]["resourceVersion"]
                heard[found.query].append(int(version))
            else:
                assert wire.state_of(found).state == "closed"
        assert heard[users[0]] == heard[users[2]] == list(range(150))
        assert heard[users[1]] == list(range(len(heard[users[1]])))
        floods[1].cancel()
        await asyncio.gather(*floods, return_exceptions=True)


async def test_long_names_are_not_kept_and_not_sent_back_whole(tmp_path):
    long = "x" * (multiplexer.MAX_NAMES + 1)
    async with served(tmp_path) as running, running.client() as client:
        await client.say(query=f"watch=1&labelSelector={long}")
        told = await client.told()
        assert told.type == wire.ERROR
        assert len(told.query) == multiplexer.MAX_NAMES
        await client.say(long)
        assert len((await client.hears(wire.ERROR))["error"]) < 100
        (one,) = running.headlamp.clients
        assert not one.subscriptions
        await client.subscribe()


async def test_clusters_that_are_not_there_leave_nothing(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        for number in range(50):
            await client.say(cluster=f"none-{number}")
            assert (await client.hears(wire.STATUS))["state"] == "error"
            await client.hears(wire.ERROR)
        (one,) = running.headlamp.clients
        await client.subscribe()
        assert set(one._gates) == {"one"}


async def test_a_refusal_that_is_nested_too_deep_ends_no_other(tmp_path):
    async with served(tmp_path) as running, running.client() as client:
        await client.subscribe(query=WATCH)
        watch = await running.api.watches.get()

        async def refuse(request):
            return web.Response(status=403, text='{"kind":"Status","x":' + "[" * 50_000)

        running.api.before_watch = refuse
        await client.say(query="watch=1&limit=1")
        assert (await client.hears(wire.STATUS))["state"] == "error"
        assert (await client.hears(wire.ERROR))["code"] == 403
        await watch.event()
        await client.hears(wire.DATA)
