"""Who answers at an endpoint is found out by asking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from notebook_mux.errors import GatewayError, MuxError, ProtocolError
from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from notebook_mux.kernel.thread import LoopThread
from notebook_mux.urls import split_token
from tests.unit.headlamp.fake_server import FakeHeadlamp
from tests.unit.kernel.fake_gateway import FakeGateway


@pytest.fixture
def headlamp() -> Iterator[FakeHeadlamp]:
    fake = FakeHeadlamp().start()
    yield fake
    fake.close()


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    made = LoopThread("test")
    yield made
    made.stop(30)


def dialect(thread: LoopThread, opener: Opener, url: str) -> str:
    """Connect, look, and close again."""

    async def look() -> str:
        wire = await opener(*split_token(url))
        found = wire.details().get("dialect", "ours")
        await wire.close()
        return str(found)

    return thread.submit(look()).result(60)


def test_our_own_gateway_is_known_by_its_route(thread: LoopThread, gateway: FakeGateway):
    assert dialect(thread, Opener(), gateway.url) == "ours"


def test_a_headlamp_server_by_its_config_and_it_is_remembered(thread: LoopThread, headlamp: FakeHeadlamp):
    opener = Opener()
    assert dialect(thread, opener, headlamp.url) == "headlamp"
    asked = headlamp.pages
    assert dialect(thread, opener, headlamp.url) == "headlamp"
    assert asked == headlamp.pages == 1, "our own route is asked for once"


def test_another_server_in_its_place_is_asked_anew(thread: LoopThread, headlamp: FakeHeadlamp, gateway: FakeGateway):
    opener = Opener()
    assert dialect(thread, opener, headlamp.url) == "headlamp"
    assert dialect(thread, opener, gateway.url) == "ours"
    assert dialect(thread, opener, headlamp.url) == "headlamp"


def test_a_gateway_that_we_start_ourselves_is_never_a_headlamp_server(thread: LoopThread, headlamp: FakeHeadlamp):
    with pytest.raises(GatewayError, match="refused the connection"):
        dialect(thread, Opener(ask=False), headlamp.url)
    assert headlamp.configs == 0


@pytest.mark.parametrize("path", ["/elsewhere", "/config"])
def test_neither_is_told_as_neither(thread: LoopThread, headlamp: FakeHeadlamp, path: str):
    with pytest.raises(GatewayError, match="neither a gateway of notebook_mux nor a Headlamp server"):
        dialect(thread, Opener(), headlamp.url + path)


def test_a_headlamp_server_that_wants_another_token_says_so(thread: LoopThread, headlamp: FakeHeadlamp):
    headlamp.backend_token = "desktop"
    with pytest.raises(GatewayError, match="the Headlamp server at") as caught:
        dialect(thread, Opener(), f"{headlamp.url}?token=wrong")
    assert "?token=" in (caught.value.todo or "")


def test_our_own_gateway_that_wants_another_token_is_no_headlamp_server(thread: LoopThread, headlamp: FakeHeadlamp):
    headlamp.backend_token = "ours"
    headlamp.page_status = 401
    with pytest.raises(GatewayError, match=r"the gateway at .* refused the connection with HTTP 401"):
        dialect(thread, Opener(), f"{headlamp.url}?token=wrong")


def test_nobody_is_not_asked_twice(thread: LoopThread):
    with pytest.raises(GatewayError, match="no gateway answers"):
        dialect(thread, Opener(), "http://127.0.0.1:9")


def test_a_headlamp_server_whose_socket_is_refused_says_so(thread: LoopThread, headlamp: FakeHeadlamp):
    headlamp.refuse_upgrades = True
    with pytest.raises(GatewayError, match=r"Headlamp server .* refused the WebSocket with HTTP 503"):
        dialect(thread, Opener(), headlamp.url)


def test_what_is_asked_for_as_headlamp_and_is_none(thread: LoopThread, gateway: FakeGateway):
    with pytest.raises(MuxError) as caught:
        thread.submit(Opener().open_headlamp(*split_token(gateway.url))).result(60)
    assert isinstance(caught.value, GatewayError | ProtocolError)


def test_a_core_connects_to_either(headlamp: FakeHeadlamp, gateway: FakeGateway, core: Core):
    ours = core.connect(("url", gateway.url), 30).result(60)
    theirs = core.connect(("url", headlamp.url), 30).result(60)
    assert "dialect" not in core.status(ours)
    assert core.status(theirs)["dialect"] == "headlamp"


def test_a_dial_that_is_cancelled_is_over(thread: LoopThread, headlamp: FakeHeadlamp):
    async def cancelled() -> bool:
        task = asyncio.get_running_loop().create_task(Opener()(headlamp.url, None))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert thread.submit(cancelled()).result(60)
    # the server has taken what was dialled first when the next one is through, and can let go of it
    assert dialect(thread, Opener(), headlamp.url) == "headlamp"
