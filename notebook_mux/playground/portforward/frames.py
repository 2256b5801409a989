"""SPDY/3.1 frames: bytes and what they mean.

Draft "SPDY Protocol - Draft 3.1", section 2.6. A control frame begins with a bit that is set, 15 bits of version and 16
of type; a data frame with a bit that is not set and 31 of a stream. Then flags, a byte, and a length, three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

VERSION = 3
CONTROL = 0x80000000
STREAM_BITS = 0x7FFFFFFF
HEAD = 8
"""Bytes before a frame's payload."""

MAX_FRAME = 1 << 24
"""A length has three bytes, so no frame is as long."""

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN, UNIDIRECTIONAL = 0x01, 0x02

PROTOCOL_ERROR, INVALID_STREAM, REFUSED_STREAM, UNSUPPORTED_VERSION, CANCEL = 1, 2, 3, 4, 5
"""Why a stream is reset."""

LEAST = {SYN_STREAM: 10, SYN_REPLY: 4, RST_STREAM: 8, SETTINGS: 4, PING: 4, GOAWAY: 8, HEADERS: 4, WINDOW_UPDATE: 8}
"""Bytes of payload that a control frame has at least."""


class BadFrame(ValueError):
    """What is no frame of SPDY/3.1: the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame.

    Args:
        type: Of a control frame; 0 for data.
        stream: The stream; 0 for a frame that is of none. For a ping its number, for GOAWAY the last good stream.
        payload: The data, the compressed headers, or what stands behind the stream's number.
        flags: Its flags.
    """

    type: int
    stream: int
    payload: bytes = b""
    flags: int = 0

    @property
    def fin(self) -> bool:
        """Whether its sender says no more on the stream."""
        return self.type in (0, SYN_STREAM, SYN_REPLY, HEADERS) and bool(self.flags & FIN)

    @property
    def status(self) -> int:
        """Of RST_STREAM and GOAWAY."""
        return int.from_bytes(self.payload[:4], "big")


def encode(frame: Frame) -> bytes:
    """A frame's bytes.

    Raises:
        BadFrame: Its payload is too long.
    """
    stream = (frame.stream & STREAM_BITS).to_bytes(4, "big")
    body = frame.payload
    if frame.type == 0:
        head = stream
    else:
        head = (CONTROL | VERSION << 16 | frame.type).to_bytes(4, "big")
        if frame.type != SETTINGS:
            body = stream + body
    if len(body) >= MAX_FRAME:
        raise BadFrame(f"a frame of {len(body)} bytes")
    return head + bytes([frame.flags]) + len(body).to_bytes(3, "big") + body


def syn_stream(stream: int, block: bytes, flags: int = 0) -> Frame:
    """A frame that opens a stream: no other stream belongs to it, the highest priority, no credential slot."""
    return Frame(SYN_STREAM, stream, bytes(6) + block, flags)


def reset(stream: int, status: int) -> Frame:
    """A frame that ends a stream at once, both ways."""
    return Frame(RST_STREAM, stream, status.to_bytes(4, "big"))


class Reader:
    """Cuts a stream of bytes into frames.

    Args:
        limit: Bytes of a frame's payload; a longer one is refused.
    """

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Add bytes; the frames that are whole now.

        Raises:
            BadFrame: Another version, a control frame that is too short, one that is too long.
        """
        self._buffer += data
        while len(self._buffer) >= HEAD:
            first = int.from_bytes(self._buffer[:4], "big")
            length = int.from_bytes(self._buffer[5:HEAD], "big")
            if length > self._limit:
                raise BadFrame(f"a frame of {length} bytes")
            if first & CONTROL and (version := first >> 16 & 0x7FFF) != VERSION:
                raise BadFrame(f"version {version}")
            if len(self._buffer) < HEAD + length:
                return
            flags, payload = self._buffer[4], bytes(self._buffer[HEAD : HEAD + length])
            del self._buffer[: HEAD + length]
            yield self._frame(first, flags, payload)

    @staticmethod
    def _frame(first: int, flags: int, payload: bytes) -> Frame:
        if not first & CONTROL:
            return Frame(0, first & STREAM_BITS, payload, flags)
        kind = first & 0xFFFF
        if len(payload) < LEAST.get(kind, 0):
            raise BadFrame(f"a control frame of type {kind} with {len(payload)} bytes")
        if kind == SETTINGS or kind not in LEAST:
            return Frame(kind, 0, payload, flags)
        stream = int.from_bytes(payload[:4], "big")
        if kind != PING:
            stream &= STREAM_BITS
        rest = payload[10:] if kind == SYN_STREAM else payload[4:]
        return Frame(kind, stream, rest, flags)
