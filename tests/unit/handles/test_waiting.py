from __future__ import annotations

import asyncio
import signal
import threading
import time
import types
from concurrent.futures import Future
from typing import Any

import pytest

from notebook_mux.errors import MuxError, TimedOut, WrongThread
from notebook_mux.handles import waiting
from notebook_mux.handles.waiting import Alarm, Wait, awaiting, blocking, deadline_in, gather, in_thread
from notebook_mux.kernel import holder


def later(value: Any, gate: threading.Event) -> Future[Any]:
    """Done with `value`, raised if it is an exception, when the gate opens."""

    def work() -> Any:
        gate.wait(10)
        if isinstance(value, BaseException):
            raise value
        return value

    return in_thread(work, "later")


async def twice(future: Future[int]) -> int:
    return await Wait(future) + await Wait(future)


def test_the_same_steps_block_or_are_awaited() -> None:
    gate = threading.Event()
    future = later(3, gate)
    threading.Timer(0.05, gate.set).start()
    assert blocking(twice(future)) == 6
    assert asyncio.run(awaiting(twice(future))) == 6


@pytest.mark.parametrize("drive", [blocking, lambda steps: asyncio.run(awaiting(steps))])
def test_errors_are_raised_where_they_are_awaited(drive: Any) -> None:
    async def steps() -> str:
        try:
            await Wait(later(ValueError("no"), opened()))
        except ValueError as error:
            return str(error)
        return "?"

    assert drive(steps()) == "no"


@pytest.mark.parametrize("drive", [blocking, lambda steps: asyncio.run(awaiting(steps))])
def test_a_timeout_of_the_future_is_told_from_ours(drive: Any) -> None:
    async def theirs() -> None:
        await Wait(later(TimeoutError("theirs"), opened()), deadline=deadline_in(10))

    with pytest.raises(TimeoutError, match="theirs"):
        drive(theirs())

    async def ours() -> None:
        await Wait(Future(), deadline=deadline_in(0.01), what="waiting for Godot")

    with pytest.raises(TimedOut, match="waiting for Godot"):
        drive(ours())


def opened() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def test_an_interrupt_ends_the_wait_and_not_the_future() -> None:
    future: Future[int] = Future()
    ended = []
    begun = threading.Event()

    async def steps() -> None:
        try:
            begun.set()
            await Wait(future)
        finally:
            ended.append(True)

    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        assert begun.wait(30)  # or it would be pytest that is interrupted
        time.sleep(0.1)  # into the wait
        signal.pthread_kill(main, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        blocking(steps())
    interrupting.join()
    assert ended == [True]
    assert not future.cancelled()


async def test_cancelling_a_task_does_not_cancel_what_others_wait_for() -> None:
    future: Future[int] = Future()

    async def steps() -> int:
        return await Wait(future)

    first, second = (asyncio.create_task(awaiting(steps())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    future.set_result(5)
    assert await second == 5


def test_gather_runs_side_by_side_and_keeps_each_result_or_error() -> None:
    gates = [threading.Event() for _ in range(2)]
    order = []

    async def one(index: int, value: Any) -> Any:
        result = await Wait(later(value, gates[index]))
        order.append(index)
        gates[1 - index].set()
        return result

    async def late() -> None:
        await Wait(Future(), deadline=deadline_in(0.01), what="nobody")

    async def at_once() -> str:
        return "now"

    async def steps() -> list[Any]:
        return await gather([one(0, "a"), one(1, MuxError("b")), late(), at_once()])

    gates[0].set()
    first, second, third, fourth = blocking(steps())
    assert (first, fourth, order) == ("a", "now", [0])
    assert isinstance(second, MuxError)
    assert isinstance(third, TimedOut)


def test_gather_of_nothing() -> None:
    async def steps() -> list[Any]:
        return await gather([])

    assert blocking(steps()) == []


def test_an_alarm_is_not_lost_between_two_waits() -> None:
    alarm = Alarm()
    alarm.ring()
    alarm.ring()
    assert alarm.future().done()
    future = alarm.future()
    assert not future.done()
    assert alarm.future() is future
    alarm.ring()
    assert future.done()
    assert not alarm.future().done()


def test_a_thread_that_must_not_wait() -> None:
    caught: list[BaseException] = []
    steps: Any = twice(Future())

    def work() -> None:
        waiting.forbid_here("in a callback")
        try:
            blocking(steps)
        except WrongThread as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    (error,) = caught
    assert "in a callback" in str(error)
    assert steps.cr_frame is None  # closed, not forgotten


def test_nothing_waits_on_the_thread_that_all_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    core = types.SimpleNamespace(thread=types.SimpleNamespace(here=True))
    monkeypatch.setattr(holder, "running", lambda: core)
    with pytest.raises(WrongThread, match="own thread"):
        blocking(twice(Future()))
    core.thread.here = False
    done: Future[int] = Future()
    done.set_result(1)
    assert blocking(twice(done)) == 2


def test_long_waits_show_what_they_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from notebook_mux.handles import progress

    lines: list[str] = []

    class Line:
        def write(self, text: str) -> None:
            lines.append(text)
            gate.set()

        def end(self, text: str) -> None:
            lines.append(f"end: {text}")

    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_notebook_line", Line)
    gate = threading.Event()

    async def steps() -> int:
        return await Wait(later(1, gate), what=lambda: "waiting for Godot")

    assert blocking(steps()) == 1
    assert lines[0].startswith("waiting for Godot … 0 s")
    assert lines[-1].startswith("end: waited")


def test_deadlines() -> None:
    assert deadline_in(None) is None
    assert Wait(Future()).remaining() is None
    assert Wait(Future(), deadline=time.monotonic() - 1).remaining() == 0
