"""A stream's changes: told to callbacks, and iterated."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import pytest

from notebook_mux.errors import (
    WrongThread,
)
from tests import waiting
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, manager, pod

until = partial(waiting.eventually, seconds=30, pause=0.002)


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return fake_core.install(monkeypatch)


def synced(core: FakeCore, *records: Any) -> None:
    """Streams come with these records."""
    core.prepare = lambda stream: stream.sync(*records)


# --- callbacks --------------------------------------------------------------------------------------------------------


def test_callbacks_get_the_objects_there_are_and_then_each_change(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    seen: list[Any] = []
    threads = set()

    def see(change: Any) -> None:
        threads.add(threading.current_thread())
        seen.append((change.type, change.object.name, change.old and change.old["status"]["phase"], change.cluster))

    undo = stream.on_change(see)
    stream.on_change(lambda change: threads.add(threading.current_thread()))
    until(lambda: len(seen) == 1)
    core.stream.put(pod("web-0", status="Failed"), pod("web-1"))
    core.stream.delete("uid-default-web-0")
    until(lambda: len(seen) == 4)
    assert seen == [
        ("ADDED", "web-0", None, "dev"),
        ("MODIFIED", "web-0", "Running", "dev"),
        ("ADDED", "web-1", None, "dev"),
        ("DELETED", "web-0", "Failed", "dev"),
    ]
    assert len(threads) == 1
    undo()
    core.stream.put(pod("web-2"))
    only_new: list[str] = []
    stream.on_change(lambda change: only_new.append(change.object.name), initial=False)
    core.stream.put(pod("web-3"))
    until(lambda: only_new == ["web-3"])
    assert len(seen) == 4


def test_a_callback_that_fails_is_shown_once_and_goes_on(core: FakeCore, capsys: pytest.CaptureFixture[str]) -> None:
    synced(core, pod("web-0"), pod("web-1"))
    stream = manager(core).watch("pods")
    seen = []

    def fail(change: Any) -> None:
        seen.append(change.object.name)
        raise ValueError(f"no {change.object.name}")

    stream.on_change(fail)
    until(lambda: len(seen) == 2)
    core.stream.put(pod("web-2"))
    until(lambda: len(seen) == 3)
    said = capsys.readouterr().err
    assert said.count("ValueError: no web-0") == 1
    assert "web-1" not in said
    assert "fail" in said


def test_a_callback_may_read_but_not_wait(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    m = manager(core)
    stream = m.watch("pods")
    results: list[Any] = []

    def see(change: Any) -> None:
        results.append(len(stream.rows))
        for call in (lambda: stream.wait("create"), lambda: m.get("pods"), lambda: m.watch("nodes")):
            try:
                call()
            except WrongThread as error:
                results.append(type(error))

    stream.on_change(see)
    until(lambda: len(results) == 4)
    assert results == [1, WrongThread, WrongThread, WrongThread]


def test_a_callback_can_undo_itself(core: FakeCore) -> None:
    synced(core, pod("web-0"), pod("web-1"))
    stream = manager(core).watch("pods")
    seen: list[Any] = []

    def once(change: Any) -> None:
        seen.append(change)
        undo()

    undo = stream.on_change(once, initial=False)
    core.stream.put(pod("web-2"), pod("web-3"))
    until(lambda: seen)
    until(lambda: core.stream.feeds == [])
    assert len(seen) == 1


# --- iterating --------------------------------------------------------------------------------------------------------


async def test_changes_are_iterated_on_any_loop(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    seen = []
    async with stream.changes() as changes:
        async for change in changes:
            seen.append((change.type, change.object.name))
            if len(seen) == 1:
                threading.Timer(0.02, lambda: core.stream.put(pod("web-1"))).start()
            if len(seen) == 2:
                break
    assert seen == [("ADDED", "web-0"), ("ADDED", "web-1")]
    assert core.stream.feeds == []
    with pytest.raises(StopAsyncIteration):
        await anext(changes)


async def test_iterating_ends_when_the_stream_is_closed(core: FakeCore) -> None:
    synced(core, pod("web-0"))
    stream = manager(core).watch("pods")
    changes = stream.changes()
    assert (await anext(changes)).object.name == "web-0"  # else it may be closed before it is iterated
    threading.Timer(0.02, stream.close).start()
    assert [change async for change in changes] == []


async def test_iterating_ends_when_the_connection_is_closed(core: FakeCore) -> None:
    synced(core)
    stream = manager(core).watch("pods")
    changes = stream.changes()
    threading.Timer(0.02, lambda: core.close("auto")).start()
    assert [change async for change in changes] == []


async def test_a_cancelled_reader_can_go_on(core: FakeCore) -> None:
    synced(core)
    changes = manager(core).watch("pods").changes()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(changes), 0.01)
    core.stream.put(pod("web-0"))
    assert (await anext(changes)).object.name == "web-0"
