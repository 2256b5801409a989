from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.tailing import desk as module
from notebook_mux.tailing.desk import MAX_ADDRESS, PARAMETERS
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel
from tests.unit.gateway.serving import serving
from tests.unit.gateway.tls_api import Api
from tests.unit.tailing.served import LOG, REF, Session, Writing, order, until


@pytest.fixture
async def session(api: Api, connect: Callable[..., Cluster]) -> AsyncIterator[Session]:
    found = Session(connect(api.url, {"token": "canary"}))
    yield found
    await asyncio.gather(*found.desk.release(), return_exceptions=True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"cluster": "ref-two"}, "unknown-context"),
        ({"path": "/api/v1/namespaces/x/pods/web-0"}, "invalid"),
        ({"path": "/api/v1/namespaces/x/pods/web-0/exec"}, "invalid"),
        ({"path": "/api/v1/namespaces/x/pods/web-0/proxy/log"}, "invalid"),
        ({"path": "/api/v1/namespaces/x/services/web-0/log"}, "invalid"),
        ({"path": "/apis/v1/namespaces/x/pods/web-0/log"}, "invalid"),
        ({"path": "/api/v1/nodes/x/proxy/logs"}, "invalid"),
        ({"path": "/api/v1/namespaces/x/pods/../secrets/log"}, "invalid"),
        ({"query": "follow=true&watch=true"}, "invalid"),
        ({"query": "follow=true&insecureSkipTLSVerifyBackend=true"}, "invalid"),
        ({"query": "follow=true&command=sh"}, "invalid"),
        ({"query": "container=a b"}, "invalid"),
        ({"query": "container=main#x"}, "invalid"),
        ({"query": f"container={'a' * MAX_ADDRESS}"}, "invalid"),
    ],
)
async def test_what_is_refused(api: Api, session: Session, fields: dict[str, Any], code: str):
    session.desk.open(order(**fields))
    [ended] = session.said
    assert isinstance(ended, messages.Ended)
    assert (ended.stream, ended.code) == (1, code)
    assert session.desk.streams == {}
    await asyncio.sleep(0)
    assert api.seen == []


@pytest.mark.parametrize(
    ("query", "follows"),
    [
        ("follow", True),
        ("follow=", True),
        ("follow=no", True),
        ("follow=1", True),
        ("follow=0", False),
        ("follow=False", False),
        ("follow=false&follow=true", False),
        ("", False),
        ("container=follow", False),
        ("%66ollow=true", True),
    ],
)
async def test_what_follows(api: Api, session: Session, query: str, follows: bool):
    api.handle = Writing()
    session.desk.open(order(query=query))
    assert session.desk.streams[1]._follows is follows


async def test_all_that_a_log_may_be_asked(api: Api, session: Session):
    api.handle = log = Writing()
    query = "&".join(f"{name}=1" for name in sorted(PARAMETERS))
    session.desk.open(order(query=query))
    await log.log()
    assert log.requests[0].query_string == query


