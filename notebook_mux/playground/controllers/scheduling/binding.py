"""What the scheduler writes when it has decided: volumes for claims that waited, then the pod's node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from notebook_mux.playground.admission.storage import CLAIMS, VOLUMES
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.scheduling.pods import PodInfo
from notebook_mux.playground.controllers.volumes.matching import BY_CONTROLLER, SELECTED_NODE
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]


def bind(cluster: Cluster, key: Key, change: Callable[[Json], None]) -> Stored | None:
    """Write a pod's node. Its generation stays: a binding is no change of what is wanted."""
    stored = cluster.store.get("pods", *key)
    if stored is None:
        return None
    obj = stored.decode()
    change(obj)
    return cluster.store.put(stored.kind, obj)


def reserve(cluster: Cluster, node: str, volumes: Iterable[tuple[Json, str]]) -> None:
    """Give claims their volume, or the node where it is to be made."""
    for claim, volume in volumes:
        metadata = claim["metadata"]
        if volume:

            def take(obj: Json, claim: Json = claim) -> None:
                obj["spec"]["claimRef"] = reference(claim)
                obj["metadata"].setdefault("annotations", {})[BY_CONTROLLER] = "yes"

            cluster.update(VOLUMES, "", volume, take)
        else:

            def note(obj: Json) -> None:
                obj["metadata"].setdefault("annotations", {})[SELECTED_NODE] = node

            cluster.update(CLAIMS, metadata["namespace"], metadata["name"], note)


def reference(claim: Json) -> Json:
    """How a volume names the claim that it is for."""
    metadata = claim["metadata"]
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        **{key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")},
    }


def is_ready(cluster: Cluster, pod: PodInfo) -> bool:
    """Whether all claims of a pod have their volume."""
    for name in pod.claims:
        claim = cluster.get(CLAIMS, pod.namespace, name)
        if claim is None or (claim.get("status") or {}).get("phase") != "Bound":
            return False
    return True
