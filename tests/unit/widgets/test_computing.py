from __future__ import annotations

import json
import random
import threading

import pytest

from notebook_mux.widgets import computing
from notebook_mux.widgets.computing import PENDING, Computing, Job
from tests.waiting import eventually

from .fakes import PODS, pod

RNG = random.Random(2)


def job(number: int = 1, **metadata: object) -> Job:
    record = pod(number, RNG)
    record.object = json.dumps({"metadata": {"name": record.name, **metadata}}).encode()
    return Job("a", record, PODS)


def made(poke=lambda: None, **functions) -> Computing:
    return Computing(functions, poke)


def test_rows_are_ready_when_they_are_waited_for():
    compute = made(name=lambda obj: obj.name, kind=lambda obj: obj.kind)
    rows = {number: job(number) for number in range(20)}
    compute.prepare(rows.items(), 30)
    found = [[value.cell for value in compute.values(number)] for number in rows]
    assert found == [[one.record.name, "Pod"] for one in rows.values()]
    assert compute.late() == []
    assert not compute.busy
    compute.stop()


def test_a_row_is_made_again_only_where_it_changed():
    calls = []
    compute = made(name=lambda obj: calls.append(obj.name))
    first, second = job(1), job(2)
    compute.prepare([(1, first), (2, second)], 30)
    compute.prepare([(1, first), (2, job(2))], 30)
    assert calls == [first.record.name, second.record.name, second.record.name]
    compute.stop()


def test_a_row_that_was_sent_without_its_cells_is_late_even_where_others_are_waited_for():
    first, second = job(1), job(2)
    gates = {one.record.name: threading.Event() for one in (first, second)}
    compute = Computing({"name": lambda obj: gates[obj.name].wait(60) and obj.name}, lambda: None, lambda: 0.0)
    compute.prepare([(1, first)], 0.0)  # its row goes out with a cell that is open
    waiting = threading.Thread(target=compute.prepare, args=([(2, second)], 60))
    waiting.start()
    eventually(lambda: compute._waited_for, seconds=30)
    for gate in gates.values():
        gate.set()
    waiting.join()
    assert compute.late() == [1]
    compute.stop()


def test_what_is_not_through_in_time_comes_later():
    go, pokes = threading.Event(), []
    compute = made(lambda: pokes.append(1), slow=lambda obj: go.wait(60) and obj.name)
    compute.prepare([(1, job(1)), (2, job(2))], 0.0)
    assert list(compute.values(1)) == [PENDING]
    assert compute.busy
    go.set()
    found = []
    eventually(lambda: found.extend(compute.late()) or set(found) == {1, 2}, seconds=30)
    assert [value.cell for value in compute.values(2)] == [pod(2, RNG).name]
    assert pokes
    compute.stop()


def test_a_row_that_goes_while_its_function_runs_is_forgotten():
    go, begun = threading.Event(), threading.Event()
    compute = made(slow=lambda obj: begun.set() or go.wait(60))
    compute.prepare([(1, job(1))], 0.0)
    assert begun.wait(30)
    compute.forget(1)
    go.set()
    eventually(lambda: not compute.busy, seconds=30)
    assert list(compute.values(1)) == [PENDING]
    compute.stop()


def test_an_error_is_in_its_cell_and_told_once_until_it_is_gone():
    compute = made(size=lambda obj: len(obj["spec"]), name=lambda obj: obj.name)
    compute.prepare([(number, job(number)) for number in range(3)], 30)
    assert compute.values(1)[0].cell == "!KeyError"
    assert compute.values(1)[1].cell == pod(1, RNG).name
    assert compute.notes() == ["the column size: KeyError: 'spec', in 3 rows"]
    for number in range(3):
        compute.forget(number)
    assert compute.notes() == []
    compute.stop()


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RecursionError])
def test_no_error_of_a_function_ends_the_thread(error):
    def raises(_obj):
        raise error("no")

    compute = made(bad=raises)
    compute.prepare([(1, job(1))], 30)
    compute.prepare([(2, job(2))], 30)
    assert compute.values(2)[0].cell == f"!{error.__name__}"
    compute.stop()


def test_an_edit_of_the_object_reaches_nobody_else():
    compute = made(edit=lambda obj: obj.pop("metadata") and "edited", name=lambda obj: obj.name)
    compute.prepare([(1, job(1))], 30)
    assert [value.cell for value in compute.values(1)] == ["edited", pod(1, RNG).name]
    compute.stop()


def test_one_that_takes_its_time_is_told_and_not_waited_for():
    now = [0.0]

    def slow(obj):
        now[0] += 0.2
        return obj.name

    compute = Computing({"slow": slow}, lambda: None, lambda: now[0])
    compute.prepare([(number, job(number)) for number in range(5)], 30)
    eventually(lambda: not compute.busy, seconds=30)
    assert compute.notes() == ["the column slow: its function takes 0.2 s a row, so its cells come late"]
    compute.stop()


def test_one_that_does_not_come_back_is_told():
    go, begun, now = threading.Event(), threading.Event(), [0.0]
    compute = Computing({"stuck": lambda obj: begun.set() or go.wait(60)}, lambda: None, lambda: now[0])
    compute.prepare([(1, job(1))], 0.0)
    assert begun.wait(30)
    assert compute.notes() == []
    now[0] = 10.0
    assert compute.notes() == [
        f"the column stuck: its function has not come back for {pod(1, RNG).name}; its other cells wait"
    ]
    go.set()
    compute.stop()


def test_a_thread_that_has_nothing_to_do_ends_and_another_begins(monkeypatch):
    monkeypatch.setattr(computing, "IDLE_SECONDS", 0.0)
    compute = made(name=lambda obj: obj.name)
    compute.prepare([(1, job(1))], 30)
    eventually(lambda: compute._thread is None, seconds=30)
    compute.prepare([(2, job(2))], 30)
    assert compute.values(2)[0].cell == pod(2, RNG).name
    compute.stop()
