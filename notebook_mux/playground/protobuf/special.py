"""Messages that JSON shows as something else than an object of their fields: times, quantities, free JSON.

How each looks in JSON is documented in k8s.io/apimachinery (``Time``, ``MicroTime``, ``Duration``, ``Quantity``,
``IntOrString``, ``FieldsV1``, ``RawExtension``) and k8s.io/apiextensions-apiserver (``JSON``,
``JSONSchemaPropsOr...``).
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from notebook_mux.playground.protobuf import wire
from notebook_mux.playground.protobuf.wire import BYTES, VARINT, Malformed

EXACT = 1e21
"""Floats from here on are written with an exponent by Go, as by ECMAScript."""

_META = "k8s.io.apimachinery.pkg.apis.meta.v1"
_EXTENSIONS = "k8s.io.apiextensions-apiserver.pkg.apis.apiextensions.v1"
_SCHEMA = f"{_EXTENSIONS}.JSONSchemaProps"
PROTOBUF_MAGIC = b"k8s\0"


class Message(NamedTuple):
    """How one message is read and written, and what JSON has where it is not there."""

    read: Callable[[Any], Any]
    write: Callable[[Any], bytes]
    zero: Callable[[], Any] = lambda: None


def _first(data: Any, number: int, kind: int) -> Any:
    """The last value of a field; None if it is not there."""
    found = None
    for one, of_kind, value in wire.split(data):
        if one == number:
            if of_kind != kind:
                raise Malformed(f"wire type {of_kind} for field {number}")
            found = value
    return found


def _field(number: int, data: bytes) -> bytes:
    return wire.varint(number << 3 | BYTES) + wire.sized(data)


def _count(number: int, value: int) -> bytes:
    return wire.varint(number << 3 | VARINT) + wire.signed(value)


# ---------------------------------------------------------------------------------------------------- times

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))")
_SECONDS = "%Y-%m-%dT%H:%M:%S"
_YEARS = (-62135596800, 253402300799)
"""Seconds of the years 1 to 9999: what RFC 3339 can say. The first is Go's zero time."""


def _read_time(data: Any, digits: int) -> Any:
    seconds = _signed(_first(data, 1, VARINT) or 0)
    nanos = _first(data, 2, VARINT) or 0
    if not len(data) or (seconds == _YEARS[0] and not nanos):
        return None
    if not _YEARS[0] < seconds <= _YEARS[1]:
        raise Malformed(f"{seconds} is no time")
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    return f"{text}.{nanos:09}"[: len(text) + 1 + digits] + "Z" if digits else text + "Z"


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _write_time(value: Any, digits: int) -> bytes:
    matched = _TIME.fullmatch(value) if isinstance(value, str) else None
    if matched is None:
        raise Malformed(f"{value!r:.40} is no time")
    try:
        seconds = calendar.timegm(time.strptime(matched[1], _SECONDS))
    except ValueError as error:
        raise Malformed(str(error)) from None
    if matched[3]:
        away = int(matched[4]) * 3600 + int(matched[5]) * 60
        seconds += -away if matched[3] == "+" else away
    nanos = int(f"{matched[2] or ''}000000000"[:digits].ljust(9, "0")) if digits else 0
    return _count(1, seconds) + _count(2, nanos)


_DURATION = re.compile(r"(-?)(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)(?:\.(\d{1,9}))?s)?(?:(\d+)ms)?")


def _read_duration(data: Any) -> str:
    """A Go duration, such as ``1h0m0s``."""
    nanos = _signed(_first(data, 1, VARINT) or 0)
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 10**6)):
        if 0 < nanos < min(size * 1000, 10**9):
            return f"{sign}{_short(nanos, size)}{unit}"
    minutes, rest = divmod(nanos, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_short(rest, 10**9)}s"


