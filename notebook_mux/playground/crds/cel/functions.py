"""The functions of CEL that there are here: conversions, texts, lists, times, sets, optional values.

Each takes its values (of a method the receiver first) and gives one. A wrong number or type of values is a
`CelError`, as where cel-go finds no overload.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from notebook_mux.playground.crds.cel.values import (
    LONGEST,
    CelError,
    Optional,
    checked,
    compare,
    duration,
    equal,
    is_number,
    text_of,
    timestamp,
    type_of,
)
from notebook_mux.playground.regexes import Match, RegexFault, pattern_of

Function = Callable[..., Any]

NOT_HERE = frozenset({
    "url", "isURL", "getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery",
    "ip", "isIP", "isCanonical", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast",
    "isGlobalUnicast", "cidr", "isCIDR", "containsIP", "containsCIDR", "prefixLength", "masked",
    "quantity", "isQuantity", "isInteger", "asInteger", "asApproximateFloat", "sign", "add", "sub", "isLessThan",
    "isGreaterThan", "compareTo", "semver", "isSemver", "major", "minor", "patch", "named", "validate",
    "path", "group", "serviceAccount", "resource", "subresource", "namespace", "name", "check", "allowed", "reason",
    "format", "transformMap", "transformList", "transformMapEntry", "bind",
})  # fmt: skip
"""Functions and methods of a real server's libraries that this evaluator leaves out."""


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
            try:
                return checked(int(value))
            except ValueError as error:
                raise CelError(str(error)) from None
        case datetime():
            return int(value.timestamp())
        case timedelta():
            return int(value.total_seconds() * 1e9)
    raise CelError("no such overload")


def _double(value: Any) -> float:
    try:
        if isinstance(value, str) or is_number(value):
            return float(value)
    except ValueError as error:
        raise CelError(str(error)) from None
    raise CelError("no such overload")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "True", "TRUE", "t", "1"):
        return True
    if value in ("false", "False", "FALSE", "f", "0"):
        return False
    raise CelError("no such overload")


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


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise CelError("no such overload")
    return value


def _contains(text: Any, part: Any) -> bool:
    return _string(part) in _string(text)


def _index_of(value: Any, part: Any, start: int = 0) -> int:
    if isinstance(value, list):
        return next((i for i, one in enumerate(value) if equal(one, part)), -1)
    return _string(value).find(_string(part), start)


def _last_index_of(value: Any, part: Any) -> int:
    if isinstance(value, list):
        return next((i for i in range(len(value) - 1, -1, -1) if equal(value[i], part)), -1)
    return _string(value).rfind(_string(part))


def _char_at(text: Any, index: Any) -> str:
    if not 0 <= index <= len(_string(text)):
        raise CelError(f"index out of range: {index}")
    return _string(text)[index : index + 1]


def _substring(text: Any, start: int, end: int | None = None) -> str:
    last = len(_string(text)) if end is None else end
    if not 0 <= start <= last <= len(text):
        raise CelError(f"index out of range: {start}")
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
    size = sum(len(_string(one)) + len(_string(separator)) for one in _list(values))
    if size > LONGEST:
        raise CelError("operation cancelled: actual cost limit exceeded")
    return separator.join(values)


def _find(text: Any, pattern: str) -> str:
    match = _found(_string(text), _string(pattern))
    return match.group(text, 0) if match else ""


def _find_all(text: Any, pattern: str, limit: int = -1) -> list[str]:
    found, at = list[str](), 0
    while (limit < 0 or len(found) < limit) and (match := _found(_string(text), _string(pattern), at)) is not None:
        found.append(match.group(text, 0))
        at = match.end + (match.end == match.start)
        if at > len(text):
            break
    return found


def _sum(values: Any) -> Any:
    if not all(is_number(one) for one in _list(values)):
        raise CelError("no such overload")
    return sum(values)


def _extreme(values: Any, sign: int) -> Any:
    if not _list(values):
        raise CelError("min called on empty list" if sign < 0 else "max called on empty list")
    best = values[0]
    for one in values[1:]:
        if compare(one, best) == sign:
            best = one
    return best


def _greatest(*values: Any) -> Any:
    return _extreme(values[0] if len(values) == 1 and isinstance(values[0], list) else list(values), 1)


def _least(*values: Any) -> Any:
    return _extreme(values[0] if len(values) == 1 and isinstance(values[0], list) else list(values), -1)


def _is_sorted(values: Any) -> bool:
    return all(compare(a, b) <= 0 for a, b in zip(_list(values), values[1:], strict=False))


def _distinct(values: Any) -> list[Any]:
    found: list[Any] = []
    for one in _list(values):
        if not any(equal(one, other) for other in found):
            found.append(one)
    return found


def _has_all(values: Any, wanted: Any) -> bool:
    return all(any(equal(one, other) for other in _list(values)) for one in _list(wanted))


def _of_time(getter: Callable[[datetime], int]) -> Function:
    def get(value: Any, zone: str = "UTC") -> int:
        if not isinstance(value, datetime):
            raise CelError("no such overload")
        return getter(value.astimezone(UTC if zone == "UTC" else ZoneInfo(zone)))

    return get


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


def _value(value: Any) -> Any:
    if not _optional(value).there:
        raise CelError("optional.none() dereference")
    return value.value


CALLED: dict[str, Function] = {
    "size": _size,
    "int": _int,
    "uint": _int,
    "double": _double,
    "string": text_of,
    "bool": _bool,
    "bytes": lambda value: value if isinstance(value, bytes) else _string(value).encode(),
    "dyn": lambda value: value,
    "type": type_of,
    "timestamp": lambda value: value if isinstance(value, datetime) else timestamp(_string(value)),
    "duration": lambda value: value if isinstance(value, timedelta) else duration(_string(value)),
    "matches": _matches,
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
    "lowerAscii": lambda text: _string(text).lower(),
    "upperAscii": lambda text: _string(text).upper(),
    "replace": _replace,
    "split": _split,
    "join": _join,
    "substring": _substring,
    "trim": lambda text: _string(text).strip(),
    "reverse": lambda value: value[::-1],
    "find": _find,
    "findAll": _find_all,
    "isSorted": _is_sorted,
    "sum": _sum,
    "min": lambda values: _extreme(values, -1),
    "max": lambda values: _extreme(values, 1),
    "distinct": _distinct,
    "first": lambda values: Optional(values[0], True) if _list(values) else Optional(),
    "last": lambda values: Optional(values[-1], True) if _list(values) else Optional(),
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
}
"""With a receiver."""

IN_NAMESPACES: dict[tuple[str, str], Function] = {
    ("optional", "of"): lambda value: Optional(value, True),
    ("optional", "none"): Optional,
    ("optional", "ofNonZeroValue"): lambda value: Optional(value, True) if value else Optional(),
    ("math", "greatest"): _greatest,
    ("math", "least"): _least,
    ("math", "abs"): abs,
    ("math", "ceil"): lambda value: float(math.ceil(value)),
    ("math", "floor"): lambda value: float(math.floor(value)),
    ("sets", "contains"): _has_all,
    ("sets", "equivalent"): lambda one, other: _has_all(one, other) and _has_all(other, one),
    ("sets", "intersects"): lambda one, other: any(any(equal(a, b) for b in _list(other)) for a in _list(one)),
}
"""By namespace and name: ``math.greatest(...)``."""

MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map", "optMap", "optFlatMap"})
