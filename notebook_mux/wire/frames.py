"""Binary frames of notebook-mux.v1 and the records inside them.

A binary frame is ``[stream id: uint32][channel: uint8][payload]``, big endian, at most `MAX_FRAME` bytes. On the
channel `Channel.CHANGES` the payload is a run of records, each
``[kind: uint8][number: uint64][head: uint16][cells: uint32][object: uint32]`` (the last three are lengths in bytes)
followed by the head (a JSON array), the cells (the JSON array of a server's table row, untouched) and the object
(its JSON as the API server sent it). A record too long for one frame is cut into frames of `Channel.PART` and a last
one of `Channel.CHANGES`. ``PROTOCOL.md`` has the whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

import msgspec

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import UNREADABLE

MAX_FRAME = 64 * 1024
"""Bytes of a binary frame with its header: small enough that a terminal's byte never waits long behind data."""

MAX_RECORD = 32 * 1024 * 1024
"""Bytes of one record put together from parts: far above etcd's 1.5 MiB an object, far below a kernel's memory."""

FRAME_HEAD = struct.Struct("!IB")
RECORD_HEAD = struct.Struct("!BQHII")
MAX_PAYLOAD = MAX_FRAME - FRAME_HEAD.size

NUMBER = struct.Struct("!Q")
"""Before a program's input in each frame of `Channel.STDIN`: how many bytes of input come before these."""


class Channel(IntEnum):
    """The byte after the stream id. 0 to 4 and 255 are Kubernetes' remotecommand channels (KEP-4006)."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4
    CHANGES = 16
    PART = 17
    BODY = 18
    END = 19
    VIEW = 20
    FORWARD = 21
    CLOSE = 255


class Kind(IntEnum):
    """What a record of `Channel.CHANGES` says."""

    PUT = 1
    """An object as it is now, new or changed: the receiver knows which."""
    DELETE = 2
    """An object that is gone, with its last state."""
    BEGIN = 3
    """A snapshot begins; its head is `Position`."""
    END = 4
    """The snapshot is complete: what the receiver holds and was not named since BEGIN is gone. Head: `Position`."""
    RESUMED = 5
    """The receiver's history goes on; nothing it holds is in doubt. Head: `Position`."""
    COLUMNS = 6
    """The table's columns. Head: empty array; object: the JSON array of columnDefinitions."""
    PROGRESS = 7
    """A bookmark: all up to this number and version has been sent. Head: `Position`."""
    SKIPPED = 8
    """States in between were left out. Head: `Skipped`."""


class Record(msgspec.Struct, array_like=True, gc=False):
    """One object as it travels and as the kernel's store keeps it.

    The first six fields are the head on the wire. ``gc=False``: it holds text and bytes only, and stores of tens
    of thousands must not slow the cyclic collector.
    """

    uid: str
    namespace: str
    name: str
    version: str
    created: str
    printed: float
    cells: bytes = b"[]"
    object: bytes = b""
    number: int = 0


class Position(msgspec.Struct, array_like=True, frozen=True):
    """Where a stream stands: gateway instance, upstream incarnation, resourceVersion (opaque text)."""

    instance: str
    incarnation: str
    version: str


class Skipped(msgspec.Struct, array_like=True, frozen=True):
    """How many states were left out, and why: ``"slow"`` (the reader fell behind) or ``"relist"``."""

    states: int
    why: str


_encoder = msgspec.json.Encoder()
_decode_head = msgspec.json.Decoder(Record).decode
_decode_position = msgspec.json.Decoder(Position).decode
_decode_skipped = msgspec.json.Decoder(Skipped).decode


def uid_of(uid: str, namespace: str, name: str) -> str:
    """The key of an object; some aggregated APIs (metrics) serve objects without a uid."""
    return uid or f"-/{namespace}/{name}"


