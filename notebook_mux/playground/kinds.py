"""The kinds a cluster serves: the built-in ones of ``catalog.json`` and those its CRDs add."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from notebook_mux.playground.crds.names import Names, conflict
from notebook_mux.playground.crds.versions import Version, by_priority, versions_of
from notebook_mux.printers.custom import Column, read_columns

CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
"""In the order in which discovery has them for custom kinds."""

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object under one group and version.

    Args:
        columns: A custom kind's own columns; None is Name and Age. Built-in kinds have their printers.
        custom: Whether it comes from a CRD.
        definition: What its CRD says of the version; None of a built-in kind.
        deprecated: What a built-in kind warns of whoever asks for it.
    """

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    columns: tuple[Column, ...] | None = None
    custom: bool = False
    definition: Version | None = field(default=None, compare=False)
    deprecated: str = ""

    @property
    def warning(self) -> str:
        """What each answer of it warns of; empty is nothing."""
        return self.deprecated or (self.definition.warning if self.definition is not None else "")

    @property
    def resource(self) -> str:
        """``pods``, ``deployments.apps``: what errors and the store call it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """``v1``, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def served(self) -> bool:
        """Whether it has objects; reviews are only answered."""
        return "list" in self.verbs


@cache
def built_in() -> tuple[Kind, ...]:
    """The kinds of the real server that the playground has, in the real order of groups."""
    text = files("notebook_mux.playground").joinpath("catalog.json").read_text(encoding="utf-8")
    return tuple(_kind(entry) for entry in json.loads(text))


def _kind(entry: dict[str, Any]) -> Kind:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Kind(**values)


class Kinds:
    """What one cluster serves at this moment."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], list[Kind]] = {}
        self._claimed: dict[str, Names] = {}
        for kind in built_in():
            self._kinds.setdefault((kind.group, kind.plural), []).append(kind)

    def __iter__(self) -> Iterator[Kind]:
        return iter([kind for versions in self._kinds.values() for kind in versions])

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind at a path; None if it is not served."""
        return next((kind for kind in self._kinds.get((group, plural), ()) if kind.version == version), None)

    def of(self, resource: str) -> Kind:
        """The kind of ``pods`` or ``deployments.apps``, in the version it is stored in; KeyError if there is none."""
        plural, _, group = resource.partition(".")
        versions = self._kinds[(group, plural)]
        return next((kind for kind in versions if kind.definition is not None and kind.definition.storage), versions[0])

    def of_object(self, api_version: str, kind: str) -> Kind | None:
        """The kind that an object says it is."""
        for candidate in self:
            if candidate.kind == kind and candidate.api_version == api_version:
                return candidate
        return None

    def groups(self) -> dict[str, list[Kind]]:
        """Kinds by group, groups in the server's order; of custom kinds the preferred version first."""
        found: dict[str, list[Kind]] = {}
        for kind in self:
            found.setdefault(kind.group, []).append(kind)
        for kinds in found.values():
            if all(kind.custom for kind in kinds):
                order = by_priority({kind.version for kind in kinds})
                kinds.sort(key=lambda kind: order.index(kind.version))
        return found

    def conflict(self, crd: dict[str, Any]) -> tuple[str, str] | None:
        """Why a CustomResourceDefinition is not served, reason and message: another has its names; None if none has."""
        return conflict(Names.of(crd), self.claimed_by_others(crd))

    def claimed_by_others(self, crd: dict[str, Any]) -> list[Names]:
        """The names that other definitions have."""
        return [other for key, other in self._claimed.items() if key != _name(crd)]

    def define(self, crd: dict[str, Any]) -> None:
        """Serve what a CustomResourceDefinition says, unless its names are those of another."""
        versions = [] if self.conflict(crd) is not None else customs(crd)
        if not versions:
            self.forget(crd)
            return
        key = (versions[0].group, versions[0].plural)
        self._claimed[_name(crd)] = Names.of(crd)
        before = {kind: kind for kind in self._kinds.get(key, ())}
        # A kind that did not change stays the same object: what is stored of it is not looked at again.
        self._kinds[key] = [
            known if (known := before.get(kind)) is not None and known.definition == kind.definition else kind
            for kind in versions
        ]

    def forget(self, crd: dict[str, Any]) -> None:
        """Stop serving what a CustomResourceDefinition says, if that was served."""
        spec = crd["spec"]
        if self._claimed.pop(_name(crd), None) is not None:
            self._kinds.pop((spec["group"], spec["names"]["plural"]), None)


def _name(crd: dict[str, Any]) -> str:
    return str((crd.get("metadata") or {}).get("name", ""))


def custom(crd: dict[str, Any]) -> Kind | None:
    """The kind that a CustomResourceDefinition defines, in its first version; None if no version is served."""
    return next(iter(customs(crd)), None)


def customs(crd: dict[str, Any]) -> list[Kind]:
    """The kind that a CustomResourceDefinition defines, once for each served version."""
    spec = crd.get("spec", {})
    names = spec.get("names", {})
    if not spec.get("group") or not names.get("plural") or not names.get("kind"):
        return []
    definitions = versions_of(crd)
    return [
        Kind(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            singular=names.get("singular") or names["kind"].lower(),
            kind=names["kind"],
            namespaced=spec.get("scope") == "Namespaced",
            verbs=CUSTOM_VERBS,
            short_names=tuple(names.get("shortNames", ())),
            categories=tuple(names.get("categories", ())),
            subresources=tuple(name for name in ("status", "scale") if name in (version.get("subresources") or {})),
            columns=read_columns(version.get("additionalPrinterColumns")),
            custom=True,
            definition=definitions[version["name"]],
        )
        for version in spec.get("versions", ())
        if version["name"] in definitions
    ]
