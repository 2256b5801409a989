from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

from notebook_mux.errors import LoginRequired
from notebook_mux.gateway import requests as requests_module, session as session_module
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_FRAME
from notebook_mux.wire.sending import CONNECTION_CREDIT
from tests.unit.gateway.fake_feed import FakeFeed, FakeState
from tests.unit.gateway.model_client import ModelClient
from tests.unit.gateway.serving import CREDIT, INSTANCE, PODS, Client, serving, subscribe, until_closed


async def follow(client: Client, model: ModelClient, feed: FakeFeed, stream: int = 1) -> None:
    """Read until the model has all that the feed has."""
    while not (model.synced and model.number == feed.number):
        channel, payload = await client.data(stream)
        model.frame(channel, payload)
    assert model.objects.keys() == feed.records.keys()


async def test_hello_and_welcome():
    async with serving() as running, running.connect() as socket:
        client = Client(socket)
        await client.say(messages.Hello(package="0", kernel="kernel-1.json"))
        welcome = await client.told()
        assert welcome == messages.Welcome(
            instance=INSTANCE, package=running.shared.package, credit=CONNECTION_CREDIT, environment=True
        )
        assert running.shared.served == 1


async def test_a_snapshot_then_changes_then_the_end():
    async with serving() as running, running.client() as client:
        running.feed.put("a")
        await client.resolve()
        await client.say(subscribe(query="labelSelector=app%3Dweb"))
        model = ModelClient()
        await follow(client, model, running.feed)
        assert running.upstreams.asked == [("ref-one", PODS, "labelSelector=app%3Dweb", None)]
        assert messages.State(stream=1, state="live", since=1.0, synced=True) in client.messages
        running.feed.put("b")
        running.feed.delete("a")
        await follow(client, model, running.feed)
        assert model.seen == [2, 3]
        await client.say(messages.Unsubscribe(stream=1))
        await client.ask(messages.Probe(id=5, cluster="ref-one"))
        assert running.feed.sinks == 0


async def test_a_client_that_goes_leaves_nothing():
    async with serving() as running:
        async with running.client() as client:
            await client.resolve()
            await client.say(subscribe())
            await client.say(subscribe(2, "/api/v1/nodes"))
            await client.ask(messages.Probe(id=5, cluster="ref-one"))
            (session,) = running.shared.sessions
            assert len(session.streams) == 2
        await session.ended.wait()
        assert running.shared.sessions == set()
        assert all(feed.sinks == 0 for feed in running.upstreams)


async def test_resume_on_the_same_gateway():
    async with serving() as running:
        running.feed.put("a")
        model = ModelClient()
        async with running.client() as client:
            await client.resolve()
            await client.say(subscribe())
            await follow(client, model, running.feed)
        model.cut()
        at = model.resume()
        assert at is not None
        running.feed.put("b")
        async with running.client() as client:
            await client.resolve()
            await client.say(subscribe(7, resume=at))
            await follow(client, model, running.feed, 7)
            assert model.snapshots == 1
            assert running.upstreams.asked[-1][3] == at.version


async def test_states_are_told_and_only_the_last_of_many():
    async with serving() as running, running.client() as client:
        await client.resolve()
        running.feed.say(FakeState("forbidden", "may not list", "pods is forbidden", 403))
        await client.say(subscribe())
        state = await client.told()
        assert state == messages.State(
            stream=1,
            state="forbidden",
            reason="may not list",
            said="pods is forbidden",
            status=403,
            since=1.0,
            synced=True,
        )
        for number in range(50):
            running.feed.say(FakeState("stale", str(number)))
        state = await client.told()
        assert isinstance(state, messages.State)
        assert state.reason == "49"


