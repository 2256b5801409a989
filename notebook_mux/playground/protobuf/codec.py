"""Messages to JSON and back, by the table of their fields.

Encoding: protobuf.dev/programming-guides/encoding. What JSON shows of a message is what Go's encoder shows of the
struct: a field that is not on the wire is left out, null, or empty, as its tags say.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from notebook_mux.playground.protobuf import special, table, wire
from notebook_mux.playground.protobuf.wire import BYTES, Malformed

Json = dict[str, Any]

_MISSING = object()


class _Compiled:
    """A field with its reader and writer."""

    __slots__ = ("always", "drop_empty", "field", "key", "name", "number", "read", "wire", "write", "zero")

    def __init__(self, field: table.Field):
        self.field = field
        self.name = field.name
        self.number = field.number
        self.wire = table.SCALARS.get(field.kind, BYTES)
        self.key = wire.varint(field.number << 3 | (BYTES if field.is_map else self.wire))
        self.always = field.is_always_there
        self.drop_empty = not self.always and not field.is_pointer
        self.read, self.write = _scalar(field.kind) if field.is_scalar else _message(field.kind)
        self.zero = _zero(field)


def _scalar(kind: str) -> tuple[Callable[[Any], Any], Callable[[Any], bytes]]:
    return _SCALARS[kind]


def _message(kind: str) -> tuple[Callable[[Any], Any], Callable[[Any], bytes]]:
    own = special.MESSAGES.get(kind)
    if own is not None:
        return own.read, own.write
    return lambda data: decode(kind, data), lambda value: encode(kind, value)


def _zero(field: table.Field) -> Callable[[], Any]:
    if field.is_map or field.is_list:
        return lambda: None
    if field.kind in _ZEROS:
        value = _ZEROS[field.kind]
        return lambda: value
    own = special.MESSAGES.get(field.kind)
    if own is not None:
        return own.zero
    return lambda: decode(field.kind, b"")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _number(value: float) -> int | float:
    """A float as Go's encoder writes it: whole ones without a point."""
    return int(value) if value.is_integer() and abs(value) < special.EXACT else value


def _from_base64(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"illegal base64 data: {error}") from None


def _text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise Malformed(f"{value!r:.40} is no string")
    return wire.sized(value.encode("utf-8", "surrogatepass"))


_SCALARS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], bytes]]] = {
    "string": (lambda data: bytes(data).decode("utf-8", "replace"), _text),
    "bytes": (lambda data: base64.b64encode(data).decode(), lambda value: wire.sized(_from_base64(value))),
    "int32": (_signed, wire.signed),
    "int64": (_signed, wire.signed),
    "uint32": (lambda value: value, wire.signed),
    "uint64": (lambda value: value, wire.signed),
    "bool": (bool, lambda value: b"\1" if value else b"\0"),
    "double": (lambda data: _number(struct.unpack("<d", data)[0]), lambda value: struct.pack("<d", value)),
}
_ZEROS: dict[str, Any] = {"string": "", "bytes": None, "int32": 0, "int64": 0, "uint32": 0, "uint64": 0, "bool": False,
                          "double": 0}  # fmt: skip


@cache
def _fields(message: str) -> tuple[tuple[_Compiled, ...], dict[int, _Compiled]]:
    found = table.fields(message)
    if found is None:
        raise KeyError(message)
    compiled = tuple(_Compiled(field) for field in found)
    return compiled, {one.number: one for one in compiled}


def decode(message: str, data: bytes | memoryview) -> Json:
    """What a message says, as JSON's values.

    Raises:
        KeyError: There is no such message.
        Malformed: The bytes are none.
    """
    in_order, by_number = _fields(message)
    got: dict[int, Any] = {}
    for number, kind, raw in wire.split(data):
        one = by_number.get(number)
        if one is None:
            continue
        if one.field.is_map:
            key, value = _entry(one, kind, raw)
            got.setdefault(number, {})[key] = value
        elif kind == one.wire:
            value = one.read(raw)
            if one.field.is_list:
                got.setdefault(number, []).append(value)
            else:
                got[number] = value
        elif one.field.is_list and kind == BYTES:
            got.setdefault(number, []).extend(one.read(value) for value in wire.packed(raw, one.wire))
        else:
            raise Malformed(f"wire type {kind} for field {one.name!r} of {message}")
    found: Json = {}
    for one in in_order:
        value = got.get(one.number, _MISSING)
        if value is _MISSING:
            if not one.always:
                continue
            value = one.zero()
        elif one.drop_empty and (not value or value == one.zero()):
            continue
        if one.name:
            found[one.name] = value
        else:
            found.update(value)
    return found


def _entry(one: _Compiled, kind: int, raw: Any) -> tuple[str, Any]:
    """A map's entry is a message of its own: 1 is the key, 2 the value."""
    if kind != BYTES:
        raise Malformed(f"wire type {kind} for the map {one.name!r}")
    key, value = "", _MISSING
    for number, inner, part in wire.split(raw):
        if number == 1 and inner == BYTES:
            key = bytes(part).decode("utf-8", "replace")
        elif number == 2 and inner == one.wire:
            value = one.read(part)
    if value is _MISSING:
        value = "" if one.field.kind == "bytes" else _ZEROS[one.field.kind] if one.field.is_scalar else one.read(b"")
    return key, value


def encode(message: str, obj: Any) -> bytes:
    """The message that says what JSON's values say.

    Raises:
        KeyError: There is no such message.
        Malformed: A value is of another type than its field.
    """
    if not isinstance(obj, dict):
        raise Malformed(f"{obj!r:.40} is no {message}")
    parts: list[bytes] = []
    for one in _fields(message)[0]:
        value = obj.get(one.name) if one.name else obj
        if value is None:
            continue
        try:
            if one.field.is_map:
                for key in sorted(value):
                    inner = b"\x0a" + _text(key) + _map_key(one) + _written(one, value[key])
                    parts.append(one.key + wire.sized(inner))
            elif one.field.is_list:
                parts.extend(one.key + _written(one, item) for item in value)
            else:
                parts.append(one.key + _written(one, value))
        except (TypeError, ValueError, AttributeError, struct.error) as error:
            raise error if isinstance(error, Malformed) else Malformed(f"{message}.{one.name}: {error}") from None
    return b"".join(parts)


def _map_key(one: _Compiled) -> bytes:
    return wire.varint(2 << 3 | one.wire)


def _written(one: _Compiled, value: Any) -> bytes:
    found = one.write(value)
    return found if one.field.is_scalar else wire.sized(found)
