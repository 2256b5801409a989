"""Which changes count as another generation (``PrepareForUpdate`` of each kind's strategy)."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.kinds import Kind

Json = dict[str, Any]

KINDS = frozenset({
    "pods", "replicationcontrollers", "deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps",
    "jobs.batch", "cronjobs.batch", "ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io",
    "ingressclasses.networking.k8s.io",
    "poddisruptionbudgets.policy", "horizontalpodautoscalers.autoscaling",
    "customresourcedefinitions.apiextensions.k8s.io", "priorityclasses.scheduling.k8s.io",
    "endpointslices.discovery.k8s.io",
})  # fmt: skip
"""Built-in kinds that have a generation; of others only custom kinds do (asked of a real server)."""

WITH_ANNOTATIONS = frozenset({"deployments.apps"})
"""Kinds for which a change of annotations counts too."""

NOT_SPEC = frozenset({"kind", "apiVersion", "metadata", "status"})


def counted(kind: Kind) -> bool:
    """Whether objects of a kind have a generation."""
    return kind.custom or kind.resource in KINDS


def follow(kind: Kind, old: Json, new: Json, subresource: str) -> None:
    """Count the generation of a changed object."""
    before = old["metadata"].get("generation")
    if before is None:
        new["metadata"].pop("generation", None)
        return
    new["metadata"]["generation"] = before + (subresource != "status" and _counts(kind, old, new))


def _counts(kind: Kind, old: Json, new: Json) -> bool:
    if kind.custom:
        left, kept = NOT_SPEC if "status" in kind.subresources else NOT_SPEC - {"status"}, (old, new)
        return _without(kept[0], left) != _without(kept[1], left)
    if old.get("spec") != new.get("spec"):
        return True
    return kind.resource in WITH_ANNOTATIONS and _annotations(old) != _annotations(new)


def _without(obj: Json, names: frozenset[str]) -> Json:
    return {key: value for key, value in obj.items() if key not in names}


def _annotations(obj: Json) -> Json:
    return obj["metadata"].get("annotations") or {}
