"""A server's answer to a list request, as records: a Table with its objects, or a plain list. Bytes in, records out."""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.errors import ServerError
from notebook_mux.wire import UNREADABLE
from notebook_mux.wire.frames import Record, uid_of

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
"""The Accept header for rows and objects in one answer; servers that make no tables send a plain list."""

PAGE = 500
"""Objects a page: kubectl's own number."""


class _Metadata(msgspec.Struct):
    uid: str = ""
    name: str = ""
    namespace: str = ""
    resourceVersion: str = ""  # noqa: N815 - the API's names
    creationTimestamp: str | None = None  # noqa: N815


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _ListMetadata(msgspec.Struct):
    resourceVersion: str = ""  # noqa: N815
    next: str = msgspec.field(default="", name="continue")


class _Row(msgspec.Struct):
    object: msgspec.Raw
    cells: msgspec.Raw


class _List(msgspec.Struct):
    kind: str = ""
    metadata: _ListMetadata = msgspec.field(default_factory=_ListMetadata)
    columnDefinitions: list[dict[str, Any]] | None = None  # noqa: N815
    rows: list[_Row] | None = None
    items: list[msgspec.Raw] | None = None


class Page(msgspec.Struct):
    """One page of a list: its records, the columns (empty for a plain list), and the token of the next page."""

    records: dict[str, Record]
    columns: list[dict[str, Any]]
    next: str


_list = msgspec.json.Decoder(_List).decode
_object = msgspec.json.Decoder(_Object).decode


def page(body: bytes, printed: float) -> Page:
    """Read one page.

    Args:
        body: The answer's body.
        printed: When it was printed, in Unix seconds.

    Raises:
        ServerError: The body is no list.
    """
    try:
        found = _list(body)
        if found.rows is not None or found.kind == "Table":
            rows = [(bytes(row.object), bytes(row.cells)) for row in found.rows or ()]
        else:
            rows = [(bytes(item), b"[]") for item in found.items or ()]
        records = [_record(content, cells, printed) for content, cells in rows]
    except UNREADABLE as error:
        raise ServerError("the server's list cannot be read", said=str(error)) from None
    return Page({record.uid: record for record in records}, found.columnDefinitions or [], found.metadata.next)


def _record(content: bytes, cells: bytes, printed: float) -> Record:
    at = _object(content).metadata
    created = at.creationTimestamp or ""
    uid = uid_of(at.uid, at.namespace, at.name)
    return Record(uid, at.namespace, at.name, at.resourceVersion, created, printed, cells, content)
