"""What a starter decides, with a stand-in for starting; with real processes it is in `tests/fault/test_life.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from notebook_mux.errors import GatewayError
from notebook_mux.life import ask, launcher, locks, spawn
from notebook_mux.life.name import ServiceName
from notebook_mux.life.runtime import Tenure

NAME = ServiceName("gateway")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(ask, "proves", lambda entry, timeout=0.0: True)
    return tmp_path / "run"


def started_by(action: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let starting a process be this action, which is given how often it was done and says what the log gets."""
    starts: list[int] = []

    def start(argv: list[str], *, env: dict[str, str], log: Path) -> spawn.Started:
        before = log.stat().st_size if log.exists() else 0
        starts.append(len(starts) + 1)
        with log.open("a") as file:
            file.write(action(len(starts)))
        return spawn.Started(0, "", log, before)  # process 0 has always ended

    monkeypatch.setattr(spawn, "start", start)
    return starts


def test_a_service_that_runs_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = started_by(lambda n: "", monkeypatch)
    with Tenure(NAME) as tenure:
        tenure.publish(8123, {"a": 1})
        running = launcher.ensure(NAME, [])
        assert (running.url, running.token, running.extra) == ("http://127.0.0.1:8123/", tenure.token, {"a": 1})
    assert starts == []


def test_one_that_gave_way_to_another_is_started_again_if_that_one_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    tenure = Tenure(NAME)

    def act(number: int) -> str:
        if number == 1:
            return "AlreadyRunning: the gateway is already running\n"
        tenure.__enter__()
        tenure.publish(8123)
        return ""

    starts = started_by(act, monkeypatch)
    try:
        assert launcher.ensure(NAME, []).instance == tenure.instance
    finally:
        tenure.__exit__(None, None, None)
    assert starts == [1, 2]


def test_that_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = started_by(lambda n: "AlreadyRunning\n", monkeypatch)
    with pytest.raises(GatewayError, match="ended as soon as it was started"):
        launcher.ensure(NAME, [])
    assert len(starts) == launcher.STARTS


def test_a_failure_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = started_by(lambda n: "x " * 1000 + "\nImportError: the last words\n", monkeypatch)
    with pytest.raises(GatewayError) as caught:
        launcher.ensure(NAME, [])
    assert starts == [1]
    assert "ImportError: the last words" in "\n".join(caught.value.lines())


def test_while_another_is_at_it_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = started_by(lambda n: "", monkeypatch)
    for path in (NAME.launch_lock_file(), NAME.lock_file()):
        with locks.FileLock(path) as lock:
            lock.acquire()
            with pytest.raises(GatewayError, match="in time"):
                launcher.ensure(NAME, [], timeout=0.1)
    assert starts == []


def test_a_folder_that_cannot_be_used_is_an_error_of_ours(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(GatewayError, match="NOTEBOOK_MUX_RUNTIME_DIR"):
        launcher.ensure(NAME, [])


def test_a_lock_that_cannot_be_opened_is_an_error_of_ours(folder: Path, tmp_path: Path) -> None:
    NAME.launch_lock_file().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GatewayError, match="cannot be started"):
        launcher.ensure(NAME, [])
