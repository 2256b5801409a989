from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiohttp import web

from notebook_mux.errors import InvalidArgument, OutcomeUnknown, ProtocolError
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.remote import programs as programs_module
from notebook_mux.remote.program import Order
from notebook_mux.remote.programs import Programs, told
from tests.unit.gateway.tls_api import Api
from tests.unit.remote.pods import EXEC, Pods

ID = "0123456789abcdef"
ORDER = Order(EXEC, "command=x")


async def waits(socket: web.WebSocketResponse) -> None:
    await socket.receive()


@pytest.fixture
def pods(api: Api) -> Pods:
    api.handle = made = Pods(waits)
    return made


@pytest.fixture
def cluster(api: Api, connect: Callable[..., Cluster]) -> Cluster:
    return connect(api.url, {"token": "canary"})


async def started(pods: Pods, count: int = 1) -> None:
    async with asyncio.timeout(30):
        while pods.starts < count:
            await asyncio.sleep(0.01)


async def test_an_id_is_started_once(pods: Pods, cluster: Cluster):
    programs = Programs()
    first = programs.take(ID, 1, cluster, ORDER)
    left: list[str] = []
    first.leave = lambda: left.append("left")
    assert programs.take(ID, 2, cluster, ORDER) is first
    assert (left, len(programs), [held.id for held in programs]) == (["left"], 1, [ID])
    with pytest.raises(ProtocolError, match="later attempt"):
        programs.take(ID, 2, cluster, ORDER)
    with pytest.raises(ProtocolError, match="something else"):
        programs.take(ID, 3, cluster, Order(EXEC, "command=y"))
    await started(pods)
    await programs.aclose()
    assert pods.starts == 1


async def test_one_that_was_dropped_is_remembered(pods: Pods, cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    touched: list[int] = []
    programs = Programs(touched=lambda: touched.append(len(programs)))
    held = programs.take(ID, 1, cluster, ORDER)
    await started(pods)
    programs.drop(held)
    programs.drop(held)
    assert (touched, len(programs)) == ([0], 0)
    with pytest.raises(OutcomeUnknown, match="nobody fetched"):
        programs.take(ID, 2, cluster, ORDER)
    await programs.aclose()
    assert held.program.over
    monkeypatch.setattr(programs_module, "MEMORY_SECONDS", 0.0)
    programs.drop(programs.take(ID[::-1], 1, cluster, ORDER))
    assert list(programs._dropped) == [ID[::-1]]
    await programs.aclose()


async def test_a_lease(pods: Pods, cluster: Cluster):
    programs = Programs(lease_seconds=0.05)
    held = programs.take(ID, 1, cluster, ORDER)
    await started(pods)
    programs.left(held)
    assert programs.take(ID, 2, cluster, ORDER) is held
    assert held.lease is None
    programs.left(held)
    async with asyncio.timeout(30):
        while len(programs):
            await asyncio.sleep(0.01)
    await programs.aclose()
    assert held.program.over


async def test_too_many_and_ids_that_are_none(pods: Pods, cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs_module, "MAX_PROGRAMS", 1)
    programs = Programs()
    for id_ in ("", "short", "x" * 65):
        with pytest.raises(InvalidArgument):
            programs.take(id_, 1, cluster, ORDER)
    programs.take(ID, 1, cluster, ORDER)
    with pytest.raises(InvalidArgument, match="1 programs run already"):
        programs.take("y" * 20, 1, cluster, ORDER)
    await programs.aclose()


def test_an_error_as_it_is_told():
    error = OutcomeUnknown("what", cluster="c", said="said", todo="do")
    assert told(error) == {"code": "outcome-unknown", "what": "what", "said": "said", "todo": "do"}
    assert cast("Any", told(error)).get("cluster") is None
