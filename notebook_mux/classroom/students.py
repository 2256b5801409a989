"""The list of a class: a text file with one name a line, and what each name becomes in the cluster."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from notebook_mux.errors import InvalidArgument

COMMENT = "#"

MAX_NAME = 63
"""Characters of a name: of a namespace, which it becomes (RFC 1123, 2.1)."""

MAX_STUDENTS = 500
"""Of one class: more than one small machine is for."""

TOLD = 4
"""Further wrong lines that an error names."""

SEED_BYTES = 4

TEACHER = "teacher"
TAKEN = frozenset({TEACHER, "default", "demo-admin"})
"""Names that mean somebody, or something, else."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]*[A-Za-z0-9])?")
_OTHER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Student:
    """One of a class.

    Attributes:
        name: As it stands in the list: the user's name in the cluster and at the gateway.
        namespace: The same as a namespace may be called.
    """

    name: str
    namespace: str

    @classmethod
    def of(cls, name: str) -> Student:
        """The student of a name that can be one."""
        return cls(name, _OTHER.sub("-", name.lower()))

    def seed(self, of_class: int) -> int:
        """The seed of this student's scenario: of the class's and the name, so each has answers of their own."""
        return int.from_bytes(hashlib.sha256(f"{of_class}/{self.name}".encode()).digest()[:SEED_BYTES])


def read(path: Path) -> list[Student]:
    """The students of a list. Blank lines, and what follows a ``#``, mean nothing.

    Raises:
        InvalidArgument: It cannot be read, names nobody, or a name cannot be; with file and line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidArgument(
            f"the list of students {path} cannot be read",
            said=error.strerror or str(error),
            todo="give a text file with one name a line",
        ) from None
    except UnicodeDecodeError as error:
        at = error.object.count(b"\n", 0, error.start) + 1
        raise InvalidArgument(f"{path}:{at}: it is no text in UTF-8", todo="save it as UTF-8") from None
    students: dict[str, Student] = {}
    lines: dict[str, int] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        name = line.partition(COMMENT)[0].strip()
        if not name:
            continue
        student = Student.of(name)
        namespace = student.namespace
        problem = _problem(name)
        if not problem and namespace in students:
            other = students[namespace].name
            same = "stands there twice" if other == name else f"becomes the same namespace as {other!r}: {namespace}"
            problem = f"{name!r} {same} (line {lines[namespace]})"
        if problem:
            wrong.append(f"{path}:{number}: {problem}")
        else:
            students[namespace], lines[namespace] = student, number
    if wrong:
        more = f"; and {len(wrong) - 1 - TOLD} more" if len(wrong) > 1 + TOLD else ""
        raise InvalidArgument(
            wrong[0],
            said="; ".join(wrong[1 : 1 + TOLD]) + more or None,
            todo="correct the list; nothing of it is used until then",
        )
    if not students:
        raise InvalidArgument(f"{path} names no student", todo="write one name a line")
    if len(students) > MAX_STUDENTS:
        raise InvalidArgument(f"{path} names {len(students)} students, and a class has up to {MAX_STUDENTS}")
    return list(students.values())


def _problem(name: str) -> str:
    if len(name) > MAX_NAME:
        return f"the name {name[:20] + '…'!r} has {len(name)} characters, and a namespace up to {MAX_NAME}"
    if not _NAME.fullmatch(name):
        return f"{name!r} cannot be a user's name: letters, digits and . _ @ - between them"
    namespace = Student.of(name).namespace  # which a dot or a blank of the name leads to as well: kube.system
    if {name.lower(), namespace} & TAKEN or namespace.startswith(("kube-", "system")):
        return f"{name!r} means somebody else here"
    return ""