async def test_retry_reaches_the_upstreams_of_a_cluster():
    async with serving() as running, running.client() as client:
        await client.resolve()
        await client.say(subscribe(1))
        await client.say(subscribe(2))
        await client.say(subscribe(3, "/api/v1/nodes", cluster="ref-two"))
        await client.say(messages.Retry(cluster="ref-one"))
        await client.say(messages.Retry())
        await client.ask(messages.Probe(id=9, cluster="ref-one"))
        assert running.feed.retries == 2
        assert running.upstreams.feeds["/api/v1/nodes"].retries == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"cluster": "ref-three"}, "unknown-context"),
        ({"path": "/api/v1/namespaces/a/pods/b/exec"}, "invalid"),
        ({"path": "/etc/passwd"}, "invalid"),
        ({"path": "/api/../etc"}, "invalid"),
        ({"query": "a b"}, "invalid"),
    ],
)
async def test_a_stream_that_cannot_be_is_ended_and_nothing_else(fields, code):
    async with serving() as running, running.client() as client:
        await client.resolve()
        await client.say(subscribe(**fields))
        ended = await client.told()
        assert isinstance(ended, messages.Ended)
        assert (ended.stream, ended.code) == (1, code)
        await client.say(subscribe(2))
        assert isinstance(await client.told(), messages.State)


BROKEN: dict[str, list[str | bytes]] = {
    "no JSON": ["{"],
    "no such type": ['{"type":"shout"}'],
    "a wrong field": ['{"type":"credit","stream":"one","bytes":1}'],
    "data without a channel": [b"\0\0\0\1"],
    "data that is too long": [bytes(MAX_FRAME + 1)],
    "hello twice": [messages.encode(messages.Hello(package="0"))],
    "credit below zero": ['{"type":"credit","stream":0,"bytes":-1}'],
    "subscribe with credit below zero": [messages.encode(subscribe(credit=-5))],
    "stream zero": [messages.encode(subscribe(0))],
    "stream too large": [messages.encode(subscribe(1 << 32))],
    "stream twice": [messages.encode(subscribe()), messages.encode(subscribe())],
    "request with the id of a stream": [messages.encode(subscribe()), '{"type":"status","id":1}'],
    "request below zero": ['{"type":"status","id":-1}'],
    "welcome": [messages.encode(messages.Welcome(instance="x", package="0"))],
}


