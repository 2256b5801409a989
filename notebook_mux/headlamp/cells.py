"""The printed columns of a watch that brings plain objects.

The multiplexer lets no Accept header through, so its events have no cells. The list has: it is asked for as a Table, by
REST. Where our own printers print the list's objects as the server has just printed them, they go on to print the
events; a custom resource's columns are read from its definition. For all other kinds events wait, in their order, until
a new Table says what their cells are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from notebook_mux.errors import MuxError
from notebook_mux.headlamp.rest import Cluster
from notebook_mux.kube import table_events as tables
from notebook_mux.kube.scope import checked_path
from notebook_mux.printers import PRINTERS, Printer
from notebook_mux.printers.custom import Column, print_custom, read_columns
from notebook_mux.wire import UNREADABLE

CHECKED = 20
"""Objects of a list that are printed here too, to see whether that gives what the server printed."""

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
METADATA_ONLY = "includeObject=Metadata"

_TIME = re.compile(r"\b(?:\d+[ydhms]){1,2}\b|<invalid>")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class _Version(msgspec.Struct):
    name: str
    additionalPrinterColumns: list[dict[str, Any]] | None = None  # noqa: N815 - the API's name


class _Spec(msgspec.Struct):
    versions: list[_Version]


class _Definition(msgspec.Struct):
    spec: _Spec


class Kind:
    """What a path says of the kind that it lists.

    Attributes:
        resource: As ``pods`` or ``deployments.apps``.
        version: As ``v1``.
        core: Whether it belongs to the core group, which has no custom resources.
    """

    def __init__(self, path: str) -> None:
        segments = checked_path(path)
        self.core = segments[0] == "api"
        group = "" if self.core else segments[1]
        self.version = segments[1 if self.core else 2]
        self.resource = f"{segments[-1]}.{group}" if group else segments[-1]


class Cells:
    """The cells of one watch's objects.

    Attributes:
        exact: Whether `of` prints what the server would; else `poll` must be asked.
    """

    def __init__(self, path: str, query: str, cluster: Cluster) -> None:
        self.kind = Kind(path)
        self.exact = False
        self._path = path
        self._query = query
        self._cluster = cluster
        self._printer: Printer | None = PRINTERS.get(self.kind.resource)
        self._custom = self._printer is None and not self.kind.core
        self._columns: tuple[Column, ...] | None = None
        self._width = 0
        self._failed = False
        self._known: dict[str, bytes] = {}

    @property
    def custom(self) -> bool:
        """Whether the columns are those of a definition, which may change: see `renewed`."""
        return self._custom and self._printer is not None

    async def renewed(self) -> bool:
        """Read the definition of a custom resource (again); whether its columns are other ones than before."""
        if not self._custom:
            return False
        try:
            answer = await self._cluster.request("GET", f"{DEFINITIONS}/{self.kind.resource}")
            versions = msgspec.json.decode(answer.body, type=_Definition).spec.versions if answer.status == 200 else ()
        except (MuxError, *UNREADABLE):
            return False
        for version in versions:
            if version.name == self.kind.version:
                before, known = self._columns, self._printer is not None
                columns = read_columns(version.additionalPrinterColumns)
                self._columns = columns
                self._printer = partial(print_custom, columns)
                return known and before != columns
        return False

    def check(self, columns: Sequence[Mapping[str, object]], rows: Sequence[tuple[Raw | bytes, Raw]]) -> None:
        """Learn from a list: its columns, and rows as (cells, object)."""
        self._width = len(columns)
        step = max(1, len(rows) // CHECKED)
        self._failed = self._printer is None or not columns
        self.exact = not self._failed and all(self._same(cells, content) for cells, content in rows[::step])

    def _same(self, cells: Raw | bytes, content: Raw) -> bool:
        printed = self.of(content)
        return printed is not None and _plain(_decode(printed)) == _plain(_decode(cells))

    def of(self, content: Raw) -> bytes | None:
        """An object's cells as JSON; None where they cannot be printed here."""
        if self._printer is None:
            return None
        try:
            cells = self._printer(_decode(content), time.time())
        except (LookupError, TypeError, ValueError, AttributeError):
            return None  # an object of a shape that the printer does not know: the server is asked
        return _encode(cells) if not self._width or len(cells) == self._width else None

    def known(self, uid: str) -> bytes:
        """An object's cells in the last Table."""
        return self._known.get(uid, tables.NO_CELLS)

    async def poll(self, seconds: float) -> tuple[bytes | None, Mapping[str, bytes]]:
        """Ask for a Table: its columns, and by uid the cells.

        Args:
            seconds: For each page.

        Raises:
            MuxError: No answer, or one that is no success.
            msgspec.MsgspecError: One that cannot be decoded.
        """
        found: dict[str, bytes] = {}
        columns, token = None, ""
        while True:
            pages = "limit=500" + (f"&continue={token}" if token else "")
            query = "&".join(part for part in (self._query, METADATA_ONLY, pages) if part)
            answer = await self._cluster.request(
                "GET", self._path, query, headers={"Accept": tables.ACCEPT}, timeout=seconds
            )
            if (error := answer.error("print", self._cluster.name)) is not None:
                raise error
            body = tables.decode_list(answer.body)
            columns = columns or tables.columns_of(body.columnDefinitions)
            found.update((one.uid, bytes(cells)) for one, cells, _ in tables.members(body))
            token = body.metadata.token
            if not token:
                self._known = found
                return columns, found


def _plain(cells: Any) -> Any:
    """Cells without the times in them, which go on between two printings."""
    return [_TIME.sub("~", cell) if isinstance(cell, str) else cell for cell in cells]
