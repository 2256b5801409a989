"""The names that a definition wants, and whether another of its group has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one definition."""

    group: str
    plural: str
    singular: str
    kind: str
    list_kind: str
    short: tuple[str, ...] = ()

    @classmethod
    def of(cls, crd: Json) -> Names:
        """Those that a definition asks for."""
        spec = crd.get("spec") or {}
        names = spec.get("names") or {}
        kind = names.get("kind") or ""
        return cls(
            spec.get("group") or "",
            names.get("plural") or "",
            names.get("singular") or kind.lower(),
            kind,
            names.get("listKind") or f"{kind}List",
            tuple(names.get("shortNames") or ()),
        )

    @property
    def resources(self) -> frozenset[str]:
        """What is in paths and on command lines."""
        return frozenset({self.plural, self.singular, *self.short})

    @property
    def kinds(self) -> frozenset[str]:
        """What objects say they are."""
        return frozenset({self.kind, self.list_kind})


def accepted(wanted: Json, before: Json, others: Iterable[Names], group: str) -> Json:
    """The ``acceptedNames``: those that are free, and what was accepted before in place of those that are not."""
    taken = [one for one in others if one.group == group]
    resources = frozenset[str]().union(*(one.resources for one in taken))
    kinds = frozenset[str]().union(*(one.kinds for one in taken))
    found = {"plural": "", "kind": "", **before}
    for name, known in (("plural", resources), ("singular", resources), ("kind", kinds), ("listKind", kinds)):
        if wanted.get(name) and wanted[name] not in known:
            found[name] = wanted[name]
    if not any(short in resources for short in wanted.get("shortNames") or ()):
        found["shortNames"] = list(wanted.get("shortNames") or ())
    found["categories"] = list(wanted.get("categories") or ())
    order = ("plural", "singular", "shortNames", "kind", "listKind", "categories")
    return {name: found[name] for name in order if found.get(name) or name in ("plural", "kind")}


def conflict(wanted: Names, others: Iterable[Names]) -> tuple[str, str] | None:
    """The reason and the message of the last name that another has; None if all are free."""
    group = [one for one in others if one.group == wanted.group]
    resources = frozenset[str]().union(*(one.resources for one in group))
    kinds = frozenset[str]().union(*(one.kinds for one in group))
    found: tuple[str, str] | None = None
    for name, taken, reason in (
        (wanted.plural, resources, "PluralConflict"),
        (wanted.singular, resources, "SingularConflict"),
        *((short, resources, "ShortNamesConflict") for short in wanted.short),
        (wanted.kind, kinds, "KindConflict"),
        (wanted.list_kind, kinds, "ListKindConflict"),
    ):
        if name in taken:
            found = (reason, f'"{name}" is already in use')
    return found