@pytest.mark.parametrize("frames", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_frame_ends_that_connection_only(frames):
    async with serving() as running, running.client() as other, running.client() as client:
        await client.resolve()
        for frame in frames:
            await client.socket.send(frame)
        goodbye, code = await until_closed(client)
        assert isinstance(goodbye, messages.Goodbye)
        assert (goodbye.code, code) == ("protocol", 1002)
        await other.resolve()
        assert await other.ask(messages.Probe(id=1, cluster="ref-one")) == {"version": "v1.37.2"}


async def test_anything_before_hello_ends_the_connection():
    async with serving() as running, running.connect() as socket:
        client = Client(socket)
        await client.say(messages.Status(id=1))
        goodbye, code = await until_closed(client)
        assert (goodbye.code, code) == ("protocol", 1002)
        assert "status before hello" in goodbye.what


async def test_silence_instead_of_hello_ends_the_connection(monkeypatch):
    monkeypatch.setattr(session_module, "HELLO_SECONDS", 0.05)
    async with serving() as running, running.connect() as socket:
        goodbye, code = await until_closed(Client(socket))
        assert (goodbye.code, code) == ("protocol", 1002)


async def test_a_message_that_is_too_long_closes_the_socket():
    async with serving() as running, running.client() as client:
        with contextlib.suppress(ConnectionClosed):  # it may be closed before all of it is sent
            await client.socket.send("x" * (messages.MAX_MESSAGE + 1))
        _, code = await until_closed(client)
        assert code == 1009


async def test_the_gateways_end_is_told():
    async with serving() as running, running.client() as client:
        ending = asyncio.create_task(running.gateway.close("stopped by its user"))
        goodbye, code = await until_closed(client)
        await ending
        assert goodbye.code == "closing"
        assert "stopped by its user" in goodbye.what
        assert code == 1001
        assert running.upstreams.closed


# --- credit and turns ---------------------------------------------------------------------------------------------


async def test_no_more_is_sent_than_the_client_allows():
    async with serving() as running, running.client() as client:
        for index in range(200):
            running.feed.put(f"o{index}", size=5000)
        await client.resolve()
        await client.say(subscribe(credit=100_000))
        await client.told()
        sent = 0
        while sent < 100_000:
            sent += len((await client.data(1))[1]) + 5
        assert sent <= 100_000 + MAX_FRAME
        await client.ask(messages.Probe(id=9, cluster="ref-one"))
        before = len(client.frames)
        await client.ask(messages.Probe(id=10, cluster="ref-one"))
        assert len(client.frames) == before
        await client.say(messages.Credit(stream=1, bytes=CREDIT * 4))
        await follow(client, ModelClientFrom(client), running.feed)


def ModelClientFrom(client: Client) -> ModelClient:  # noqa: N802 - makes one
    model = ModelClient()
    for stream, channel, payload in client.frames:
        if stream == 1:
            model.frame(channel, payload)
    return model


async def test_a_stream_without_credit_costs_little_and_delays_nobody():
    async with serving() as running, running.client() as client:
        await client.resolve()
        await client.say(subscribe(1, credit=0))
        await client.say(subscribe(2))
        model = ModelClient()
        await follow(client, model, running.feed, 2)
        (session,) = running.shared.sessions
        for index in range(3000):
            running.feed.put(f"o{index % 10}", size=5000)
            if index % 100 == 0:
                await client.say(messages.Credit(stream=2, bytes=CREDIT))
                await client.say(messages.Credit(stream=0, bytes=CREDIT))
                await follow(client, model, running.feed, 2)
        assert session.streams[1].subscriber.waiting_bytes < 5 << 20
        await client.say(messages.Credit(stream=1, bytes=CREDIT))
        late = ModelClient()
        await follow(client, late, running.feed, 1)


async def test_ten_streams_share_the_socket_though_one_is_greedy():
    async with serving() as running, running.client() as client:
        greedy = running.upstreams.feeds["/api/v1/events"] = FakeFeed()
        for index in range(400):
            greedy.put(f"e{index}", size=20_000)
        modest = [f"/api/v1/namespaces/n{index}/pods" for index in range(9)]
        for path in modest:
            feed = running.upstreams.feeds[path] = FakeFeed()
            for index in range(20):
                feed.put(f"o{index}", size=20_000)
        await client.resolve()
        await client.say(subscribe(100, "/api/v1/events", credit=CREDIT * 20))
        for number, path in enumerate(modest, 1):
            await client.say(subscribe(number, path, credit=CREDIT * 20))
        ended: set[int] = set()
        models = {number: ModelClient() for number in range(1, 10)}
        sizes = dict.fromkeys([*models, 100], 0)
        start = 0
        while len(ended) < 9:
            stream, channel, payload = await next_data(client)
            if stream in models:
                models[stream].frame(channel, payload)
                if models[stream].synced:
                    ended.add(stream)
            elif not any(sizes[number] for number in models):
                start += len(payload)  # before the others had subscribed
                continue
            sizes[stream] += len(payload)
        fair = max(sizes[number] for number in models)
        assert sizes[100] <= fair + 4 * MAX_FRAME


async def next_data(client: Client) -> tuple[int, int, bytes]:
    while not isinstance(got := await client.read(), tuple):
        pass
    return got


async def test_a_control_message_overtakes_data():
    async with serving() as running, running.client() as client:
        for index in range(2000):
            running.feed.put(f"o{index}", size=5000)
        await client.resolve()
        await client.say(subscribe(credit=CREDIT * 50))
        await client.data(1)
        before = len(client.frames)
        await client.ask(messages.Probe(id=9, cluster="ref-one"))
        # What the system had taken already cannot be overtaken; 10 MB were to be sent.
        assert sum(len(payload) for _, _, payload in client.frames[before:]) < 9 << 20
        assert len(client.frames) < 150


async def test_a_client_that_asks_and_never_reads_is_not_read_for_ever():
    async with serving() as running, running.client() as client:
        await client.resolve()
        running.clusters.known["ref-one"].error = LoginRequired("expired", said="x" * 10_000)
        client.socket.transport.pause_reading()
        (session,) = running.shared.sessions
        most = 0

        async def ask() -> None:
            for number in range(1, 20_000):
                await client.say(messages.Probe(id=number, cluster="ref-one"))

        asking = asyncio.create_task(ask())
        await until(lambda: session._untold > session_module.BACKLOG)
        for _ in range(20):
            await asyncio.sleep(0.01)
            most = max(most, session._untold)
        assert most <= session_module.BACKLOG + requests_module.MAX_RUNNING + 1
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        client.socket.transport.abort()
        await session.ended.wait()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")
