"""Records with what is needed to show them: their cluster, the columns' titles, how far a view spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A record and the cluster it is of."""

    cluster: str
    record: Any


class Described(NamedTuple):
    """What is read, for people.

    Args:
        kind: As it was asked for.
        where: The namespaces.
        rest: Clusters and selectors, or "".
    """

    kind: str
    where: str
    rest: str

    def words(self, resources: Iterable[Mapping[str, Any] | None]) -> str:
        """Such as "pods in default"; better than what was asked where the resource is known."""
        known = next((resource for resource in resources if resource is not None), None)
        if known is None:
            return f"{self.kind} in {self.where}{self.rest}"
        return f"{known['name']}{f' in {self.where}' if known['namespaced'] else ''}{self.rest}"


def scopes(view: Any) -> tuple[bool, bool]:
    """Whether what is read spans several clusters, and several namespaces."""
    namespaces = {name for state in view.states.values() for name in state.namespaces or ()}
    return len(view.states) > 1, "*" in namespaces or len(namespaces) > 1


def unique_titles(columns: list[dict[str, Any]]) -> list[str]:
    """The columns' names; a custom resource may use one twice, and the second gets a number."""
    seen: dict[str, int] = {}
    titles = []
    for column in columns:
        name = column["name"]
        seen[name] = seen.get(name, 0) + 1
        titles.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return titles
