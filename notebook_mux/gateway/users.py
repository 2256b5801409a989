"""Who may use a gateway that has several users: a CSV file with a token, a kubeconfig and a right for each.

::

    name,token,kubeconfig,write
    ann,sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08,ann/kubeconfig,always

The layout of Kubernetes' static token files, with a line of titles.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from notebook_mux.errors import InvalidArgument
from notebook_mux.life import files

COLUMNS = ("name", "token", "kubeconfig", "write")
HASHED = "sha256:"

MIN_TOKEN = 20
"""Characters of a token that stands there as it is: 120 bits, if it is random base64."""

MAX_FILE = 16 * 1024 * 1024
"""Bytes; a hundred thousand users."""

Write = Literal["no", "ask", "always"]
WRITES: tuple[Write, ...] = ("no", "ask", "always")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Person:
    """One user.

    Attributes:
        name: Of the user.
        digest: SHA-256 of the token: the gateway has no need of the token itself.
        kubeconfig: Who the user is to which clusters.
        write: ``"no"``: looking only; ``"ask"``: a client that asks for it may change clusters, as anywhere else;
            ``"always"``: one that says nothing may too, as on a cluster to learn on.
    """

    name: str
    digest: bytes = field(repr=False)
    kubeconfig: Path
    write: Write = "no"


def digest(token: str) -> bytes:
    """What a token is compared by."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def text(people: Iterable[Person]) -> bytes:
    """The content of a file that `read` reads."""
    out = io.StringIO()
    rows = ((one.name, HASHED + one.digest.hex(), str(one.kubeconfig), one.write) for one in people)
    csv.writer(out, lineterminator="\n").writerows((COLUMNS, *rows))
    return out.getvalue().encode()


def read(path: Path) -> list[Person]:
    """The users of a file.

    Raises:
        InvalidArgument: It is not there, others can read it, or a line is not right; with file and line.
    """
    try:
        content = files.read_private(path, MAX_FILE).decode("utf-8-sig")
    except files.NotPrivate as error:
        raise InvalidArgument(
            f"the users in {path} are not used: {error}", todo=f"it has secrets in it: chmod 600 {path}"
        ) from None
    except OSError as error:
        raise InvalidArgument(f"the users in {path} cannot be read", said=error.strerror) from None
    except UnicodeDecodeError:
        raise InvalidArgument(f"the users in {path} cannot be read: it is no UTF-8") from None
    rows = csv.reader(io.StringIO(content, newline=""), strict=True)
    people: dict[str, Person] = {}
    seen: dict[bytes, str] = {}
    try:
        titles = next(rows, [])
        if tuple(titles) != COLUMNS:
            raise _wrong(path, 1, f"the first line is not {','.join(COLUMNS)}")
        for row in rows:
            if not row:
                continue
            person = _person(path, rows.line_num, row)
            if person.name in people:
                raise _wrong(path, rows.line_num, f"{person.name} stands there twice")
            if person.digest in seen:
                raise _wrong(path, rows.line_num, f"{person.name} has the token of {seen[person.digest]}")
            people[person.name], seen[person.digest] = person, person.name
    except csv.Error as error:
        raise _wrong(path, rows.line_num, f"it is no CSV ({error})") from None
    return list(people.values())


def _person(path: Path, line: int, row: list[str]) -> Person:
    if len(row) != len(COLUMNS):
        raise _wrong(path, line, f"{len(row)} fields, where there are {len(COLUMNS)}: {','.join(COLUMNS)}")
    name, token, kubeconfig, write = (one.strip() for one in row)
    if not _NAME.fullmatch(name):
        raise _wrong(path, line, f"{name[:80]!r} is no user's name: letters, digits and . _ @ -, up to 63")
    if token.startswith(HASHED):
        if not _DIGEST.fullmatch(token.removeprefix(HASHED)):
            raise _wrong(path, line, f"the token of {name} is no {HASHED} and 64 hexadecimal digits")
        known = bytes.fromhex(token.removeprefix(HASHED))
    elif len(token) < MIN_TOKEN:
        raise _wrong(path, line, f"the token of {name} is shorter than {MIN_TOKEN} characters, and so can be guessed")
    else:
        known = digest(token)
    if not kubeconfig:
        raise _wrong(path, line, f"{name} has no kubeconfig")
    if write not in WRITES:
        raise _wrong(path, line, f"{write[:80]!r} is none of {', '.join(WRITES)}")
    return Person(name, known, path.absolute().parent / kubeconfig, write)


def _wrong(path: Path, line: int, what: str) -> InvalidArgument:
    return InvalidArgument(f"{path}:{line}: {what}", todo="correct the line; nothing of the file is used until then")
