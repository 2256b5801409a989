"""An OpenAPI v2 document in protobuf, as kubectl asks for it.

The messages are those of github.com/google/gnostic-models v0.7.1, ``openapiv2/OpenAPIv2.proto`` (Apache-2.0); the
numbers of the fields that a Kubernetes server's document has are taken from there. What is free in OpenAPI, such as
extensions, is text in YAML there; it is JSON here, which is YAML too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from notebook_mux.playground.protobuf.wire import BYTES, FIXED64, VARINT, signed, sized, varint

Json = dict[str, Any]
Write = Callable[[Any], bytes]
"""A value as it stands behind its field's key."""

_json = msgspec.json.Encoder().encode

REFERENCE = 1
"""``_ref`` of Schema and of JsonReference."""

NAME, VALUE = 1, 2
"""Of NamedAny, NamedSchema and all other entries of maps."""

ENTRIES = 1
"""``additional_properties`` of messages that are maps: Definitions, Properties, ParameterDefinitions..."""

YAML = 2
"""``yaml`` of Any."""


def _key(number: int, kind: int = BYTES) -> bytes:
    return varint(number << 3 | kind)


def _text(value: str) -> bytes:
    return sized(value.encode())


def _bool(value: bool) -> bytes:
    return b"\1" if value else b"\0"


def _double(value: float) -> bytes:
    return struct.pack("<d", value)


def _count(value: float) -> bytes:
    return signed(int(value))


def _any(value: Any) -> bytes:
    return sized(_key(YAML) + sized(_json(value)))


class _Message:
    """A message by the names that JSON has for its fields.

    Args:
        fields: The number, the wire type and the writer of each.
        lists: Those that are repeated.
        extensions: The number of ``vendor_extension``.
    """

    def __init__(
        self,
        fields: Mapping[str, tuple[int, int, Write]],
        lists: Iterable[str] = (),
        extensions: int = 0,
    ):
        self.fields = dict(fields)
        self._keys = {name: _key(number, kind) for name, (number, kind, _) in fields.items()}
        self._lists = frozenset(lists)
        self._order = sorted(fields, key=lambda name: fields[name][0])
        self._extensions = _key(extensions)

    def encode(self, said: Json) -> bytes:
        """A message without its length."""
        parts: list[bytes] = []
        for name in self._order:
            value = said.get(name)
            if value is None or value in ("", 0):
                continue  # proto3 leaves out what is zero
            write = self.fields[name][2]
            for one in value if name in self._lists else (value,):
                parts += (self._keys[name], write(one))
        if self._extensions:
            for name in sorted(name for name in said if name.startswith("x-")):
                parts += (self._extensions, _entry(name, said[name], _any))
        return b"".join(parts)

    def __call__(self, said: Json) -> bytes:
        return sized(self.encode(said))


def _entry(name: str, value: Any, write: Write) -> bytes:
    return sized(_key(NAME) + _text(name) + _key(VALUE) + write(value))


def _entries(write: Write, number: int = ENTRIES) -> Write:
    """Of a message that is a map."""
    key = _key(number)
    return lambda said: sized(b"".join(key + _entry(name, value, write) for name, value in said.items()))


def _only(number: int, write: Write) -> Write:
    """Of a message in which one field is set."""
    key = _key(number)
    return lambda value: sized(key + write(value))


def _texts(value: Iterable[str]) -> bytes:
    return sized(b"".join(_key(1) + _text(one) for one in value))


def _additional(value: Any) -> bytes:
    """AdditionalPropertiesItem: a schema, or whether there may be any."""
    if isinstance(value, bool):
        return sized(_key(2, VARINT) + _bool(value))
    return sized(_key(1) + SCHEMA(value))


def _schema(value: Json) -> bytes:
    return SCHEMA(value)


