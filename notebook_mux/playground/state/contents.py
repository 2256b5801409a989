"""What one cluster's files say, read without touching them: its newest snapshot and the logs after it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from notebook_mux.playground.state import disk
from notebook_mux.playground.state.errors import damaged, unreachable
from notebook_mux.playground.state.records import Reader

Json = dict[str, Any]
Name = tuple[str, str, str]
"""Resource (``deployments.apps``), namespace and name of an object."""

HEAD, PUT, DELETE, REVISION, NEXT, END = b"HPDRNE"
"""The first byte of a payload. HEAD: JSON, what the file is. PUT: resource, namespace, name, resourceVersion, each with
a NUL behind it, and the object's JSON. DELETE: the same without JSON. REVISION: a number that was used up. NEXT: the
log goes on in the next file. END: how many objects a snapshot has."""

_NAME = re.compile(r"(snapshot|log)-(\d{6})")


@dataclass
class Contents:
    """What was found.

    Args:
        objects: Version and JSON by name.
        revision: The newest resourceVersion that was given out.
        number: Of the log that is to be gone on with.
        good: How many bytes of it are right.
        chain: What its next record goes on from.
        torn: Bytes of a record that was being written when the process was killed.
        stale: Files that are no longer needed.
        base: Bytes of the snapshot.
    """

    objects: dict[Name, tuple[int, bytes]] = field(default_factory=dict)
    revision: int = 0
    number: int = 0
    good: int = 0
    chain: int = 0
    torn: int = 0
    stale: list[Path] = field(default_factory=list)
    base: int = 0


def file_name(kind: str, number: int) -> str:
    """``log-000001``, ``snapshot-000001``."""
    return f"{kind}-{number:06d}"


def load(folder: Path, identity: str) -> Contents | None:
    """Read a cluster's files.

    Args:
        folder: Where they are.
        identity: Of the state folder, which every file names.

    Returns:
        What they say; None if nothing was ever kept there.

    Raises:
        StateRefused: Something is damaged, missing or cannot be read.
    """
    found = _listing(folder)
    snapshots = sorted(number for kind, number in found if kind == "snapshot")
    if not snapshots:
        if logs := [path for (kind, _), path in found.items() if kind == "log"]:
            raise damaged(logs[0], 0, "its snapshot is missing")
        return None
    return _Loading(folder, identity, found).all(snapshots[-1])


def _listing(folder: Path) -> dict[tuple[str, int], Path]:
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unreachable(folder, error) from None
    return {(match[1], int(match[2])): path for path in paths if (match := _NAME.fullmatch(path.name))}


class _Loading:
    def __init__(self, folder: Path, identity: str, found: dict[tuple[str, int], Path]):
        self._folder = folder
        self._identity = identity
        self._found = found
        self._contents = Contents()

    def all(self, first: int) -> Contents:
        contents = self._contents
        self._snapshot(first)
        logs = [number for kind, number in self._found if kind == "log" and number >= first]
        last = max(logs, default=first)
        for number in range(first, last + 1):
            goes_on = self._log(number, last=number == last)
            if not goes_on and number < last:
                self._begun_only(number + 1, last)
                break
            if goes_on and number == last:
                raise damaged(self._path("log", number + 1), 0, "it is missing")
        contents.stale += [path for (_, number), path in self._found.items() if number < first]
        return contents

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / file_name(kind, number)

    def _begun_only(self, number: int, last: int) -> None:
        """A kill between the making of a new log and the word in the old one that it goes on there."""
        path = self._path("log", number)
        reader = self._reader("log", number)
        if number != last or len(list(reader)) > 1:
            raise damaged(path, 0, f"{file_name('log', number - 1)} should come before it, and does not end")
        self._contents.stale.append(path)

    def _reader(self, kind: str, number: int, *, torn: bool = False) -> Reader:
        path = self._path(kind, number)
        if (kind, number) not in self._found:
            raise damaged(path, 0, "it is missing")
        return Reader(path, disk.read(path), torn=torn)

    def _head(self, payload: memoryview, path: Path, number: int) -> Json:
        head: Json = json.loads(bytes(payload[1:])) if payload[0] == HEAD else {}
        if (head.get("identity"), head.get("number"), head.get("file")) != (
            self._identity, number, path.name.partition("-")[0],
        ):  # fmt: skip
            raise damaged(path, 0, "it is the file of another place")
        return head

    def _snapshot(self, number: int) -> None:
        contents, reader, path = self._contents, self._reader("snapshot", number), self._path("snapshot", number)
        payloads = iter(reader)
        first = next(payloads, None)
        if first is None:
            raise damaged(path, reader.good, "it has no content")
        contents.revision = int(self._head(first, path, number)["revision"])
        end: int | None = None
        for payload in payloads:
            if payload[0] == END:
                end = int(bytes(payload[1:]))
            else:
                self._put(payload)
        if end != len(contents.objects):
            raise damaged(path, reader.good, "its end is missing")
        contents.base = reader.good

    def _log(self, number: int, *, last: bool) -> bool:
        """Read a log; returns whether it says that it goes on in the next."""
        contents, path = self._contents, self._path("log", number)
        reader = self._reader("log", number, torn=last)
        payloads = iter(reader)
        first = next(payloads, None)
        if first is None:
            raise damaged(path, reader.good, "it has no content")
        if int(self._head(first, path, number)["revision"]) != contents.revision:
            raise damaged(path, reader.good, "what was written before it is missing")
        goes_on = False
        for payload in payloads:
            goes_on = payload[0] == NEXT
            if not goes_on:
                self._change(payload)
        contents.number, contents.good, contents.chain, contents.torn = number, reader.good, reader.chain, reader.left
        return goes_on

    def _change(self, payload: memoryview) -> None:
        contents = self._contents
        if payload[0] == REVISION:
            contents.revision = int(bytes(payload[1:]))
        elif payload[0] == PUT:
            contents.revision = self._put(payload)
        else:
            resource, namespace, name, revision, _ = bytes(payload[1:]).decode().split("\0")
            contents.objects.pop((resource, namespace, name), None)
            contents.revision = int(revision)

    def _put(self, payload: memoryview) -> int:
        resource, namespace, name, revision, body = bytes(payload[1:]).split(b"\0", 4)
        key = (resource.decode(), namespace.decode(), name.decode())
        self._contents.objects[key] = (int(revision), body)
        return int(revision)
