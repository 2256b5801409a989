"""The document of ``/openapi/v2``: all that the documents of ``/openapi/v3`` say, in one and in version 2.

kubectl asks for it to validate a ``kind: List`` and for ``explain --output=plaintext-openapiv2``. It is made when it
is asked for, and kept until the kinds are others.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import msgspec

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.schemas import Schemas, gnostic, library, version2
from notebook_mux.playground.schemas.documents import GVK, OF_EACH_DOCUMENT, Documents, name_of, stated_of

Json = dict[str, Any]

REFERENCE = re.compile(rb'"#/definitions/([^"]+)"')
JSON, PROTOBUF = "json", "protobuf"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Part(NamedTuple):
    """What one document of version 3 says: its paths, whether its kinds are custom, and how those are defined."""

    name: str
    paths: Json
    custom: bool
    own: dict[str, Json]


class Swagger:
    """The document of one cluster.

    Args:
        documents: Those of version 3.
        schemas: Of its custom kinds.
    """

    def __init__(self, documents: Documents, schemas: Schemas):
        self._documents = documents
        self._schemas = schemas
        self._mark = ""
        self._document: Json = {}
        self._made: dict[str, bytes] = {}
        self._making = asyncio.Lock()

    def hash(self) -> str:
        """What changes with the content, the same in both forms."""
        hashes = [self._documents.hash(name) for name in self._documents.names()]
        return hashlib.sha512(_encode(hashes)).hexdigest().upper()

    async def body(self, form: str) -> bytes:
        """The document. It takes half a second to make: what is asked meanwhile is answered.

        Args:
            form: `JSON` or `PROTOBUF`.
        """
        async with self._making:
            while (mark := self.hash()) != self._mark:  # kinds may come and go while it is made
                parts = [part async for part in self._parts()]
                self._document = await asyncio.to_thread(self._make, parts)
                self._mark, self._made = mark, {}
            if form not in self._made:
                encode = gnostic.encode if form == PROTOBUF else _encode
                self._made[form] = await asyncio.to_thread(encode, self._document)
            return self._made[form]

    async def _parts(self) -> AsyncIterator[Part]:
        """What the documents of version 3 say; others have their turn after each."""
        for name in self._documents.names():
            if not self._documents.has(name):
                continue
            customs = [kind for kind in self._documents.of(name) if kind.custom]
            own: dict[str, Json] = {}
            for kind in customs:
                own |= self._custom(kind)
            yield Part(name, self._documents.paths(name), bool(customs), own)
            await asyncio.sleep(0)

    @staticmethod
    def _make(parts: Sequence[Part]) -> Json:
        converter = version2.Paths()
        paths: Json = {}
        own: dict[str, Json] = {}
        groups = []
        for part in parts:
            for path, said in part.paths.items():
                paths[path] = converter.convert(said, custom=part.custom)
            own |= part.own
            group, _, version = part.name.partition("/")[2].rpartition("/")
            if group and not part.custom:
                groups.append((group, version))
        definitions = _definitions([_encode(paths), _encode(converter.shared)], own)
        for name, schema in definitions.items():
            if name.rpartition(".")[2] in OF_EACH_DOCUMENT and GVK in schema:
                kind_name = schema[GVK][0]["kind"]
                more = [{"group": group, "kind": kind_name, "version": version} for group, version in groups]
                definitions[name] = {**schema, GVK: [*schema[GVK], *more]}
        head = library.head()
        return {
            "swagger": "2.0",
            "info": head["info"],
            "paths": dict(sorted(paths.items())),
            "definitions": definitions,
            "parameters": dict(sorted(converter.shared.items())),
            "securityDefinitions": head["securitySchemes"],
            "security": [{name: [] for name in head["securitySchemes"]}],
        }

    def _custom(self, kind: Kind) -> dict[str, Json]:
        """The definitions of a custom kind and of its list."""
        found = {}
        for name, text in stated_of(kind).items():
            stated = _decode(text)
            of_kind = name == name_of(kind)
            found[name] = (
                version2.custom(self._schemas.written(kind), stated) if of_kind else version2.definition(stated)
            )
        return found


def _definitions(texts: list[bytes], own: dict[str, Json]) -> dict[str, Json]:
    """All definitions that texts refer to, and what they refer to, by name."""
    packages: dict[str, dict[str, msgspec.Raw]] = {}
    found = dict(own)
    open_ = {name for text in (*texts, _encode(own)) for name in REFERENCE.findall(text)}
    while open_:
        name = open_.pop().decode()
        if name in found:
            continue
        package = library.package(name)
        if package not in packages:
            packages[package] = _raw.decode(library.read(f"definitions/{package}.json") or b"{}")
        found[name] = version2.definition(_decode(packages[package][name]))
        open_ |= {one for one in REFERENCE.findall(_encode(found[name])) if one.decode() not in found}
    return dict(sorted(found.items()))
