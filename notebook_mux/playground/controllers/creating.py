"""How controllers create objects: as any client does, through defaults and admission, so that they can be refused."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import admission, defaults
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.status import ApiError, already_exists, not_found
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

FIRST_S, MOST_S = 0.5, 1000.0
"""A controller tries again later each time (client-go's work queues: up to 1000 s)."""

DOUBLED = 11
"""Times, after which the wait is the longest."""


def create(cluster: Cluster, obj: Json) -> Stored:
    """Create an object.

    Raises:
        ApiError: It is refused: 403 by admission or in a namespace that ends, 404 without its namespace, 409 where its
            name is taken.
    """
    kind = cluster.kinds.of_object(obj["apiVersion"], obj["kind"])
    if kind is None:
        raise KeyError(f"{obj['apiVersion']} {obj['kind']}")
    namespace = obj["metadata"].get("namespace", "")
    if kind.namespaced:
        found = cluster.store.get("namespaces", "", namespace)
        if found is None:
            raise not_found(cluster.kind("namespaces"), namespace)
    defaults.fill(kind.resource, obj)
    request = admission.Request(cluster, kind, admission.CREATE, namespace, obj)
    admission.change(request)
    cluster.complete(kind, obj)
    if kind.namespaced and found is not None and found.deleting:
        said = f"unable to create new content in namespace {namespace} because it is being terminated"
        raise request.refusal(said)
    defaults.new(kind.resource, obj)
    admission.look(request)
    if cluster.store.get(kind.resource, namespace, obj["metadata"]["name"]) is not None:
        raise already_exists(kind, obj["metadata"]["name"])
    return cluster.store.put(kind, obj)


class Patience:
    """How long to wait before something is tried again: longer after each failure, by key."""

    def __init__(self) -> None:
        self._failures: dict[Any, int] = {}

    def wait(self, key: Any) -> float:
        """Seconds until the next try, after another failure."""
        count = self._failures[key] = self._failures.get(key, -1) + 1
        return float(min(MOST_S, FIRST_S * 2 ** min(count, DOUBLED)))

    def forget(self, key: Any) -> None:
        """It has gone well."""
        self._failures.pop(key, None)


__all__ = ["ApiError", "Patience", "create"]
