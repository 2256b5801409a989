"""The fields of Kubernetes' messages: numbers and types on the wire, names in JSON, what JSON leaves out.

``data/fields.zip`` is written by ``python -m tests.testbed.protobuf``; it has a member for each package, with the
fields of its messages. A package is read when a message of it is first met.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

DATA = "data/fields.zip"

MAP, REPEATED, POINTER = "m", "r", "p"
OMIT_EMPTY, OMIT_ZERO = "e", "z"
"""Flags of a field. With the first Go's JSON leaves out an empty scalar, list or map, with the second only an empty
struct."""

SCALARS = {"string": 2, "bytes": 2, "int32": 0, "int64": 0, "uint32": 0, "uint64": 0, "bool": 0, "double": 1}
"""Types that are no messages, with their wire types (protobuf.dev/programming-guides/encoding)."""

_Rows = dict[str, list[Any]]
_rows = msgspec.json.Decoder(_Rows).decode


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Args:
        number: On the wire.
        name: In JSON; empty for a struct whose fields are those of the message.
        kind: A scalar, or a message's full name.
        flags: What else there is to it.
        shown: Go's name of its type, where it is not the kind's.
    """

    number: int
    name: str
    kind: str
    flags: str
    shown: str = ""

    @property
    def go_type(self) -> str:
        """Its type as Go's messages say it, such as ``[]v1.Container``."""
        if self.shown:
            return self.shown
        return {"bytes": "[]uint8", "double": "float64"}.get(self.kind, self.kind)

    @property
    def is_map(self) -> bool:
        """Whether it has values by keys, which are strings."""
        return MAP in self.flags

    @property
    def is_list(self) -> bool:
        """Whether it has several values."""
        return REPEATED in self.flags

    @property
    def is_scalar(self) -> bool:
        """Whether its values are no messages."""
        return self.kind in SCALARS

    @property
    def is_pointer(self) -> bool:
        """Whether it may be absent, which is not the same as empty."""
        return POINTER in self.flags

    @property
    def is_always_there(self) -> bool:
        """Whether JSON has it even when the message has not."""
        if self.is_pointer or OMIT_ZERO in self.flags:
            return False
        return OMIT_EMPTY not in self.flags or not (self.is_map or self.is_list or self.is_scalar)


@cache
def _package(name: str) -> _Rows:
    import zipfile
    from importlib.resources import files

    with files("notebook_mux.playground.protobuf").joinpath(DATA).open("rb") as file, zipfile.ZipFile(file) as archive:
        try:
            return _rows(archive.read(f"{name}.json"))
        except KeyError:
            return {}


@cache
def fields(message: str) -> tuple[Field, ...] | None:
    """The fields of a message, in their order in JSON; None if there is no such message."""
    package, _, name = message.rpartition(".")
    rows = _package(package).get(name)
    return tuple(Field(*row) for row in rows) if rows is not None else None


META = "k8s.io.apimachinery.pkg.apis.meta.v1"
RUNTIME = "k8s.io.apimachinery.pkg.runtime"
_OTHERS = {"apiextensions": "k8s.io.apiextensions-apiserver.pkg.apis.apiextensions"}


def message_of(api_version: str, kind: str) -> str | None:
    """The message of a kind; None if it has none, as custom kinds."""
    group, _, version = api_version.rpartition("/")
    word, _, domain = group.partition(".")
    if not domain or domain.endswith("k8s.io"):
        package = _OTHERS.get(word) or "k8s.io.api." + (word or "core")
        message = f"{package}.{version}.{kind}"
        if fields(message) is not None:
            return message
    return f"{META}.{kind}" if kind in OF_ANY_GROUP and fields(f"{META}.{kind}") is not None else None


OF_ANY_GROUP = frozenset({
    "Status", "DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "ListOptions", "GetOptions",
    "PartialObjectMetadata", "PartialObjectMetadataList", "APIVersions", "APIGroup", "APIGroupList", "APIResourceList",
})  # fmt: skip
"""Kinds of apimachinery, which each group has as its own."""


def rows_of(package: str) -> dict[str, Any]:
    """A package's messages as the data has them, for tests."""
    return _package(package)
