"""One rule of a role: what it allows, whether it covers another, how errors write it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from notebook_mux.playground.access import Asked

Json = dict[str, Any]

ALL = "*"
ATOMS = 2_000
"""Of one rule that are looked at one by one: a few lists of a hundred make a million of them."""


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule: verbs on resources, or on paths that are no resources (rbac.authorization.k8s.io/v1 PolicyRule)."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: Json) -> PolicyRule:
        """A rule as an object has it."""
        fields = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
        return cls(*(tuple(rule.get(field) or ()) for field in fields))

    def to_json(self) -> Json:
        """The rule as objects have it, without what is empty."""
        found: Json = {"verbs": list(self.verbs)}
        named = (("apiGroups", self.groups), ("resources", self.resources), ("resourceNames", self.names),
                 ("nonResourceURLs", self.urls))  # fmt: skip
        return found | {name: list(values) for name, values in named if values}

    def allows(self, asked: Asked) -> bool:
        """Whether what is asked is in it."""
        if ALL not in self.verbs and asked.verb not in self.verbs:
            return False
        if asked.path:
            return any(_url_covers(url, asked.path) for url in self.urls)
        if ALL not in self.groups and asked.group not in self.groups:
            return False
        whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        if not any(
            one in (ALL, whole) or (asked.subresource and one == f"*/{asked.subresource}") for one in self.resources
        ):
            return False
        return not self.names or asked.name in self.names

    def atoms(self) -> Iterator[PolicyRule]:
        """Rules of one verb, group, resource and name, or of one verb and URL, that together say the same."""
        for group in self.groups:
            for resource in self.resources:
                for verb in self.verbs:
                    if self.names:
                        yield from (PolicyRule((verb,), (group,), (resource,), (name,)) for name in self.names)
                    else:
                        yield PolicyRule((verb,), (group,), (resource,))
        for url in self.urls:
            yield from (PolicyRule((verb,), urls=(url,)) for verb in self.verbs)

    @property
    def size(self) -> int:
        """How many atoms it has."""
        of_resources = len(self.groups) * len(self.resources) * max(1, len(self.names))
        return (of_resources + len(self.urls)) * len(self.verbs)

    def covers(self, atom: PolicyRule) -> bool:
        """Whether it allows all that an atom does."""
        if not (ALL in self.verbs or set(atom.verbs) <= set(self.verbs)):
            return False
        if not (ALL in self.groups or set(atom.groups) <= set(self.groups)):
            return False
        if ALL not in self.resources and not all(self._has(one) for one in atom.resources):
            return False
        if self.names and not (atom.names and set(atom.names) <= set(self.names)):
            return False
        return all(any(_url_covers(own, url) for own in self.urls) for url in atom.urls)

    def _has(self, resource: str) -> bool:
        if resource in self.resources:
            return True
        _, slash, subresource = resource.partition("/")
        return bool(slash) and f"*/{subresource}" in self.resources

    def __str__(self) -> str:
        parts = (("APIGroups", self.groups), ("Resources", self.resources), ("ResourceNames", self.names),
                 ("NonResourceURLs", self.urls), ("Verbs", self.verbs))  # fmt: skip
        return "{" + ", ".join(f"{name}:{quoted(values)}" for name, values in parts if values) + "}"


def quoted(values: Iterable[str]) -> str:
    """``["a" "b"]``, as Go prints a list of texts."""
    return "[" + " ".join(f'"{value}"' for value in values) + "]"


def _url_covers(own: str, path: str) -> bool:
    return own in (ALL, path) or (own.endswith(ALL) and path.startswith(own.rstrip(ALL)))


def not_covered(own: Sequence[PolicyRule], wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """The part of some rules that others do not cover; atoms that differ in the verb only are one rule.

    A rule of more than `ATOMS` atoms is covered by one of the others, or not at all.
    """
    missing: dict[PolicyRule, PolicyRule] = {}
    for rule in wanted:
        for atom in rule.atoms() if rule.size <= ATOMS else (rule,):
            if any(one.covers(atom) for one in own):
                continue
            key = atom if atom.urls else replace(atom, verbs=())
            known = missing.get(key)
            missing[key] = atom if known is None else replace(known, verbs=(*known.verbs, *atom.verbs))
    return list(missing.values())
