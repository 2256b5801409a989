"""Whole objects: the envelope that says what a message is of, and events of a watch.

The envelope is documented at kubernetes.io/docs/reference/using-api/api-concepts ("Kubernetes Protobuf encoding"): four
bytes, then ``runtime.Unknown``, which has the kind and the object's own message.
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.protobuf import codec, table, wire
from notebook_mux.playground.protobuf.special import PROTOBUF_MAGIC
from notebook_mux.playground.protobuf.wire import BYTES, Malformed

Json = dict[str, Any]

MEDIA = "application/vnd.kubernetes.protobuf"
FRAME_BYTES = 4
"""Of the length before each event of a watch, big-endian (apimachinery/pkg/util/framer)."""


def has_message(api_version: str, kind: str) -> bool:
    """Whether objects of a kind can be said in protobuf."""
    return table.message_of(api_version, kind) is not None


def unwrap(body: bytes, *, api_version: str = "", kind: str = "") -> Json:
    """The object of a body.

    Args:
        body: With its envelope.
        api_version: What it is of where it does not say.
        kind: The same.

    Raises:
        Malformed: It is none, or of a kind that has no message.
    """
    if not body:
        raise Malformed("empty data")
    if body[: len(PROTOBUF_MAGIC)] != PROTOBUF_MAGIC:
        prefix = " ".join(str(byte) for byte in PROTOBUF_MAGIC)
        raise Malformed(f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]")
    typed, raw = b"", b""
    for number, wired, value in wire.split(memoryview(body)[4:]):
        if wired != BYTES:
            raise Malformed(f"wire type {wired} in the envelope")
        if number == 1:
            typed = bytes(value)
        elif number == 2:
            raw = bytes(value)
    said = codec.decode(f"{table.RUNTIME}.TypeMeta", typed)
    api_version, kind = said.get("apiVersion") or api_version, said.get("kind") or kind
    message = table.message_of(api_version, kind)
    if message is None:
        raise Malformed(f'no kind "{kind}" is registered for version "{api_version}"')
    try:
        return {"kind": kind, "apiVersion": api_version, **codec.decode(message, raw)}
    except RecursionError:
        raise Malformed("it is nested too deep") from None


def wrap(obj: Json) -> bytes:
    """An object in its envelope.

    Raises:
        KeyError: Its kind has no message.
        Malformed: A value in it is of another type than its field.
    """
    message = table.message_of(obj["apiVersion"], obj["kind"])
    if message is None:
        raise KeyError(obj["kind"])
    typed = codec.encode(f"{table.RUNTIME}.TypeMeta", {"apiVersion": obj["apiVersion"], "kind": obj["kind"]})
    raw = codec.encode(message, obj)
    return PROTOBUF_MAGIC + b"\x0a" + wire.sized(typed) + b"\x12" + wire.sized(raw) + b"\x1a\0\x22\0"


def frame(kind: str, obj: Json) -> bytes:
    """An event of a watch, with its length.

    Args:
        kind: ``ADDED``, ``BOOKMARK`` ...
        obj: The object, or the Status of an ERROR.

    Raises:
        KeyError: The object's kind has no message.
        Malformed: A value in it is of another type than its field.
    """
    inner = b"\x0a" + wire.sized(wrap(obj))
    event = b"\x0a" + wire.sized(kind.encode()) + b"\x12" + wire.sized(inner)
    return len(event).to_bytes(FRAME_BYTES, "big") + event
