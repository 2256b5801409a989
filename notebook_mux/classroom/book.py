"""The folder of a class: what is remembered of it, and what is handed out.

::

    class.json            tokens, ports: the class is the same after a restart
    class.csv             a line for each student, with the link
    users.csv             what the gateway lets in; of tokens their hashes only
    students/ann/link     a URL for NOTEBOOK_MUX_URL
    students/ann/kubeconfig
    teacher/              the same, of all namespaces
    state/                the cluster

All of it is for its owner's eyes: files are 0600, folders 0700.
"""

from __future__ import annotations

import csv
import io
import json
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from notebook_mux.classroom.students import TEACHER, Student
from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway import users
from notebook_mux.life import files
from notebook_mux.playground import kubeconfig
from notebook_mux.playground.kubeconfig import Reach

Json = dict[str, Any]

FILE, TABLE, USERS, LOG = "class.json", "class.csv", "users.csv", "gateway.log"
STUDENTS, STATE = "students", "state"
LINK, KUBECONFIG = "link", "kubeconfig"
COLUMNS = ("name", "namespace", "seed", "link", "kubeconfig")

CONTEXT = "class"
"""The name of the cluster in everybody's kubeconfig."""

TOKEN_BYTES = 32
MAX_FILE = 1024 * 1024
"""Bytes of `FILE`; a student takes two hundred."""


class Book:
    """A class's folder. One process at a time works with one.

    Args:
        path: The folder; one that is not there or empty is made one.
        asked: What was asked for, by name (``scenario``, ``seed``, ``port``); None is whatever was before.
        defaults: What a new class has where nothing was asked for.

    Attributes:
        settled: What it is, all names of `asked`.

    Raises:
        InvalidArgument: Something else is in the folder, it cannot be used, or the class in it is another one.
    """

    def __init__(self, path: Path, asked: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self.path = path
        try:
            known = self._open()
        except OSError as error:
            raise InvalidArgument(
                f"the folder {path} cannot be used for a class",
                said=error.strerror or str(error),
                todo="name another --dir",
            ) from None
        self.settled: Json = {**defaults, **known.get("settled", {})}
        before = known.get("settled", {})
        for name, value in asked.items():
            if value is not None and name in before and name != "port" and before[name] != value:
                raise InvalidArgument(
                    f"the class in {path} has the {name} {self.settled[name]}, and not {value}",
                    todo=f"leave out --{name}, or begin another class in another --dir",
                )
            if value is not None:
                self.settled[name] = value
        self._tokens: Json = known.get("tokens", {})
        self.begun: dict[str, float] = known.get("begun", {})
        """When each namespace's story began, Unix seconds of the cluster's time."""

    def _open(self) -> Json:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.path / FILE
        if not file.exists():
            others = sorted(one.name for one in self.path.iterdir() if not one.name.startswith("."))
            if others:
                raise InvalidArgument(
                    f"{self.path} is no folder of a class: {', '.join(others[:3])} is in it",
                    todo="name an empty folder, or a new one, with --dir; nothing was changed",
                )
            return {}
        try:
            known = json.loads(files.read_private(file, MAX_FILE))
        except ValueError:
            known = None
        if not isinstance(known, dict):
            raise InvalidArgument(f"{file} is damaged", todo="name another --dir; nothing was changed")
        return known

    def tokens(self, name: str) -> tuple[str, str]:
        """Somebody's tokens, for the gateway and for the cluster; made when they are first asked for."""
        made = self._tokens.setdefault(name, [secrets.token_urlsafe(TOKEN_BYTES) for _ in range(2)])
        return made[0], made[1]

    def gone(self, names: Iterable[str]) -> list[str]:
        """Who has tokens and is not in `names`: their tokens are forgotten, and what was handed out is removed."""
        keep = {TEACHER, *names}
        found = [name for name in self._tokens if name not in keep]
        for name in found:
            del self._tokens[name]
        return found

    def discard(self, namespace: str) -> None:
        """Remove what was to be handed out to somebody."""
        shutil.rmtree(self.path / STUDENTS / namespace, ignore_errors=True)

    def save(self) -> None:
        """Remember all of it."""
        known = {"settled": self.settled, "tokens": self._tokens, "begun": self.begun}
        self._write(FILE, json.dumps(known, indent=1).encode() + b"\n")

    def hand_out(self, students: Iterable[Student], reaches: Mapping[str, Reach], teacher: Reach) -> None:
        """Write everybody's kubeconfig, and the users' file of the gateway.

        Args:
            students: All of the class.
            reaches: How each reaches the cluster, by name.
            teacher: How the teacher does.
        """
        people = []
        folders = {one.name: f"{STUDENTS}/{one.namespace}" for one in students}
        for name, reach in {**{one: reaches[one] for one in folders}, TEACHER: teacher}.items():
            config = self.path / folders.get(name, TEACHER) / KUBECONFIG
            _write(config, kubeconfig.text([replace(reach, context=CONTEXT, user=name)]))
            people.append(users.Person(name, users.digest(self.tokens(name)[0]), config, "always"))
        self._write(USERS, users.text(people))

    def link(self, students: Iterable[Student], url: str) -> None:
        """Write everybody's link, and the table, now that it is known where the gateway is."""
        out = io.StringIO()
        rows: list[tuple[str, ...]] = [COLUMNS]
        for one in students:
            folder = self.path / STUDENTS / one.namespace
            link = f"{url}?token={self.tokens(one.name)[0]}"
            _write(folder / LINK, link.encode() + b"\n")
            seed = str(one.seed(self.settled["seed"]))
            rows.append((one.name, one.namespace, seed, link, str(folder / KUBECONFIG)))
        _write(self.path / TEACHER / LINK, f"{url}?token={self.tokens(TEACHER)[0]}\n".encode())
        csv.writer(out, lineterminator="\n").writerows(rows)
        self._write(TABLE, out.getvalue().encode())

    def _write(self, name: str, content: bytes) -> None:
        _write(self.path / name, content)


def _write(path: Path, content: bytes) -> None:
    """Write a private file, unless it says that already.

    Raises:
        InvalidArgument: It cannot be written.
    """
    try:
        for folder in (path.parent.parent, path.parent):  # parents that `mkdir` makes have the usual mode
            folder.mkdir(mode=0o700, exist_ok=True)
        if not path.is_file() or path.stat().st_mode & 0o077 or path.read_bytes() != content:
            files.write_private(path, content)
    except OSError as error:
        raise InvalidArgument(f"{path} cannot be written", said=error.strerror or str(error)) from None
