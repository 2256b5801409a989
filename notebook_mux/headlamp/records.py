"""One stream's records, as the kernel's store reads them: objects with their cells, columns, places to resume from."""

from __future__ import annotations

import secrets
import time
from typing import Protocol

import msgspec

from notebook_mux.headlamp.held import Event
from notebook_mux.kube.table_events import Metadata
from notebook_mux.wire import frames, messages
from notebook_mux.wire.frames import Kind, Position, Skipped


class Reader(Protocol):
    """Where the stream's records and states go."""

    def put(self, stream: int, records: list[bytes]) -> None:
        """Records, in order."""

    def tell(self, state: messages.State) -> None:
        """The upstream's state."""


class Records:
    """Numbers and encodes. All calls on the loop's thread.

    Args:
        message: What the kernel asked for; where it resumes, the numbers go on.
        instance: The bridge's id.
        reader: Gets them.

    Attributes:
        columns: The last columnDefinitions that were sent, as JSON; b"" before.
    """

    def __init__(self, message: messages.Subscribe, instance: str, reader: Reader) -> None:
        self.columns = b""
        self._stream = message.stream
        self._number = message.resume.number if message.resume is not None else 0
        self._instance = instance
        self._incarnation = secrets.token_hex(8)
        self._reader = reader

    # --- encoded ----------------------------------------------------------------------------------------------------

    def position(self, kind: Kind, version: str) -> bytes:
        """A place to resume from: BEGIN, END, PROGRESS, RESUMED."""
        return frames.encode_position(kind, self._number, Position(self._instance, self._incarnation, version))

    def skipped(self, states: int) -> bytes:
        """What a new list leaves out, or may."""
        return frames.encode_skipped(self._number, Skipped(states, "relist"))

    def new_columns(self, columns: bytes | None) -> list[bytes]:
        """Columns, if they are other ones than before."""
        if columns is None or columns == self.columns:
            return []
        self.columns = columns
        return [frames.encode_columns(self._number, columns)]

    def record(
        self, kind: Kind, metadata: Metadata, cells: msgspec.Raw | bytes, content: msgspec.Raw, printed: float
    ) -> bytes:
        """An object, under the last number."""
        uid = frames.uid_of(metadata.uid, metadata.namespace, metadata.name)
        return frames.encode_record(
            kind, self._number, uid, metadata.namespace, metadata.name, metadata.resourceVersion,
            metadata.creationTimestamp or "", printed, cells, content,
        )  # fmt: skip

    # --- sent -------------------------------------------------------------------------------------------------------

    def put(self, records: list[bytes]) -> None:
        """Send them."""
        if records:
            self._reader.put(self._stream, records)

    def give(self, change: Event, cells: bytes) -> None:
        """Send a change, under the next number."""
        deleted, metadata, content = change
        self._number += 1
        self.put([self.record(Kind.DELETE if deleted else Kind.PUT, metadata, cells, content, time.time())])

    def mark(self, version: str) -> None:
        """Send a bookmark."""
        self.put([self.position(Kind.PROGRESS, version)])

    def take_columns(self, columns: bytes) -> None:
        """Send columns, if they are other ones."""
        self.put(self.new_columns(columns))
