"""Readers of logs that have said nothing, and where their end is, over a core that tests write."""

from __future__ import annotations

import threading

import pytest

from notebook_mux import errors
from notebook_mux.handles.logs import Logs
from notebook_mux.handles.manager import Manager
from tests.unit.handles.logs_core import FakeLogs, LogsCore


def ends(logs: Logs) -> list[str]:
    """All lines of a reader that has to come to its end by itself."""
    seen: list[str] = []
    following = logs.follow()
    thread = threading.Thread(target=lambda: seen.extend(line.text for line in following), daemon=True)
    thread.start()
    thread.join(30)
    still = thread.is_alive()
    following.close()
    assert not still
    return seen


def silent(state: str) -> object:
    def prepare(logs: FakeLogs) -> None:
        logs.source(state=state)
        logs.settle()

    return prepare


@pytest.mark.parametrize("state", ["ended", "failed", "gone", "waiting"])
def test_containers_that_have_said_nothing_end_too(core: LogsCore, m: Manager, state: str) -> None:
    core.prepared = silent(state)  # type: ignore[assignment]
    logs = m.logs("web-0", follow=False)
    assert ends(logs) == []
    with pytest.raises(errors.NotFound, match="0 lines looked at, and no more will come"):
        logs.wait("ready", timeout=10)


def test_one_that_never_started_keeps_no_reader(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0", follow=False)
    core.one.sources[0]["state"] = "ended"
    core.one.source("web-1", state="waiting")
    assert ends(logs) == ["one", "two"]


def test_closing_lets_go_what_was_kept(core: LogsCore, m: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = m.logs("web-0")
    following = logs.follow()
    kept = set(core.one.holders)
    assert len(kept) == 2
    monkeypatch.setattr(core, "release_logs", lambda _id, name: kept.discard(name))
    logs.close()
    assert not kept  # while a name in the notebook still has them
    following.close()
