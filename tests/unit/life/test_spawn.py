from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from notebook_mux.errors import GatewayError
from notebook_mux.life import spawn

ENV = {"PATH": os.environ["PATH"], "ONLY": "this"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.write_text("before\n")
    return path


def ended(started: spawn.Started) -> list[str]:
    deadline = time.monotonic() + 30
    while not started.has_ended():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return started.last_lines()


def test_both_outputs_go_to_the_log_after_what_was_there(log: Path) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    assert ended(spawn.start(["-c", code], env=ENV, log=log)) == ["out", "err"]
    assert log.read_text().startswith("before\n")


def test_it_has_the_given_environment_no_input_and_the_root_folder(log: Path) -> None:
    code = "import os, sys; print(os.environ['ONLY'], 'HOME' in os.environ, repr(sys.stdin.read()), os.getcwd())"
    assert ended(spawn.start(["-c", code], env=ENV, log=log)) == ["this False '' /"]


def test_it_has_a_session_of_its_own_and_is_nobodys_child(log: Path) -> None:
    code = f"import os; print(os.getsid(0) == os.getpid(), os.getppid() == {os.getpid()})"
    assert ended(spawn.start(["-c", code], env=ENV, log=log)) == ["True False"]


def test_signals_that_were_ignored_or_blocked_are_not(log: Path) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, \
signal.getsignal(signal.SIGHUP) is signal.SIG_DFL, signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    numbers = (signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        started = spawn.start(["-c", code], env=ENV, log=log)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    assert ended(started) == ["True True set()"]


def test_it_does_not_get_open_files(log: Path, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        code = "import os; print([f for f in os.listdir('/proc/self/fd') if int(f) > 2][1:])"
        assert ended(spawn.start(["-c", code], env=ENV, log=log)) == ["[]"]


def test_an_interpreter_that_cannot_be_started_is_an_error(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(GatewayError, match="/nowhere/python could not be started"):
        spawn.start(["-c", ""], env=ENV, log=log)


def test_a_launcher_that_fails_is_an_error(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "LAUNCHER", "raise SystemExit('no more processes')")
    with pytest.raises(GatewayError, match="no more processes"):
        spawn.start(["-c", ""], env=ENV, log=log)


def test_a_log_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="could not be started"):
        spawn.start(["-c", ""], env=ENV, log=tmp_path / "nowhere" / "a.log")
