"""kubectl's place is taken by a small program of Python's, which writes what it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from notebook_mux.errors import NotFound
from notebook_mux.handles.waiting import blocking
from notebook_mux.magics import kubectl, running, words as reading
from notebook_mux.magics.running import Output, Process


def python(code: str, stdin: str = "") -> Process:
    return Process([sys.executable, "-u", "-c", code], os.environ, stdin)


def test_output_input_and_exit_code() -> None:
    text = "größe\n" * 20_000
    process = python("import sys; t = sys.stdin.read(); print(t, end=''); print('bad', file=sys.stderr); exit(3)", text)
    assert blocking(process.finished(None, "it")) == 3
    assert process.stdout.text == text
    assert process.stderr.text == "bad\n"


def test_lines_come_while_it_runs() -> None:
    process = python("print('one'); input(); print('two')", "")
    seen: list[str] = []
    blocking(process.finished(lambda one: seen.extend(one.stdout.news()), ""))
    assert seen == ["one\n"], "it had no input"
    process = python("print('one')\nimport time\ntime.sleep(600)")
    came = threading.Event()

    def shown(one: Process) -> None:
        seen.extend(one.stdout.news())
        came.set()
        if seen[1:]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blocking(process.finished(shown, ""))
    assert process.end() == running.INTERRUPTED or process.end() > 0


def test_one_that_takes_no_interrupt_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "GOODBYE_SECONDS", 0.3)
    process = python("import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('on')\ntime.sleep(600)")

    def shown(one: Process) -> None:
        if one.stdout.text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blocking(process.finished(shown, ""))
    assert process.end() == running.INTERRUPTED


def test_more_than_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "KEPT_CHARACTERS", 20)
    output = Output()
    for number in range(10):
        output.add(f"line {number}\n")
    assert output.text == "line 8\nline 9\n"
    assert output.dropped == 8
    assert len(output.news()) == 10
    assert output.news() == []


def test_an_interrupt_while_it_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes when there is a process already, which nobody but the one that starts it knows of."""
    started: list[subprocess.Popen[str]] = []
    popen = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        started.append(popen(*arguments, **options))
        signal.raise_signal(signal.SIGINT)
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    nobody: Any = None
    words = reading.read("wait deploy/web --for=delete")
    with pytest.raises(KeyboardInterrupt):
        kubectl._result(nobody, words, lambda: python("import time\ntime.sleep(600)"))
    assert started[0].returncode is not None, "it has been ended, and waited for"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_cannot_be_run(tmp_path: object) -> None:
    with pytest.raises(NotFound, match="cannot be run"):
        Process([f"{tmp_path}/nothing"], {}, "")
