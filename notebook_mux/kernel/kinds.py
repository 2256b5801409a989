"""From the word a person writes to the resource a cluster serves, as kubectl understands it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from notebook_mux.kernel.failure import Failure

Resource = dict[str, Any]
"""name, singular, kind, group, version, namespaced, short_names, categories, verbs: one entry of discovery."""

NEAR_NAMES = 4
"""How many near names an error offers."""


def find(resources: list[Resource], word: str) -> Resource:
    """The resource that `word` names.

    Args:
        resources: What the cluster serves, in its order, preferred versions first.
        word: ``pods``, ``po``, ``pod``, ``Pod``, ``deployments.apps``, ``deployments.v1.apps`` or
            ``apps/v1/deployments``.

    Raises:
        Failure: ``unknown-kind`` with near names, or ``invalid`` for a word that is none or a category.
    """
    name, group, version = _split(word)
    found = [
        r for r in resources if _matches(r, name) and group in (None, r["group"]) and version in (None, r["version"])
    ]
    if found:
        watchable = [r for r in found if "list" in r["verbs"]]
        return (watchable or found)[0]
    if group is not None and version is None and "." in word:
        # deployments.v1.apps: the part after the name may begin with a version.
        version, _, rest = group.partition(".")
        for resource in resources:
            if _matches(resource, name) and (resource["version"], resource["group"]) == (version, rest):
                return resource
    if any(word.lower() in r["categories"] for r in resources):
        raise Failure("invalid", f"{word!r} is a category of kinds, not a kind", todo="name one kind, such as 'pods'")
    near = difflib.get_close_matches(name, sorted({n for r in resources for n in _names(r)}), NEAR_NAMES)
    todo = f"did you mean {' or '.join(near)}?" if near else "see what it serves with kubectl api-resources"
    raise Failure("unknown-kind", f"the cluster serves no kind {word!r}", todo=todo)


def path(resource: Resource, namespace: str | None) -> str:
    """The path of the collection, in one namespace or (None) in all."""
    group, version = resource["group"], resource["version"]
    base = f"/apis/{group}/{version}" if group else f"/api/{version}"
    if namespace is not None and resource["namespaced"]:
        base += f"/namespaces/{namespace}"
    return f"{base}/{resource['name']}"


def _split(word: str) -> tuple[str, str | None, str | None]:
    parts = word.strip().split("/")
    if not all(parts) or len(parts) > 3:
        raise Failure(
            "invalid",
            f"{word!r} is no kind",
            todo="write 'pods', 'deployments.apps' or 'apps/v1/deployments'",
        )
    if len(parts) == 3:
        return parts[2].lower(), parts[0], parts[1]
    if len(parts) == 2:
        return parts[1].lower(), "", parts[0]
    name, dot, group = parts[0].partition(".")
    return name.lower(), (group if dot else None), None


def _names(resource: Resource) -> list[str]:
    return [resource["name"], resource["singular"], resource["kind"].lower(), *resource["short_names"]]


def _matches(resource: Resource, name: str) -> bool:
    return name in _names(resource)


SHOWN_NAMESPACES = 5
"""Of those that would work, and of those that were checked."""


def elsewhere(allowed: Sequence[str], checked: Sequence[str], total: int, what: str) -> str:
    """What to do about a namespace that is forbidden.

    Args:
        allowed: The namespaces where it is allowed, of those checked.
        checked: The namespaces that were asked about.
        total: How many there are to ask about.
        what: What is allowed there, such as "list pods".
    """
    of = f"{len(checked)} of {total} namespaces" if total > len(checked) else _namespaces(len(checked))
    if not checked:
        return f"name a namespace in which you may {what}: namespace=[...]; none is known to check"
    if not allowed:
        shown = ", ".join(checked[:SHOWN_NAMESPACES]) + (", …" if len(checked) > SHOWN_NAMESPACES else "")
        return f"ask for the right to {what}: checked {of} ({shown}), and none allows it"
    shown = ", ".join(repr(name) for name in allowed[:SHOWN_NAMESPACES])
    more = f" (and {len(allowed) - SHOWN_NAMESPACES} more)" if len(allowed) > SHOWN_NAMESPACES else ""
    return f"namespace=[{shown}] would work{more}: you may {what} there; checked {of}"


def _namespaces(number: int) -> str:
    return f"{number} namespace{'' if number == 1 else 's'}"
