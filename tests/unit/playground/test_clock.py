from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from notebook_mux.playground.clock import Agenda, Clock, rfc3339, rfc3339_micro


def test_steps_run_what_is_due_in_its_order_and_at_its_time():
    agenda, seen = Agenda(lambda: 1000.0), list[tuple[str, float]]()
    agenda.after(5, lambda: seen.append(("later", agenda.now())))
    agenda.after(1, lambda: agenda.after(1, lambda: seen.append(("nested", agenda.now()))))
    cancelled = agenda.after(2, lambda: seen.append(("cancelled", 0)))
    cancelled.cancel()
    agenda.step(4)
    assert seen == [("nested", 1002.0)]
    assert agenda.now() == 1004.0
    agenda.step(1)
    assert seen[-1] == ("later", 1005.0)
    agenda.release()
    assert agenda.now() == 1000.0


def test_a_jump_runs_what_it_passed_only_once():
    agenda, seen = Agenda(lambda: 1000.0), list[float]()
    agenda.every(10, lambda: seen.append(agenda.now()))
    agenda.step(25)
    agenda.jump(2000.0)
    agenda.step(1)
    assert seen == [1010.0, 1020.0, 2000.0]


def test_a_fault_of_one_entry_does_not_stop_the_others(caplog):
    agenda, seen = Agenda(lambda: 0.0), list[int]()
    agenda.after(1, lambda: seen.remove(7))
    agenda.after(2, lambda: seen.append(1))
    agenda.step(3)
    assert seen == [1]
    assert "an entry of the agenda failed" in caplog.text


async def test_by_the_clock():
    agenda, seen, done = Agenda(), list[int](), asyncio.Event()
    task = asyncio.create_task(agenda.run())
    await asyncio.sleep(0)
    agenda.after(0.02, lambda: (seen.append(2), done.set())[0])
    agenda.after(0.001, lambda: seen.append(1))
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert seen == [1, 2]


def test_stamps():
    assert rfc3339(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert rfc3339_micro(1_700_000_000.25) == "2023-11-14T22:13:20.250000Z"
    assert abs(Agenda().now() - time.time()) < 5


def test_a_clock_goes_faster_stands_and_is_moved():
    wall, changes = [1000.0], list[float]()
    clock = Clock(lambda: wall[0])
    clock.changed = lambda: changes.append(clock.now())
    assert clock.now() == 1000.0
    clock.set(speed=10)
    wall[0] = 1002.0
    assert clock.now() == 1020.0
    assert clock.wait(5) == 0.5
    clock.set(paused=True)
    wall[0] = 1100.0
    assert (clock.now(), clock.rate, clock.wait(5)) == (1020.0, 0.0, float("inf"))
    clock.set(at=2000.0)
    kept = clock.kept()
    clock.set(paused=False)  # at the speed that it had
    wall[0] = 1101.0
    assert clock.now() == 2010.0
    assert changes == [1000.0, 1020.0, 2000.0, 2000.0]
    other = Clock(lambda: wall[0])
    other.restore(kept)
    assert (other.now(), other.speed, other.paused) == (2000.0, 10, True)


@contextlib.asynccontextmanager
async def running(agenda: Agenda):
    task = asyncio.create_task(agenda.run())
    await asyncio.sleep(0)
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_is_due_comes_sooner_with_a_faster_clock_and_not_while_it_stands():
    agenda, done = Agenda(), asyncio.Event()
    async with running(agenda):
        agenda.after(600.0, done.set)
        agenda.clock.set(paused=True)
        await asyncio.sleep(0.05)
        assert not done.is_set()
        agenda.clock.set(paused=False, speed=100_000.0)
        await asyncio.wait_for(done.wait(), 10)


async def test_a_step_of_a_running_agenda_takes_programs_along():
    agenda, seen = Agenda(), list[float]()
    begin = agenda.now()
    agenda.clock.set(paused=True, at=begin)

    async def program() -> None:
        while True:
            await agenda.sleep(10)
            seen.append(round(agenda.now() - begin))

    async def late() -> None:
        async with agenda.timeout(25):
            await asyncio.sleep(60)

    async with running(agenda):
        tasks = [asyncio.create_task(program()), asyncio.create_task(late())]
        await asyncio.sleep(0)
        agenda.every(7, lambda: None)
        await agenda.pass_by(35)
        assert seen == [10, 20, 30]
        assert round(agenda.now() - begin, 3) == 35
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tasks[1], 10)
        tasks[0].cancel()


async def test_without_anybody_who_runs_it_a_sleep_is_the_walls():
    agenda = Agenda()
    await agenda.sleep(0.01)
    with pytest.raises(TimeoutError):
        async with agenda.timeout(0.01):
            await asyncio.sleep(60)