SCHEMA = _Message(
    {
        "$ref": (REFERENCE, BYTES, _text),
        "format": (2, BYTES, _text),
        "title": (3, BYTES, _text),
        "description": (4, BYTES, _text),
        "multipleOf": (6, FIXED64, _double),
        "maximum": (7, FIXED64, _double),
        "exclusiveMaximum": (8, VARINT, _bool),
        "minimum": (9, FIXED64, _double),
        "exclusiveMinimum": (10, VARINT, _bool),
        "maxLength": (11, VARINT, _count),
        "minLength": (12, VARINT, _count),
        "pattern": (13, BYTES, _text),
        "maxItems": (14, VARINT, _count),
        "minItems": (15, VARINT, _count),
        "uniqueItems": (16, VARINT, _bool),
        "maxProperties": (17, VARINT, _count),
        "minProperties": (18, VARINT, _count),
        "required": (19, BYTES, _text),
        "enum": (20, BYTES, _any),
        "additionalProperties": (21, BYTES, _additional),
        "type": (22, BYTES, lambda value: _texts([value])),
        "items": (23, BYTES, _only(1, _schema)),
        "properties": (25, BYTES, _entries(_schema)),
    },
    lists=("required", "enum"),
    extensions=31,
)

BODY = _Message({
    "description": (1, BYTES, _text), "name": (2, BYTES, _text), "in": (3, BYTES, _text),
    "required": (4, VARINT, _bool), "schema": (5, BYTES, SCHEMA),
})  # fmt: skip
QUERY = _Message({
    "required": (1, VARINT, _bool), "in": (2, BYTES, _text), "description": (3, BYTES, _text),
    "name": (4, BYTES, _text), "type": (6, BYTES, _text), "format": (7, BYTES, _text),
    "uniqueItems": (20, VARINT, _bool),
})  # fmt: skip
PATH = _Message({
    "required": (1, VARINT, _bool), "in": (2, BYTES, _text), "description": (3, BYTES, _text),
    "name": (4, BYTES, _text), "type": (5, BYTES, _text), "format": (6, BYTES, _text),
    "uniqueItems": (19, VARINT, _bool),
})  # fmt: skip
PARAMETERS = {"body": _only(1, BODY), "query": _only(2, _only(3, QUERY)), "path": _only(2, _only(4, PATH))}
"""Parameter, by where it is."""


def _parameter(said: Json) -> bytes:
    return PARAMETERS[said["in"]](said)


def _parameter_or_reference(said: Json) -> bytes:
    """ParametersItem."""
    if "$ref" in said:
        return sized(_key(2) + sized(_key(REFERENCE) + _text(said["$ref"])))
    return sized(_key(1) + _parameter(said))


RESPONSE = _Message({"description": (1, BYTES, _text), "schema": (2, BYTES, _only(1, SCHEMA))})
OPERATION = _Message(
    {
        "tags": (1, BYTES, _text),
        "description": (3, BYTES, _text),
        "operationId": (5, BYTES, _text),
        "produces": (6, BYTES, _text),
        "consumes": (7, BYTES, _text),
        "parameters": (8, BYTES, _parameter_or_reference),
        "responses": (9, BYTES, _entries(_only(1, RESPONSE))),
        "schemes": (10, BYTES, _text),
    },
    lists=("tags", "produces", "consumes", "parameters", "schemes"),
    extensions=13,
)
PATH_ITEM = _Message(
    {
        "get": (2, BYTES, OPERATION),
        "put": (3, BYTES, OPERATION),
        "post": (4, BYTES, OPERATION),
        "delete": (5, BYTES, OPERATION),
        "options": (6, BYTES, OPERATION),
        "head": (7, BYTES, OPERATION),
        "patch": (8, BYTES, OPERATION),
        "parameters": (9, BYTES, _parameter_or_reference),
    },
    lists=("parameters",),
)
PATHS_OF_PATHS = 2
"""``path`` of Paths."""

API_KEY = _Message({
    "type": (1, BYTES, _text), "name": (2, BYTES, _text), "in": (3, BYTES, _text), "description": (4, BYTES, _text),
})  # fmt: skip
DOCUMENT = _Message(
    {
        "swagger": (1, BYTES, _text),
        "info": (2, BYTES, _Message({"title": (1, BYTES, _text), "version": (2, BYTES, _text)})),
        "paths": (8, BYTES, _entries(PATH_ITEM, PATHS_OF_PATHS)),
        "definitions": (9, BYTES, _entries(SCHEMA)),
        "parameters": (10, BYTES, _entries(_parameter)),
        "security": (12, BYTES, _entries(_texts)),
        "securityDefinitions": (13, BYTES, _entries(_only(2, API_KEY))),
    },
    lists=("security",),
)


def encode(document: Json) -> bytes:
    """A document of OpenAPI v2 as the message Document.

    Raises:
        KeyError: A parameter is where none is in a Kubernetes API.
    """
    return DOCUMENT.encode(document)
