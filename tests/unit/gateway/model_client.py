"""A client that takes records as PROTOCOL.md says and is strict about all that it promises."""

from __future__ import annotations

from notebook_mux.wire.frames import Channel, Kind, Position, Record, Skipped, decode_records
from notebook_mux.wire.messages import Resume


class ModelClient:
    """What a kernel holds of one stream."""

    def __init__(self) -> None:
        self.objects: dict[str, Record] = {}
        self.columns = b""
        self.number = 0
        self.position: Position | None = None
        self.synced = False
        self.skipped = 0
        self.relists = 0
        self.snapshots = 0
        self.floor = 0
        """The number of the last snapshot's end, or of the resumption at another gateway: all after it is seen."""
        self.seen: list[int] = []
        self.kinds: list[Kind] = []
        self._named: set[str] | None = None
        self._versions: dict[str, int] = {}
        self._parts: list[bytes] = []

    def resume(self) -> Resume | None:
        at = self.position
        if at is None or self._named is not None or not self.synced:
            return None
        return Resume(instance=at.instance, incarnation=at.incarnation, number=self.number, version=at.version)

    def cut(self) -> None:
        self._parts.clear()
        if self._named is not None:
            self._named = self.position = None

    def frame(self, channel: int, payload: bytes) -> None:
        self._parts.append(payload)
        if channel == Channel.CHANGES:
            whole, self._parts = b"".join(self._parts), []
            self._apply(whole)
        else:
            assert channel == Channel.PART

    def _apply(self, payload: bytes) -> None:
        changes = decode_records(payload)
        for kind, number, content in changes:
            self.kinds.append(Kind(kind))
            if isinstance(content, Record):
                self._object(kind, number, content)
            elif isinstance(content, bytes):
                self.columns = content
            elif isinstance(content, Skipped):
                self.skipped += content.states
                self.relists += content.why == "relist"
            else:
                self._steer(kind, number, content)
        kind, _, content = changes[-1]
        if isinstance(content, Record) and self._named is None and self.position is not None:
            self.position = Position(self.position.instance, self.position.incarnation, content.version)

    def _object(self, kind: int, number: int, record: Record) -> None:
        assert self.position is not None, "a record before BEGIN or RESUMED"
        version = int(record.version)
        if self._named is None:
            assert number > self.number, f"number {number} after {self.number}"
            assert version > self._versions.get(record.uid, 0), "an object went back"
            self.number = number
            self.seen.append(number)
        else:
            assert version >= self._versions.get(record.uid, 0), "an object went back in a snapshot"
        self._versions[record.uid] = version
        if kind == Kind.PUT:
            self.objects[record.uid] = record
            if self._named is not None:
                self._named.add(record.uid)
        else:
            self.objects.pop(record.uid, None)
            if self._named is not None:
                self._named.discard(record.uid)

    def _steer(self, kind: int, number: int, at: Position) -> None:
        if kind == Kind.BEGIN:
            self._named, self.position = set(), at
            self.snapshots += 1
            self.skipped = 0
        elif kind == Kind.END:
            assert self._named is not None
            for uid in self.objects.keys() - self._named:
                del self.objects[uid]
            self._named, self.position, self.synced = None, at, True
            self._restart_at(number)
        elif kind == Kind.RESUMED:
            assert self._named is None
            if self.position is None or self.position.incarnation != at.incarnation:
                self._restart_at(number)
                self.skipped = 0
            assert number == self.number
            self.position = at
        else:
            assert kind == Kind.PROGRESS
            assert self._named is None
            assert number >= self.number
            self.position, self.number = at, number

    def _restart_at(self, number: int) -> None:
        self.number = self.floor = number
        self.seen = []
