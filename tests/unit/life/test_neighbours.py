from __future__ import annotations

from pathlib import Path

import pytest

from notebook_mux.life import files, neighbours


def at(folder: Path, user: str) -> dict[str, str]:
    return {"NOTEBOOK_MUX_RUNTIME_DIR": str(folder / "run"), "JUPYTERHUB_USER": user}


def test_two_hub_users_on_one_account_are_told_once_each(tmp_path: Path) -> None:
    assert neighbours.note(at(tmp_path, "ada")) is None, "alone"
    said = neighbours.note(at(tmp_path, "bob"))
    assert said is not None
    assert "the Hub's users bob and ada share one account" in said
    assert neighbours.note(at(tmp_path, "bob")) is None
    assert "the Hub's users ada and bob share" in str(neighbours.note(at(tmp_path, "ada")))
    assert neighbours.note(at(tmp_path, "ada")) is None


def test_without_a_hub_there_is_nothing_to_say_and_nothing_is_written(tmp_path: Path) -> None:
    assert neighbours.note({"NOTEBOOK_MUX_RUNTIME_DIR": str(tmp_path / "run")}) is None
    assert not (tmp_path / "run").exists()


def test_many_are_counted(tmp_path: Path) -> None:
    for number in range(5):
        neighbours.note(at(tmp_path, f"u{number}"))
    assert "x and u0, u1, u2 and 2 more share" in str(neighbours.note(at(tmp_path, "x")))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"ada": 1}', b"\xff"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    neighbours.note(at(tmp_path, "ada"))
    files.write_private(tmp_path / "run" / neighbours.FILE, content)
    assert neighbours.note(at(tmp_path, "bob")) is None
    assert neighbours.note(at(tmp_path, "ada")) is not None


@pytest.mark.parametrize(
    ("env", "user"),
    [
        ({}, ""),
        ({"JUPYTERHUB_USER": "ada"}, "ada"),
        ({"JUPYTERHUB_SERVICE_PREFIX": "/hub/user/ada/lab/"}, "ada"),
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user"}, ""),
    ],
)
def test_who(env: dict[str, str], user: str) -> None:
    assert neighbours.hub_user(env) == user
