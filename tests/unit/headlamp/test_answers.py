"""Requests and their answers, as the kernel asks them of a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from notebook_mux.headlamp.answers import Answers
from notebook_mux.headlamp.rest import Server
from notebook_mux.wire import messages
from tests.unit.headlamp.fake_server import MAPS, FakeHeadlamp

WAIT_SECONDS = 30.0
NOTHING = messages.Source()


@pytest.fixture
def headlamp() -> Iterator[FakeHeadlamp]:
    fake = FakeHeadlamp().start()
    yield fake
    fake.close()


class Asking:
    """Answers, and what was told."""

    def __init__(self, server: Server, config: Any) -> None:
        self.told: list[Any] = []
        self.bodies: dict[int, bytes] = {}
        self.ready = 0
        self.answers = Answers(server, config, self, self._ready)

    async def _ready(self) -> None:
        self.ready += 1

    def tell(self, message: messages.Message) -> None:
        self.told.append(message)

    def body(self, id_: int, content: bytes) -> None:
        self.bodies[id_] = content

    async def ask(self, message: Any) -> Any:
        self.answers.begin(message)
        async with asyncio.timeout(WAIT_SECONDS):
            while not self.told or self.told[-1].id != message.id:
                await asyncio.sleep(0.002)
        return self.told[-1]


@pytest.fixture
async def asking(headlamp: FakeHeadlamp) -> AsyncIterator[Asking]:
    server = Server(headlamp.url, None, {})
    made = Asking(server, await server.config())
    yield made
    await asyncio.gather(*made.answers.close(), return_exceptions=True)
    await server.close()


async def test_contexts_make_clusters_known_and_the_sockets_ready(asking: Asking, headlamp: FakeHeadlamp):
    answer = await asking.ask(messages.Contexts(id=1, source=NOTHING, names=["real"]))
    ref = answer.value[0]["ref"]
    assert list(asking.answers.clusters) == [ref]
    assert asking.ready == 1
    assert headlamp.configs == 1, "the first question was answered with what connecting had shown"
    headlamp.clusters["new"] = "https://10.0.0.9"
    assert (await asking.ask(messages.Contexts(id=2, source=NOTHING, names=["new"]))).value[0]["name"] == "new"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (messages.Contexts(id=1, source=NOTHING, names=["no"]), "unknown-context"),
        (messages.Contexts(id=1, source=messages.Source(in_cluster=True)), "invalid"),
        (messages.Probe(id=1, cluster="stranger"), "unknown-context"),
        (messages.Discover(id=1, cluster="stranger"), "unknown-context"),
        (messages.Http(id=1, cluster="stranger", method="GET", path=MAPS), "unknown-context"),
        (messages.Status(id=1), "invalid"),
        (messages.Stop(id=1), "invalid"),
    ],
)
async def test_what_cannot_be_answered_fails_with_its_code(asking: Asking, message: Any, code: str):
    assert (await asking.ask(message)).code == code


async def known(asking: Asking) -> str:
    answer = await asking.ask(messages.Contexts(id=99, source=NOTHING, names=["real"]))
    return str(answer.value[0]["ref"])


async def test_writing_needs_the_scope(asking: Asking, headlamp: FakeHeadlamp):
    ref = await known(asking)
    change: dict[str, Any] = {"cluster": ref, "method": "POST", "path": MAPS, "body": "{}"}
    assert (await asking.ask(messages.Http(id=1, **change))).code == "write-refused"
    granted = await asking.ask(messages.Scope(id=2, scope="mine", write=[ref, "stranger"]))
    assert granted.value == [ref]
    assert (await asking.ask(messages.Http(id=3, scope="mine", **change))).status == 200
    assert (await asking.ask(messages.Http(id=4, scope="other", **change))).code == "write-refused"


@pytest.mark.parametrize(
    "wrong",
    [{"path": "/clusters/other/api"}, {"path": "/api/../config"}, {"headers": {"Cookie": "x"}}, {"query": "a b"}],
)
async def test_a_request_stays_within_the_clusters_api(asking: Asking, wrong: dict[str, Any]):
    ref = await known(asking)
    fields: dict[str, Any] = {"cluster": ref, "method": "GET", "path": MAPS, **wrong}
    assert (await asking.ask(messages.Http(id=1, **fields))).code == "invalid"


async def test_a_long_answer_has_a_head_and_a_body_and_no_cookies(asking: Asking, headlamp: FakeHeadlamp):
    ref = await known(asking)
    headlamp.set_cookies = {"headlamp-auth-real.0": "secret"}
    head = await asking.ask(messages.Http(id=1, cluster=ref, method="GET", path=MAPS))
    assert head.status == 200
    assert "set-cookie" not in head.headers
    assert asking.bodies[1].startswith(b'{"kind"')


async def test_an_answer_that_is_not_wanted_any_more_does_not_come(asking: Asking, headlamp: FakeHeadlamp):
    ref = await known(asking)
    headlamp.slow = 3600
    asking.answers.begin(messages.Http(id=1, cluster=ref, method="GET", path=MAPS))
    asking.answers.cancel(1)
    asking.answers.cancel(7)
    await asyncio.gather(*asking.answers.close(), return_exceptions=True)
    assert all(told.id != 1 for told in asking.told)
