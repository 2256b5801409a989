"""From one upstream to one subscription: what is sent, in which order, and what is left out when a reader is slow.

A `Subscriber` takes an upstream's batches and gives the connection's `Sender` a frame whenever it has room for one.
What waits is, in the order it is sent:

1. `_head`: RESUMED or BEGIN;
2. `_originals`: the objects of a snapshot that were not sent yet;
3. `_pending`: by uid the latest record of each object that changed while the reader was behind, in the order of
   their numbers;
4. `_queue`: the batches since then, as they came and shared with all other subscribers;
5. a bookmark.

As long as the queue stays under its bound every change is sent. Beyond it the queue is folded into `_pending`, where
a later record replaces an earlier one of its object, and the states left out are told by a SKIPPED record. Since all
is sent in the order of the numbers, number and version of the last record sent are at each moment a true place to
resume from: what came before has been sent, or will come again under a later number.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from notebook_mux.gateway.payload import Payload, number_of, version_of
from notebook_mux.wire.frames import (
    Channel,
    Kind,
    Position,
    Skipped,
    encode_columns,
    encode_position,
    encode_skipped,
    split_record,
)
from notebook_mux.wire.messages import Resume

QUEUE_BYTES = 4 * 1024 * 1024
"""Of changes that wait for one reader before they are folded: a second of 1,000 pod changes of 4 kB each."""

TOMBSTONE_BYTES = 4 * 1024 * 1024
"""Of deleted objects' last states that wait for a reader; with more a new snapshot is sent, which needs none."""

Item = tuple[int, str, bool, bytes]
"""(number, uid, whether it is a deletion, encoded record)."""


class Feed(Protocol):
    """What a subscriber needs of an upstream, see `upstream.Upstream`."""

    @property
    def incarnation(self) -> str:
        """Random, another one whenever the numbers begin again."""

    @property
    def number(self) -> int:
        """The last number given."""

    @property
    def version(self) -> str:
        """The last resourceVersion."""

    @property
    def start_version(self) -> str:
        """The resourceVersion at number 0, if it began with one that a client asked for."""

    @property
    def columns(self) -> list[dict[str, object]]:
        """The server's columnDefinitions."""

    @property
    def records(self) -> dict[str, bytes]:
        """By uid the encoded PUT record of each object, as of `number`."""

    @property
    def numbers(self) -> dict[str, int]:
        """By uid the number of its record."""

    @property
    def is_synced(self) -> bool:
        """Whether `records` is complete."""

    def replay_after(self, number: int) -> list[tuple[int, str, str, bytes]] | None:
        """All changes after `number` as (number, uid, version, encoded), or None if they are not all known."""

    def number_of_version(self, version: str) -> int | None:
        """The number at which the upstream had this resourceVersion."""


_encode = msgspec.json.Encoder().encode


