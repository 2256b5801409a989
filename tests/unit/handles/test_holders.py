from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from notebook_mux.handles import holders
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, manager, pod


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    core = fake_core.install(monkeypatch)
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    return core


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    # A registry of its own: the shell's hook is registered once for each.
    monkeypatch.setattr(holders, "streams", holders.Handles())
    monkeypatch.setattr("notebook_mux.handles.manager.streams", holders.streams)
    shell = InteractiveShell.instance(history_load_length=0)
    shell.history_manager.enabled = False  # type: ignore[union-attr]
    yield shell
    shell.reset()
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> Any:
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
    return None


def test_a_result_that_only_out_has_is_let_go(core: FakeCore, shell: InteractiveShell) -> None:
    shell.user_ns["m"] = manager(core)
    run(shell, "m.watch('pods')")
    gc.collect()
    assert core.stream.holders == set()
    core.linger()
    assert core.streams == {}
    run(shell, f"n = len(Out[{shell.execution_count - 1}])")
    assert shell.user_ns["n"] == 1


def test_a_name_holds_it_beside_out(core: FakeCore, shell: InteractiveShell) -> None:
    shell.user_ns["m"] = manager(core)
    run(shell, "s = m.watch('pods')\ns")
    run(shell, "s")
    run(shell, "1 + 1")
    gc.collect()
    assert len(core.stream.holders) == 1
    run(shell, "del s")
    assert core.stream.holders == set()


@pytest.mark.parametrize("place", ["[{}]", "{{'a': {}}}", "(lambda x={}: x)", "type('T', (), {{'a': {}}})"])
def test_a_place_in_another_object_holds_it(core: FakeCore, shell: InteractiveShell, place: str) -> None:
    shell.user_ns["m"] = manager(core)
    run(shell, f"kept = {place.format('m.watch(chr(112) + chr(111))')}")
    gc.collect()
    assert len(core.stream.holders) == 1


def test_what_is_taken_out_of_out_is_held_again(core: FakeCore, shell: InteractiveShell) -> None:
    shell.user_ns["m"] = manager(core)
    run(shell, "m.watch('pods')")
    assert core.stream.holders == set()
    run(shell, f"s = Out[{shell.execution_count - 1}]")
    assert len(core.stream.holders) == 1


def test_the_same_cell_again_asks_for_nothing_more(core: FakeCore, shell: InteractiveShell) -> None:
    shell.user_ns["m"] = manager(core)
    for _ in range(5):
        run(shell, "m.watch('pods')")
    assert len(core.asked("open_stream")) == 1
    assert core.stream.holders == set()
    gc.collect()
    assert len(holders.streams.all()) == 1


def test_without_a_shell_references_count(core: FakeCore) -> None:
    stream = manager(core).watch("pods")
    holders.streams.sweep()
    assert len(core.stream.holders) == 1
    del stream
    assert core.stream.holders == set()
