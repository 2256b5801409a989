from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument, NotFound, Unreachable
from notebook_mux.kube.answers import Answer
from notebook_mux.remote import terminals as terminals_module
from notebook_mux.remote.run import Order
from notebook_mux.remote.terminal import Terminal
from notebook_mux.remote.terminals import Kept, Terminals, found
from tests.unit.remote.pods import EXEC
from tests.waiting import until

POD = EXEC.removesuffix("/exec")


class Cluster:
    """Whose programs never begin; deleting answers with these statuses, then 200. None is no answer."""

    name = "one"

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.asked: list[tuple[str, str, Any]] = []
        self.cut = 0

    async def websocket(self, path: str, query: str = "", *, protocols: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            self.cut += 1

    async def request(self, method: str, path: str, query: str = "", **options: Any) -> Answer:
        self.asked.append((method, path, json.loads(options["body"])))
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            raise Unreachable("no answer")
        return Answer(status, {}, b"")


def make(terminals: Terminals, kernel: str = "k1", key: str = "key", cluster: Any = None, **fields: Any) -> Kept:
    def entry(terminal: Terminal) -> Kept:
        return Kept(kernel, key, "ref", terminal, **fields)

    return terminals.create(entry, cluster or Cluster(), Order(EXEC, ("command=sh",)))


def look(kept: Kept, view: str = "0123456789abcdef") -> Any:
    nothing: Callable[..., None] = lambda *anything: None  # noqa: E731 - three times the same
    return kept.terminal.look(view, -1, output=True, wake=nothing, grant=nothing, ended=nothing)


async def test_by_id_and_by_key():
    terminals = Terminals()
    one, two = make(terminals), make(terminals, key="other")
    assert terminals.get(one.terminal.id) is one
    assert terminals.find("k1", "key", "ref") is one
    assert (terminals.find("k2", "key", "ref"), terminals.find("k1", "key", "other")) == (None, None)
    assert list(terminals) == [one, two]
    assert found(one, created=True).terminal == one.terminal.id
    with pytest.raises(NotFound):
        terminals.get("nothing")
    await terminals.aclose()
    assert len(terminals) == 0


async def test_it_is_kept_while_somebody_is_there():
    terminals = Terminals(0.02)
    terminals.arrive("k1")
    kept = make(terminals)
    viewer = look(kept)
    terminals.leave("k1")
    assert (kept.until, kept.lease) == (None, None), "somebody looks"
    kept.terminal.leave(viewer)
    terminals.look_round()
    assert kept.until is not None
    terminals.arrive("k2")
    terminals.leave("k2")
    assert kept.lease is not None
    terminals.arrive("k1")
    assert (kept.until, kept.lease) == (None, None), "its kernel is there"
    terminals.arrive("k1")
    terminals.leave("k1")
    assert kept.lease is None, "it has two clients"
    terminals.leave("k1")
    await until(lambda: not len(terminals))
    await terminals.aclose()


async def test_they_are_few(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminals_module, "MAX_TERMINALS", 2)
    terminals = Terminals()
    one, two = make(terminals), make(terminals, key="two")
    with pytest.raises(InvalidArgument, match="2 terminals are kept already"):
        make(terminals, key="three")
    for kept in (one, two):
        kept.terminal._task.cancel()
        await asyncio.gather(kept.terminal._task, return_exceptions=True)
    viewer = look(one)
    make(terminals, key="three")
    assert terminals.find("k1", "two", "ref") is None, "the one that is over and that nobody looks at makes room"
    one.terminal.leave(viewer)
    await terminals.aclose()


async def test_hang_up_cuts_and_deletes_once():
    terminals = Terminals()
    cluster = Cluster()
    kept = make(terminals, cluster=cluster, delete=POD)
    await until(lambda: kept.terminal.word == "starting")
    await asyncio.sleep(0)
    await terminals.hang_up(kept)
    await terminals.hang_up(kept)
    assert cluster.cut == 1
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1}
    assert cluster.asked == [("DELETE", POD, options)]
    await terminals.aclose()
    assert len(cluster.asked) == 1


async def test_deleting_is_tried_again():
    terminals = Terminals(delete_waits=(0.0, 0.0, 0.0))
    cluster = Cluster(None, 500, 409)
    await terminals.hang_up(make(terminals, cluster=cluster, delete=POD))
    await until(lambda: len(cluster.asked) == 4)
    gone = Cluster(404)
    await terminals.hang_up(make(terminals, cluster=gone, delete=POD))
    never = Cluster(*[500] * 9)
    await terminals.hang_up(make(terminals, cluster=never, delete=POD))
    await until(lambda: len(never.asked) == 4)
    await terminals.aclose()
    assert (len(cluster.asked), len(gone.asked), len(never.asked)) == (4, 1, 4)


async def test_at_the_end_nothing_is_waited_for():
    terminals = Terminals(delete_waits=(1000.0,))
    waiting, late = Cluster(500), Cluster()
    await terminals.hang_up(make(terminals, cluster=waiting, delete=POD))
    make(terminals, cluster=late, delete=POD)
    assert len(waiting.asked) == 1
    await terminals.aclose()
    assert (len(waiting.asked), len(late.asked)) == (2, 1)


async def test_one_that_hangs_is_not_waited_for_at_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminals_module, "END_SECONDS", 0.05)
    terminals = Terminals()

    class Hangs(Cluster):
        async def request(self, method: str, path: str, query: str = "", **options: Any) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    make(terminals, cluster=Hangs(), delete=POD)
    await terminals.aclose()


async def test_taken_over_from_a_kernel_that_has_gone():
    terminals = Terminals()
    terminals.arrive("k1")
    kept = make(terminals, notebook="a.ipynb")
    assert terminals.others("k2", "key", "ref", "a.ipynb") == []
    with pytest.raises(InvalidArgument, match="in use by another kernel"):
        terminals.take(kept, "k2")
    terminals.leave("k1")
    for wrong in (("k1", "key", "ref", "a.ipynb"), ("k2", "key", "ref", ""), ("k2", "k", "ref", "a.ipynb")):
        assert terminals.others(*wrong) == []
    assert terminals.others("k2", "key", "ref", "a.ipynb") == [kept]
    look(kept)
    terminals.take(kept, "k2")
    assert (kept.kernel, kept.terminal.viewers) == ("k2", [])
    terminals.take(kept, "k2")
    await terminals.aclose()