async def test_a_thousand_and_no_more(api: Api, session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_LOGS", 3)
    api.handle = log = Writing()
    for stream in range(1, 6):
        session.desk.open(order(stream))
    assert [message.stream for message in session.said if isinstance(message, messages.Ended)] == [4, 5]
    for _ in range(3):
        await log.log()
    session.desk.end(1)
    session.desk.open(order(6))
    await log.log()
    assert sorted(session.desk.streams) == [2, 3, 6]


async def test_many_take_turns(api: Api, session: Session):
    """One that floods leaves the others their turns."""

    async def flood(response: Any) -> None:
        while True:
            await response.write(bytes(100_000))

    api.handle = Writing(flood)
    session.desk.open(order(1))
    for _ in range(50):
        await session.frame()
    quiet = Writing()
    api.handle = quiet
    session.desk.open(order(2))
    response = await quiet.log()
    await response.write(b"one line\n")
    frames = 0
    while (got := await session.frame())[::2] != (2, b"one line\n"):
        assert got[1] == Channel.STDOUT
        frames += 1
    assert frames < 1000


class Alive:
    """In the place of a cluster's answer to whether it is alive."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self) -> bool:
        self.asked += 1
        return self.answers.pop(0) if self.answers else False


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
async def test_silent_logs_of_a_cluster_that_is_dead(api: Api, session: Session, monkeypatch: pytest.MonkeyPatch):
    api.handle = log = Writing()
    for stream in (1, 2):
        session.desk.open(order(stream))
        await log.log()
        await session.frame()
    alive = Alive(True, False, True, False, False)
    monkeypatch.setattr(session._api, "is_alive", alive)
    ends = {}
    while len(ends) < 2:
        number, channel, _ = got = await session.frame()
        assert channel == Channel.END
        ends[number] = got
    assert alive.asked == 5, "once for both, and again after each answer"
    assert b'"code":"timeout"' in ends[1][2]
    assert b"no sign of life from the server" in ends[2][2]
    await until(lambda: log.open == 0)


async def test_nobody_is_asked_while_the_cluster_speaks(api: Api, session: Session, monkeypatch: pytest.MonkeyPatch):
    alive = Alive()
    monkeypatch.setattr(session._api, "is_alive", alive)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.02)
    api.handle = log = Writing()
    session.desk.open(order(1))
    await log.log()
    await session.frame()
    session._api.last_contact = time.monotonic() + 3600  # a watch hears of it, or another log
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.1)
    await asyncio.sleep(0.3)
    assert alive.asked == 0
    assert session.desk.requests == 1
    session._api.last_contact = 0.0
    await until(lambda: alive.asked)


async def test_one_that_waits_for_its_client_is_not_silent(api: Api, session: Session, monkeypatch: pytest.MonkeyPatch):
    alive = Alive()
    monkeypatch.setattr(session._api, "is_alive", alive)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.02)
    api.handle = log = Writing()
    session.desk.open(order(credit=0))
    response = await log.log()
    await response.write(b"one\n")
    await until(lambda: session.desk.streams[1]._piece)
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.1)
    await asyncio.sleep(0.3)
    assert alive.asked == 0
    assert session.desk.requests == 1


async def test_what_the_status_says(api: Api, connect: Callable[..., Cluster]):
    api.handle = log = Writing()
    cluster = connect(api.url, {"token": "canary"})
    async with serving() as running, running.client() as client:
        await client.resolve()
        (session,) = running.shared.sessions
        session.clusters[REF] = cluster
        await client.say(order(query="follow=true&container=main"))
        response = await log.log()
        await response.write(b"one line\n")
        assert [await client.data(1) for _ in range(2)] == [(Channel.STDOUT, b""), (Channel.STDOUT, b"one line\n")]
        report = msgspec.json.decode((await client.ask(messages.Status(id=7)))[1])
        assert report["logs"] == 1
        [told] = report["clients"][0]["logs"]
        assert told.pop("since") > 0
        assert told == {"cluster": "prod", "path": LOG, "query": "follow=true&container=main", "status": 200,
                        "bytes": 9, "over": False}  # fmt: skip
        await client.say(messages.Unsubscribe(stream=1))
        assert msgspec.json.decode((await client.ask(messages.Status(id=8)))[1])["logs"] == 0
        await until(lambda: log.open == 0)
        await client.say(order(2))
        await log.log()
        await running.gateway.close("the test says so")
    await until(lambda: log.open == 0)


async def test_a_path_is_checked_as_the_others_are(session: Session):
    for path in (LOG.replace("web-0", "a%2Fb"), LOG.replace("pods", "pods%2fx"), LOG + "?x=1", LOG.replace("/", "//")):
        session.desk.open(order(path=path))
    assert len(session.said) == 4
    assert session.desk.streams == {}
