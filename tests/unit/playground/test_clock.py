from __future__ import annotations

import asyncio
import contextlib
import time

from notebook_mux.playground.clock import Agenda, rfc3339, rfc3339_micro


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
