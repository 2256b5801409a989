"""The documents of ``/openapi/v3``: what the real server says of the kinds that are served here, and of custom ones.

KEP-2896. A document is made when it is asked for; its hash is made of what it would be made of.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.schemas import Schemas, library

Json = dict[str, Any]

GVK = "x-kubernetes-group-version-kind"
OF_EACH_DOCUMENT = ("DeleteOptions", "WatchEvent")
"""Kinds of apimachinery that say in each document that they are of this document's group as well."""

ALWAYS = ("api", "apis", "version")
"""Documents of what is no kind."""

REFERENCE = re.compile(rb'"#/components/schemas/([^"]+)"')
PLAIN = ("apiVersion", "kind", "metadata")
"""Fields of a custom object that the server describes itself."""

encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Documents:
    """The documents of one cluster.

    Args:
        kinds: What it serves; looked at anew for each answer.
        schemas: Of its custom kinds.
    """

    def __init__(self, kinds: Iterable[Kind], schemas: Schemas):
        self._kinds = kinds
        self._schemas = schemas
        self._last: tuple[str, str, bytes] = ("", "", b"")

    def index(self) -> Json:
        """The body of ``/openapi/v3``."""
        paths = {name: {"serverRelativeURL": self.url(name)} for name in self.names()}
        return {"paths": paths}

    def url(self, name: str) -> str:
        """Where a document is."""
        return f"/openapi/v3/{name}?hash={self.hash(name)}"

    def hash(self, name: str) -> str:
        """What changes with a document's content."""
        said: list[Any] = [name, library.mark()]
        for kind in self.of(name):
            said.append([kind.plural, kind.kind, kind.namespaced, kind.subresources])
            if kind.custom:
                said.append(self._schemas.written(kind))
        return hashlib.sha512(encode(said)).hexdigest().upper()

    def has(self, name: str) -> bool:
        """Whether there is a document of this name, such as ``apis/apps/v1``."""
        return name in self.names()

    def body(self, name: str) -> bytes:
        """A document."""
        mark = self.hash(name)
        if self._last[:2] != (name, mark):
            self._last = (name, mark, self._make(name))
        return self._last[2]

    def names(self) -> list[str]:
        """The names of all documents."""
        found = set(ALWAYS)
        for kind in self._kinds:
            name = f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"
            if kind.custom:
                found.add(name)
            elif name in library.documents():
                found |= {name, f"apis/{kind.group}"} if kind.group else {name}
        return sorted(found)

    def of(self, name: str) -> list[Kind]:
        """The kinds that a document is about."""
        group, _, version = name.partition("/")[2].rpartition("/")
        found = [one for one in self._kinds if (one.group, one.version) == (group, version)]
        return sorted(found, key=lambda one: one.plural)

    def paths(self, name: str) -> Json:
        """The paths of a document; values may be shared and must not be changed."""
        kinds = self.of(name)
        if not any(kind.custom for kind in kinds):
            return _served(library.paths(name), kinds)
        found: Json = {}
        for kind in kinds:
            found |= _custom_paths(kind)
        return found

    def _make(self, name: str) -> bytes:
        own: dict[str, bytes] = {}
        for kind in self.of(name):
            if kind.custom:
                own |= self._custom_schemas(kind)
        paths = self.paths(name)
        written = _encode_sorted(paths)
        components = _components(written, own, name)
        head = library.head()
        parts = [b'{"openapi":', encode(head["openapi"]), b',"info":', encode(head["info"]), b',"paths":', written]
        parts += [b',"components":{"schemas":{', b",".join(components)]
        parts += [b'},"securitySchemes":', encode(head["securitySchemes"]), b"}}"]
        return b"".join(parts)

    def _custom_schemas(self, kind: Kind) -> dict[str, bytes]:
        """The definitions of a custom kind and of its list."""
        found = stated_of(kind)
        name = name_of(kind)
        stated = msgspec.json.decode(found[name])
        schema = self._schemas.written(kind) or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        plain = {field: stated["properties"][field] for field in PLAIN}
        whole = {**schema, "properties": {**schema.get("properties", {}), **plain}, GVK: stated[GVK]}
        return {**found, name: _encode_sorted(whole)}


def name_of(kind: Kind) -> str:
    """The name of a custom kind's definition."""
    return _name(kind, library.STAND_IN_KIND)


