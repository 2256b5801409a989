"""What a change through a path cannot set: it stays as it was, without a word."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.strategies import ephemeral

Json = dict[str, Any]

ALWAYS = ("creationTimestamp", "selfLink")
"""Of the metadata: the server's own, whatever is said."""

SAID = ("uid", "deletionTimestamp", "deletionGracePeriodSeconds")
"""Of the metadata: kept where nothing is said, refused where something else is."""

STATUS_KEEPS_LABELS = frozenset({"deployments.apps"})
"""Kinds whose labels do not change with their status."""


def reset(kind: Kind, old: Json, new: Json, subresource: str) -> Json:
    """The new state, with what the path cannot change as it was."""
    metadata = dict(new["metadata"])
    for name in ALWAYS:
        _keep(metadata, old["metadata"], name)
    for name in SAID:
        if metadata.get(name) is None:
            _keep(metadata, old["metadata"], name)
    new = {**new, "metadata": metadata}
    if subresource == ephemeral.SUBRESOURCE:
        return ephemeral.only(old, new)
    if subresource in ("status", "approval"):
        return _status_only(kind, old, new)
    if kind.resource == "namespaces" and not subresource:
        _keep(new, old, "spec")  # its finalizers have a path of their own
    if "status" in kind.subresources:
        _keep(new, old, "status")
    return new


def _status_only(kind: Kind, old: Json, new: Json) -> Json:
    metadata = new["metadata"]
    if kind.custom:
        kept = dict(old["metadata"])
        kept.pop("managedFields", None)
        if "managedFields" in metadata:
            kept["managedFields"] = metadata["managedFields"]
        metadata = kept
    elif kind.resource in STATUS_KEEPS_LABELS:
        _keep(metadata, old["metadata"], "labels")
    elif kind.resource == "pods":
        _keep(metadata, old["metadata"], "ownerReferences")
    rest = {key: value for key, value in old.items() if key not in ("metadata", "status")}
    result = {**rest, "metadata": metadata}
    if "status" in new:
        result["status"] = new["status"]
    return result


def _keep(new: Json, old: Json, name: str) -> None:
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)
