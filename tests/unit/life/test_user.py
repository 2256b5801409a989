from __future__ import annotations

import os
import stat
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notebook_mux.life import user
from notebook_mux.life.user import user_id


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(user, "_of_process", {})
    return tmp_path / "notebook-mux" / "user-id"


def test_the_id_is_kept_privately(path: Path) -> None:
    first = user_id()
    assert user_id() == first == path.read_text().strip()
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_first_calls_get_one_id(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: user_id(), range(16)))) == 1


@pytest.mark.parametrize("content", ["", "short", "with blank in it and long", "x" * 65, "\xff" * 20])
def test_a_damaged_id_is_made_anew(content: str, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content.encode("latin-1"))
    path.chmod(0o600)
    first = user_id()
    assert first != content
    assert user_id() == first


def test_where_it_cannot_be_kept_the_process_has_one_and_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "notebook-mux").write_text("a file where a folder should be")
    with pytest.warns(RuntimeWarning, match="the user id cannot be kept in"):
        first = user_id()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert user_id() == first


def test_an_id_that_others_can_read_is_not_used(path: Path) -> None:
    kept = user_id()
    path.chmod(0o644)
    with pytest.warns(RuntimeWarning):
        assert user_id() != kept


def test_a_forked_child_has_one_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notebook-mux").write_text("")
    with pytest.warns(RuntimeWarning):
        first = user_id()
    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)
    with pytest.warns(RuntimeWarning):
        assert user_id() != first
