"""The end of a namespace: all that is in it is deleted, what has finalizers is waited for, and its status says so."""

from __future__ import annotations

from collections import Counter
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import begin_deletion, set_condition
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

DONE: tuple[tuple[str, str, str], ...] = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    ("NamespaceDeletionContentFailure", "ContentDeleted",
     "All content successfully deleted, may be waiting on finalization"),
)  # fmt: skip
REMAINS, FINALIZERS = "NamespaceContentRemaining", "NamespaceFinalizersRemaining"


def empty(cluster: Cluster, namespace: Stored) -> bool:
    """Delete what is in a namespace; whether nothing is left."""
    left: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for resource in dict.fromkeys(kind.resource for kind in cluster.kinds if kind.namespaced and kind.served):
        for one in cluster.store.items(resource, namespace.name):
            if not one.deleting:
                begin_deletion(cluster, one)
            now = cluster.store.get(resource, *one.key)
            if now is None:
                continue
            left[resource] += 1
            held.update(set(now.decode()["metadata"].get("finalizers") or ()))
    if left:
        _tell(cluster, namespace, left, held)
    return not left


def finish(cluster: Cluster, namespace: Stored) -> None:
    """Let an empty namespace go, unless somebody else wants to finish it first (``spec.finalizers``)."""
    obj = namespace.decode()
    others = [one for one in (obj.get("spec") or {}).get("finalizers") or () if one != "kubernetes"]
    if others or obj["metadata"].get("finalizers"):
        cluster.update("namespaces", *namespace.key, lambda found: found["spec"].update(finalizers=others))
        return
    cluster.remove("namespaces", *namespace.key)


def _tell(cluster: Cluster, namespace: Stored, left: Counter[str], held: Counter[str]) -> None:
    def change(obj: Json) -> None:
        stamp, status = cluster.agenda.stamp(), obj.setdefault("status", {})
        for kind, reason, message in DONE:
            set_condition(status, kind, False, stamp, reason=reason, message=message)
        said = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(_full(left).items()))
        set_condition(status, REMAINS, True, stamp, reason="SomeResourcesRemain",
                      message=f"Some resources are remaining: {said}")  # fmt: skip
        if held:
            names = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(held.items()))
            said = f"Some content in the namespace has finalizers remaining: {names}"
            set_condition(status, FINALIZERS, True, stamp, reason="SomeFinalizersRemain", message=said)
        else:
            set_condition(status, FINALIZERS, False, stamp, reason="ContentHasNoFinalizers",
                          message="All content-preserving finalizers finished")  # fmt: skip

    cluster.update("namespaces", *namespace.key, change)


def _full(left: Counter[str]) -> dict[str, int]:
    """Resources with their group, or the dot that stands for the one without a name."""
    return {name if "." in name else f"{name}.": count for name, count in left.items()}
