from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from notebook_mux.life.locks import FileLock, is_held


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


def test_two_objects_exclude_each_other(path: Path) -> None:
    with FileLock(path) as one, FileLock(path) as two:
        assert one.acquire()
        assert one.held
        assert not two.acquire()
        one.release()
        assert two.acquire()


def test_waiting_takes_it_once_it_is_free(path: Path) -> None:
    with FileLock(path) as one, FileLock(path) as two:
        one.acquire()
        threading.Timer(0.1, one.release).start()
        assert two.acquire(timeout=20)


def test_waiting_gives_up(path: Path) -> None:
    with FileLock(path) as one, FileLock(path) as two:
        one.acquire()
        assert not two.acquire(timeout=0.06)


def test_looking_makes_no_file(path: Path) -> None:
    assert not is_held(path)
    assert not path.exists()
    with FileLock(path) as lock:
        lock.acquire()
        assert is_held(path)
    assert not is_held(path)


def test_a_removed_file_is_noticed_on_both_sides(path: Path) -> None:
    with FileLock(path) as old, FileLock(path) as new:
        old.acquire()
        assert old.is_current()
        path.unlink()
        assert not old.is_current()
        assert new.acquire()
        assert not old.is_current()
        assert new.is_current()


def test_whoever_waited_for_a_removed_file_takes_the_new_one(path: Path) -> None:
    with FileLock(path) as one, FileLock(path) as two:
        one.acquire()
        threading.Timer(0.1, one.release, kwargs={"remove": True}).start()
        assert two.acquire(timeout=20)
        assert two.is_current()
        assert is_held(path)


def test_a_forked_child_keeps_it_only_until_it_is_released(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    end = context.Event()
    with FileLock(path) as lock:
        lock.acquire()
        child = context.Process(target=end.wait)
        child.start()
    assert not is_held(path)
    end.set()
    child.join()


def test_a_started_program_does_not_get_it(path: Path) -> None:
    lock = FileLock(path)
    lock.acquire()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    lock.release()
    assert not is_held(path)
    child.communicate(b"\n")


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"a\.lock"):
        FileLock(path).acquire()
    assert not (tmp_path / "elsewhere").exists()
