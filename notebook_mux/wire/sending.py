"""The gateway's order of sending: control first, then urgent streams, then the others in turn by bytes.

A stream is urgent as long as it sends little at a time: what a terminal echoes goes first, and what floods it takes its
turn among the watches.

Sans-IO: `Sender.take` gives the next frame to write or None, and the caller writes it and asks again, so that little
lies unsent in the socket's buffers and a control message or a terminal's byte overtakes any amount of data. A data
frame comes as its header and its payload, not joined: the payload of a watch is shared by all who read that watch.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Protocol

from notebook_mux.wire.frames import FRAME_HEAD, MAX_FRAME, MAX_PAYLOAD
from notebook_mux.wire.messages import Message, encode

CONNECTION_STREAM = 0
"""The stream id that stands for the whole connection in `Credit`."""

CONNECTION_CREDIT = 8 * 1024 * 1024
"""Bytes that may be under way to a kernel before it grants more: some seconds of 1,000 pod changes a second."""

STREAM_CREDIT = 1024 * 1024
"""The same for one stream: sixteen full frames, so a round trip of a few ms never stalls a loopback socket."""

MAX_CREDIT = 1 << 40
"""More than this outstanding is a client that counts wrongly; it is cut off here, so that sums stay sane."""


Parts = tuple[bytes, bytes]
"""A binary frame's header and its payload."""


_BINARY = 0x82
_SHORT, _MIDDLE, _LONG = struct.Struct("!BB"), struct.Struct("!BBH"), struct.Struct("!BBQ")


def binary_head(size: int) -> bytes:
    """A WebSocket's own header of a binary message of `size` bytes in one frame, from a server (RFC 6455, 5.2)."""
    if size < 126:
        return _SHORT.pack(_BINARY, size)
    return _MIDDLE.pack(_BINARY, 126, size) if size < 1 << 16 else _LONG.pack(_BINARY, 127, size)


class Source(Protocol):
    """What a stream sends from."""

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next frame as (channel, payload of at most `limit` bytes), or None if there is nothing now."""


class _Lane:
    __slots__ = ("burst", "credit", "deficit", "queued", "source", "urgent")

    def __init__(self, source: Source, credit: int, urgent: bool) -> None:
        self.source = source
        self.credit = credit
        self.urgent = urgent
        self.deficit = 0
        self.burst = 0
        """Bytes since its source had nothing to send."""
        self.queued = False

    @property
    def hurries(self) -> bool:
        """Whether it goes before the others now."""
        return self.urgent and self.burst < MAX_FRAME


class Sender:
    """Decides what goes onto the socket next.

    Args:
        credit: Bytes the client allows on the connection before it grants more.
    """

    def __init__(self, credit: int = CONNECTION_CREDIT) -> None:
        self.credit = credit
        self.sent_bytes = 0
        self.sent_frames = 0
        self._control: deque[str] = deque()
        self._lanes: dict[int, _Lane] = {}
        self._turns: deque[int] = deque()
        self._urgent: deque[int] = deque()

    def control(self, message: Message) -> None:
        """Queue a control message; it goes before all data."""
        self._control.append(encode(message))

    def add(self, stream: int, source: Source, credit: int, *, urgent: bool = False) -> None:
        """Open a lane for `stream`.

        Args:
            stream: Its id.
            source: What it sends from.
            credit: Bytes.
            urgent: It goes before the others (terminals), until it has sent `MAX_FRAME` bytes without a pause.
        """
        self._lanes[stream] = _Lane(source, min(credit, MAX_CREDIT), urgent)
        self.wake(stream)

    def remove(self, stream: int) -> None:
        """Close the lane; what its source still had is dropped."""
        self._lanes.pop(stream, None)

    def wake(self, stream: int) -> None:
        """Say that the source of `stream` may have something to send."""
        lane = self._lanes.get(stream)
        if lane is not None and not lane.queued:
            lane.queued = True
            (self._urgent if lane.hurries else self._turns).append(stream)

    def grant(self, stream: int, size: int) -> None:
        """The client allows `size` more bytes on `stream` (0: the connection)."""
        if stream == CONNECTION_STREAM:
            self.credit = min(self.credit + size, MAX_CREDIT)
        elif (lane := self._lanes.get(stream)) is not None:
            lane.credit = min(lane.credit + size, MAX_CREDIT)
            self.wake(stream)

    def next(self) -> str | bytes | None:
        """As `take`, in one piece."""
        taken = self.take()
        return b"".join(taken) if isinstance(taken, tuple) else taken

    def take(self) -> str | Parts | None:
        """The next frame to write, or None until `wake`, `grant` or `control` is called.

        A frame goes out while the credit is above zero, so it may be overdrawn by less than one frame.
        """
        if self._control:
            return self._control.popleft()
        if self.credit <= 0:
            return None
        for turns in (self._urgent, self._turns):
            while turns:
                frame = self._turn(turns)
                if frame is not None:
                    return frame
        return None

    def _turn(self, turns: deque[int]) -> Parts | None:
        """One frame of the stream whose turn it is; it keeps its turn until it has had `MAX_FRAME` bytes."""
        stream = turns[0]
        lane = self._lanes.get(stream)
        pulled = lane.source.pull(MAX_PAYLOAD) if lane is not None and lane.credit > 0 else None
        if lane is None or pulled is None:
            turns.popleft()
            if lane is not None:
                lane.queued = False
                lane.deficit = 0
                lane.burst = lane.burst if lane.credit <= 0 else 0
            return None
        channel, payload = pulled
        size = FRAME_HEAD.size + len(payload)
        if size > MAX_FRAME:
            raise ValueError(f"a payload of {len(payload)} bytes does not fit into one frame")
        self.credit -= size
        self.sent_bytes += size
        self.sent_frames += 1
        lane.credit -= size
        lane.deficit += size
        lane.burst += size
        if lane.deficit >= MAX_FRAME:
            lane.deficit -= MAX_FRAME
            turns.rotate(-1)
        if turns is self._urgent and not lane.hurries:
            turns.remove(stream)
            self._turns.append(stream)
        return FRAME_HEAD.pack(stream, channel), payload
