from __future__ import annotations

import asyncio
from typing import Any

import pytest

from notebook_mux.errors import Closed, InvalidArgument
from notebook_mux.remote import terminal as terminal_module
from notebook_mux.remote.ring import CHUNK, RING_BYTES
from notebook_mux.wire.frames import Channel
from tests.unit.remote.standing import VIEW, Eye, terminal
from tests.waiting import until

PAUSE_SECONDS = 0.3
"""In which something must come, or all has: far more than the loop of a busy machine stands still."""


class Sized:
    """In a run's place: the sizes that it was told."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    async def outcome(self) -> None:
        await asyncio.Event().wait()


async def test_the_smallest_view_decides():
    one = terminal()
    run: Any = Sized()
    one._run = run
    first, second = Eye(one).viewer, Eye(one, "second-view-0001").viewer
    one.resize(first, 100, 50)
    one.resize(second, 120, 40)
    one.resize(second, 120, 40)
    one.resize(second, 0, 0)
    one.resize(second, 80, 0)
    one.resize(second, 80, 60)
    one.leave(second)
    one.leave(second)
    one.leave(first)
    assert run.sizes == [(100, 50), (100, 40), (100, 50), (80, 50), (100, 50)]
    assert one.size == (100, 50), "it stays as it was"


async def test_drawing_anew_is_another_size_and_the_old_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminal_module, "WIGGLE_SECONDS", 0.01)
    one = terminal()
    run: Any = Sized()
    one._run = run
    one.redraw()
    assert run.sizes == [], "nobody has said a size"
    eye = Eye(one)
    one.resize(eye.viewer, 80, 24)
    one.redraw()
    one.redraw()
    one.resize(eye.viewer, 90, 30)
    assert run.sizes == [(80, 24), (80, 23)], "the new size waits until the other was seen"
    await until(lambda: run.sizes[-1] == (90, 30))
    one.resize(eye.viewer, 90, 1)
    one.redraw()
    await until(lambda: run.sizes[-3:] == [(90, 1), (90, 2), (90, 1)])
    one.redraw()
    await one.close(Closed("over"))
    assert one._wiggle is not None
    assert one._wiggle.cancelled()


async def test_without_a_terminal_nothing_is_drawn():
    one = terminal(tty=False)
    run: Any = Sized()
    one._run = run
    one.resize(Eye(one).viewer, 80, 24)
    one.redraw()
    assert one._wiggle is None


async def test_it_waits_for_who_is_behind():
    one = terminal()
    eye = Eye(one)
    idle = Eye(one, "without-output-1", output=False)
    writing = asyncio.create_task(one.wrote(Channel.STDOUT, bytes(terminal_module.BEHIND + 500)))
    await until(lambda: eye.viewer.late is not None)
    assert not writing.done()
    assert idle.viewer.late is None
    for _ in range(3):
        eye.pull(1000)
    await writing
    assert eye.viewer.waited


async def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminal_module, "PATIENCE", 0.02)
    one = terminal()
    stuck, quick = Eye(one).all(), Eye(one, "second-view-0001").all()
    for _ in range(RING_BYTES * 2 // 100_000):
        await one.wrote(Channel.STDOUT, b"x" * 100_000)
        quick.all()
    assert (stuck.viewer.waited, quick.viewer.waited) == (False, True)
    assert one.ring.end - one.ring.start <= RING_BYTES
    stuck.all()
    assert stuck.viewer.waited, "it has caught up"
    assert len(quick.output) == len(stuck.output) + stuck.viewer.skipped


async def flooded(monkeypatch: pytest.MonkeyPatch, **order: Any) -> tuple[terminal_module.Terminal, Eye, Any]:
    """A terminal whose view is far behind, and what comes and cannot be shown yet."""
    monkeypatch.setattr(terminal_module, "FLUSH_SECONDS", PAUSE_SECONDS)
    one = terminal(**order)
    eye = Eye(one).all()
    writing = asyncio.create_task(one.wrote(Channel.STDOUT, b"x" * (terminal_module.BEHIND + 500)))
    await until(lambda: eye.viewer.late is not None)
    return one, eye, writing


async def test_ctrl_c_leaves_out_what_is_under_way(monkeypatch: pytest.MonkeyPatch):
    one, eye, writing = await flooded(monkeypatch)
    seen = eye.viewer.place
    one.type(eye.viewer.seat, b"a\x03")
    await writing
    for _ in range(10):
        await one.wrote(Channel.STDOUT, b"y" * 100_000)
    assert eye.viewer.pull(1000) is None, "not yet"
    await one.wrote(Channel.STDOUT, b"the prompt")
    await until(lambda: not one.flushing)
    eye.all()
    assert eye.output.endswith(b"the prompt")
    assert eye.viewer.skipped > 900_000
    assert eye.viewer.skipped + len(eye.output) == one.ring.end - seen


async def test_ctrl_c_leaves_out_nothing_that_can_be_shown_soon(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminal_module, "FLUSH_SECONDS", 60.0)
    one = terminal()
    eye = Eye(one).all()
    await one.wrote(Channel.STDOUT, b"x" * terminal_module.LEFT)
    one.type(eye.viewer.seat, b"\x03")
    assert not one.flushing
    await one.close(Closed("over"))


@pytest.mark.parametrize(("order", "typed"), [({"tty": False}, b"\x03"), ({}, b"c")])
async def test_only_a_terminals_ctrl_c_does(monkeypatch: pytest.MonkeyPatch, order: dict[str, Any], typed: bytes):
    one, eye, writing = await flooded(monkeypatch, **order)
    one.type(eye.viewer.seat, typed)
    assert not one.flushing
    one.leave(eye.viewer)
    await writing


async def test_a_program_that_does_not_obey_floods_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminal_module, "FLUSHES", 3)
    one, eye, writing = await flooded(monkeypatch)
    one.type(eye.viewer.seat, b"\x03")
    await writing
    while one.flushing:
        await one.wrote(Channel.STDOUT, b"z" * 10_000)
        await asyncio.sleep(0.005)
    assert one.ring.end - one.ring.start <= terminal_module.LEFT + CHUNK
    eye.all()
    assert eye.output.endswith(b"z" * 10_000)
    await one.close(Closed("over"))


async def test_who_goes_is_not_waited_for():
    one = terminal()
    eye = Eye(one)
    writing = asyncio.create_task(one.wrote(Channel.STDOUT, bytes(terminal_module.BEHIND + 500)))
    await until(lambda: eye.viewer.late is not None)
    one.leave(eye.viewer)
    await writing


async def test_nobody_looks_and_it_goes_on():
    one = terminal()
    for _ in range(100):
        await one.wrote(Channel.STDOUT, bytes(100_000))
    assert one.ring.end - one.ring.start <= RING_BYTES
    assert one.ring.end > 10_000_000


async def test_the_same_view_on_a_second_stream():
    one = terminal()
    first = Eye(one)
    first.viewer.feed(0, b"abc")
    second = Eye(one)
    assert isinstance(first.why, Closed)
    assert (second.viewer.seat.taken, one.viewers) == (3, [second.viewer])


async def test_views_are_few_and_those_that_went_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(terminal_module, "MAX_VIEWS", 2)
    monkeypatch.setattr(terminal_module, "MAX_SEATS", 3)
    one = terminal()
    eyes = [Eye(one, f"view-number-{n:04d}") for n in range(2)]
    with pytest.raises(InvalidArgument, match="a terminal of 2 views"):
        Eye(one, "view-number-0009")
    again = Eye(one, "view-number-0001")
    assert isinstance(eyes[1].why, Closed)
    again.viewer.feed(0, b"x")
    one.leave(again.viewer)
    for n in range(2, 9):
        one.leave(Eye(one, f"view-number-{n:04d}").viewer)
    assert len(one._seats) == 3
    assert Eye(one, "view-number-0001").viewer.seat.taken == 0, "it was forgotten"


@pytest.mark.parametrize(("view", "received"), [("short", -1), ("v" * 65, -1), (VIEW, 1 << 30)])
async def test_what_is_no_view(view: str, received: int):
    one = terminal()
    with pytest.raises(InvalidArgument):
        Eye(one, view, received)
    assert one.viewers == []


async def test_closed_for_good():
    one = terminal()
    eye = Eye(one)
    eye.viewer.feed(0, b"waiting")
    await one.close(Closed("over"))
    assert isinstance(eye.why, Closed)
    assert (one.over, one.again(), one.viewers) == (True, False, [])
    assert eye.viewer.seat.waiting == 0


async def test_its_own_mistakes_are_an_end_too(monkeypatch: pytest.MonkeyPatch):
    async def fails(self: Any) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("notebook_mux.remote.run.Run.outcome", fails)
    one = terminal()
    await until(lambda: one.over)
    eye = Eye(one).all()
    assert (eye.states[-1]["state"], eye.states[-1]["said"]) == ("lost", "RuntimeError")
    assert "canary" not in str(eye.states)
