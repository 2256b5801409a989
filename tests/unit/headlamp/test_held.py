"""Events that wait for their cells: all of them, in their order, with the cells of a Table made after they came."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from msgspec import Raw

from notebook_mux.errors import TimedOut
from notebook_mux.headlamp import held as module
from notebook_mux.headlamp.held import Event, Held
from notebook_mux.kube.table_events import Metadata
from tests.waiting import until

WAIT_SECONDS = 30.0


class Tables:
    """A `Cells` whose Tables come when the test lets them."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Semaphore(0)
        self.cells: dict[str, bytes] = {}
        self.fails = False

    async def poll(self, seconds: float) -> tuple[bytes | None, Mapping[str, bytes]]:
        self.asked += 1
        await self.may.acquire()
        if self.fails:
            raise TimedOut("no table")
        return b"[{}]", dict(self.cells)

    def known(self, uid: str) -> bytes:
        return b"old"


def event(uid: str, *, deleted: bool = False) -> Event:
    return deleted, Metadata(name=uid, uid=uid), Raw(b"{}")


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> tuple[Tables, list[object]]:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.0)
    return Tables(), []


def make(tables: Tables, given: list[object]) -> Held:
    return Held(
        tables,  # type: ignore[arg-type]  # what it needs of one
        lambda one, cells: given.append((one[1].uid, cells)),
        given.append,
        given.append,
    )


async def test_what_comes_while_a_table_is_made_waits_for_the_next(way: tuple[Tables, list[object]]):
    tables, given = way
    held = make(tables, given)
    held.put(event("a"))
    held.mark("7")
    await until(lambda: tables.asked == 1)
    held.put(event("a"))
    tables.cells["a"] = b"first"
    tables.may.release()
    await until(lambda: tables.asked == 2)
    assert given == [b"[{}]", ("a", b"first"), "7"]
    assert len(held) == 1
    tables.cells["a"] = b"second"
    tables.may.release()
    await until(lambda: not len(held))
    assert given[-1] == ("a", b"second")


async def test_a_deletion_has_the_cells_it_had(way: tuple[Tables, list[object]]):
    tables, given = way
    held = make(tables, given)
    held.put(event("a", deleted=True))
    tables.may.release()
    await until(lambda: given[1:])
    assert given[1] == ("a", b"old")


async def test_a_bookmark_passes_where_nothing_waits(way: tuple[Tables, list[object]]):
    tables, given = way
    make(tables, given).mark("7")
    assert given == ["7"]
    assert tables.asked == 0


async def test_failing_tables_are_tried_and_then_the_events_go_on(way: tuple[Tables, list[object]]):
    tables, given = way
    tables.fails = True
    held = make(tables, given)
    held.put(event("a"))
    for _ in range(module.TRIES):
        tables.may.release()
    await until(lambda: given)
    assert tables.asked == module.TRIES
    assert given == [("a", b"old")]


async def test_a_new_list_has_what_waits_and_the_end_ends_it(way: tuple[Tables, list[object]]):
    tables, given = way
    held = make(tables, given)
    held.put(event("a"))
    held.mark("7")
    await until(lambda: tables.asked == 1)
    assert held.drop() == 1
    tables.may.release()
    await until(lambda: given == [b"[{}]"])
    held.put(event("b"))
    held.close()
    assert len(held) == 0


async def test_a_table_that_was_asked_for_before_a_new_list_speaks_of_nothing_after_it(
    way: tuple[Tables, list[object]],
):
    tables, given = way
    held = make(tables, given)
    held.put(event("a"))
    await until(lambda: tables.asked == 1)
    held.drop()
    held.put(event("a"))
    tables.cells["a"] = b"of before"
    tables.may.release()
    await until(lambda: tables.asked == 2)
    assert given == [b"[{}]"]
    held.close()


async def test_what_waits_is_bounded(way: tuple[Tables, list[object]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    tables, given = way
    held = make(tables, given)
    for number in range(6):  # two bytes each
        held.put(event(f"a{number}"))
    assert not held
    assert given == [(f"a{number}", b"old") for number in range(6)], "in their order, with the cells that are known"
    held.put(event("b"))
    tables.cells["b"] = b"new"
    tables.may.release()
    await until(lambda: not held)
    assert given[-1] == ("b", b"new")
    held.close()
