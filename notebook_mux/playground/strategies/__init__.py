"""What a change may do to an object of a kind, and what it sets back: the ``strategy`` of each kind of the real server.

    generations.py  which changes count as another generation
    resets.py       what a change through a path cannot set
    services.py     addresses and ports that a service keeps
    metadata.py     the metadata that does not change
    immutable.py    fields that are set once
    workloads.py    selectors and templates
    pods.py         the few fields of a pod that change
    ephemeral.py    the containers that can be added to one

`prepare` comes before the checks, `check` says what is wrong.
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.strategies import (
    daemonsets,
    ephemeral,
    generations,
    immutable,
    metadata,
    pods,
    resets,
    services,
    workloads,
)

__all__ = ["check", "check_new", "complete", "generations", "is_versioned", "prepare"]

Json = dict[str, Any]


VERSIONED = frozenset(
    {"leases.coordination.k8s.io", "poddisruptionbudgets.policy", "customresourcedefinitions.apiextensions.k8s.io"}
)
"""Built-in kinds that are replaced only by who says which version (not ``AllowUnconditionalUpdate``)."""


def is_versioned(kind: Kind) -> bool:
    """Whether an object of a kind is replaced only by who says which version of it."""
    return kind.custom or kind.resource in VERSIONED


def complete(kind: Kind, old: Json | None, new: Json, subresource: str = "") -> None:
    """Give an object what its API adds, before it is asked whose its fields are."""
    if kind.resource == "daemonsets.apps" and not subresource:
        daemonsets.number(old, new)


def prepare(kind: Kind, old: Json, new: Json, subresource: str) -> Json:
    """The new state, with what the path cannot change as it was."""
    prepared = resets.reset(kind, old, new, subresource)
    if kind.resource == "services" and not subresource:
        services.keep(old, prepared)
    return prepared


def check(kind: Kind, old: Json, new: Json, subresource: str = "") -> list[Json]:
    """What is wrong with a change: the causes of a 422."""
    if subresource == ephemeral.SUBRESOURCE:
        return [*metadata.check(old, new), *ephemeral.check(old, new)]
    return [
        *metadata.check(old, new),
        *workloads.check(kind, new, old),
        *pods.check(kind, old, new),
        *immutable.check(kind, old, new),
    ]


def check_new(kind: Kind, obj: Json) -> list[Json]:
    """What is wrong with a new object."""
    found = ephemeral.check_new(obj) if kind.resource == "pods" else []
    return [*metadata.owners(obj["metadata"]), *found]
