"""What one frame holds, as it is filled with encoded records; and what an encoded record says of itself."""

from __future__ import annotations

import msgspec

from notebook_mux.wire.frames import RECORD_HEAD, Record

_head_of = msgspec.json.Decoder(Record).decode


class Payload:
    """Fills one frame with whole records."""

    __slots__ = ("limit", "long", "parts", "room")

    def __init__(self, limit: int) -> None:
        self.limit = self.room = limit
        self.parts: list[bytes] = []
        self.long: bytes | None = None

    def add(self, record: bytes) -> bool:
        """Take a record if it fits, or, as the only one, if it has to be cut into parts. Says whether it did."""
        if self.long is not None:
            return False
        if len(record) > self.room:
            if self.parts:
                return False
            self.long = record
            return True
        self.parts.append(record)
        self.room -= len(record)
        return True

    def add_run(self, run: bytes) -> bool:
        """Take a run of records if it fits."""
        if self.long is not None or len(run) > self.room:
            return False
        self.parts.append(run)
        self.room -= len(run)
        return True

    def join(self) -> bytes:
        """The payload."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)


def number_of(encoded: bytes) -> int:
    """The number of an encoded record."""
    number: int = RECORD_HEAD.unpack_from(encoded)[1]
    return number


def version_of(encoded: bytes) -> str:
    """The resourceVersion of an encoded PUT or DELETE."""
    head_size = RECORD_HEAD.unpack_from(encoded)[2]
    return _head_of(encoded[RECORD_HEAD.size : RECORD_HEAD.size + head_size]).version
