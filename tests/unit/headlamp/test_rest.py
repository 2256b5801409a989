"""HTTP to a Headlamp server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from notebook_mux.errors import GatewayError, LoginRequired, MuxError, ProtocolError, ServerError, TimedOut
from notebook_mux.headlamp.rest import Server
from notebook_mux.kube.answers import Answer
from tests.unit.headlamp.fake_server import MAPS, FakeHeadlamp


@pytest.fixture
async def make(headlamp: FakeHeadlamp) -> AsyncIterator[Callable[..., Server]]:
    made: list[Server] = []

    def server(token: str | None = None, base: str = "") -> Server:
        made.append(Server(base or headlamp.url, token, {}))
        return made[-1]

    yield server
    for one in made:
        await one.close()


async def test_a_token_is_the_servers_where_it_wants_one_and_the_clusters_where_not(
    make: Callable[..., Server], headlamp: FakeHeadlamp
):
    open_to_all = make("t")
    await open_to_all.config()
    assert open_to_all.login == "t"
    assert "X-HEADLAMP_BACKEND-TOKEN" not in open_to_all.headers()
    headlamp.backend_token = "t"
    guarded = make("t")
    await guarded.config()
    assert guarded.login is None
    assert guarded.headers()["X-HEADLAMP_BACKEND-TOKEN"] == "t"
    assert repr(guarded) == f"<Headlamp server {headlamp.url}>"


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_a_server_that_refuses_says_what_to_do(
    make: Callable[..., Server], headlamp: FakeHeadlamp, token: str | None
):
    headlamp.backend_token = "right"
    with pytest.raises(GatewayError) as caught:
        await make(token).config()
    assert "?token=" in (caught.value.todo or "")
    assert "right" not in str(caught.value)


async def test_what_is_no_headlamp_server(make: Callable[..., Server], headlamp: FakeHeadlamp):
    with pytest.raises(ProtocolError, match="no Headlamp server"):
        await make(base=f"{headlamp.url}/elsewhere").config()
    with pytest.raises(GatewayError, match="no Headlamp server answers"):
        await make(base="http://127.0.0.1:9").config()


async def test_names_are_escaped_in_paths(make: Callable[..., Server]):
    assert make().cluster("team/a b").root == "/clusters/team%2Fa%20b"


async def test_a_probe_wants_a_login_where_the_cluster_does(make: Callable[..., Server], headlamp: FakeHeadlamp):
    cluster = make().cluster("real")
    assert await cluster.probe(5) == {"version": "v1.37.2"}
    headlamp.cluster_token = "secret"
    with pytest.raises(LoginRequired):
        await cluster.probe(5)
    headlamp.cluster_token = None
    headlamp.answers["/version"] = 200, "<html>"
    with pytest.raises(ServerError, match="not as a Kubernetes API server"):
        await cluster.probe(5)


async def test_an_answer_that_does_not_come_has_a_limit(make: Callable[..., Server], headlamp: FakeHeadlamp):
    headlamp.slow = 3600
    with pytest.raises(TimedOut):
        await make().cluster("real").request("GET", MAPS, timeout=0.05)


async def test_callers_share_the_question_whether_it_is_alive(make: Callable[..., Server], headlamp: FakeHeadlamp):
    cluster = make().cluster("real")
    before = time.monotonic()
    assert await asyncio.gather(*(cluster.is_alive() for _ in range(5))) == [True] * 5
    assert cluster.last_contact >= before
    headlamp.answers["/version"] = 502, ""
    assert not await cluster.is_alive()


async def test_a_server_that_goes_away_is_an_error_of_ours(make: Callable[..., Server], headlamp: FakeHeadlamp):
    cluster = make().cluster("real")
    await asyncio.to_thread(headlamp.stop)
    with pytest.raises(MuxError, match="no Headlamp server answers"):
        await cluster.request("GET", MAPS)


async def test_a_long_answer(make: Callable[..., Server], headlamp: FakeHeadlamp):
    cluster = make().cluster("real")
    options: dict[str, Any] = {"headers": {"Accept": "x/y"}, "read_ahead": 1024}
    headlamp.put("one")
    async with cluster.stream(MAPS, "limit=5", timeout=None, **options) as response:
        assert response.status == 200
        assert b'"one"' in await response.content.read(100_000)
    assert headlamp.lists[-1] == "limit=5"
    headlamp.slow = 3600
    with pytest.raises(TimedOut):
        async with cluster.stream(MAPS, timeout=0.05, **options):
            raise AssertionError
    await asyncio.to_thread(headlamp.stop)
    with pytest.raises(GatewayError, match="no Headlamp server answers"):
        async with cluster.stream(MAPS, timeout=None, **options):
            raise AssertionError


def test_a_refusal_is_the_clusters_or_the_proxys(make: Callable[..., Server]):
    cluster = make().cluster("real")
    assert cluster.refused(Answer(502, {}, b""), "reading it").code == "unreachable"
    assert cluster.refused(Answer(503, {}, b'{"kind":"Status","message":"later"}'), "reading it").said == "later"
    login = cluster.refused(Answer(401, {}, b""), "reading it")
    assert (login.code, "?token=" in str(login.todo)) == ("login", True)
    assert cluster.refused(Answer(204, {}, b""), "reading it").what == "reading it: the server answered 204"
    broken = cluster.failed(ConnectionResetError("reset"))
    assert (broken.code, broken.cluster, broken.said) == ("unreachable", "real", "reset")


async def test_a_cluster_is_shown_its_own_token_alone(make: Callable[..., Server], headlamp: FakeHeadlamp):
    server = make()
    headlamp.clusters["other"] = "https://10.0.0.2"
    server.tokens.update(real="one", other="two")
    await server.cluster("real").request("GET", MAPS)
    await server.cluster("other").is_alive()
    assert headlamp.cookies == {"real": {"headlamp-auth-real.0=one"}, "other": {"headlamp-auth-other.0=two"}}
    assert server.headers()["Cookie"] == "headlamp-auth-other.0=two; headlamp-auth-real.0=one", (
        "the multiplexer reads all"
    )
    assert "Cookie" not in server.headers("third")
