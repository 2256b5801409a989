"""Fixtures of the tests of logs: a core that tests write, and a manager on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from notebook_mux.handles import logs as module
from notebook_mux.handles.manager import Manager
from tests.unit import fake_core
from tests.unit.fake_core import manager
from tests.unit.handles.logs_core import LogsCore


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> LogsCore:
    core = LogsCore()
    monkeypatch.setattr(fake_core, "FakeCore", lambda: core)
    fake_core.install(monkeypatch)
    monkeypatch.setattr(module, "known", type(module.known)())
    return core


@pytest.fixture
def m(core: LogsCore) -> Manager:
    made = manager(core)
    made._closed = False
    return made


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance(history_load_length=0)
    shell.history_manager.enabled = False  # type: ignore[union-attr]
    yield shell
    shell.reset()
    InteractiveShell.clear_instance()
