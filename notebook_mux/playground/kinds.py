"""The kinds a cluster serves: the built-in ones of ``catalog.json`` and those its CRDs add."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from notebook_mux.printers.custom import Column, read_columns

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object under one group and version.

    Args:
        columns: A custom kind's own columns; None is Name and Age. Built-in kinds have their printers.
        custom: Whether it comes from a CRD.
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
        self._kinds: dict[tuple[str, str], Kind] = {(kind.group, kind.plural): kind for kind in built_in()}

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._kinds.values()))

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind at a path; None if it is not served."""
        kind = self._kinds.get((group, plural))
        return kind if kind is not None and kind.version == version else None

    def of(self, resource: str) -> Kind:
        """The kind of ``pods`` or ``deployments.apps``; KeyError if there is none."""
        plural, _, group = resource.partition(".")
        return self._kinds[(group, plural)]

    def of_object(self, api_version: str, kind: str) -> Kind | None:
        """The kind that an object says it is."""
        for candidate in self._kinds.values():
            if candidate.kind == kind and candidate.api_version == api_version:
                return candidate
        return None

    def groups(self) -> dict[str, list[Kind]]:
        """Kinds by group, groups in the server's order."""
        found: dict[str, list[Kind]] = {}
        for kind in self._kinds.values():
            found.setdefault(kind.group, []).append(kind)
        return found

    def define(self, crd: dict[str, Any]) -> None:
        """Serve what a CustomResourceDefinition says: its first served version."""
        if (kind := custom(crd)) is not None:
            self._kinds[(kind.group, kind.plural)] = kind

    def forget(self, crd: dict[str, Any]) -> None:
        """Stop serving what a deleted CustomResourceDefinition said."""
        spec = crd["spec"]
        self._kinds.pop((spec["group"], spec["names"]["plural"]), None)


def custom(crd: dict[str, Any]) -> Kind | None:
    """The kind that a CustomResourceDefinition defines; None if no version is served."""
    spec = crd.get("spec", {})
    names = spec.get("names", {})
    version = next((one for one in spec.get("versions", ()) if one.get("served")), None)
    if version is None or not spec.get("group") or not names.get("plural") or not names.get("kind"):
        return None
    return Kind(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        kind=names["kind"],
        namespaced=spec.get("scope") == "Namespaced",
        short_names=tuple(names.get("shortNames", ())),
        categories=tuple(names.get("categories", ())),
        subresources=tuple(name for name in ("status", "scale") if name in version.get("subresources", {})),
        columns=read_columns(version.get("additionalPrinterColumns")),
        custom=True,
    )
