from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.wire import messages
from notebook_mux.wire.forwards import ForwardState
from notebook_mux.wire.frames import Channel
from tests.serving import quiet_port
from tests.unit.forwards.pods import PATH, PORT, Pods, echo
from tests.unit.gateway.serving import Client, Serving, serving, until_closed
from tests.unit.gateway.tls_api import Api
from tests.waiting import until as wait_until

until = partial(wait_until, seconds=20)


def order(stream: int = 5, **fields: Any) -> messages.Forward:
    given: dict[str, Any] = {
        "stream": stream,
        "key": "svc/web 80",
        "cluster": "ref-one",
        "path": PATH,
        "port": PORT,
        "local": quiet_port(),
        "scope": "s",
        "credit": 1 << 20,
    }
    return messages.Forward(**(given | fields))


@pytest.fixture
async def running(api: Api, connect: Callable[..., Cluster]) -> AsyncIterator[Serving]:
    api.handle = pods = Pods(echo)
    async with serving() as found:
        found.pods = pods  # type: ignore[attr-defined]
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


async def state(client: Client, stream: int = 5) -> ForwardState:
    channel, payload = await client.data(stream)
    assert channel == Channel.FORWARD
    return msgspec.json.decode(payload, type=ForwardState)


async def said(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"bye\n")
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_a_forward_on_a_stream(running: Serving):
    async with running.client() as client:
        await ready(running, client)
        await client.say(order())
        first = await state(client)
        assert first == ForwardState(port=first.port, state="listening", path=PATH)
        assert await said(first.port) == b"bye\n"
        while (last := await state(client)).connections or not last.total:
            pass
        assert last.total == running.pods.starts  # type: ignore[attr-defined]
        assert last.sent == last.received >= 4
        await client.say(messages.Unsubscribe(stream=5))
        await until(lambda: not len(running.shared.forwards))
        await until(lambda: not running.shared.forwards._ending, "it listens no more")
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await said(first.port)


async def test_it_is_found_again_by_its_key(running: Serving):
    async with running.client() as client:
        await ready(running, client)
        await client.say(order())
        port = (await state(client)).port
    await until(lambda: not running.shared.sessions)
    assert await said(port) == b"bye\n"  # it goes on without its client
    async with running.client() as client:
        await ready(running, client)
        await client.say(order(stream=6))
        again = await state(client, 6)
        assert again.port == port
        assert again.total == 1
        # Another stream has it: the one before hears nothing more.
        await client.say(order(stream=7))
        assert (await state(client, 7)).port == port
        await client.say(messages.Unsubscribe(stream=6))
        await client.ask(messages.Probe(id=8, cluster="ref-one"))
        assert len(running.shared.forwards) == 1


async def test_it_goes_elsewhere(running: Serving):
    async with running.client() as client:
        await ready(running, client)
        await client.say(order())
        await state(client)
        await client.say(order(path=PATH.replace("web-0", "web-1"), moves=True))
        assert (await state(client)).path.endswith("/web-1/portforward")
        await client.say(order(key="another"))
        ended = await client.told()
        assert isinstance(ended, messages.Ended)
        assert (ended.stream, ended.code) == (5, "invalid")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"scope": ""}, "write-refused"),
        ({"scope": "other"}, "write-refused"),
        ({"cluster": "nope"}, "unknown-context"),
        ({"path": "/api/v1/namespaces/x/pods/web-0/exec"}, "invalid"),
        ({"path": "/api/v1/namespaces/x/pods/web-0/proxy/portforward"}, "invalid"),
        ({"path": "/api/v1/namespaces/x/services/web-0/portforward"}, "invalid"),
        ({"path": "/api/v1/namespaces/x/pods/../pods/web-0/portforward"}, "invalid"),
        ({"port": 0}, "invalid"),
        ({"port": 65536}, "invalid"),
        ({"local": -1}, "invalid"),
        ({"local": 65536}, "invalid"),
        ({"key": ""}, "invalid"),
    ],
)
async def test_what_is_refused(api: Api, running: Serving, fields: dict[str, Any], code: str):
    async with running.client() as client:
        await ready(running, client)
        await client.say(order(**fields))
        ended = await client.told()
        assert isinstance(ended, messages.Ended)
        assert (ended.stream, ended.code) == (5, code)
        assert not len(running.shared.forwards)
        assert api.seen == []


async def test_a_scope_that_is_taken_back(running: Serving):
    async with running.client() as client:
        await ready(running, client)
        await client.say(order())
        port = (await state(client)).port
        await client.ask(messages.Scope(id=9, scope="s", write=[]))
        with pytest.raises(ConnectionResetError):
            await said(port)
        while not (last := await state(client)).errors:
            pass
        assert "this connection may only look" in last.error


async def test_a_page_is_opened_once(running: Serving):
    async with running.client() as client:
        await ready(running, client)
        missing = await client.ask(messages.Page(id=9, key="svc/web 80"))
        assert (missing.code, missing.what) == ("not-found", "no such forward")
        await client.say(order())
        await state(client)
        path = (await client.ask(messages.Page(id=10, key="svc/web 80")))["path"]
        assert path.startswith("/notebook-mux/forward/")
        assert path == (await client.ask(messages.Page(id=11, key="svc/web 80")))["path"]
        secret = path.split("/")[3]
        assert len(secret) >= 43
        report = (await client.ask(messages.Status(id=12)))[1]
        assert secret.encode() not in report
        [shown] = msgspec.json.decode(report)["forwards"]
        assert (shown["cluster"], shown["client"], shown["pages"], shown["state"]) == ("one", True, True, "listening")


async def test_an_id_in_use(running: Serving):
    async with running.client() as client:
        await ready(running, client)
        await client.say(order())
        await state(client)
        await client.say(messages.Probe(id=5, cluster="ref-one"))
        goodbye, code = await until_closed(client)
        assert (goodbye.code, code) == ("protocol", 1002)


async def test_the_gateways_end_is_theirs(api: Api, running: Serving):
    async with running.client() as client:
        await ready(running, client)
        await client.say(order())
        port = (await state(client)).port
        await running.gateway.close("the test says so")
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await said(port)
