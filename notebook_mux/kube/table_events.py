"""The API's lists and watch events, decoded as far as they must be: the objects' JSON and the cells stay bytes.

A Table with ``includeObject=Object`` has both in each row; a server that makes no Tables sends plain objects, which
then have no cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Raw

from notebook_mux.kube.answers import Status
from notebook_mux.kube.troubles import Trouble, of_status
from notebook_mux.wire import UNREADABLE

ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
"""A Table where the server makes one, else plain objects."""

INCLUDE = "includeObject=Object"
INITIAL_END = "k8s.io/initial-events-end"
NO_CELLS = b"[]"


class Metadata(msgspec.Struct, gc=False):
    """What every object says of itself; the rest of it is not looked at."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""  # noqa: N815 - the API's name
    creationTimestamp: str | None = None  # noqa: N815 - the API's name


class Content(msgspec.Struct, gc=False):
    """An object."""

    metadata: Metadata


class Row(msgspec.Struct, gc=False):
    """A Table's row: the cells as the server prints them, and the object."""

    cells: Raw
    object: Raw


class Table(msgspec.Struct, gc=False):
    """The Table of one watch event. `columnDefinitions` is there in a watch's first event only."""

    rows: list[Row] | None = None
    columnDefinitions: Raw = Raw()  # noqa: N815 - the API's name


class Event(msgspec.Struct, gc=False):
    """One line of a watch for Tables."""

    type: str
    object: Table


class _UsualRow(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    cells: Raw
    object: Content


class _UsualTable(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    kind: str
    apiVersion: str  # noqa: N815 - the API's name
    metadata: Raw
    columnDefinitions: None  # noqa: N815 - the API's name
    rows: tuple[_UsualRow]


class _UsualEvent(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: _UsualTable


class PlainEvent(msgspec.Struct):
    """One line of a watch for plain objects, and of any that ends with an ERROR."""

    type: str
    object: Raw


class _MarkMetadata(msgspec.Struct):
    resourceVersion: str = ""  # noqa: N815 - the API's name
    annotations: dict[str, str] | None = None


class _Mark(msgspec.Struct):
    metadata: _MarkMetadata


class ListMetadata(msgspec.Struct, rename={"token": "continue"}):
    """A list's metadata."""

    resourceVersion: str = ""  # noqa: N815 - the API's name
    token: str = ""


class ListBody(msgspec.Struct):
    """A page of a list, as Table or plain."""

    kind: str
    metadata: ListMetadata
    rows: list[Row] | None = None
    items: list[Raw] | None = None
    columnDefinitions: Raw = Raw()  # noqa: N815 - the API's name


decode_event = msgspec.json.Decoder(Event).decode
_decode_usual = msgspec.json.Decoder(_UsualEvent).decode
decode_plain = msgspec.json.Decoder(PlainEvent).decode
decode_content = msgspec.json.Decoder(Content).decode
decode_list = msgspec.json.Decoder(ListBody).decode
_decode_mark = msgspec.json.Decoder(_Mark).decode
_decode_status = msgspec.json.Decoder(Status).decode
_decode_columns = msgspec.json.Decoder(list[dict[str, object]]).decode
_decode_kind = msgspec.json.Decoder(Status).decode


def is_table(line: bytes) -> bool:
    """Whether the object of a watch's line is a Table; an unwanted kind is no error here."""
    return _decode_kind(decode_plain(line).object).kind == "Table"


_USUAL_HEAD = re.compile(
    rb'\{"type":"[A-Z]+","object":\{"kind":"Table","apiVersion":"[^"\\]*","metadata":\{[^{}\[\]]*\},'
    rb'"columnDefinitions":null,"rows":\[\{"cells":'
)
_USUAL_OBJECT = b',"object":'
_USUAL_TAIL = b"}]}}"
"""What stands before a row's cells, between them and its object, and behind it in all events but the first and some
bookmarks, as Go's server writes them (the fields in the order of metav1.WatchEvent, Table and TableRow)."""


def usual(line: bytes) -> tuple[str, Metadata, Raw, bytes] | None:
    """(type, metadata, cells, object) of a change that is written as nearly all are; None for any other line.

    One pass over the object instead of two, at nearly half the cost: its bytes are found by what stands around them.
    Before them the form is known to the byte; behind them nothing else can follow, with one row and no unknown fields
    (a server that named a field twice would spoil its own object and no other).
    """
    head = _USUAL_HEAD.match(line)
    if head is None or not line.endswith(_USUAL_TAIL):
        return None
    try:
        event = _decode_usual(line)
    except UNREADABLE:
        return None  # whoever decodes it fully says what is wrong with it
    row = event.object.rows[0]
    start = head.end() + len(row.cells)
    if not line.startswith(_USUAL_OBJECT, start):
        return None
    return event.type, row.object.metadata, row.cells, line[start + len(_USUAL_OBJECT) : -len(_USUAL_TAIL)]


def columns_of(raw: Raw) -> bytes | None:
    """The columnDefinitions as bytes, None where there are none (absent, or null in all but the first event)."""
    found = bytes(raw)
    return None if found in (b"", b"null", b"[]") else found


def read_columns(raw: bytes) -> list[dict[str, object]]:
    """The columns as the API describes them: name, type, format, description, priority."""
    return _decode_columns(raw)


def bookmark(line: bytes, table: bool) -> tuple[str, bool]:
    """A bookmark's version, and whether it ends the initial events."""
    rows = decode_event(line).object.rows if table else None
    # A Table without rows has the version in its own metadata, as a plain object has.
    metadata = _decode_mark(rows[0].object if rows else decode_plain(line).object).metadata
    return metadata.resourceVersion, (metadata.annotations or {}).get(INITIAL_END) == "true"


def error(line: bytes) -> Trouble:
    """The trouble that an ERROR event tells."""
    status = _decode_status(decode_plain(line).object)
    return of_status(status.code or 0, status, status.message)


def members(body: ListBody) -> Iterator[tuple[Metadata, Raw | bytes, Raw]]:
    """The objects of a page: metadata, cells, object."""
    if body.rows is not None or body.kind == "Table":
        for row in body.rows or ():
            yield decode_content(row.object).metadata, row.cells, row.object
    else:
        for item in body.items or ():
            yield decode_content(item).metadata, NO_CELLS, item