def stated_of(kind: Kind) -> dict[str, bytes]:
    """The definitions of a custom kind and of its list, as they are without a schema."""
    template = library.template(namespaced=kind.namespaced)
    return {_name(kind, key): _put_in(encode(value), kind) for key, value in template["schemas"].items()}


def _served(paths: Json, kinds: list[Kind]) -> Json:
    """The paths of what is served."""
    by_plural = {kind.plural: kind for kind in kinds}
    found = {}
    for path, said in paths.items():
        steps = [step for step in path.strip("/").split("/")[1:] if step]
        steps = steps[1:] if path.startswith("/api/") else steps[2:]
        steps = steps[1:] if steps and steps[0] == "watch" else steps
        if steps[:2] == ["namespaces", "{namespace}"]:
            steps = steps[2:]
        kind = by_plural.get(steps[0]) if steps else None
        if not steps or (kind is not None and (len(steps) < 3 or steps[2] in kind.subresources)):
            found[path] = said
    return found


def _custom_paths(kind: Kind) -> Json:
    template = library.template(namespaced=kind.namespaced)["paths"]
    made: Json = msgspec.json.decode(_put_in(encode(library.unfold(template)), kind))
    return {path: said for path, said in made.items() if _subresource(path) in ("", *kind.subresources)}


def _subresource(path: str) -> str:
    return path.rpartition("/{name}")[2].strip("/") if "/{name}/" in path else ""


def _name(kind: Kind, template: str) -> str:
    """The name of a custom kind's definition in the place of the stand-in's."""
    last = template.rpartition(".")[2].replace(library.STAND_IN_KIND, kind.kind)
    return ".".join([*reversed(kind.group.split(".")), kind.version, last])


def _put_in(template: bytes, kind: Kind) -> bytes:
    """A template with a kind's names in the places of the stand-in's."""
    group, stand_in, plural = library.STAND_IN_GROUP, library.STAND_IN_KIND, library.STAND_IN_PLURAL
    words = kind.group.split(".")
    camel = words[0] + "".join(word.title() for word in words[1:])
    upper = "".join(word.title() for word in re.split(r"[.-]", kind.group))
    version = kind.version[:1].upper() + kind.version[1:]
    places = (
        (f"in.stand.v1.{stand_in}", name_of(kind)),
        (f"/apis/{group}/v1", f"/apis/{kind.api_version}"),
        ("standIn_v1", f"{camel}_{kind.version}"),
        ("StandInV1", f"{upper}{version}"),
        (
            f'"group":"{group}","kind":"{stand_in}","version":"v1"',
            f'"group":"{kind.group}","kind":"{kind.kind}","version":"{kind.version}"',
        ),
        (
            f'"group":"{group}","kind":"{stand_in}List","version":"v1"',
            f'"group":"{kind.group}","kind":"{kind.kind}List","version":"{kind.version}"',
        ),
        (plural, kind.plural),
        (stand_in, kind.kind),
    )
    for old, new in places:
        template = template.replace(old.encode(), new.encode())
    return template


def _components(paths: bytes, own: dict[str, bytes], document: str) -> list[bytes]:
    """All definitions that the paths refer to, and what they refer to."""
    packages: dict[str, dict[str, msgspec.Raw]] = {}
    found: dict[str, bytes] = dict(own)
    open_ = set(REFERENCE.findall(paths)).union(*(REFERENCE.findall(text) for text in own.values()))
    while open_:
        name = open_.pop().decode()
        if name in found and name not in own:
            continue
        if name not in own:
            of = library.package(name)
            if of not in packages:
                packages[of] = _raw.decode(library.read(f"definitions/{of}.json") or b"{}")
            found[name] = _for_document(name, bytes(packages[of][name]), document)
            open_ |= {one for one in REFERENCE.findall(found[name]) if one.decode() not in found}
    return [encode(name) + b":" + found[name] for name in sorted(found)]


def _for_document(name: str, text: bytes, document: str) -> bytes:
    if name.rpartition(".")[2] not in OF_EACH_DOCUMENT or not document.startswith("apis/"):
        return text
    group, _, version = document.partition("/")[2].rpartition("/")
    schema = msgspec.json.decode(text)
    kind = name.rpartition(".")[2]
    schema[GVK] = [*schema[GVK], {"group": group, "kind": kind, "version": version}]
    return encode(schema)
