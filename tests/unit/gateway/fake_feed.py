"""An upstream without a cluster: objects that a test changes, with the interface of `upstream.Upstream`."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from notebook_mux.wire.frames import Kind, encode_record

COLUMNS: list[dict[str, object]] = [
    {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
]


class FakeState:
    """As `upstream.UpstreamState`."""

    def __init__(self, state: str = "live", reason: str = "", said: str | None = None, code: int | None = None) -> None:
        self.state, self.reason, self.said, self.code = state, reason, said, code
        self.since, self.retry_at = 1.0, None
        self.todo, self.fresh, self.clock = None, None, None


def record(kind: Kind, number: int, name: str, version: str, size: int = 0) -> bytes:
    """One object as a record; `size` is of the object's JSON, about."""
    padding = {"spec": "x" * size} if size else {}
    return encode_record(
        kind, number, f"uid-{name}", "default", name, version, "2026-01-01T00:00:00Z", 1.0,
        msgspec.json.encode([name]), msgspec.json.encode({"metadata": {"name": name}, **padding}),
    )  # fmt: skip


class FakeFeed:
    """Numbers, records and a ring; every change is flushed by `flush`, or at once."""

    def __init__(self, *names: str, ring: int = 1000, incarnation: str = "inc-1", version: int = 100) -> None:
        self.incarnation = incarnation
        self.start_version = ""
        self.columns = COLUMNS
        self.records: dict[str, bytes] = {}
        self.numbers: dict[str, int] = {}
        self.number = 0
        self.is_synced = True
        self.state: Any = FakeState()
        self.readers: list[Any] = []
        self.retries = 0
        self.ring = ring
        self.log: list[tuple[int, str, str, bytes]] = []
        self.versions = itertools.count(version)
        self.version = str(next(self.versions))
        self.world: list[tuple[str, str, bytes]] = []
        """All changes of the cluster since its beginning, whichever gateway saw them."""
        self._waiting: list[tuple[int, str, bool, bytes]] = []
        for name in names:
            encoded = record(Kind.PUT, 0, name, self.version)
            self.world.append((f"uid-{name}", self.version, encoded))
            self.records[f"uid-{name}"] = encoded
            self.numbers[f"uid-{name}"] = 0

    key = ("ref-one", "/api/v1/pods", "")

    @property
    def sinks(self) -> int:
        return len(self.readers)

    def subscribe(self, sink: Any) -> None:
        self.readers.append(sink)

    def unsubscribe(self, sink: Any) -> None:
        self.readers.remove(sink)

    def retry(self) -> None:
        self.retries += 1

    def replay_after(self, number: int) -> list[tuple[int, str, str, bytes]] | None:
        kept = self.log[-self.ring :] if self.ring else []
        if number < self.number and (not kept or kept[0][0] > number + 1):
            return None
        return [entry for entry in kept if entry[0] > number]

    def number_of_version(self, version: str) -> int | None:
        if version == self.version:
            return self.number
        return next((number for number, _, at, _ in self.log if at == version), None)

    # --- for the test ---------------------------------------------------------------------------------------------

    def put(self, name: str, size: int = 0, *, flush: bool = True) -> None:
        self._change(Kind.PUT, name, size)
        if flush:
            self.flush()

    def delete(self, name: str, *, flush: bool = True) -> None:
        if f"uid-{name}" in self.records:
            self._change(Kind.DELETE, name, 0)
        if flush:
            self.flush()

    def _change(self, kind: Kind, name: str, size: int) -> None:
        uid, self.version = f"uid-{name}", str(next(self.versions))
        self.number += 1
        encoded = record(kind, self.number, name, self.version, size)
        self.world.append((uid, self.version, encoded))
        self._take(uid, self.version, encoded)
        self._waiting.append((self.number, uid, kind == Kind.DELETE, encoded))

    def _take(self, uid: str, version: str, encoded: bytes) -> None:
        if encoded[0] == Kind.DELETE:
            self.records.pop(uid)
            self.numbers.pop(uid)
        else:
            self.records[uid], self.numbers[uid] = encoded, self.number
        self.log.append((self.number, uid, version, encoded))

    def restarted(self, version: str | None, incarnation: str) -> FakeFeed:
        """What another gateway has of the same cluster: a list of `version` and all since then, or a fresh list."""
        feed = FakeFeed(ring=self.ring, incarnation=incarnation)
        feed.versions, feed.version, feed.world = self.versions, self.version, self.world
        feed.start_version = version or ""
        for uid, at, encoded in self.world:
            if version is not None and int(at) > int(version):
                feed.number += 1
            feed._take(uid, at, encoded[:1] + feed.number.to_bytes(8, "big") + encoded[9:])
        feed.log = [entry for entry in feed.log if entry[0] > 0]
        return feed

    def flush(self) -> None:
        if not self._waiting:
            return
        records, self._waiting = self._waiting, []
        payload = b"".join(encoded for _, _, _, encoded in records)
        for sink in list(self.readers):
            sink.batch(records, payload)

    def bookmark(self) -> None:
        self.flush()
        self.version = str(next(self.versions))
        for sink in list(self.readers):
            sink.progress(self.number, self.version)

    def say(self, state: Any) -> None:
        self.state = state
        for sink in list(self.readers):
            sink.state_changed()