def _short(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    digits = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _write_duration(value: Any) -> bytes:
    matched = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if matched is None:
        raise Malformed(f"{value!r:.40} is no duration")
    sign, hours, minutes, seconds, rest, millis = matched.groups()
    nanos = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * 10**9
    nanos += int((rest or "").ljust(9, "0")) + int(millis or 0) * 10**6
    return _count(1, -nanos if sign else nanos)


# ------------------------------------------------------------------------------- numbers that may be strings


def _read_quantity(data: Any) -> str:
    found = _first(data, 1, BYTES)
    return bytes(found).decode("utf-8", "replace") if found else "0"


def _write_quantity(value: Any) -> bytes:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Malformed(f"{value!r:.40} is no quantity")
    return _field(1, str(value).encode())


def _read_int_or_string(data: Any) -> int | str:
    if _first(data, 1, VARINT):
        return bytes(_first(data, 3, BYTES) or b"").decode("utf-8", "replace")
    return _signed(_first(data, 2, VARINT) or 0)


def _write_int_or_string(value: Any) -> bytes:
    if isinstance(value, str):
        return _count(1, 1) + _count(2, 0) + _field(3, value.encode())
    return _count(1, 0) + _count(2, value) + _field(3, b"")


# ------------------------------------------------------------------------------------------------ free JSON


def _read_json(data: Any) -> Any:
    raw = _first(data, 1, BYTES)
    if not raw:
        return None
    if bytes(raw[:4]) == PROTOBUF_MAGIC:
        from notebook_mux.playground.protobuf import envelope

        return envelope.unwrap(bytes(raw))
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from None


def _write_json(value: Any) -> bytes:
    return _field(1, msgspec.json.encode(value))


# ------------------------------------------------------------------------------------------- lists and schemas


def _read_strings(data: Any) -> list[str]:
    return [bytes(value).decode("utf-8", "replace") for number, _, value in wire.split(data) if number == 1]


def _write_strings(value: Any) -> bytes:
    if not isinstance(value, list):
        raise Malformed(f"{value!r:.40} is no list")
    return b"".join(_field(1, one.encode()) for one in value)


def _read_schema(data: Any) -> Any:
    from notebook_mux.playground.protobuf import codec

    return codec.decode(_SCHEMA, data)


def _write_schema(value: Any) -> bytes:
    from notebook_mux.playground.protobuf import codec

    return codec.encode(_SCHEMA, value)


def _read_or_array(data: Any) -> Any:
    many = [_read_schema(value) for number, kind, value in wire.split(data) if number == 2 and kind == BYTES]
    one = _first(data, 1, BYTES)
    return many or (_read_schema(one) if one is not None else None)


def _write_or_array(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(_field(2, _write_schema(one)) for one in value)
    return _field(1, _write_schema(value))


def _read_or_bool(data: Any) -> Any:
    schema = _first(data, 2, BYTES)
    return _read_schema(schema) if schema is not None else bool(_first(data, 1, VARINT))


def _write_or_bool(value: Any) -> bytes:
    if isinstance(value, bool):
        return _count(1, int(value))
    return _count(1, 1) + _field(2, _write_schema(value))


def _read_or_strings(data: Any) -> Any:
    schema = _first(data, 1, BYTES)
    if schema is not None:
        return _read_schema(schema)
    return [bytes(value).decode("utf-8", "replace") for number, _, value in wire.split(data) if number == 2]


def _write_or_strings(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(_field(2, one.encode()) for one in value)
    return _field(1, _write_schema(value))


MESSAGES: dict[str, Message] = {
    f"{_META}.Time": Message(lambda data: _read_time(data, 0), lambda value: _write_time(value, 0)),
    f"{_META}.MicroTime": Message(lambda data: _read_time(data, 6), lambda value: _write_time(value, 6)),
    f"{_META}.Duration": Message(_read_duration, _write_duration, lambda: "0s"),
    f"{_META}.FieldsV1": Message(_read_json, _write_json),
    f"{_META}.Verbs": Message(_read_strings, _write_strings),
    "k8s.io.apimachinery.pkg.api.resource.Quantity": Message(_read_quantity, _write_quantity, lambda: "0"),
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": Message(_read_int_or_string, _write_int_or_string, lambda: 0),
    "k8s.io.apimachinery.pkg.runtime.RawExtension": Message(_read_json, _write_json),
    "k8s.io.api.authentication.v1.ExtraValue": Message(_read_strings, _write_strings),
    "k8s.io.api.authentication.v1.AttestationValue": Message(_read_strings, _write_strings),
    "k8s.io.api.authorization.v1.ExtraValue": Message(_read_strings, _write_strings),
    "k8s.io.api.certificates.v1.ExtraValue": Message(_read_strings, _write_strings),
    f"{_EXTENSIONS}.JSON": Message(_read_json, _write_json),
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": Message(_read_or_array, _write_or_array),
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": Message(_read_or_bool, _write_or_bool),
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": Message(_read_or_strings, _write_or_strings),
}
