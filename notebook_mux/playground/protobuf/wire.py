"""The bytes of protobuf: numbers, lengths, fields.

Encoding: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_SHIFT = 63
"""Bits of a number before its last byte; a longer one is none."""


class Malformed(ValueError):
    """Bytes that are no message, or a value that its field cannot have."""


def varint(value: int) -> bytes:
    """An unsigned number."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def signed(value: Any) -> bytes:
    """A number, negative ones in ten bytes.

    Raises:
        Malformed: It is none, or has more than 64 bits.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not -(1 << 63) <= value < 1 << 64:
        raise Malformed(f"{value!r:.40} is no whole number of 64 bits")
    return varint(value & (1 << 64) - 1)


def sized(data: bytes) -> bytes:
    """Bytes with their length in front."""
    return varint(len(data)) + data


def _read_varint(data: Any, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
        if shift > MAX_SHIFT:
            raise Malformed("a number of more than ten bytes")
    raise Malformed("unexpected EOF")


def split(data: bytes | memoryview) -> Iterator[tuple[int, int, Any]]:
    """The fields of a message: number, wire type, and a number or the bytes.

    Raises:
        Malformed: It ends in a field, or has groups, which Kubernetes does not use.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _read_varint(data, at, end)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise Malformed("illegal tag 0")
        if kind == VARINT:
            value, at = _read_varint(data, at, end)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = _read_varint(data, at, end)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise Malformed(f"illegal wire type {kind}")
        if at + size > end:
            raise Malformed("unexpected EOF")
        yield number, kind, data[at : at + size]
        at += size


def packed(data: bytes | memoryview, kind: int) -> Iterator[Any]:
    """The numbers of a packed list.

    Raises:
        Malformed: It is none.
    """
    at, end = 0, len(data)
    while at < end:
        if kind == VARINT:
            value, at = _read_varint(data, at, end)
            yield value
        elif kind == FIXED64 and at + 8 <= end:
            yield data[at : at + 8]
            at += 8
        else:
            raise Malformed("a packed list of what cannot be packed")
