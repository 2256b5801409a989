"""The schemas of the built-in kinds, and the documents they come from, read from the package's data when asked for.

``data/openapi.zip`` is written by ``python -m tests.testbed.openapi``. It has ``definitions/<package>.json``, each the
definitions of one package of Kubernetes by name, ``paths/<document>.json``, the paths of one document of
``/openapi/v3`` in a form where what stands there many times is written once (`unfold`), and ``templates/``, the
document of a custom kind.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import msgspec

from notebook_mux.playground.schemas.schema import Node, Schema

Json = dict[str, Any]

DATA = "data/openapi.zip"
SHARED = "$shared"
"""In a folded document: the number of a value in its list of shared ones."""

STAND_IN_GROUP, STAND_IN_KIND, STAND_IN_PLURAL = "stand.in", "Placeholder", "placeholders"
"""The kind in whose document those of other custom kinds are made."""

_nodes = msgspec.json.Decoder(dict[str, Node])


def read(member: str) -> bytes | None:
    """A member of the data; None if there is no such."""
    import zipfile
    from importlib.resources import files

    with files("notebook_mux.playground.schemas").joinpath(DATA).open("rb") as file, zipfile.ZipFile(file) as archive:
        try:
            return archive.read(member)
        except KeyError:
            return None


def package(name: str) -> str:
    """The package of a definition: ``io.k8s.api.core.v1`` of ``io.k8s.api.core.v1.Pod``."""
    return name.rpartition(".")[0]


@cache
def _package_nodes(name: str) -> dict[str, Node]:
    found = read(f"definitions/{name}.json")
    return _nodes.decode(found) if found is not None else {}


@cache
def definition(name: str) -> Schema:
    """The schema of a definition.

    Raises:
        KeyError: There is none of that name.
    """
    return Schema(_package_nodes(package(name))[name], definition, name)


@cache
def names() -> dict[tuple[str, str, str], str]:
    """The name of each built-in kind's definition, by group, version and kind."""
    found = read("kinds.json")
    assert found is not None, DATA
    return {(group, version, kind): name for group, version, kind, name in msgspec.json.decode(found)}


def written(package_name: str) -> Json:
    """The definitions of a package as the server writes them, for its documents. Not kept: it is big."""
    found = read(f"definitions/{package_name}.json")
    return msgspec.json.decode(found) if found is not None else {}


@cache
def mark() -> str:
    """What changes with the data."""
    return hashlib.sha256(read("kinds.json") or b"").hexdigest()


@cache
def documents() -> frozenset[str]:
    """The names of all documents that the data has."""
    import zipfile
    from importlib.resources import files

    with files("notebook_mux.playground.schemas").joinpath(DATA).open("rb") as file, zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    return frozenset(name[len("paths/") : -len(".json")] for name in names if name.startswith("paths/"))


def head() -> Json:
    """What each document says of itself."""
    return dict(msgspec.json.decode(read("head.json") or b"{}"))


def paths(document: str) -> Json:
    """The paths of a document; values may be shared and must not be changed."""
    return dict(unfold(msgspec.json.decode(read(f"paths/{document}.json") or b"")))


def template(*, namespaced: bool) -> Json:
    """The document of a custom kind that stands in for all: its folded ``paths`` and its ``schemas``."""
    return dict(msgspec.json.decode(read(f"templates/{'namespaced' if namespaced else 'cluster'}.json") or b""))


def fold(document: Any, least: int) -> Json:
    """A document in which each value of some size that stands there several times is written once.

    Args:
        document: What JSON can say.
        least: Bytes of a value from which on it is worth it.
    """
    encode = msgspec.json.Encoder(order="sorted").encode
    seen: dict[bytes, int] = {}

    def count(value: Any) -> None:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for one in inner:
            if isinstance(one, dict | list) and len(text := encode(one)) >= least:
                seen[text] = seen.get(text, 0) + 1
                if seen[text] == 1:
                    count(one)

    count(document)
    numbers: dict[bytes, int] = {}
    shared: list[Any] = []

    def folded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: place(one) for key, one in value.items()}
        return [place(one) for one in value] if isinstance(value, list) else value

    def place(value: Any) -> Any:
        if not isinstance(value, dict | list) or seen.get(text := encode(value), 0) < 2:
            return folded(value)
        if text not in numbers:
            inner = folded(value)
            numbers[text] = len(shared)
            shared.append(inner)
        return {SHARED: numbers[text]}

    whole = folded(document)
    return {"shared": shared, "document": whole}


def unfold(found: Json) -> Any:
    """The document that was folded; what it shares is the same object everywhere, so it must not be changed."""
    shared: list[Any] = []

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            if SHARED in value:
                return shared[value[SHARED]]
            return {key: whole(one) for key, one in value.items()}
        return [whole(one) for one in value] if isinstance(value, list) else value

    for one in found["shared"]:
        shared.append(whole(one))  # noqa: PERF401  a later one is made of earlier ones
    return whole(found["document"])
