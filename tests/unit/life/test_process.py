from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from notebook_mux.life import process


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = process.start_mark(child.pid)
    assert mark
    assert process.is_alive(child.pid)
    assert process.is_alive(child.pid, mark)
    assert not process.is_alive(child.pid, mark + "1")
    assert mark != process.start_mark(os.getpid())
    child.communicate(b"\n")
    assert not process.is_alive(child.pid, mark)


def test_an_ended_process_that_nobody_waited_for_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.is_alive(child.pid)
    child.stdout.close()
    child.wait()


@pytest.mark.parametrize("pid", [0, -1, 2**31 - 1])
def test_numbers_of_no_process(pid: int) -> None:
    assert process.start_mark(pid) == ""
    assert not process.is_alive(pid)


def test_open_files_are_raised_to_the_hard_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        raised = process.raise_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
        assert raised == (0 if hard == resource.RLIM_INFINITY else hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
