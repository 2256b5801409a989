"""JSON as it is written: with keys that stand there twice, and numbers as they are spelled.

What Go's decoder says of a text that is no JSON is known from encoding/json's documentation and the real server's
answers.
"""

from __future__ import annotations

import json
from typing import Any, Self

import msgspec

LITERALS = ("true", "false", "null")


class Pairs(list[tuple[str, Any]]):
    """An object: its members in their order."""


class Number(float):
    """A number with a point or an exponent.

    Attributes:
        text: How it is spelled.
    """

    text: str

    def __new__(cls, text: str) -> Self:
        """Read one."""
        found = super().__new__(cls, text)
        found.text = text
        return found


class NoJson(ValueError):
    """A text that is no JSON; its words are Go's."""


def _constant(name: str) -> Any:
    raise ValueError(name)


_decoder = json.JSONDecoder(object_pairs_hook=Pairs, parse_float=Number, parse_constant=_constant)


def parse(body: bytes) -> Any:
    """What a text says, its objects as `Pairs`.

    Raises:
        NoJson: Nothing.
    """
    text = body.decode("utf-8", "replace")
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise NoJson(_said(error, text)) from None
    except (ValueError, RecursionError) as error:
        raise NoJson(f"invalid number or nesting: {error}") from None


def _said(error: json.JSONDecodeError, text: str) -> str:
    at = error.pos
    if error.msg.startswith(("Unterminated", "Invalid control")):
        at = len(text) if error.msg.startswith("Unterminated") else at
    if at >= len(text.rstrip()):
        return "unexpected end of JSON input"
    where = {
        "Expecting value": "looking for beginning of value",
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Illegal trailing comma before end of object": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Extra data": "after top-level value",
        "Expecting ',' delimiter": "after array element" if _in_list(text[:at]) else "after object key:value pair",
    }.get(error.msg, "in string literal")
    if error.msg == "Expecting value":
        for literal in LITERALS:
            if text.startswith(literal[0], at):
                rest = text[at:]
                same = next((i for i, (a, b) in enumerate(zip(literal, rest, strict=False)) if a != b), len(rest))
                if same == len(rest):
                    return "unexpected end of JSON input"
                return f"invalid character '{rest[same]}' in literal {literal} (expecting '{literal[same]}')"
    return f"invalid character '{text[at]}' {where}"


def _in_list(text: str) -> bool:
    """Whether a text ends within a list."""
    opened, quoted, escaped = [], False, False
    for letter in text:
        if quoted:
            quoted = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        elif letter in "[{":
            opened.append(letter)
        elif letter in "]}" and opened:
            opened.pop()
    return opened[-1:] == ["["]


def plain(value: Any) -> Any:
    """The value with dicts in place of pairs, where the last of a key counts."""
    if isinstance(value, Pairs):
        return {key: plain(inner) for key, inner in value}
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return float(value) if isinstance(value, Number) else value


def members(value: Any) -> list[tuple[str, Any]]:
    """The members of an object, written or not."""
    return list(value.items()) if isinstance(value, dict) else value


def is_object(value: Any) -> bool:
    """Whether it is one."""
    return isinstance(value, dict | Pairs)


def is_list(value: Any) -> bool:
    """Whether it is one."""
    return isinstance(value, list) and not isinstance(value, Pairs)


def duplicates(value: Any, path: str = "") -> list[str]:
    """The paths of all keys that stand twice in their object."""
    found: list[str] = []
    if is_object(value):
        seen = set()
        for key, inner in members(value):
            where = f"{path}.{key}" if path else key
            if key in seen:
                found.append(where)
            seen.add(key)
            found += duplicates(inner, where)
    elif is_list(value):
        for index, inner in enumerate(value):
            found += duplicates(inner, f"{path}[{index}]")
    return found


def kind_of(value: Any) -> str:
    """What Go calls a JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "object" if is_object(value) else "array" if is_list(value) else "null"


SHOWN = 30
"""Bytes of a body that a failure shows (apiserver/pkg/endpoints/handlers/rest.go, summarizeData)."""


def shown(body: bytes) -> str:
    """A body as failures show it: its beginning, as text or in hexadecimal."""
    if not body:
        return "<empty>"
    rest = " ..." if len(body) > SHOWN else ""
    if body[:1] == b"{":
        return body[:SHOWN].decode("utf-8", "replace") + rest
    return body[:SHOWN].hex() + rest


def go(value: Any) -> str:
    """A value as Go prints it: ``map[a:1 b:[x y]]``."""
    if is_object(value):
        inner = " ".join(f"{key}:{go(one)}" for key, one in sorted(dict(members(value)).items()))
        return f"map[{inner}]"
    if is_list(value):
        return f"[{' '.join(go(one) for one in value)}]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
