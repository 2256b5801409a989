from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from notebook_mux.errors import LoginRequired, NoCluster
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_FRAME, Channel
from tests.unit.gateway.serving import CREDIT, INSTANCE, PODS, TOKEN, context, serving, subscribe, until_closed


async def test_contexts():
    async with serving() as running, running.client() as client:
        running.contexts = [context("one"), context("two", NoCluster("no cluster in it", todo="add one"))]
        source = messages.Source(kubeconfig=["a", "b"], env={"HOME": "/home/me"}, in_cluster=True)
        found = await client.ask(messages.Contexts(id=1, source=source, names=["one", "two"]))
        assert running.loaded == [(["a", "b"], ["one", "two"], {"HOME": "/home/me"}, True)]
        assert msgspec.convert(found, list[messages.Context]) == [
            messages.Context(name="one", ref="ref-one", server="https://one", user="me", current=True),
            messages.Context(
                name="two", server="https://two", user="me",
                error={
                    "code": "no-cluster", "what": "no cluster in it", "cluster": None, "said": None, "todo": "add one"
                },
            ),
        ]  # fmt: skip
        assert list(running.clusters.known) == ["ref-one"]


async def test_ten_thousand_contexts():
    async with serving() as running, running.client() as client:
        names = [f"arn:aws:eks:eu-west-1:123456789012:cluster/team-{number}" for number in range(10_000)]
        running.contexts = [context(name) for name in names]
        await client.say(messages.Contexts(id=1, source=messages.Source(), names=["*"]))
        head = await client.told()
        assert isinstance(head, messages.Head)
        assert head.status == 200
        for stream in (0, 1):
            await client.say(messages.Credit(stream=stream, bytes=8 * messages.MAX_MESSAGE))
        body = b""
        while (frame := await client.data(1))[0] != Channel.END:
            body += frame[1]
        assert len(body) > messages.LARGE_ANSWER, "it is no one message"
        found = msgspec.json.decode(body, type=list[messages.Context])
        assert [one.name for one in found] == names
        assert len(running.clusters.known) == 10_000


async def test_contexts_that_cannot_be_loaded():
    def load(*args: Any, **options: Any) -> Any:
        raise NoCluster("no kubeconfig", todo="nm.demo()")

    async with serving() as running, running.client() as client:
        running.shared.load = load
        failure = await client.ask(messages.Contexts(id=1, source=messages.Source()))
        assert failure == messages.Failure(id=1, code="no-cluster", what="no kubeconfig", todo="nm.demo()")


async def test_a_gateway_by_hand_serves_its_own_contexts_only():
    own = messages.Source(kubeconfig=["own"], env={"HOME": "/root"})
    async with serving(own=own) as running, running.client() as client:
        for source in (
            messages.Source(kubeconfig=["theirs"]),
            messages.Source(env={"PATH": "/evil"}),
            messages.Source(in_cluster=True),
        ):
            failure = await client.ask(messages.Contexts(id=1, source=source))
            assert failure.code == "forbidden"
            assert "started by hand" in failure.what
        assert running.loaded == []
        await client.ask(messages.Contexts(id=2, source=messages.Source()))
        assert running.loaded == [(["own"], None, {"HOME": "/root"}, False)]


async def test_each_session_has_to_resolve_for_itself():
    async with serving() as running, running.client() as one, running.client() as two:
        await one.resolve()
        for message in (
            messages.Probe(id=1, cluster="ref-one"),
            messages.Discover(id=2, cluster="ref-one"),
            messages.Http(id=3, cluster="ref-one", method="GET", path="/version"),
        ):
            assert (await two.ask(message)).code == "unknown-context"
        assert await one.ask(messages.Probe(id=1, cluster="ref-one")) == {"version": "v1.37.2"}


