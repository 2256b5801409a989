"""A program's output as it waits for its readers: in order, bounded, and kept until they have it.

A program's one reader says what it has; a terminal drops the oldest. Sans-IO. Places are counts of payload bytes since
the program's beginning, over all channels.
"""

from __future__ import annotations

from collections import deque

RING_BYTES = 2 * 1024 * 1024
"""What may wait for one program: twice what may be under way to a kernel, so that a reader never waits for the ring."""

CHUNK = 32 * 1024
"""Small pieces of a channel are put together up to this: an API server's own largest message."""

CHUNK_COST = 256
"""Bytes that a chunk costs besides its own."""


class _Chunk:
    __slots__ = ("apart", "channel", "data", "start")

    def __init__(self, channel: int, start: int, apart: bool) -> None:
        self.channel = channel
        self.start = start
        self.apart = apart
        self.data = bytearray()


class Ring:
    """See the module.

    Args:
        limit: Bytes, see `RING_BYTES`.
    """

    def __init__(self, limit: int = RING_BYTES) -> None:
        self.start = 0
        """The first byte that is still here."""
        self.end = 0
        """The place after the last byte."""
        self._limit = limit
        self._chunks: deque[_Chunk] = deque()

    @property
    def full(self) -> bool:
        """Whether nothing more should be put in until the reader has had some."""
        return self.end - self.start + CHUNK_COST * len(self._chunks) >= self._limit

    def put(self, channel: int, data: bytes, *, apart: bool = False) -> None:
        """Append; never refused, so look at `full` before, or `pop` behind it.

        Args:
            channel: Whose.
            data: The bytes.
            apart: They are read as they came here, and not with what comes before or after.
        """
        if not data:
            return
        last = self._chunks[-1] if self._chunks else None
        joins = last is not None and last.channel == channel and not (apart or last.apart)
        if last is None or not joins or len(last.data) + len(data) > CHUNK:
            last = _Chunk(channel, self.end, apart)
            self._chunks.append(last)
        last.data += data
        self.end += len(data)

    def read(self, place: int, limit: int) -> tuple[int, bytes] | None:
        """What comes at `place`, of one channel, at most `limit` bytes; None if there is nothing yet."""
        for chunk in reversed(self._chunks):
            if chunk.start <= place:
                at = place - chunk.start
                piece = bytes(chunk.data[at : at + limit])
                return (chunk.channel, piece) if piece else None
        return None

    def forget(self, place: int) -> None:
        """The reader has all before `place`; whole chunks of that go."""
        self.start = max(self.start, min(place, self.end))
        while self._chunks and self._chunks[0].start + len(self._chunks[0].data) <= self.start:
            self._chunks.popleft()

    def pop(self) -> tuple[int, bytes]:
        """Drop the oldest piece, which must be there; gives what was left of it."""
        chunk = self._chunks.popleft()
        dropped = bytes(chunk.data[max(0, self.start - chunk.start) :])
        self.start = chunk.start + len(chunk.data)
        return chunk.channel, dropped
