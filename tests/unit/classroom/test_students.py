"""The list of a class."""

from __future__ import annotations

from pathlib import Path

import pytest

from notebook_mux.classroom import students
from notebook_mux.classroom.students import Student
from notebook_mux.errors import InvalidArgument


def listed(folder: Path, content: str | bytes) -> Path:
    path = folder / "students.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_names_comments_and_namespaces(tmp_path: Path):
    path = listed(tmp_path, "\ufeff# third term\nann\r\n\n  Bob.Jones@uni.example  # joins late\nc_3\n")
    ann, bob, c = students.read(path)
    assert ann == Student("ann", "ann")
    assert bob == Student("Bob.Jones@uni.example", "bob-jones-uni-example") == Student.of(bob.name)
    assert c.namespace == "c-3"
    assert len({ann.seed(0), bob.seed(0), ann.seed(1)}) == 3
    assert ann.seed(0) == students.read(path)[0].seed(0)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("ann\nbob smith\n", 2, "'bob smith' cannot be a user's name"),
        ("ann\n\n-x\n", 3, "'-x' cannot be"),
        ("x/../y\n", 1, "cannot be"),
        ("teacher\n", 1, "means somebody else"),
        ("kube-system\n", 1, "means somebody else"),
        ("Kube.System\n", 1, "means somebody else"),
        ("system:masters\n", 1, "cannot be"),
        ("a" * 64 + "\n", 1, "64 characters"),
        ("ann\nbob\nann\n", 3, "stands there twice (line 1)"),
        ("ann.b\nAnn_B\n", 2, "becomes the same namespace as 'ann.b': ann-b (line 1)"),
        (b"ann\nb\xffb\n", 2, "no text in UTF-8"),
        ("# nobody\n", 0, "names no student"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_file_and_line(
    tmp_path: Path, content: str | bytes, line: int, words: str
):
    path = listed(tmp_path, content)
    with pytest.raises(InvalidArgument) as caught:
        students.read(path)
    assert caught.value.what.startswith(f"{path}:{line}: " if line else str(path))
    assert words in caught.value.what


def test_several_are_told_at_once(tmp_path: Path):
    with pytest.raises(InvalidArgument) as caught:
        students.read(listed(tmp_path, "".join(f"bad {n}\n" for n in range(9))))
    assert caught.value.said is not None
    assert "students.txt:5" in caught.value.said
    assert "and 4 more" in caught.value.said
    with pytest.raises(InvalidArgument, match="cannot be read"):
        students.read(tmp_path)
