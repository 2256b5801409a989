"""Schemas of kinds: of the built-in ones from the package's data, of custom ones from their definitions.

::

    pod = schemas.of(cluster.kind("pods"))
    pod.field("spec").field("containers").list_type        # "map"
    cluster.schemas.of(kind)                               # custom kinds too
"""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.schemas import library
from notebook_mux.playground.schemas.schema import UNSET, Node, Schema

__all__ = ["UNSET", "Schema", "Schemas", "definition", "from_dict", "of"]

Json = dict[str, Any]

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
definition = library.definition


def of(kind: Kind) -> Schema | None:
    """The schema of a built-in kind; None if nothing is known of it."""
    name = library.names().get((kind.group, kind.version, kind.kind))
    return library.definition(name) if name else None


def from_dict(schema: Json, *, root: bool = False) -> Schema:
    """The schema that a CustomResourceDefinition says (its ``openAPIV3Schema``).

    Args:
        schema: As it is in JSON.
        root: Whether it is a whole object, to which the server adds kind, apiVersion and metadata.

    Raises:
        msgspec.ValidationError: It is no schema.
    """
    if root:
        text = {"type": "string"}
        meta = {"$ref": f"#/components/schemas/{OBJECT_META}"}
        own = {"apiVersion": text, "kind": text, "metadata": meta}
        schema = {**schema, "properties": {**schema.get("properties", {}), **own}}
    return Schema(msgspec.convert(schema, Node), library.definition)


class Schemas:
    """The schemas of one cluster's kinds."""

    def __init__(self) -> None:
        self._custom: dict[tuple[str, str, str], Json] = {}
        self._made: dict[tuple[str, str, str], Schema] = {}

    def of(self, kind: Kind) -> Schema | None:
        """The schema of a kind; None if nothing is known of it."""
        if not kind.custom:
            return of(kind)
        key = (kind.group, kind.version, kind.kind)
        if key not in self._made and key in self._custom:
            self._made[key] = from_dict(self._custom[key], root=True)
        return self._made.get(key)

    def written(self, kind: Kind) -> Json | None:
        """A custom kind's schema as it was registered."""
        return self._custom.get((kind.group, kind.version, kind.kind))

    def register(self, group: str, version: str, kind: str, schema: Json) -> None:
        """Say what a custom kind's objects hold: the ``openAPIV3Schema`` of its version."""
        self._custom[(group, version, kind)] = schema
        self._made.pop((group, version, kind), None)

    def define(self, crd: Json) -> None:
        """Register the schemas of all served versions that a CustomResourceDefinition has."""
        for version in crd["spec"].get("versions", ()):
            schema = (version.get("schema") or {}).get("openAPIV3Schema")
            if version.get("served") and schema is not None:
                self.register(crd["spec"]["group"], version["name"], crd["spec"]["names"]["kind"], schema)

    def forget(self, crd: Json) -> None:
        """Forget what a CustomResourceDefinition said."""
        spec = crd["spec"]
        for key in [key for key in self._custom if (key[0], key[2]) == (spec["group"], spec["names"]["kind"])]:
            del self._custom[key]
            self._made.pop(key, None)
