from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import uvloop

import notebook_mux as nm
from notebook_mux.handles import waiting


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


def in_new_thread(function: Any) -> Any:
    """nest_asyncio patches the class of the loop it is given, so each test has a thread and a loop of its own."""
    return waiting.in_thread(function, "test").result(20)


def test_without_a_loop() -> None:
    assert in_new_thread(lambda: nm.run(answer())) == 42


def test_inside_a_running_loop() -> None:
    class Loop(asyncio.SelectorEventLoop):
        pass

    others: list[int] = []

    async def other() -> None:
        for i in range(3):
            others.append(i)
            await asyncio.sleep(0)

    async def cell() -> int:
        task = asyncio.ensure_future(other())
        found = nm.run(answer())
        await task
        return found

    def thread() -> int:
        loop = Loop()
        try:
            return loop.run_until_complete(cell())
        finally:
            loop.close()

    assert in_new_thread(thread) == 42
    assert others == [0, 1, 2]


def test_a_loop_that_cannot_be_nested_into_is_left_alone() -> None:
    ran = []

    async def never() -> None:
        ran.append(True)

    async def cell() -> str:
        with pytest.raises(nm.WrongThread) as caught:
            nm.run(never())
        await asyncio.sleep(0)
        return str(caught.value)

    def thread() -> str:
        loop = uvloop.new_event_loop()
        try:
            return str(loop.run_until_complete(cell()))
        finally:
            loop.close()

    said = in_new_thread(thread)
    assert "uvloop.Loop" in said
    assert "await" in said
    assert ran == []


def test_what_is_no_coroutine() -> None:
    for wrong in (answer, 7, None):
        with pytest.raises(nm.InvalidArgument):
            nm.run(wrong)  # type: ignore[arg-type]


def test_not_where_nothing_may_wait() -> None:
    def thread() -> None:
        waiting.forbid_here("in a callback")
        with pytest.raises(nm.WrongThread):
            nm.run(answer())

    in_new_thread(thread)
    assert threading.current_thread() is threading.main_thread()
