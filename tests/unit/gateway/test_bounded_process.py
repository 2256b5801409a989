from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from notebook_mux.gateway.bounded_process import Finished, run
from tests.waiting import eventually

Steps = Callable[[], Coroutine[Any, Any, Any]]

LIMITS = (2.0, 10.0, 40.0)
"""Seconds, the next where a busy machine takes longer to start the program and what it starts."""

END_SECONDS = 30.0
"""Far more than a killed process takes to go."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def on(request: pytest.FixtureRequest) -> Callable[[Steps], Any]:
    """Runs steps on a loop of each kind: each has its own way with processes and pipes."""

    def call(steps: Steps) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(steps())

    return call


def python(code: str, timeout: float = 30.0, **options: Any) -> Coroutine[Any, Any, Finished]:
    return run([sys.executable, "-c", code], {"PATH": os.defpath}, timeout, **options)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_all_that_it_printed(on: Callable[[Steps], Any]):
    done = on(lambda: python("import sys; print('o' * 70000); sys.stderr.write('e' * 70000); sys.exit(7)"))
    assert (done.code, len(done.out), len(done.err), done.too_much) == (7, 70001, 70000, False)
    assert "o" * 9 not in repr(done)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_prints_for_ever_is_ended_and_reaped(name: str, on: Callable[[Steps], Any]):
    code = f"import sys, os; print(os.getpid(), flush=True)\nwhile True: sys.{name}.write('x' * 65536)"

    async def steps() -> Finished:
        before = open_files()
        done = await python(code, limit=300_000)
        for _ in range(3):  # a closed pipe is told on a later turn of the loop
            await asyncio.sleep(0)
        assert open_files() <= before + 1, "its pipes are closed; uvloop keeps one end of its own for signals"
        return done

    done = on(steps)
    assert (done.too_much, done.code) == (True, -9)
    assert max(len(done.out), len(done.err)) == 300_000
    assert not runs(int(done.out.split()[0]))


def test_a_time_limit_ends_what_it_started_and_what_it_prints(on: Callable[[Steps], Any], tmp_path: Path):
    code = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"path = {str(tmp_path / 'pids')!r}; open(path + '.new', 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "os.rename(path + '.new', path)\n"
        "print('before', flush=True); child.wait()"
    )
    for limit in LIMITS:
        with pytest.raises(TimeoutError):
            on(partial(python, code, limit))
        if (tmp_path / "pids").exists():
            break
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    eventually(lambda: not any(map(runs, pids)), f"{pids} end", seconds=END_SECONDS)


def test_a_helper_that_keeps_the_pipe_is_not_waited_for(on: Callable[[Steps], Any], tmp_path: Path):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "print('credentials')"
    )
    done = on(lambda: python(code, 50.0))
    assert (done.code, done.out) == (0, b"credentials\n")
    helper = int((tmp_path / "pid").read_text())
    assert runs(helper), "it may be the browser"
    os.kill(helper, 9)


def test_cancelling_ends_it(on: Callable[[Steps], Any], tmp_path: Path):
    pid_file = tmp_path / "pid"
    code = (
        f"import os, time; path = {str(pid_file)!r}; open(path + '.new', 'w').write(str(os.getpid()))\n"
        "os.rename(path + '.new', path); time.sleep(60)"
    )

    async def steps() -> None:
        task = asyncio.create_task(python(code))
        while not pid_file.exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    on(steps)
    assert not runs(int(pid_file.read_text()))


def test_cancelling_while_it_is_started_ends_it(on: Callable[[Steps], Any]):
    async def steps() -> None:
        others = {one.pid for one in psutil.Process().children()}
        for turns in range(20):  # of the loop: before, in and after the start
            task = asyncio.create_task(python("import time; time.sleep(60)"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            left = {one.pid for one in psutil.Process().children()} - others
            assert not left, f"cancelled after {turns} turns"

    on(steps)


def test_what_cannot_be_started(on: Callable[[Steps], Any], tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        on(lambda: run([str(tmp_path / "none")], {}, 5.0))
