"""Who a pod's like are: the pods of its services and of its owner, which the default constraints spread."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.controllers.scheduling.pods import PodInfo
from notebook_mux.playground.store import Store

Json = dict[str, Any]

OWNERS = {"ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps",
          "ReplicationController": "replicationcontrollers"}  # fmt: skip


def selector_of_like(store: Store, pod: PodInfo) -> Json | None:
    """A selector of a pod's like; None where nothing selects it."""
    if pod.spec.get("topologySpreadConstraints"):
        return None
    labels: Json = {}
    expressions: list[Json] = []
    for stored in store.items("services", pod.namespace):
        wanted = stored.content["spec"].get("selector") or {}
        if wanted and wanted.items() <= dict(pod.labels).items():
            labels |= wanted
    for owner in pod.obj["metadata"].get("ownerReferences") or ():
        resource = OWNERS.get(owner.get("kind", ""))
        if not owner.get("controller") or resource is None:
            continue
        found = store.get(resource, pod.namespace, owner["name"])
        selector = found.content["spec"].get("selector") if found is not None else None
        if selector and resource == "replicationcontrollers":
            labels |= selector
        elif selector:
            labels |= selector.get("matchLabels") or {}
            expressions += selector.get("matchExpressions") or ()
    return {"matchLabels": labels, "matchExpressions": expressions} if labels or expressions else None