class Subscriber:
    """One stream of one connection: an upstream's `Sink` and a sender's `Source`. All on the gateway's loop.

    Args:
        feed: The upstream. The caller subscribes this object to it, then calls `start`.
        instance: The gateway's.
        resume: Where the client stood, if it did.
        wake: Called when `pull` may have something.
        tell: Called when the upstream's state has changed.
        queue_bytes: See `QUEUE_BYTES`.
        tombstone_bytes: See `TOMBSTONE_BYTES`.
    """

    def __init__(
        self,
        feed: Feed,
        instance: str,
        resume: Resume | None,
        wake: Callable[[], None],
        tell: Callable[[], None],
        *,
        queue_bytes: int = QUEUE_BYTES,
        tombstone_bytes: int = TOMBSTONE_BYTES,
    ) -> None:
        self.skipped = 0
        self.snapshots = 0
        self.resumes = 0
        self._feed = feed
        self._instance = instance
        self._resume = resume
        self._wake = wake
        self._tell = tell
        self._queue_limit = queue_bytes
        self._tombstone_limit = tombstone_bytes
        self._begun = False
        self._only_queue = False  # all but the queue is known to be empty
        self._snapshot_due = False
        self._floor = 0
        self._head: list[bytes] = []
        self._cut: Iterator[tuple[Channel, bytes]] | None = None
        self._originals: dict[str, bytes] | None = None
        self._owed: set[str] = set()
        self._begin = (0, "")
        self._pending: OrderedDict[str, bytes] = OrderedDict()
        self._tombstones = 0
        self._queue: deque[tuple[Sequence[Item], bytes]] = deque()
        self._queue_at = 0
        self._queue_bytes = 0
        self._exempt = 0
        self._sent = 0
        self._columns_due = False
        self._skipped_due = 0
        self._relisted_due = False
        self._progress: tuple[int, str] | None = None

    # --- the beginning --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, or wait for the upstream's first list."""
        if not self._begun and self._feed.is_synced:
            self._begun = True
            self._floor = self._feed.number
            if self._resume is None or not self._go_on(self._resume):
                self._snapshot_due = True
            self._wake()

    def _go_on(self, resume: Resume) -> bool:
        """Resume where the client stands, if that is known here; by number, else by version."""
        feed = self._feed
        number: int | None = None
        if (resume.instance, resume.incarnation) == (self._instance, feed.incarnation):
            number = resume.number if 0 <= resume.number <= feed.number else None
        elif resume.version:
            number = 0 if resume.version == feed.start_version else feed.number_of_version(resume.version)
        if number is None:
            return False
        replay = feed.replay_after(number)
        if replay is None:
            # Each change had one number, and the latest of each object that is there will be in the snapshot.
            later = sum(each > number for each in feed.numbers.values())
            self._skipped_due = feed.number - number - later
            return False
        position = Position(self._instance, feed.incarnation, resume.version)
        self._head = [encode_position(Kind.RESUMED, number, position)]
        self._columns_due = bool(feed.columns)
        self._sent = number
        if replay:
            items = [(each, uid, encoded[0] == Kind.DELETE, encoded) for each, uid, _, encoded in replay]
            # The ring has these anyway: they are sent as they were, however much it is, and count for no bound.
            self._exempt = sum(len(encoded) for _, _, _, encoded in items)
            self._queue.append((items, b""))
        self.resumes += 1
        return True

    def _snapshot(self) -> None:
        """Begin, or begin again, with all objects: the client works out the difference.

        Called when the first frame of it is asked for, so a reader that never asks costs nothing.
        """
        feed = self._feed
        self._snapshot_due = False
        self._floor = feed.number
        self._begin = (feed.number, feed.version)
        self._head = [
            encode_position(Kind.BEGIN, feed.number, Position(self._instance, feed.incarnation, feed.version))
        ]
        self._columns_due = bool(feed.columns)
        self._originals = dict(feed.records)
        self.snapshots += 1

    # --- the upstream's side --------------------------------------------------------------------------------------

    def batch(self, records: Sequence[Item], payload: bytes) -> None:
        """Changes, and the same as one run of bytes."""
        if not self._begun or self._snapshot_due:
            return
        if records[0][0] <= self._floor:  # it waited to be flushed when this reader began, and is in its snapshot
            records = [item for item in records if item[0] > self._floor]
            payload = b"".join(item[3] for item in records)
            if not records:
                return
        self._queue.append((records, payload))
        self._queue_bytes += len(payload)
        self._progress = None
        if self._queue_bytes > self._queue_limit:
            self._fold()
        self._wake()

    def progress(self, number: int, version: str) -> None:
        """A bookmark; only the last one counts."""
        if self._begun and not self._snapshot_due and number >= self._floor:
            self._progress = (number, version)
            self._only_queue = False
            self._wake()

    def columns_changed(self) -> None:
        """The table has other columns."""
        if self._begun:
            self._columns_due = True
            self._only_queue = False
            self._wake()

    def synced(self) -> None:
        """The first list is complete."""
        self.start()

    def relisted(self) -> None:
        """States may have been missed; the difference was in the last batches."""
        if self._begun and not self._snapshot_due:
            self._relisted_due = True
            self._only_queue = False
            self._progress = (self._feed.number, self._feed.version)
            self._wake()

    def state_changed(self) -> None:
        """The upstream's state."""
        self._tell()

    # --- compaction -----------------------------------------------------------------------------------------------

    def _fold(self) -> None:
        """Keep of each object that waits only its latest record."""
        self._only_queue = False
        pending, owed, originals = self._pending, self._owed, self._originals
        for records, _ in self._queue:
            for _, uid, deleted, encoded in records[self._queue_at :] if self._queue_at else records:
                old = pending.pop(uid, None)
                if originals is not None:
                    if originals.pop(uid, None) is not None:
                        owed.add(uid)
                    if uid in owed:
                        # Not named in this snapshot yet: a change replaces the original, a deletion needs no record.
                        if deleted:
                            owed.discard(uid)
                            self._skipped_due += 1
                        else:
                            pending[uid] = encoded
                        continue
                if old is not None:
                    self._skipped_due += 1
                    if old[0] == Kind.DELETE:
                        self._tombstones -= len(old)
                pending[uid] = encoded
                if deleted:
                    self._tombstones += len(encoded)
            self._queue_at = 0
        self._clear_queue()
        if self._tombstones > self._tombstone_limit:
            self._skipped_due += len(self._pending)
            self._start_over()

    def _start_over(self) -> None:
        """Forget what waits: a new snapshot will have it."""
        self._snapshot_due = True
        self._originals = None
        self._owed.clear()
        self._pending.clear()
        self._tombstones = 0
        self._clear_queue()
        self._head.clear()
        self._progress = None

    def _clear_queue(self) -> None:
        self._queue.clear()
        self._queue_at = self._queue_bytes = self._exempt = 0

    @property
    def waiting_bytes(self) -> int:
        """What waits for this reader alone, about: shared bytes are counted for each who waits for them."""
        return self._queue_bytes + self._tombstones

    # --- the sender's side ----------------------------------------------------------------------------------------

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next frame's channel and payload; see `notebook_mux.wire.sending.Source`."""
        if self._only_queue:
            if not self._queue:
                return None
            if (whole := self._shared(limit)) is not None:
                return Channel.CHANGES, whole
            self._only_queue = False
        if self._cut is not None:
            if (part := next(self._cut, None)) is not None:
                return part
            self._cut = None
        if not self._begun:
            return None
        if self._snapshot_due:
            self._snapshot()
        payload = Payload(limit)
        if self._control(payload) and self._objects(payload) and self._live(payload):
            self._only_queue = self._marks(payload)
        if payload.long is not None:
            self._cut = split_record(payload.long)
            return next(self._cut)
        return (Channel.CHANGES, payload.join()) if payload.parts else None

    def _shared(self, limit: int) -> bytes | None:
        """The next batch, whose bytes all readers share, if it makes a frame of its own: nearly each one does."""
        queue = self._queue
        records, whole = queue[0]
        size = len(whole)
        if not 0 < size <= limit or self._queue_at or (len(queue) > 1 and size + len(queue[1][1]) <= limit):
            return None
        queue.popleft()
        self._queue_bytes -= size
        self._sent = records[-1][0]
        return whole

    def _control(self, payload: Payload) -> bool:
        """What goes before all objects. Small, but columns may be long. True if there is room for more."""
        while self._head:
            if not payload.add(self._head[0]):
                return False
            self._head.pop(0)
        if self._columns_due:
            if not payload.add(encode_columns(self._sent, _encode(self._feed.columns))):
                return False
            self._columns_due = False
        if self._relisted_due:
            if not payload.add(encode_skipped(self._sent, Skipped(0, "relist"))):
                return False
            self._relisted_due = False
        if self._skipped_due:
            if not payload.add(encode_skipped(self._sent, Skipped(self._skipped_due, "slow"))):
                return False
            self.skipped += self._skipped_due
            self._skipped_due = 0
        return payload.long is None

    def _objects(self, payload: Payload) -> bool:
        """What is kept by uid, and the snapshot's end. True if nothing of it is left."""
        originals = self._originals
        while originals:
            uid, encoded = originals.popitem()  # the last: a dict's front is slow to find once much of it is gone
            if not payload.add(encoded):
                originals[uid] = encoded
                return False
        pending = self._pending
        while True:
            if originals is not None and not self._owed:
                if not payload.add(self._end_record()):
                    return False
                originals = self._originals = None
            if not pending:
                return payload.long is None
            uid = next(iter(pending))
            encoded = pending[uid]
            if not payload.add(encoded):
                return False
            del pending[uid]
            if encoded[0] == Kind.DELETE:
                self._tombstones -= len(encoded)
            self._owed.discard(uid)
            self._sent = number_of(encoded)
            self._last = encoded

    _last = b""

    def _end_record(self) -> bytes:
        """END, at the place where the snapshot began or, if it was folded since, at the last record sent."""
        number, version = self._begin
        if self._last and self._sent > number:
            number, version = self._sent, version_of(self._last)
        self._sent = number
        return encode_position(Kind.END, number, Position(self._instance, self._feed.incarnation, version))

    def _live(self, payload: Payload) -> bool:
        """The batches. True if nothing of them is left."""
        queue = self._queue
        while queue:
            records, whole = queue[0]
            if whole and not self._queue_at and payload.add_run(whole):
                self._sent = records[-1][0]
            elif 0 < len(whole) <= payload.limit and not self._queue_at:
                return False  # the next frame is for its shared bytes
            else:
                # What is longer than a frame, or is replayed, goes record by record.
                while self._queue_at < len(records):
                    number, _, _, encoded = records[self._queue_at]
                    if not payload.add(encoded):
                        return False
                    self._queue_at += 1
                    self._sent = number
            queue.popleft()
            self._queue_at = 0
            self._queue_bytes -= len(whole)
        return payload.long is None

    def _marks(self, payload: Payload) -> bool:
        """The last bookmark, when there is nothing else to say. True if there is none left."""
        if self._progress is not None:
            number, version = self._progress
            position = Position(self._instance, self._feed.incarnation, version)
            if not payload.add(encode_position(Kind.PROGRESS, number, position)):
                return False
            self._progress = None
            self._sent = number
        return True
