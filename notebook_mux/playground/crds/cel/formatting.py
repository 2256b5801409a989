"""``'%s has %d'.format([name, count])`` (cel-go's strings extension): the clauses and what each can show."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from notebook_mux.playground.crds.cel.static import CelType
from notebook_mux.playground.crds.cel.values import LONGEST, CelError, Type, Uint, double, quoted, text_of, type_of

PRECISION, HIGHEST_PRECISION = 6, 1000
_CLAUSE = re.compile(r"%(?:\.(?P<precision>[^a-zA-Z%]*))?(?P<verb>.)?", re.DOTALL)
_SUPERSCRIPT = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")

STRING_SAID = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and "
    "timestamps"
)
SHOWN: dict[str, tuple[str, frozenset[str]]] = {
    "s": (STRING_SAID, frozenset({"string", "bool", "bytes", "int", "uint", "double", "map", "list", "type", "duration",
                                  "timestamp", "null", "null_type"})),
    "d": ("decimal clause can only be used on integers", frozenset({"int", "uint"})),
    "f": ("fixed-point clause can only be used on doubles", frozenset({"double", "int", "uint", "string"})),
    "e": ("scientific clause can only be used on doubles", frozenset({"double", "int", "uint", "string"})),
    "b": ("only integers and bools can be formatted as binary", frozenset({"int", "uint", "bool"})),
    "x": ("only integers, byte buffers, and strings can be formatted as hex",
          frozenset({"int", "uint", "string", "bytes"})),
    "o": ("octal clause can only be used on integers", frozenset({"int", "uint"})),
}  # fmt: skip
"""Each clause: what is said of a value that it cannot show, and the types that it can; texts that are numbers count."""

TIMES = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}


class _Fault(Exception):
    pass


def _clauses(text: str) -> Iterator[tuple[str, str, int]]:
    """The parts of a text: what stands as it is, or a clause's verb with its precision (-1 without one)."""
    at = 0
    for match in _CLAUSE.finditer(text):
        if match.start() < at:
            continue
        yield text[at : match.start()], "", -1
        at = match.end()
        verb, precision = match["verb"], match["precision"]
        if verb is None:
            raise _Fault("unexpected end of string" if precision is None else
                         "could not parse formatting clause: error while parsing precision: could not find end of "
                         "precision specifier")  # fmt: skip
        if verb == "%" and precision is None:
            yield "%", "", -1
            continue
        yield "", verb, _precision(precision)
    yield text[at:], "", -1


def _precision(text: str | None) -> int:
    if text is None:
        return -1
    said = "could not parse formatting clause: error while parsing precision"
    if not re.fullmatch(r"-?[0-9]+", text):
        raise _Fault(f"{said}: error while converting precision to integer: strconv.Atoi: parsing {quoted(text)}: "
                     "invalid syntax")  # fmt: skip
    if (found := int(text[:5])) < 0:
        raise _Fault(f"{said}: negative precision: {found}")
    if found > HIGHEST_PRECISION:
        raise _Fault(f"{said}: precision {text} exceeds maximum allowed precision {HIGHEST_PRECISION}")
    return found


def _check(verb: str, kind: str) -> None:
    if verb.replace("X", "x") not in SHOWN:
        raise _Fault(f"could not parse formatting clause: unrecognized formatting clause {quoted(verb)}")
    said, kinds = SHOWN[verb.replace("X", "x")]
    if kind not in kinds and kind not in ("dyn", "!error!"):
        raise _Fault(f"error during formatting: {said}, was given {kind}")


def fault_of(text: str, kinds: Sequence[CelType]) -> tuple[str, int] | None:
    """What is wrong with a text and the types of its values, and which value is (-1: the text); None if nothing is."""
    index = -1
    try:
        used = 0
        for _, verb, _ in _clauses(text):
            if verb:
                if verb.replace("X", "x") in SHOWN and used >= len(kinds):
                    raise _Fault(f"index {used} out of range")
                index = used if verb.replace("X", "x") in SHOWN else -1
                _check(verb, kinds[used].name if used < len(kinds) else "dyn")
                index, used = -1, used + 1
    except _Fault as fault:
        return str(fault), index
    return None


def form(text: Any, values: Any) -> str:
    """The text with its values in the places of its clauses."""
    if not isinstance(text, str) or not isinstance(values, list):
        raise CelError("no such overload")
    found, used, size = list[str](), 0, 0
    try:
        for plain, verb, precision in _clauses(text):
            if verb:
                if used >= len(values):
                    raise _Fault(f"index {used} out of range")
                kind = type_of(values[used]).name
                _check(verb, TIMES.get(kind, kind))
                plain, used = _shown(verb, values[used], precision), used + 1
            size += len(plain)
            if size > LONGEST:
                raise CelError("operation cancelled: actual cost limit exceeded")
            found.append(plain)
    except _Fault as fault:
        raise CelError(str(fault)) from None
    return "".join(found)


def _shown(verb: str, value: Any, precision: int) -> str:
    match verb:
        case "s":
            return _plain(value)
        case "d":
            return str(int(value))
        case "b":
            return _signed(int(value), "b")
        case "o":
            return _signed(value, "o")
        case "x" | "X":
            if isinstance(value, int):
                return _signed(value, verb)
            found = (value.encode() if isinstance(value, str) else value).hex()
            return found.upper() if verb == "X" else found
    digits = PRECISION if precision < 0 else precision
    try:
        number = float(value)
    except ValueError:
        raise _Fault(f"error during formatting: {SHOWN[verb][0]}, was given string") from None
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"
    return f"{number:,.{digits}f}" if verb == "f" else _scientific(number, digits)


def _signed(value: int, form_: str) -> str:
    return f"{'-' if value < 0 else ''}{abs(value):{form_}}"


def _scientific(number: float, digits: int) -> str:
    mantissa, _, exponent = f"{number:.{digits}e}".partition("e")
    sign = "-" if exponent.startswith("-") else ""
    return f"{mantissa}×10{(sign + exponent[1:]).translate(_SUPERSCRIPT)}"


def _plain(value: Any) -> str:
    """A value by itself: a text without its quotes, a number in its shortest form."""
    match value:
        case str():
            return value
        case bool() | None:
            return _inside(value)
        case float():
            return double(value)
    return _inside(value)


def _inside(value: Any) -> str:
    """A value within a list or map."""
    match value:
        case None:
            return "null"
        case str():
            return quoted(value)
        case bytes():
            return value.decode("utf-8", "replace")
        case float():
            return f"{value:.{PRECISION}f}"
        case list():
            return f"[{', '.join(map(_inside, value))}]"
        case dict():
            pairs = sorted((_inside(key), _inside(item)) for key, item in value.items())
            return f"{{{', '.join(f'{key}:{item}' for key, item in pairs)}}}"
        case bool() | Uint() | int() | datetime() | timedelta() | Type():
            return text_of(value)
    said, kind = SHOWN["s"][0], type_of(value).name
    raise _Fault(f"error during formatting: {said}, was given {kind}")
