"""Logs: what may be asked for by that name, what a client can make the gateway hold, and what nobody gets to see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from aiohttp import web
from hypothesis import given, strategies as st

from notebook_mux.errors import MuxError
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.tailing.desk import MAX_ADDRESS, MAX_LOGS, PARAMETERS, Desk
from notebook_mux.tailing.pipe import BUFFER_BYTES
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_PAYLOAD, Channel
from notebook_mux.wire.sending import CONNECTION_CREDIT
from tests.unit.gateway.serving import TOKEN, Client, Serving, serving, until_closed
from tests.unit.gateway.tls_api import Api, api, authority, connect
from tests.unit.tailing.served import LOG, REF, Session, Writing, order, until

__all__ = ["api", "authority", "connect"]

CANARY = "canary-7d20c1aa"
READ_BYTES = 256 * 1024
"""What asyncio and its TLS take from a socket at once."""

PATHS = [
    "",
    "/",
    "log",
    "/log",
    "/api/v1/namespaces/x/pods/log",
    "/api/v1/namespaces/x/pods/web-0/exec",
    "/api/v1/namespaces/x/pods/web-0/attach",
    "/api/v1/namespaces/x/pods/web-0/portforward",
    "/api/v1/namespaces/x/pods/web-0/proxy/log",
    "/api/v1/namespaces/x/pods/web-0/log/exec",
    "/api/v1/namespaces/x/pods/web-0/LOG",
    "/api/v1/namespaces/x/secrets/token/log",
    "/api/v1/namespaces/x/services/web/proxy/log",
    "/api/v1/nodes/n1/proxy/logs",
    "/api/v1/watch/namespaces/x/pods/web-0/log",
    "/api/v1/proxy/namespaces/x/pods/web-0/log",
    "/apis/apps/v1/namespaces/x/pods/web-0/log",
    "/api/v2/namespaces/x/pods/web-0/log",
    "/api/v1/namespaces/x/pods/../../x/log",
    "/api/v1/namespaces/x/pods/%2e%2e/log",
    "/api/v1/namespaces/x/pods/web-0%2Fexec/log",
    "/api/v1/namespaces/x%2Fpods%2Fweb-0%2Fexec%3F/pods/web-0/log",
    "/api/v1/namespaces/x/pods/web-0/log?command=sh",
    "/api/v1/namespaces/x/pods/web-0/log#exec",
    "/api/v1/namespaces/x/pods/web-0\r\nHost: evil/log",
    "http://evil.example/api/v1/namespaces/x/pods/web-0/log",
    "//evil.example/api/v1/namespaces/x/pods/web-0/log",
    "/api/v1/namespaces//pods/web-0/log",
]

QUERIES = [
    "watch=true",
    "command=sh",
    "insecureSkipTLSVerifyBackend=true",
    "insecureSkipTLSVerifyBackend",
    "%69nsecureSkipTLSVerifyBackend=true",
    "follow=true&%77atch=1",
    "container=a\r\nAuthorization: x",
    "container=a b",
    "container=ü",
    "container=a#b",
    "a=1" * MAX_ADDRESS,
    "pretty=true",
    "stdin=true",
    "path=/etc/passwd",
]


class Recorder:
    """A cluster that remembers what was asked of it and answers nothing."""

    name = "one"
    last_contact = 0.0

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    @contextlib.asynccontextmanager
    async def stream(self, path: str, query: str = "", **options: Any) -> AsyncIterator[Any]:
        self.asked.append((path, query))
        await asyncio.sleep(3600)
        yield None

    def refused(self, answer: Any, what: str) -> MuxError:
        raise AssertionError

    def failed(self, error: BaseException) -> MuxError:
        raise AssertionError

    async def is_alive(self) -> bool:
        return True


@contextlib.asynccontextmanager
async def asking() -> AsyncIterator[tuple[Session, Recorder]]:
    recorder = Recorder()
    session = Session(recorder)
    try:
        yield session, recorder
    finally:
        await asyncio.gather(*session.desk.release(), return_exceptions=True)


@pytest.mark.parametrize("path", PATHS)
async def test_paths_that_are_no_logs(path: str):
    async with asking() as (session, recorder):
        session.desk.open(order(path=path))
        await asyncio.sleep(0)
        assert [type(message) for message in session.said] == [messages.Ended]
        assert recorder.asked == []


@pytest.mark.parametrize("query", QUERIES)
async def test_queries_that_are_no_logs(query: str):
    async with asking() as (session, recorder):
        session.desk.open(order(query=query))
        await asyncio.sleep(0)
        assert [type(message) for message in session.said] == [messages.Ended]
        assert recorder.asked == []


texts = st.text(max_size=30) | st.sampled_from(["log", "exec", "pods", "..", "%2e", "namespaces", "x", "api", "v1"])
parts = st.lists(texts, max_size=9).map("/".join)
queries = st.lists(st.tuples(texts | st.sampled_from(sorted(PARAMETERS)), texts), max_size=4)


@given(path=parts.map(lambda path: f"/{path}"), query=queries, escaped=st.booleans())
def test_whatever_is_asked_is_a_log_or_refused(path: str, query: list[tuple[str, str]], escaped: bool):
    encoded = "&".join(f"{quote(name) if escaped else name}={quote(value, '')}" for name, value in query)

    async def ask() -> None:
        async with asking() as (session, recorder):
            session.desk.open(order(path=path, query=encoded))
            session.desk.open(order(2, query=encoded))
            await asyncio.sleep(0)
            for asked, words in recorder.asked:
                assert asked.rstrip("/").split("/")[1:4] == ["api", "v1", "namespaces"]
                assert asked.rstrip("/").split("/")[5:8:2] == ["pods", "log"]
                assert {name for name, _ in parse_qsl(words, keep_blank_values=True)} <= PARAMETERS
            assert len(recorder.asked) + len(session.said) == 2

    asyncio.run(ask())


# --- a whole gateway ------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def reading(api: Api, connect: Callable[..., Cluster], **shared: Any) -> AsyncIterator[tuple[Serving, Client]]:
    """A gateway whose cluster ``one`` is a real one, and a client that has resolved it."""
    cluster = connect(api.url, {"token": CANARY})
    async with serving(**shared) as running, running.client(max_queue=1) as client:
        await client.resolve()
        (session,) = running.shared.sessions
        session.clusters[REF] = cluster
        yield running, client


async def test_looking_needs_no_right_to_write(api: Api, connect: Callable[..., Cluster]):
    api.handle = Writing(lambda response: response.write(b"one\n"))
    async with reading(api, connect, write=False) as (_, client):
        await client.say(order())
        assert [await client.data(1) for _ in range(2)] == [(Channel.STDOUT, b""), (Channel.STDOUT, b"one\n")]


async def test_the_clusters_token_goes_nowhere_else(api: Api, connect: Callable[..., Cluster]):
    elsewhere = Api()
    await elsewhere.start(None)
    status = {"kind": "Status", "message": "no"}
    api.handle = lambda request: web.json_response(status, status=302, headers={"Location": f"{elsewhere.url}{LOG}"})
    async with reading(api, connect) as (_, client):
        await client.say(order())
        channel, end = await client.data(1)
        assert channel == Channel.END
        assert b'"status":302' in end
        report = (await client.ask(messages.Status(id=7)))[1]
    await elsewhere.stop()
    assert elsewhere.seen == []
    assert api.seen[0].headers["Authorization"] == f"Bearer {CANARY}"
    for said in (end, report):
        assert CANARY.encode() not in said
        assert TOKEN.encode() not in said


@pytest.mark.parametrize("frames", [
    [order(credit=-1)],
    [order(0)],
    [order(1 << 32)],
    [order(), order()],
    [order(), messages.Status(id=1)],
])  # fmt: skip
async def test_a_message_that_breaks_the_protocol(
    api: Api, connect: Callable[..., Cluster], frames: list[messages.Message]
):
    api.handle = Writing()
    async with reading(api, connect) as (running, client):
        for frame in frames:
            await client.say(frame)
        goodbye, code = await until_closed(client)
        assert (goodbye.code, code) == ("protocol", 1002)
        await until(lambda: not running.shared.sessions)


async def test_a_client_that_reads_nothing_is_bounded(api: Api, connect: Callable[..., Cluster]):
    """Forty logs without an end, and a client that takes nothing from its socket."""
    block = bytes(100_000)

    async def flood(response: web.StreamResponse) -> None:
        while True:
            await response.write(block)

    count = 40
    api.handle = log = Writing(flood)
    async with reading(api, connect) as (running, client):
        (session,) = running.shared.sessions
        client.socket.transport.pause_reading()
        for number in range(1, count + 1):
            await client.say(order(number))
        await until(lambda: len(session.logs.streams) == count and log.open == count)
        pipes = list(session.logs.streams.values())
        before = -1
        while (total := sum(pipe.total for pipe in pipes)) != before:
            before = total
            await asyncio.sleep(0.3)
        assert sum(len(pipe._piece) for pipe in pipes) <= count * MAX_PAYLOAD
        assert total <= CONNECTION_CREDIT + count * (BUFFER_BYTES + READ_BYTES)
        client.socket.transport.abort()
        await session.ended.wait()
        await until(lambda: log.open == 0)
        await until(lambda: all(pipe.over for pipe in pipes))


async def test_a_client_that_opens_and_closes(api: Api, connect: Callable[..., Cluster]):
    api.handle = log = Writing()
    async with reading(api, connect) as (running, client):
        (session,) = running.shared.sessions
        for number in range(1, 500):
            await client.say(order(number))
            await client.say(messages.Unsubscribe(stream=number))
        await client.ask(messages.Probe(id=9001, cluster="ref-two"))
        assert session.logs.streams == {}
        await until(lambda: log.open == 0 and not session.logs._ending)


async def test_more_than_there_may_be(api: Api, connect: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch):
    assert MAX_LOGS == 1000
    monkeypatch.setattr("notebook_mux.tailing.desk.MAX_LOGS", 5)
    api.handle = log = Writing()
    async with reading(api, connect) as (running, client):
        for number in range(1, 9):
            await client.say(order(number))
        for number in (6, 7, 8):
            ended = await client.told()
            assert isinstance(ended, messages.Ended)
            assert (ended.stream, ended.code) == (number, "invalid")
        await until(lambda: log.open == 5)
        (session,) = running.shared.sessions
        assert isinstance(session.logs, Desk)
