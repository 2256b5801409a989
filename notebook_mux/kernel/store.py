"""The objects of one subscription by uid: bytes and a typed head, decoded only when someone asks."""

from __future__ import annotations

import sys

import msgspec

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import UNREADABLE
from notebook_mux.wire.frames import Change, Kind, Position, Record, Skipped
from notebook_mux.wire.messages import Resume

Difference = tuple[str, "Record | None", "Record | None"]
"""What a reader sees: ("ADDED" | "MODIFIED" | "DELETED", the object now or in its last state, the one before)."""

_EMPTY = Record("", "", "", "", "", 0.0)
OVERHEAD = (
    sys.getsizeof(_EMPTY) + 5 * sys.getsizeof("") + 2 * sys.getsizeof(b"") + sys.getsizeof(0.0) + sys.getsizeof(1 << 20)
)
"""Bytes that one record takes before there is anything in it: the struct, its texts, bytes and numbers."""

_columns = msgspec.json.Decoder(list[dict[str, object]])


class Store:
    """The state of one subscription and where it stands in its stream.

    Not thread-safe by itself: its owner applies and reads under one lock.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Record] = {}
        self.columns: list[dict[str, object]] = []
        self.synced = False
        self.number = 0
        self.changes = 0
        self.skipped = 0
        self.relists = 0
        self.snapshots = 0
        self.repeated = 0
        self.held = 0
        """Bytes of the records; kept as they come and go, for adding up thousands would hold up the loop."""
        self._position: Position | None = None
        self._named: set[str] | None = None

    @property
    def memory(self) -> int:
        """Bytes in memory of all that is kept: the records and the table of their uids.

        Texts outside of ASCII take more than is counted; what readers make of records is theirs.
        """
        return self.held + sys.getsizeof(self.objects)

    def resume(self) -> Resume | None:
        """Where to go on after a cut; None inside a snapshot, whose rest nobody could replay."""
        at = self._position
        if at is None or self._named is not None or not self.synced:
            return None
        return Resume(instance=at.instance, incarnation=at.incarnation, number=self.number, version=at.version)

    def interrupted(self) -> None:
        """The stream was cut: a snapshot that was not complete counts for nothing."""
        if self._named is not None:
            self._position, self._named = None, None

    def apply(self, changes: list[Change]) -> list[Difference]:
        """Take in the records of one frame; returns what changed for a reader.

        Raises:
            ProtocolError: Records come in an order that the protocol does not allow.
        """
        differences: list[Difference] = []
        append = differences.append
        objects = self.objects
        for kind, number, content in changes:
            if kind == 1:  # Kind.PUT, spelt out in the hot path
                record: Record = content  # type: ignore[assignment]
                named = self._named
                if named is not None:
                    named.add(record.uid)
                elif number <= self.number:
                    self.repeated += 1
                    continue
                else:
                    self.number = number
                self.changes += 1
                old = objects.get(record.uid)
                objects[record.uid] = record
                if old is None:
                    self.held += size(record)
                    append(("ADDED", record, None))
                else:
                    self.held += (
                        len(record.object) - len(old.object)
                        + len(record.cells) - len(old.cells)
                        + len(record.version) - len(old.version)
                    )  # fmt: skip  # the other fields are those of the uid
                    if old.version != record.version:
                        append(("MODIFIED", record, old))
            elif kind == Kind.DELETE:
                self._delete(number, content, append)  # type: ignore[arg-type]
            else:
                differences += self._steer(kind, number, content)  # type: ignore[arg-type]
        self._last_version(changes)
        return differences

    def _delete(self, number: int, record: Record, append: object) -> None:
        if self._named is not None:
            self._named.discard(record.uid)
        elif number <= self.number:
            self.repeated += 1
            return
        else:
            self.number = number
        self.changes += 1
        old = self.objects.pop(record.uid, None)
        if old is not None:
            self.held -= size(old)
            append(("DELETED", record, old))  # type: ignore[operator]

    def _steer(self, kind: int, number: int, content: Position | Skipped | bytes) -> list[Difference]:
        gone: list[Difference] = []
        if isinstance(content, bytes):
            try:
                self.columns = _columns.decode(content)
            except UNREADABLE as error:
                raise ProtocolError("the columns cannot be decoded", said=str(error)) from error
        elif isinstance(content, Skipped):
            self.skipped += content.states
            self.relists += content.why == "relist"
        elif kind == Kind.BEGIN:
            self._named, self._position = set(), content
            self.snapshots += 1
        elif kind == Kind.END:
            if self._named is None:
                raise ProtocolError("a snapshot ended that had not begun")
            for uid in self.objects.keys() - self._named:
                old = self.objects.pop(uid)
                self.held -= size(old)
                gone.append(("DELETED", old, old))
            self._named, self._position, self.number, self.synced = None, content, number, True
        elif self._named is not None:
            raise ProtocolError("a stream was resumed or marked inside a snapshot")
        else:  # RESUMED, PROGRESS
            self._position, self.number = content, number
        return gone

    def _last_version(self, changes: list[Change]) -> None:
        """Keep the resourceVersion of the last change as the place to resume from."""
        at = self._position
        if at is None or self._named is not None:
            return
        for _, _, content in reversed(changes):
            if isinstance(content, Record):
                self._position = Position(at.instance, at.incarnation, content.version)
            if isinstance(content, Record | Position):
                return


def size(record: Record) -> int:
    """Bytes that a record takes in memory."""
    return (
        OVERHEAD
        + len(record.uid) + len(record.namespace) + len(record.name) + len(record.version) + len(record.created)
        + len(record.cells) + len(record.object)
    )  # fmt: skip
