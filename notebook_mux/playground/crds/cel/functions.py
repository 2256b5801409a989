"""The functions of CEL: conversions, texts, times, optional values here; lists, addresses, amounts in their modules.

What each takes and gives is in `declared`. Each takes its values (of a method the receiver first) and gives one; a
wrong number or type of values is a `CelError`, as where cel-go finds no overload.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from notebook_mux.playground.crds.cel import lists
from notebook_mux.playground.crds.cel.amounts import Amount, quantity, semver
from notebook_mux.playground.crds.cel.declared import NAMED_FORMATS
from notebook_mux.playground.crds.cel.formats import NamedFormat, named
from notebook_mux.playground.crds.cel.formatting import form
from notebook_mux.playground.crds.cel.lists import as_list
from notebook_mux.playground.crds.cel.network import Cidr, Ip, Url, cidr, ip, url
from notebook_mux.playground.crds.cel.values import (
    HIGHEST,
    LONGEST,
    LOWEST,
    CelError,
    Optional,
    Uint,
    checked,
    duration,
    equal,
    is_number,
    quoted,
    text_of,
    timestamp,
    type_of,
)
from notebook_mux.playground.quantities import NANO
from notebook_mux.playground.regexes import Match, RegexFault, pattern_of

Function = Callable[..., Any]

_INT, _UINT = re.compile(r"[+-]?[0-9]{1,20}"), re.compile(r"[0-9]{1,20}")
_OFFSET = re.compile(r"([+-]?)(\d{1,2}):(\d\d)")


def _int(value: Any) -> int:
    match value:
        case bool():
            raise CelError("no such overload")
        case int():
            return value
        case float():
            if not math.isfinite(value):
                raise CelError("integer overflow")
            return checked(int(value))
        case str():
            if not _INT.fullmatch(value) or not LOWEST <= int(value) <= HIGHEST:
                raise _no_conversion("int")
            return int(value)
        case datetime():
            return int(value.timestamp())
        case timedelta():
            return int(value.total_seconds() * 1e9)
    raise CelError("no such overload")


def _no_conversion(kind: str) -> CelError:
    return CelError(f"type conversion error from 'string' to '{kind}'")


def _uint(value: Any) -> Uint:
    if isinstance(value, str) and not _UINT.fullmatch(value):
        raise _no_conversion("uint")
    if isinstance(value, (datetime, timedelta)):
        raise CelError("no such overload")
    if isinstance(value, float) and not math.isfinite(value):
        raise CelError("unsigned integer overflow")
    found = Uint(value if isinstance(value, (int, float)) and not isinstance(value, bool) else _int(value))
    checked(found)
    return found


def _double(value: Any) -> float:
    try:
        if isinstance(value, str) or is_number(value):
            return float(value)
    except ValueError:
        raise _no_conversion("double") from None
    raise CelError("no such overload")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "True", "TRUE", "t", "1"):
        return True
    if value in ("false", "False", "FALSE", "f", "0"):
        return False
    raise _no_conversion("bool") if isinstance(value, str) else CelError("no such overload")


def _size(value: Any) -> int:
    if isinstance(value, (str, bytes, list, dict)):
        return len(value)
    raise CelError("no such overload")


def _matches(text: str, pattern: str) -> bool:
    return _found(_string(text), _string(pattern)) is not None


def _found(text: str, pattern: str, begin: int = 0) -> Match | None:
    try:
        return pattern_of(pattern).search(text, begin)
    except (re.error, RegexFault) as error:
        raise CelError(str(error)) from None


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise CelError("no such overload")
    return value


def _contains(text: Any, part: Any) -> bool:
    return _string(part) in _string(text)


def _index_of(value: Any, part: Any, start: int = 0) -> int:
    if isinstance(value, list):
        return next((i for i, one in enumerate(value) if equal(one, part)), -1)
    return _string(value).find(_string(part), start)


def _last_index_of(value: Any, part: Any, last: int | None = None) -> int:
    if isinstance(value, list):
        return next((i for i in range(len(value) - 1, -1, -1) if equal(value[i], part)), -1)
    return _string(value).rfind(_string(part), 0, None if last is None else last + len(part))


def _char_at(text: Any, index: Any) -> str:
    if not 0 <= index <= len(_string(text)):
        raise CelError(f"index out of range: {index}")
    return _string(text)[index : index + 1]


def _substring(text: Any, start: int, end: int | None = None) -> str:
    last = len(_string(text)) if end is None else end
    if not 0 <= start <= last <= len(text):
        if 0 <= start <= len(text) and 0 <= last <= len(text):
            raise CelError(f"invalid substring range. start: {start}, end: {last}")
        raise CelError(f"index out of range: {last if 0 <= start <= len(text) else start}")
    return _string(text)[start:last]


def _split(text: Any, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator == "":
        return list(_string(text))
    return _string(text).split(separator, -1 if limit < 0 else limit - 1)


def _replace(text: Any, old: str, new: str, limit: int = -1) -> str:
    count = _string(text).count(_string(old)) if limit < 0 else min(limit, len(text) + 1)
    if len(text) + count * len(_string(new)) > LONGEST:
        raise CelError("operation cancelled: actual cost limit exceeded")
    return str(text.replace(old, new, limit))


def _join(values: Any, separator: str = "") -> str:
    size = sum(len(_string(one)) + len(_string(separator)) for one in as_list(values))
    if size > LONGEST:
        raise CelError("operation cancelled: actual cost limit exceeded")
    return separator.join(values)


def _find(text: Any, pattern: str) -> str:
    match = _found(_string(text), _string(pattern))
    return match.group(text, 0) if match else ""


def _find_all(text: Any, pattern: str, limit: int = -1) -> list[str]:
    found, at, before = list[str](), 0, -1
    while (limit < 0 or len(found) < limit) and (match := _found(_string(text), _string(pattern), at)) is not None:
        if match.end > match.start or match.start != before:  # nothing right after a match is none, as in Go
            found.append(match.group(text, 0))
        before = match.end
        at = match.end + (match.end == match.start)
        if at > len(text):
            break
    return found


def _of_time(getter: Callable[[datetime], int]) -> Function:
    def get(value: Any, zone: str = "UTC") -> int:
        if not isinstance(value, datetime):
            raise CelError("no such overload")
        return getter(value.astimezone(_zone(zone)))

    return get


def _zone(name: str) -> tzinfo:
    if match := _OFFSET.fullmatch(name):
        sign = -1 if match[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(match[2]), minutes=int(match[3])))
    try:
        return UTC if name in ("UTC", "") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError(f"unknown time zone {name}") from None


def _seconds_in(unit: float, getter: Callable[[datetime], int]) -> Function:
    def get(value: Any, zone: str = "UTC") -> int:
        if isinstance(value, timedelta):
            return int(value.total_seconds() / unit)
        return int(_of_time(getter)(value, zone))

    return get


def _optional(value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise CelError("no such overload")
    return value


def _ascii(text: Any, *, upper: bool) -> str:
    return "".join((char.upper() if upper else char.lower()) if char.isascii() else char for char in _string(text))


def _is(parse: Callable[..., object]) -> Function:
    """Whether a text can be read."""

    def holds(*values: Any) -> bool:
        try:
            parse(*values)
        except CelError as error:
            if str(error) == "no such overload":
                raise
            return False
        return True

    return holds


def _contains_ip(network: Any, address: Any) -> bool:
    return bool(network.has(_read(address, ip, Ip).address))


def _read(value: Any, parse: Callable[[Any], Any], kind: type) -> Any:
    """A value, which may be written as a text."""
    try:
        return value if isinstance(value, kind) else parse(value)
    except CelError:
        raise CelError("no such overload") from None


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (Ip, Cidr)) else text_of(value)


def _value(value: Any) -> Any:
    if not _optional(value).there:
        raise CelError("optional.none() dereference")
    return value.value


CALLED: dict[str, Function] = {
    "size": _size,
    "int": _int,
    "uint": _uint,
    "double": _double,
    "string": _text,
    "bool": _bool,
    "bytes": lambda value: value if isinstance(value, bytes) else _string(value).encode(),
    "dyn": lambda value: value,
    "type": type_of,
    "timestamp": lambda value: value if isinstance(value, datetime) else timestamp(_string(value)),
    "duration": lambda value: value if isinstance(value, timedelta) else duration(_string(value)),
    "matches": _matches,
    "url": url,
    "isURL": _is(url),
    "ip": ip,
    "isIP": _is(ip),
    "cidr": cidr,
    "isCIDR": _is(cidr),
    "quantity": quantity,
    "isQuantity": _is(quantity),
    "sign": lambda value: (value.nano > 0) - (value.nano < 0),
    "semver": semver,
    "isSemver": _is(semver),
}
"""Without a receiver."""

METHODS: dict[str, Function] = {
    "size": _size,
    "startsWith": lambda text, part: _string(text).startswith(_string(part)),
    "endsWith": lambda text, part: _string(text).endswith(_string(part)),
    "contains": _contains,
    "matches": _matches,
    "charAt": _char_at,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "lowerAscii": lambda text: _ascii(text, upper=False),
    "upperAscii": lambda text: _ascii(text, upper=True),
    "replace": _replace,
    "split": _split,
    "join": _join,
    "substring": _substring,
    "trim": lambda text: _string(text).strip(),
    "format": form,
    "find": _find,
    "findAll": _find_all,
    "isSorted": lists.is_sorted,
    "sum": lists.total,
    "min": lambda values: lists.extreme(values, -1),
    "max": lambda values: lists.extreme(values, 1),
    "slice": lists.part,
    "flatten": lists.flat,
    "sort": lambda values: lists.by_keys(values, as_list(values)),
    "reverse": lambda values: as_list(values)[::-1],
    "distinct": lists.distinct,
    "first": lambda values: lists.end(values, 0),
    "last": lambda values: lists.end(values, -1),
    "unwrapOpt": lists.unwrapped,
    "getFullYear": _of_time(lambda time: time.year),
    "getMonth": _of_time(lambda time: time.month - 1),
    "getDate": _of_time(lambda time: time.day),
    "getDayOfMonth": _of_time(lambda time: time.day - 1),
    "getDayOfWeek": _of_time(lambda time: time.isoweekday() % 7),
    "getDayOfYear": _of_time(lambda time: time.timetuple().tm_yday - 1),
    "getHours": _seconds_in(3600, lambda time: time.hour),
    "getMinutes": _seconds_in(60, lambda time: time.minute),
    "getSeconds": _seconds_in(1, lambda time: time.second),
    "getMilliseconds": _seconds_in(1e-3, lambda time: time.microsecond // 1000),
    "hasValue": lambda value: _optional(value).there,
    "value": _value,
    "orValue": lambda value, other: value.value if _optional(value).there else other,
    "or": lambda value, other: value if _optional(value).there else other,
    "getScheme": lambda value: value.scheme,
    "getHost": lambda value: value.host,
    "getHostname": Url.hostname,
    "getPort": Url.port,
    "getEscapedPath": Url.escaped_path,
    "getQuery": Url.values,
    "family": lambda value: value.address.version,
    "isUnspecified": lambda value: value.address.is_unspecified,
    "isLoopback": lambda value: value.address.is_loopback,
    "isLinkLocalMulticast": Ip.is_local_multicast,
    "isLinkLocalUnicast": lambda value: value.address.is_link_local,
    "isGlobalUnicast": Ip.is_global,
    "containsIP": _contains_ip,
    "containsCIDR": lambda value, other: value.has_all(_read(other, cidr, Cidr)),
    "ip": lambda value: Ip(value.network.ip),
    "prefixLength": lambda value: value.network.network.prefixlen,
    "masked": Cidr.masked,
    "isInteger": lambda value: value.whole,
    "asInteger": Amount.as_int,
    "asApproximateFloat": lambda value: value.nano / NANO,
    "add": Amount.plus,
    "sub": lambda value, other: value.plus(other, -1),
    "isLessThan": lambda value, other: value < other,
    "isGreaterThan": lambda value, other: value > other,
    "compareTo": lambda value, other: (value > other) - (value < other),
    "major": lambda value: value.numbers[0],
    "minor": lambda value: value.numbers[1],
    "patch": lambda value: value.numbers[2],
    "validate": NamedFormat.validate,
}
"""With a receiver."""

IN_NAMESPACES: dict[str, Function] = {
    "optional.of": lambda value: Optional(value, True),
    "optional.none": Optional,
    "optional.ofNonZeroValue": lambda value: Optional(value, True) if value else Optional(),
    "optional.unwrap": lists.unwrapped,
    "sets.contains": lists.has_all,
    "sets.equivalent": lambda one, other: lists.has_all(one, other) and lists.has_all(other, one),
    "sets.intersects": lists.intersect,
    "lists.range": lists.numbers,
    "strings.quote": lambda text: quoted(_string(text)),
    "ip.isCanonical": lambda text: str(ip(text)) == text,
    "format.named": named,
    **{f"format.{name}": partial(NamedFormat, name) for name in NAMED_FORMATS},
}
"""By their whole name: ``sets.contains(...)``."""
