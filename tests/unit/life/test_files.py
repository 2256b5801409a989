from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notebook_mux.life import files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_what_is_written_is_read_and_private(path: Path) -> None:
    before = os.umask(0)
    try:
        files.write_private(path, b"one")
        files.write_private(path, b"two")
    finally:
        os.umask(before)
    assert files.read_private(path) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_content_and_no_rest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_private(path, b"one")

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_private(path, b"two")
    assert files.read_private(path) == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_of_many_that_create_a_file_one_does(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: files.create_private(path, b"%d" % n), range(8)))
    assert made.count(True) == 1
    assert files.read_private(path) == b"%d" % made.index(True)


def test_a_file_is_created_where_there_are_no_hard_links(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert files.create_private(path, b"one")
    assert not files.create_private(path, b"two")
    assert files.read_private(path) == b"one"


@pytest.mark.parametrize("bits", [0o604, 0o620, 0o640, 0o606])
def test_a_file_open_to_others_is_not_read(bits: int, path: Path) -> None:
    files.write_private(path, b"one")
    path.chmod(bits)
    with pytest.raises(files.NotPrivate):
        files.read_private(path)


def test_another_users_file_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_private(path, b"one")
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(files.NotPrivate):
        files.read_private(path)


def test_a_link_a_pipe_a_folder_and_a_long_file_are_not_read(tmp_path: Path) -> None:
    files.write_private(tmp_path / "real", b"123456789")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError):  # noqa: PT011  # what the system says differs
            files.read_private(path)
    with pytest.raises(files.NotPrivate):
        files.read_private(tmp_path / "real", limit=8)


def test_removing_what_is_not_there_is_nothing(path: Path) -> None:
    files.remove(path)
