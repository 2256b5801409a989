"""Objects in the form that is wanted: encoded objects, their metadata, or rows of a table.

Rows are printed once a second at most and shared by all who ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from notebook_mux.playground import conversions
from notebook_mux.playground.accept import METADATA, TABLE
from notebook_mux.playground.columns import definitions
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.status import ApiError
from notebook_mux.playground.store import Stored, head_of
from notebook_mux.printers import PRINTERS
from notebook_mux.printers.custom import print_custom
from notebook_mux.printers.pods import CONDITIONS
from notebook_mux.printers.storage import default_class

Json = dict[str, Any]

INCLUDE = ("Metadata", "Object", "None")
INITIAL_END = "k8s.io/initial-events-end"

_encode = msgspec.json.Encoder().encode
_PARTIAL = b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",'
_TABLE = b'{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":'
CLASSES = "storageclasses.storage.k8s.io"


class _WithMetadata(msgspec.Struct):
    metadata: msgspec.Raw


_metadata_of = msgspec.json.Decoder(_WithMetadata).decode


def check_include(include: str) -> None:
    """Refuse an ``includeObject`` that there is not.

    Raises:
        ApiError: 400.
    """
    if include not in INCLUDE:
        raise ApiError(
            400,
            "BadRequest",
            f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": '
            "must be 'Metadata', 'Object', 'None', or empty",
        )


def partial(stored: Stored) -> bytes:
    """An object's metadata as a PartialObjectMetadata."""
    return _PARTIAL + b'"metadata":' + bytes(_metadata_of(b"{" + stored.body).metadata) + b"}"


def print_cells(kind: Kind, obj: Json, now: float) -> list[Any]:
    """An object's cells."""
    return print_custom(kind.columns, obj, now) if kind.custom else PRINTERS[kind.resource](obj, now)


def _printed(stored: Stored, now: float) -> bytes:
    """The beginning of an object's row, up to its object."""
    if stored.cells is not None and stored.cells[0] == int(now):
        return stored.cells[1]
    obj = conversions.convert(stored.decode(), conversions.kept_as(stored.kind))
    text = b'{"cells":' + _encode(print_cells(stored.kind, obj, now))
    if stored.kind.resource == "pods" and (conditions := CONDITIONS.get(stored.fields["status.phase"])):
        text += b',"conditions":' + _encode(conditions)
    stored.cells = (int(now), text)
    return text


def row(stored: Stored, include: str, now: float) -> bytes:
    """An object's row."""
    beginning = _printed(stored, now)
    if include == "None":
        return beginning + b',"object":null}'
    return beginning + b',"object":' + (stored.encoded if include == "Object" else partial(stored)) + b"}"


def table(kind: Kind, metadata: Json, rows: Sequence[bytes] | None, *, columns: bool = True) -> bytes:
    """A whole table; without columns as later events of a watch have it."""
    return b"".join(
        (
            _TABLE,
            _encode(metadata),
            b',"columnDefinitions":',
            _encode(definitions(kind)) if columns else b"null",
            b',"rows":',
            b"null}" if rows is None else b"[" + b",".join(rows) + b"]}",
        )
    )


def one(stored: Stored, form: str, include: str, now: float, *, columns: bool = True) -> bytes:
    """One object, in the wanted form."""
    if form == METADATA:
        return partial(stored)
    if form == TABLE:
        metadata = {"resourceVersion": str(stored.revision)}
        return table(stored.kind, metadata, [row(stored, include, now)], columns=columns)
    return stored.encoded


def many(kind: Kind, items: Sequence[Stored], metadata: Json, form: str, include: str, now: float) -> bytes:
    """A list, in the wanted form."""
    if form == TABLE:
        rows = [row(stored, include, now) for stored in items]
        if kind.resource == CLASSES:
            rows = _mark_default(items, rows)
        # A list of no definitions at all has null for rows there, unlike all other kinds.
        return table(kind, metadata, None if not rows and kind.resource == "customresourcedefinitions.apiextensions.k8s.io" else rows)  # fmt: skip  # noqa: E501
    if form == METADATA:
        head = b'{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":'
        encoded = [partial(stored) for stored in items]
    else:
        head = f'{{"kind":"{kind.kind}List","apiVersion":"{kind.api_version}","metadata":'.encode()
        encoded = [stored.item for stored in items]
    return b"".join((head, _encode(metadata), b',"items":[', b",".join(encoded), b"]}"))


def _mark_default(items: Sequence[Stored], rows: list[bytes]) -> list[bytes]:
    name = default_class([stored.decode() for stored in items])
    marked = b'{"cells":["' + f"{name} (default)".encode()
    return [
        text.replace(b'{"cells":["' + name.encode(), marked, 1) if name and stored.name == name else text
        for stored, text in zip(items, rows, strict=True)
    ]


def bookmark(kind: Kind, revision: int, form: str, include: str, *, first: bool, initial_end: bool) -> bytes:
    """A bookmark's object: nothing but a version.

    Args:
        first: Whether no event went before it, so that a table still has its columns.
        initial_end: Whether it ends the initial events.
    """
    metadata: Json = {"resourceVersion": str(revision)}
    if initial_end:
        metadata["annotations"] = {INITIAL_END: "true"}
    if form == METADATA:
        return _PARTIAL + b'"metadata":' + _encode(metadata) + b"}"
    empty: Json = {"metadata": metadata}
    if form != TABLE:
        return head_of(kind) + _encode({**empty, **EMPTY.get(kind.resource, {})})[1:]
    cells = _encode(print_cells(kind, empty, 0.0))
    if include == "Metadata" or (include == "None" and initial_end):
        obj = _PARTIAL + b'"metadata":' + _encode(metadata) + b"}"
    elif include == "None":
        obj = b"null"
    else:
        obj = head_of(kind) + _encode({**empty, **EMPTY.get(kind.resource, {})})[1:]
    rows = [b'{"cells":' + cells + b',"object":' + obj + b"}"]
    return table(kind, {"resourceVersion": str(revision)}, rows, columns=first)


EMPTY: dict[str, Json] = {
    "pods": {"spec": {"containers": None}, "status": {}},
    "nodes": {"spec": {}, "status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": 0}}, "nodeInfo": None}},
    "services": {"spec": {}, "status": {"loadBalancer": {}}},
    "namespaces": {"spec": {}, "status": {}},
}
"""What an empty object of some kinds still has; nobody reads it, but decoders of typed clients see it."""
