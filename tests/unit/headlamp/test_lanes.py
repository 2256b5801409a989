"""Which socket a watch goes by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from notebook_mux.errors import GatewayError, Unreachable
from notebook_mux.headlamp import lanes as module
from notebook_mux.headlamp.lanes import Lanes
from notebook_mux.headlamp.rest import Server
from tests.unit.headlamp.fake_server import FakeHeadlamp

WAIT_SECONDS = 30.0


@pytest.fixture
def headlamp() -> Iterator[FakeHeadlamp]:
    fake = FakeHeadlamp().start()
    yield fake
    fake.close()


async def room() -> None:
    """There always is."""


@pytest.fixture
async def server(headlamp: FakeHeadlamp) -> AsyncIterator[Server]:
    made = Server(headlamp.url, None, {})
    yield made
    await made.close()


@pytest.fixture
async def lanes(server: Server) -> AsyncIterator[Lanes]:
    made = Lanes(server, room, lambda why, garbage: lost.append((why, garbage)))
    lost.clear()
    yield made
    await made.close()


lost: list[tuple[str, bool]] = []


async def test_callers_during_a_dial_share_it(lanes: Lanes, headlamp: FakeHeadlamp):
    one, two = await asyncio.gather(lanes.open(), lanes.open())
    assert one is two is await lanes.open()
    assert len(headlamp.upgrades) == 1
    assert lanes.counts()["sockets"] == 1


async def test_a_cluster_is_asked_whether_it_answers_before_the_server_must_dial_it(
    lanes: Lanes, server: Server, headlamp: FakeHeadlamp
):
    cluster = server.cluster("real")
    assert await lanes.socket_for(cluster) is await lanes.open()
    assert cluster.last_contact > 0
    headlamp.answers["/version"] = 504, ""
    await lanes.socket_for(cluster)  # it has answered a moment ago
    cluster.last_contact = time.monotonic() - module.PROBE_SECONDS - 1
    with pytest.raises(Unreachable):
        await lanes.socket_for(cluster)
    assert headlamp.asked() == []


async def test_a_cluster_that_holds_others_up_goes_by_a_socket_of_its_own_lane(
    lanes: Lanes, server: Server, headlamp: FakeHeadlamp
):
    headlamp.clusters["slow"] = "https://10.0.0.2"
    lanes.quarantine("slow")
    fast, slow = await lanes.socket_for(server.cluster("real")), await lanes.socket_for(server.cluster("slow"))
    assert fast is not slow
    assert lanes.counts()["sockets"] == 2
    slow.watch("slow", "/api/v1/x", "", "me", None)  # type: ignore[arg-type]  # nobody is told before it ends
    await lanes.socket_for(server.cluster("real"))
    assert lanes.counts()["sockets"] == 2, "it is in use"
    slow._listeners.clear()
    slow.unwatch(slow.mux.watches[0])
    await lanes.socket_for(server.cluster("real"))
    await asyncio.sleep(0)
    assert lanes.counts()["sockets"] == 1, "it is not any more"
    assert lost == [], "its loss is no loss of the connection"
    fast.abort()
    await asyncio.sleep(0)
    assert lost == [("closed", False)]
    assert lanes.counts()["sockets"] == 0


async def test_a_cluster_is_direct_for_a_while(lanes: Lanes, monkeypatch: pytest.MonkeyPatch):
    assert not lanes.must_be_direct("real")
    lanes.force_direct("real")
    assert lanes.must_be_direct("real")
    assert not lanes.must_be_direct("other")
    monkeypatch.setattr(module, "DIRECT_SECONDS", -1.0)
    lanes.force_direct("other")
    assert not lanes.must_be_direct("other")


async def test_direct_sockets_are_counted_while_they_are_in_use(lanes: Lanes):
    async with lanes.direct():
        assert lanes.counts()["direct_sockets"] == 1
    assert lanes.counts()["direct_sockets"] == 0


async def test_a_refused_dial_and_one_to_nobody(lanes: Lanes, headlamp: FakeHeadlamp):
    headlamp.refuse_upgrades = True
    with pytest.raises(GatewayError, match="HTTP 503"):
        await lanes.open()
    await asyncio.to_thread(headlamp.stop)
    with pytest.raises(GatewayError, match="no Headlamp server answers"):
        await lanes.open()


async def test_what_was_sent_and_received_is_counted_beyond_a_sockets_end(lanes: Lanes, server: Server):
    socket = await lanes.open()
    socket.watch("real", "/api/v1/x", "", "me", None)  # type: ignore[arg-type]  # nobody is told before it ends
    async with asyncio.timeout(WAIT_SECONDS):
        while not lanes.counts()["sent_frames"]:
            await asyncio.sleep(0.005)
    before = lanes.counts()
    socket._listeners.clear()
    await socket.close()
    await asyncio.sleep(0)
    assert lanes.counts()["sent_bytes"] >= before["sent_bytes"] > 0
