from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from notebook_mux.errors import GatewayError
from notebook_mux.life import folders

MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,nosuid shared:1 - nfs4 server:/home rw
31 22 0:41 / /run\\040time rw - tmpfs tmpfs rw
32 22 0:42 / /scratch rw - tmpfs tmpfs rw
33 32 0:43 / /scratch rw - lustre mgs:/fs rw
broken
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_runtime_folder_is_made_private(tmp_path: Path) -> None:
    path = folders.runtime_dir({"NOTEBOOK_MUX_RUNTIME_DIR": str(tmp_path / "a" / "b")})
    assert path == tmp_path / "a" / "b"
    assert mode(path) == 0o700


def test_a_named_folder_comes_before_the_systems(tmp_path: Path) -> None:
    env = {"NOTEBOOK_MUX_RUNTIME_DIR": str(tmp_path / "a"), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert folders.runtime_dir(env) == tmp_path / "a"
    assert folders.runtime_dirs(env) == [tmp_path / "a"]


def test_the_systems_folder_is_used_if_it_is_ours_and_local(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert folders.runtime_dir({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "notebook-mux"


@pytest.mark.parametrize("trouble", ["relative", "missing", "open", "remote", "link"])
def test_else_there_is_one_among_the_temporary_files(
    trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, xdg = tmp_path / "tmp", tmp_path / "xdg"
    temporary.mkdir()
    xdg.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary))
    named = str(xdg)
    if trouble == "relative":
        monkeypatch.chdir(tmp_path)
        named = "xdg"
    elif trouble == "missing":
        named = str(tmp_path / "other")
    elif trouble == "open":
        xdg.chmod(0o777)
    elif trouble == "remote":
        monkeypatch.setattr(folders, "is_local", lambda path: False)
    else:
        (tmp_path / "link").symlink_to(xdg)
        named = str(tmp_path / "link")
    assert folders.runtime_dir({"XDG_RUNTIME_DIR": named}) == temporary / f"notebook-mux-{os.getuid()}"


def test_both_folders_are_looked_into_if_both_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    tmp_path.chmod(0o700)
    env = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert folders.runtime_dirs(env) == []
    first, second = folders.runtime_dir(env), folders.runtime_dir({})
    assert folders.runtime_dirs(env) == [first, second]


def test_a_folder_that_is_merely_readable_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir(mode=0o755)
    assert mode(folders.private_dir(path)) == 0o700


def test_a_folder_that_others_could_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    path.chmod(0o777)
    with pytest.raises(GatewayError, match="can be written by other users"):
        folders.private_dir(path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(GatewayError, match="is not a folder"):
        folders.private_dir(tmp_path / "run")


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(GatewayError, match="belongs to another user"):
        folders.private_dir(tmp_path)


def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GatewayError, match="NOTEBOOK_MUX_RUNTIME_DIR"):
        folders.private_dir(tmp_path / "file" / "run")


@pytest.mark.parametrize(
    ("path", "local"),
    [("/", True), ("/homes", True), ("/home", False), ("/home/me/.run", False), ("/run time/user", True)],
)
def test_the_table_of_mounts_tells_what_is_local(path: str, local: bool) -> None:
    assert folders.is_local(Path(path), MOUNTS) is local


def test_of_two_mounts_on_one_place_the_later_counts() -> None:
    assert not folders.is_local(Path("/scratch/me"), MOUNTS)


def test_the_log_folder_is_private(tmp_path: Path) -> None:
    path = folders.log_dir({"NOTEBOOK_MUX_RUNTIME_DIR": str(tmp_path / "run")})
    assert path.parent == tmp_path / "run"
    assert mode(path) == 0o700


def test_the_configuration_folder_follows_the_user_and_is_not_made(tmp_path: Path) -> None:
    assert folders.config_dir({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "notebook-mux"
    assert folders.config_dir({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/notebook-mux")
    assert not list(tmp_path.iterdir())
