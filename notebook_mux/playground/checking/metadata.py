"""The metadata of all objects (apimachinery, ``ValidateObjectMeta``)."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    bad,
    label_problems,
    labels,
    qualified,
    required,
    subdomain_problems,
    too_long,
)
from notebook_mux.playground.kinds import Kind

AS_LABEL = frozenset({"namespaces", "services"})
"""Kinds whose names are DNS labels."""

FREE = frozenset({"rbac.authorization.k8s.io", "apiregistration.k8s.io"})
"""Groups whose names need be no more than what fits into a path; those of API services follow from their spec."""

SHORTER = {"cronjobs.batch": 52, "statefulsets.apps": 63}
"""Kinds whose names are parts of other names."""

ANNOTATIONS_LIMIT = 256 * 1024
STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def check(kind: Kind, metadata: Json) -> Causes:
    """What is wrong with an object's metadata."""
    name = str(metadata.get("name") or "")
    prefix = str(metadata.get("generateName") or "")
    if prefix:
        for said in _problems(kind, _whole(prefix)):
            yield bad("metadata.generateName", prefix, said)
    if not name:
        yield required("metadata.name", "name or generateName is required")
    for said in _problems(kind, name) if name else ():
        yield bad("metadata.name", name, said)
    yield from labels("metadata.labels", metadata.get("labels"))
    yield from annotated("metadata.annotations", metadata.get("annotations"))
    # Writers of custom objects are only warned of names without a domain.
    yield from finalizers("metadata.finalizers", metadata.get("finalizers"), domain=not kind.custom)


def finalizers(path: str, found: Any, *, domain: bool = True) -> Causes:
    """The names of finalizers.

    Args:
        path: Where they are.
        found: They.
        domain: Whether those that are not the server's own need one.
    """
    for number, one in enumerate(found or ()):
        here = f"{path}[{number}]"
        wrong = list(qualified(here, one))
        yield from wrong
        if not wrong and "/" not in str(one) and one not in STANDARD_FINALIZERS and domain:
            yield bad(here, one, "name is neither a standard finalizer name nor is it fully qualified")


def _whole(prefix: str) -> str:
    """A name that begins so: the server puts a letter where a generated part will be."""
    return prefix[:-1] + "a" if prefix.endswith("-") else prefix


def _problems(kind: Kind, name: str) -> list[str]:
    if kind.group in FREE:
        return [f"may not contain '{one}'" for one in ("/", "%") if one in name]
    if kind.resource in AS_LABEL:
        return label_problems(name)
    found = subdomain_problems(name)
    limit = SHORTER.get(kind.resource)
    if not found and limit and len(name) > limit:
        return [f"must be no more than {limit} characters"]
    return found


def annotated(path: str, found: object) -> Causes:
    """A map of annotations."""
    if not isinstance(found, dict):
        return
    for key in found:
        yield from qualified(path, str(key).lower() if key else key)
    if sum(len(str(key)) + len(str(value)) for key, value in found.items()) > ANNOTATIONS_LIMIT:
        yield too_long(path, ANNOTATIONS_LIMIT)


def template(path: str, metadata: Json) -> Causes:
    """The metadata of a pod template, whose paths leave ``metadata`` out."""
    yield from labels(f"{path}.labels", metadata.get("labels"))
    yield from annotated(f"{path}.annotations", metadata.get("annotations"))
