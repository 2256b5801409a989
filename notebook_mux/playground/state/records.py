"""The form of all files of a state folder: checked records, one after the other. Bytes in, bytes out.

A file begins with `MAGIC` and two bytes of format; then records. A record's head has the length of its payload, a
checksum over all payloads of the file up to and with this one (so that none can be missing or in another place), and
a checksum of the head itself: a length that is wrong cannot make what follows look like the end of the file.

What a kill leaves is a last record that is cut short; everything else that does not fit is damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from notebook_mux.playground.state.errors import ANOTHER, UNTOUCHED, StateRefused, damaged

MAGIC = b"notebook-mux state\n"
FORMAT = 1
"""Counted up when an older version could not read what this one writes."""

_FORMAT = struct.Struct(">H")
_HEAD = struct.Struct(">II")
_CHECK = struct.Struct(">I")
BEGINNING = MAGIC + _FORMAT.pack(FORMAT)
HEAD_SIZE = _HEAD.size + _CHECK.size
SEED = zlib.crc32(BEGINNING)


def pack(payload: bytes, chain: int) -> tuple[bytes, int]:
    """A record, and the checksum that the next one goes on from."""
    chain = zlib.crc32(payload, chain)
    head = _HEAD.pack(len(payload), chain)
    return head + _CHECK.pack(zlib.crc32(head)) + payload, chain


def whole(*payloads: bytes) -> bytes:
    """A file with these records."""
    chain, parts = SEED, [BEGINNING]
    for payload in payloads:
        record, chain = pack(payload, chain)
        parts.append(record)
    return b"".join(parts)


class Reader:
    """Reads the records of a file.

    Args:
        path: Its name, for errors.
        data: Its content.
        torn: Whether its last record may be cut short: a log that nothing was written after.

    Attributes:
        good: Bytes up to the end of the last whole record.
        chain: What the next record would go on from.

    Raises:
        StateRefused: It is no file of ours, or of a newer version.
    """

    def __init__(self, path: Path, data: memoryview, *, torn: bool = False):
        self._path = path
        self._data = data
        self._torn = torn
        self.chain = SEED
        size = len(BEGINNING)
        if bytes(data[: len(MAGIC)]) != MAGIC or len(data) < size:
            raise damaged(path, 0, "it does not begin as a file of a notebook-mux playground does")
        (version,) = _FORMAT.unpack_from(data, len(MAGIC))
        if version != FORMAT:
            raise StateRefused(
                f"the state in {path.parent} has format {version}; this version of notebook-mux reads format {FORMAT}",
                todo=f"use the version that wrote it, or {ANOTHER}; {UNTOUCHED}",
            )
        self.good = size

    def __iter__(self) -> Iterator[memoryview]:
        """The payloads, oldest first.

        Raises:
            StateRefused: Something is damaged; `good` says from where on.
        """
        data, end = self._data, len(self._data)
        while self.good < end:
            start = self.good + HEAD_SIZE
            if start > end:
                yield from self._cut("a record's head is cut short")
                return
            length, chain = _HEAD.unpack_from(data, self.good)
            (check,) = _CHECK.unpack_from(data, self.good + _HEAD.size)
            if zlib.crc32(data[self.good : self.good + _HEAD.size]) != check:
                raise self._damaged("a record's head does not match its checksum")
            if start + length > end:
                yield from self._cut("a record is cut short")
                return
            payload = data[start : start + length]
            if zlib.crc32(payload, self.chain) != chain:
                raise self._damaged("a record does not match its checksum, or one before it is missing")
            self.good, self.chain = start + length, chain
            yield payload

    def last(self) -> int:
        """Read to the end; returns the checksum that the next record goes on from."""
        for _ in self:
            pass
        return self.chain

    @property
    def left(self) -> int:
        """Bytes of a last record that was cut short."""
        return len(self._data) - self.good

    def _cut(self, why: str) -> Iterator[memoryview]:
        if not self._torn:
            raise self._damaged(why)
        return iter(())

    def _damaged(self, why: str) -> StateRefused:
        return damaged(self._path, self.good, why, last=self._torn)
