"""The objects of one upstream as encoded records, their numbers, and the changes of the last while for resuming.

Sans-IO. An object's bytes are kept once: the store, the ring and what waits for readers share them.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable

from msgspec import Raw

from notebook_mux.kube.states import Item
from notebook_mux.kube.table_events import Metadata
from notebook_mux.wire.frames import RECORD_HEAD, Kind, encode_record, uid_of

RING_BYTES = 8 * 1024 * 1024
RING_RECORDS = 20_000
"""How much is kept for readers that come back: at 1,000 pod changes of 4 kB a second two seconds, on a usual cluster
many minutes; what is gone from here is had again by a snapshot."""

MARKS = 256
"""Bookmarks remembered with their numbers: four hours at one a minute."""

PUT, DELETE = int(Kind.PUT), int(Kind.DELETE)
_HEAD = RECORD_HEAD.size

Object = tuple[Metadata, "Raw | bytes", "Raw | bytes", float]
"""Metadata, cells, object, and when the cells were printed (Unix seconds)."""


class UpstreamStore:
    """The store. `records` and `numbers` are for reading only.

    Args:
        ring_bytes: See `RING_BYTES`.
        ring_records: See `RING_RECORDS`.

    Attributes:
        records: By uid the encoded PUT.
        numbers: By uid its number; 0 for what the first list had.
        number: The last number given.
    """

    def __init__(self, *, ring_bytes: int = RING_BYTES, ring_records: int = RING_RECORDS) -> None:
        self.records: dict[str, bytes] = {}
        self.numbers: dict[str, int] = {}
        self.number = 0
        self._versions: dict[str, str] = {}
        self._ring: deque[tuple[int, str, str, bytes]] = deque()
        self._ring_size = 0
        self._ring_bytes = ring_bytes
        self._ring_records = ring_records
        self._marks: deque[tuple[str, int]] = deque(maxlen=MARKS)
        self._complete = False
        self._seen: set[str] = set()
        self._changed: dict[str, Object] = {}
        self._all_changed = False

    # --- changes --------------------------------------------------------------------------------------------------

    def change(
        self,
        deleted: bool,
        metadata: Metadata,
        cells: Raw | bytes,
        content: Raw | bytes,
        printed: float,
        placed: bool = True,
    ) -> Item | None:
        """Take one event of a watch; None if it tells nothing new.

        Without `placed`, its version is the object's only and says nothing of the others.
        """
        uid = metadata.uid or uid_of("", metadata.namespace, metadata.name)
        version = metadata.resourceVersion
        if deleted:
            if uid not in self.records:
                return None
            del self.records[uid], self.numbers[uid], self._versions[uid]
        elif self._versions.get(uid) == version:
            return None
        self.number = number = self.number + 1
        encoded = encode_record(
            DELETE if deleted else PUT,
            number,
            uid,
            metadata.namespace,
            metadata.name,
            version,
            metadata.creationTimestamp or "",
            printed,
            cells,
            content,
        )
        if not deleted:
            self.records[uid] = encoded
            self.numbers[uid] = number
            self._versions[uid] = version
        self._remember((number, uid, version if placed else "", encoded))
        return number, uid, deleted, encoded

    def mark(self, version: str) -> None:
        """All up to the last number is what the server had at `version`."""
        self._marks.append((version, self.number))

    def rows_changed(self) -> None:
        """The cells of all objects are other ones: the next list has them, whatever their versions say."""
        self._all_changed = self._complete

    # --- lists ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A complete list begins; one that had begun is forgotten."""
        self._seen.clear()
        self._changed.clear()
        if not self._complete:
            self.records.clear()
            self.numbers.clear()
            self._versions.clear()

    def listed(self, metadata: Metadata, cells: Raw | bytes, content: Raw | bytes, printed: float) -> None:
        """One object of the list."""
        uid = metadata.uid or uid_of("", metadata.namespace, metadata.name)
        version = metadata.resourceVersion
        if not self._complete:
            self.records[uid] = encode_record(
                PUT,
                0,
                uid,
                metadata.namespace,
                metadata.name,
                version,
                metadata.creationTimestamp or "",
                printed,
                cells,
                content,
            )
            self.numbers[uid] = 0
            self._versions[uid] = version
            return
        self._seen.add(uid)
        if self._all_changed or self._versions.get(uid) != version:
            self._changed[uid] = metadata, cells, content, printed
        else:
            self._changed.pop(uid, None)

    def unlisted(self, metadata: Metadata) -> None:
        """An object that was deleted while the list came."""
        uid = metadata.uid or uid_of("", metadata.namespace, metadata.name)
        if not self._complete:
            self.records.pop(uid, None)
            self.numbers.pop(uid, None)
            self._versions.pop(uid, None)
        self._seen.discard(uid)
        self._changed.pop(uid, None)

    def finish(self, version: str) -> list[Item]:
        """The list is complete: what it changes, nothing for the first one.

        Deletions come first, then the rest in the order of their versions: so the version of the last change a reader
        has taken is at each moment one that it can go on from elsewhere.
        """
        items: list[Item] = []
        if self._complete:
            gone = [uid for uid in self.records if uid not in self._seen]
            items.extend(self._delete(uid) for uid in gone)
            for metadata, cells, content, printed in _in_order(self._changed.values()):
                self._versions.pop(metadata.uid or uid_of("", metadata.namespace, metadata.name), None)
                item = self.change(False, metadata, cells, content, printed, placed=False)
                if item is not None:
                    items.append(item)
        self._complete = True
        self._seen.clear()
        self._changed.clear()
        self._all_changed = False
        self.mark(version)
        return items

    def _delete(self, uid: str) -> Item:
        """A deletion that nobody told: with the last state known."""
        last = self.records.pop(uid)
        del self.numbers[uid], self._versions[uid]
        self.number = number = self.number + 1
        _, _, head, cells, content = RECORD_HEAD.unpack_from(last)
        encoded = RECORD_HEAD.pack(DELETE, number, head, cells, content) + last[_HEAD:]
        self._remember((number, uid, "", encoded))
        return number, uid, True, encoded

    # --- resuming -------------------------------------------------------------------------------------------------

    def replay_after(self, number: int) -> list[tuple[int, str, str, bytes]] | None:
        """All changes after `number` as (number, uid, version, encoded); None if they are not all kept."""
        dropped = self.number - len(self._ring)
        if not dropped <= number <= self.number:
            return None
        return list(itertools.islice(self._ring, number - dropped, None))

    def number_of_version(self, version: str) -> int | None:
        """The number at which all was as the server had it at `version`; None if that is not known."""
        if not version:
            return None
        for marked, number in reversed(self._marks):
            if marked == version:
                return number
        for number, _, of_change, _ in reversed(self._ring):
            if of_change == version:
                return number
        return None

    def _remember(self, change: tuple[int, str, str, bytes]) -> None:
        ring = self._ring
        ring.append(change)
        self._ring_size += len(change[3])
        while ring and (self._ring_size > self._ring_bytes or len(ring) > self._ring_records):
            self._ring_size -= len(ring.popleft()[3])


def _in_order(objects: Iterable[Object]) -> list[Object]:
    """By version, where versions are numbers, as real servers' are; else as they came."""
    found = list(objects)
    if all(one[0].resourceVersion.isdecimal() for one in found):
        found.sort(key=lambda one: int(one[0].resourceVersion))
    return found