async def test_http_passes_the_body_in_frames():
    async with serving() as running, running.client() as client:
        await client.resolve()
        cluster = running.clusters.known["ref-one"]
        cluster.body = bytes(range(256)) * 2000
        head, body = await client.ask(
            messages.Http(
                id=3, cluster="ref-one", method="get", path=PODS, query="limit=5", headers={"Accept": "text/plain"}
            )
        )
        assert head == messages.Head(id=3, status=200, headers={"content-type": "text/plain"})
        assert body == cluster.body
        assert cluster.asked == [("GET", PODS, "limit=5", {"Accept": "text/plain"}, None)]
        assert next(len(payload) for _, channel, payload in client.frames if channel == Channel.BODY) == MAX_FRAME - 5
        cluster.body = b""
        head, body = await client.ask(messages.Http(id=4, cluster="ref-one", method="GET", path=PODS))
        assert body == b""


async def test_a_body_waits_for_credit():
    async with serving() as running, running.client() as client:
        await client.resolve()
        running.clusters.known["ref-one"].body = bytes(3 << 20)
        await client.say(messages.Http(id=3, cluster="ref-one", method="GET", path=PODS))
        got = 0
        while got < CREDIT:
            got += len((await client.data(3))[1]) + 5
        await client.ask(messages.Probe(id=4, cluster="ref-one"))
        assert sum(len(payload) for _, _, payload in client.frames) < CREDIT + 2 * MAX_FRAME
        await client.say(messages.Cancel(id=3))
        await client.ask(messages.Probe(id=5, cluster="ref-one"))
        (session,) = running.shared.sessions
        assert session.requests.running == {}
        assert session.requests.bodies == 0


async def test_the_clusters_trouble_is_a_failure():
    async with serving() as running, running.client() as client:
        await client.resolve()
        running.clusters.known["ref-one"].error = LoginRequired("expired", cluster="one", said="401", todo="log in")
        for message in (
            messages.Probe(id=1, cluster="ref-one"),
            messages.Http(id=2, cluster="ref-one", method="GET", path=PODS),
        ):
            assert await client.ask(message) == messages.Failure(
                id=message.id, code="login", what="expired", cluster="one", said="401", todo="log in"
            )


async def test_a_bug_is_one_requests_failure(caplog):
    async with serving() as running, running.client() as client:
        await client.resolve()
        running.clusters.known["ref-one"].probe = None  # type: ignore[assignment, method-assign]
        failure = await client.ask(messages.Probe(id=1, cluster="ref-one"))
        assert (failure.code, failure.said) == ("server", "TypeError")
        assert await client.ask(messages.Scope(id=2, scope="s", write=[])) == []


async def test_cancel_ends_a_request():
    async with serving() as running, running.client() as client:
        await client.resolve()
        started = asyncio.Event()
        ended = asyncio.Event()

        async def forever(*args: Any, **options: Any) -> Any:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        running.clusters.known["ref-one"].request = forever  # type: ignore[method-assign]
        await client.say(messages.Http(id=3, cluster="ref-one", method="GET", path=PODS))
        await started.wait()
        await client.say(messages.Cancel(id=3))
        await client.say(messages.Cancel(id=77))
        await ended.wait()
        assert await client.ask(messages.Scope(id=4, scope="s", write=[])) == []


@pytest.mark.parametrize("timeout", [0, -1, 1e9])
async def test_a_time_limit_has_limits(timeout):
    async with serving() as running, running.client() as client:
        await client.resolve()
        assert (await client.ask(messages.Probe(id=1, cluster="ref-one", timeout=timeout))).code == "invalid"


async def test_status():
    async with serving() as running, running.client() as client:
        await client.resolve()
        running.feed.put("a")
        await client.say(subscribe())
        head, body = await client.ask(messages.Status(id=5))
        said = msgspec.json.decode(body)
        assert head.headers == {"content-type": "application/json"}
        assert said["instance"] == INSTANCE
        assert said["streams"] == 1
        assert said["clients"][0]["kernel"] == "kernel-1.json"
        assert said["upstreams"][0]["objects"] == 1
        assert TOKEN not in body.decode()


async def test_stop_is_answered_first():
    async with serving() as running, running.client() as client:

        def stop(reason: str) -> None:
            for session in running.shared.sessions:
                session.end("closing", reason)

        running.shared.stop = stop
        assert await client.ask(messages.Stop(id=5)) is True
        goodbye, code = await until_closed(client)
        assert (goodbye.what, code) == ("stopped by a client", 1001)
