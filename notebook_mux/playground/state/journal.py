"""One cluster's changes, written down as they are made, and the snapshots that let the log begin anew.

What is on record survives the end of the process at any moment, a SIGKILL too: it is with the system before the change
is answered. It is brought to the disk (fsync) once a second, so that a machine that loses its power loses the last
second at most.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from notebook_mux._version import __version__
from notebook_mux.life import files
from notebook_mux.playground.state import disk, records
from notebook_mux.playground.state.contents import DELETE, END, HEAD, NEXT, PUT, REVISION, Contents, file_name
from notebook_mux.playground.state.errors import NotKept, unreachable
from notebook_mux.playground.store import Stored

log = logging.getLogger(__name__)

LOG_LIMIT = 16 * 1024 * 1024
"""Bytes of a log from which on a snapshot is worth its time, or twice the last snapshot's, whichever is more."""

PIECE = 1024 * 1024
"""Bytes of a snapshot that are put together before they are written."""


class Journal:
    """Writes down one cluster's changes. For the loop's thread, but for `sync`.

    Args:
        folder: Where; it is made if it is not there.
        identity: Of the state folder.
        objects: Gives all objects as they are now, and the newest version.
        limit: Bytes of a log before the next begins.

    Attributes:
        failed: Why nothing can be written any more: as etcd does, a playground then ends rather than go on with what
            it could not keep.
    """

    def __init__(
        self, folder: Path, identity: str, objects: Callable[[], tuple[list[Stored], int]], limit: int = LOG_LIMIT
    ):
        self._folder = folder
        self._identity = identity
        self._objects = objects
        self._limit = limit
        self._number = 0
        self._descriptor = -1
        self._size = 0
        self._rotate_at = 0
        self._chain = records.SEED
        self._dirty = False
        self.failed: NotKept | None = None
        self._files = threading.Lock()  # between a change of files and `sync`
        self._snapshot: threading.Thread | None = None

    # -------------------------------------------------------------------------------------------- its life

    def begin(self, contents: Contents | None) -> None:
        """Go on where the contents end; without any, begin with what there is now.

        Raises:
            StateRefused: It cannot be written.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self._folder.glob(".*-*.*"):  # what a kill left of files that were being written
                files.remove(left)
            if contents is None:
                objects, revision = self._objects()
                self._write_log(1, revision)
                self._write_snapshot(1, objects, revision)
                self._open(1, records.SEED)
                return
            for path in contents.stale:
                files.remove(path)
            if contents.torn:
                log.warning("%s: a last record of %d bytes, which was cut short, is dropped: it had not been answered",
                            self._folder / file_name("log", contents.number), contents.torn)  # fmt: skip
                os.truncate(self._folder / file_name("log", contents.number), contents.good)
            self._open(contents.number, contents.chain, contents.base)
        except OSError as error:
            raise unreachable(self._folder, error) from None

    def close(self) -> None:
        """Bring all to the disk and let go of the files."""
        if self._snapshot is not None:
            self._snapshot.join()
        self.sync()
        with self._files:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)

    @property
    def dirty(self) -> bool:
        """Whether something was written that is not on the disk yet."""
        return self._dirty

    def sync(self) -> None:
        """Bring what was written to the disk. For any thread."""
        with self._files:
            if self._dirty and self._descriptor >= 0:
                self._dirty = False
                try:
                    os.fsync(self._descriptor)
                except OSError as error:
                    log.error("%s: not on the disk: %s", self._folder, error)

    # ------------------------------------------------------------------------------------------ what is told

    def put(self, stored: Stored) -> None:
        """An object is created or changed.

        Raises:
            NotKept: It cannot be written down.
        """
        self._append(_put(stored))

    def remove(self, last: Stored) -> None:
        """An object is deleted.

        Raises:
            NotKept: It cannot be written down.
        """
        self._append(_key(DELETE, last))

    def moved(self, revision: int) -> None:
        """A version is used up without a change.

        Raises:
            NotKept: It cannot be written down.
        """
        self._append(b"%c%d" % (REVISION, revision))

    def goes_on_with(self, old: Iterable[Stored], new: Callable[[], tuple[list[Stored], int]]) -> None:
        """Other objects are in the place of all there were.

        Args:
            old: Those there were.
            new: Gives those there are, and the newest version.

        Raises:
            NotKept: It cannot be written down.
        """
        self._objects = new
        objects, revision = new()
        for stored in old:
            self.remove(stored)
        for stored in objects:
            self.put(stored)
        self.moved(revision)

    # ------------------------------------------------------------------------------------------------ files

    def _append(self, payload: bytes) -> None:
        if self._size >= self._rotate_at:
            self._rotate()
        if self.failed is not None:
            raise self.failed
        record, chain = records.pack(payload, self._chain)
        try:
            disk.write_all(self._descriptor, record)
        except OSError as error:
            self._take_back()
            self.failed = NotKept(
                f"the state cannot be written to {self._folder} any more; what was answered before is there",
                said=error.strerror or str(error),
                todo="make room on that disk, then start the playground again",
            )
            raise self.failed from None
        self._chain = chain
        self._size += len(record)
        self._dirty = True

    def _take_back(self) -> None:
        """Cut off what was written of a record; if that fails too, it is dropped at the next start."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self._size)

    def _open(self, number: int, chain: int, base: int = 0) -> None:
        path = self._folder / file_name("log", number)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        with self._files:
            self._descriptor, self._number = descriptor, number
        if chain == records.SEED:  # a new log, which has its head only
            chain = records.Reader(path, disk.read(path)).last()
        self._chain = chain
        self._size = os.fstat(descriptor).st_size
        self._rotate_at = max(self._limit, 2 * base)

    def _rotate(self) -> None:
        """Begin the next log, and have a snapshot made of what there is now; then the logs before it can go."""
        if self._snapshot is not None and self._snapshot.is_alive():
            return
        objects, revision = self._objects()
        number, old = self._number + 1, self._descriptor
        record, _ = records.pack(b"%c%d" % (NEXT, number), self._chain)
        new = self._folder / file_name("log", number)
        try:
            self._write_log(number, revision)
            disk.write_all(old, record)
        except OSError as error:
            log.warning("%s: no new log, the old one goes on: %s", self._folder, error)
            self._take_back()
            files.remove(new)
            self._rotate_at = self._size + self._limit
            return
        self._open(number, records.SEED, sum(len(one.body) for one in objects))
        self._snapshot = threading.Thread(
            target=self._make_snapshot, args=(number, objects, revision, old), name="playground-snapshot"
        )
        self._snapshot.start()

    def _make_snapshot(self, number: int, objects: list[Stored], revision: int, old: int) -> None:
        """In a thread: the objects are immutable."""
        try:
            os.fsync(old)
            self._write_snapshot(number, objects, revision)
            for before in range(number - 1, 0, -1):
                paths = [self._folder / file_name(kind, before) for kind in ("snapshot", "log")]
                if not any(path.exists() for path in paths):
                    break
                for path in paths:
                    files.remove(path)
        except OSError as error:
            log.warning("%s: no snapshot, the logs before it are kept: %s", self._folder, error)
        finally:
            os.close(old)

    def _write_log(self, number: int, revision: int) -> None:
        head = self._head("log", number, revision)
        disk.write_whole(self._folder / file_name("log", number), [records.whole(head)])

    def _write_snapshot(self, number: int, objects: Iterable[Stored], revision: int) -> None:
        path = self._folder / file_name("snapshot", number)
        disk.write_whole(path, self._pieces(number, objects, revision))

    def _pieces(self, number: int, objects: Iterable[Stored], revision: int) -> Iterator[bytes]:
        chain, parts, size, count = records.SEED, [records.BEGINNING], 0, 0
        for payload in self._payloads(number, objects, revision):
            count += payload[0] == PUT
            record, chain = records.pack(payload, chain)
            parts.append(record)
            size += len(record)
            if size >= PIECE:
                yield b"".join(parts)
                parts, size = [], 0
        record, _ = records.pack(b"%c%d" % (END, count), chain)
        yield b"".join([*parts, record])

    def _payloads(self, number: int, objects: Iterable[Stored], revision: int) -> Iterator[bytes]:
        yield self._head("snapshot", number, revision)
        for stored in objects:
            yield _put(stored)

    def _head(self, file: str, number: int, revision: int) -> bytes:
        head: dict[str, Any] = {"file": file, "number": number, "revision": revision, "identity": self._identity,
                                "version": __version__}  # fmt: skip
        return bytes([HEAD]) + json.dumps(head).encode()


def _key(what: int, stored: Stored) -> bytes:
    return b"%c%s\0%s\0%s\0%d\0" % (
        what, stored.kind.resource.encode(), stored.namespace.encode(), stored.name.encode(), stored.revision,
    )  # fmt: skip


def _put(stored: Stored) -> bytes:
    return _key(PUT, stored) + stored.encoded