def encode_record(
    kind: Kind | int,
    number: int,
    uid: str,
    namespace: str,
    name: str,
    version: str,
    created: str,
    printed: float,
    cells: bytes | bytearray | memoryview | msgspec.Raw,
    object: bytes | bytearray | memoryview | msgspec.Raw,  # noqa: A002 - the protocol's word
) -> bytes:
    """One PUT or DELETE as bytes; `cells` and `object` are raw JSON and are copied as they are."""
    head = _encoder.encode((uid, namespace, name, version, created, printed))
    return b"".join((RECORD_HEAD.pack(kind, number, len(head), len(cells), len(object)), head, cells, object))


def encode_position(kind: Kind, number: int, position: Position, object: bytes = b"") -> bytes:  # noqa: A002
    """A BEGIN, END, RESUMED or PROGRESS record."""
    head = _encoder.encode(position)
    return RECORD_HEAD.pack(kind, number, len(head), 0, len(object)) + head + object


def encode_columns(number: int, columns: bytes) -> bytes:
    """A COLUMNS record; `columns` is the raw JSON array."""
    return RECORD_HEAD.pack(Kind.COLUMNS, number, 2, 0, len(columns)) + b"[]" + columns


def encode_skipped(number: int, skipped: Skipped) -> bytes:
    """A SKIPPED record."""
    head = _encoder.encode(skipped)
    return RECORD_HEAD.pack(Kind.SKIPPED, number, len(head), 0, 0) + head


def encode_frame(stream: int, channel: Channel | int, payload: bytes) -> bytes:
    """A binary frame.

    Raises:
        ValueError: The payload is over `MAX_PAYLOAD`; cut it with `split_payload`.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload of {len(payload)} bytes does not fit into one frame")
    return FRAME_HEAD.pack(stream, channel) + payload


def decode_frame(frame: bytes) -> tuple[int, int, bytes]:
    """Stream id, channel and payload.

    Raises:
        ProtocolError: The frame is shorter than its header.
    """
    if len(frame) < FRAME_HEAD.size:
        raise ProtocolError(f"a binary frame of {len(frame)} bytes is shorter than its header")
    stream, channel = FRAME_HEAD.unpack_from(frame)
    return stream, channel, frame[FRAME_HEAD.size :]


def split_record(record: bytes) -> Iterator[tuple[Channel, bytes]]:
    """A record as the frames it takes: (channel, payload) of PARTs and one last CHANGES."""
    start = 0
    while len(record) - start > MAX_PAYLOAD:
        yield Channel.PART, record[start : start + MAX_PAYLOAD]
        start += MAX_PAYLOAD
    yield Channel.CHANGES, record[start:] if start else record


Change = tuple[int, int, "Record | Position | Skipped | bytes"]
"""(kind, number, content): a `Record` for PUT and DELETE, a `Position`, a `Skipped`, or the raw columns."""


def decode_records(payload: bytes) -> list[Change]:
    """The records of a whole CHANGES payload (parts already joined).

    Raises:
        ProtocolError: A length points past the end, a kind is unknown, or a head is not what its kind says.
    """
    changes: list[Change] = []
    append = changes.append
    unpack, size, end = RECORD_HEAD.unpack_from, RECORD_HEAD.size, len(payload)
    start = 0
    try:
        while start < end:
            kind, number, head_size, cells_size, object_size = unpack(payload, start)
            head_end = start + size + head_size
            cells_end = head_end + cells_size
            stop = cells_end + object_size
            if stop > end:
                raise ProtocolError(f"a record of {stop - start} bytes in a payload with {end - start} left")
            head = payload[start + size : head_end]
            if kind == 1 or kind == 2:
                record = _decode_head(head)
                record.cells = payload[head_end:cells_end]
                record.object = payload[cells_end:stop]
                record.number = number
                append((kind, number, record))
            elif kind in (Kind.BEGIN, Kind.END, Kind.RESUMED, Kind.PROGRESS):
                append((kind, number, _decode_position(head)))
            elif kind == Kind.COLUMNS:
                append((kind, number, payload[cells_end:stop]))
            elif kind == Kind.SKIPPED:
                append((kind, number, _decode_skipped(head)))
            else:
                raise ProtocolError(f"a record of the unknown kind {kind}")
            start = stop
    except (struct.error, *UNREADABLE) as error:
        raise ProtocolError("a record cannot be decoded", said=str(error)) from error
    return changes
