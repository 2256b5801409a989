"""One version of a definition, as objects are read and written in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notebook_mux.playground.crds.rules import Rules

Json = dict[str, Any]

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


@dataclass(frozen=True)
class Version:
    """A served version of a custom kind.

    Args:
        name: ``v1`` ...
        schema: Its ``openAPIV3Schema``.
        status: Whether it has the sub-resource.
        scale: The paths of the sub-resource scale; None without it.
        selectable: The paths that field selectors may name, without the dot they begin with.
        warning: What each answer warns of; empty where the version is not deprecated.
        storage: Whether objects are stored in it.
    """

    name: str
    schema: Json
    status: bool = False
    scale: Json | None = None
    selectable: tuple[str, ...] = ()
    warning: str = ""
    storage: bool = False
    extra: Json = field(default_factory=dict)

    @cached_property
    def rules(self) -> Rules | None:
        """The rules of its schema, compiled; None where it has none."""
        from notebook_mux.playground.crds.rules import compile_schema  # only those who have rules need them

        return compile_schema(self.schema)


def versions_of(crd: Json) -> dict[str, Version]:
    """The served versions of a definition, by name."""
    spec = crd.get("spec") or {}
    return {one["name"]: _version(spec, one) for one in spec.get("versions") or () if one.get("served")}


def _version(spec: Json, version: Json) -> Version:
    below = version.get("subresources") or {}
    warning = ""
    if version.get("deprecated"):
        kind = f"{spec['group']}/{version['name']} {spec['names']['kind']}"
        warning = version.get("deprecationWarning") or f"{kind} is deprecated"
    return Version(
        name=version["name"],
        schema=(version.get("schema") or {}).get("openAPIV3Schema") or {"x-kubernetes-preserve-unknown-fields": True},
        status="status" in below,
        scale=below.get("scale"),
        selectable=tuple(one["jsonPath"].removeprefix(".") for one in version.get("selectableFields") or ()),
        warning=warning,
        storage=bool(version.get("storage")),
    )


def by_priority(names: Iterable[str]) -> list[str]:
    """Versions in the order of discovery: finished ones, then beta, then alpha, each the newest first.

    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority
    """

    def key(name: str) -> tuple[int, int, int, str]:
        match = _VERSION.fullmatch(name)
        if match is None:
            return (3, 0, 0, name)
        stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
        return (stage, -int(match[1]), -int(match[3] or 0), name)

    return sorted(names, key=key)
