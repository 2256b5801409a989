"""The users' file of a gateway: what it says, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway import users

HEAD = "name,token,kubeconfig,write\n"
ANN = f"ann,sha256:{'ab' * 32},ann/kubeconfig,always\n"
LONG = "t0ken-t0ken-t0ken-t0ken"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "users.csv"
    path.touch(mode)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_it_is_read_as_it_is_written(tmp_path: Path):
    path = written(tmp_path, f"\ufeff{HEAD}\n{ANN}bob,{LONG},/k,no\n")
    ann, bob = users.read(path)
    assert ann == users.Person("ann", bytes.fromhex("ab" * 32), tmp_path / "ann" / "kubeconfig", "always")
    assert bob == users.Person("bob", users.digest(LONG), Path("/k"), "no")
    again = written(tmp_path, users.text([ann, bob]).decode())
    assert users.read(again) == [ann, bob]
    assert LONG not in again.read_text()
    assert "ab" * 32 not in repr(ann)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "the first line is not name,token"),
        ("ann,x,y,no\n", 1, "the first line is not name,token"),
        (HEAD + "ann,x,y\n", 2, "3 fields"),
        (HEAD + ANN + ANN.replace("ab", "cd"), 3, "ann stands there twice"),
        (HEAD + ANN + ANN.replace("ann,", "bob,"), 3, "bob has the token of ann"),
        (HEAD + f"../x,{LONG},y,no\n", 2, "no user's name"),
        (HEAD + "ann,short,y,no\n", 2, "can be guessed"),
        (HEAD + "ann,sha256:12,y,no\n", 2, "64 hexadecimal digits"),
        (HEAD + f"ann,{LONG},,no\n", 2, "no kubeconfig"),
        (HEAD + f"ann,{LONG},y,yes\n", 2, "none of no, ask, always"),
        (HEAD + '"ann', 2, "no CSV"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int, words: str):
    path = written(tmp_path, text)
    with pytest.raises(InvalidArgument) as caught:
        users.read(path)
    assert caught.value.what.startswith(f"{path}:{line}: ")
    assert words in caught.value.what
    assert LONG not in str(caught.value)


def test_a_file_that_is_not_ones_own(tmp_path: Path):
    with pytest.raises(InvalidArgument, match="can be reached by other users") as caught:
        users.read(written(tmp_path, HEAD + ANN, 0o640))
    assert "chmod 600" in str(caught.value)
    with pytest.raises(InvalidArgument, match="No such file"):
        users.read(tmp_path / "none")
