"""Which pods a set controls: it adopts those that it selects and nobody has, and lets go those that it does not select.

Docs: "ReplicaSet", "Non-Template Pod acquisitions" and "Isolating Pods from a ReplicaSet".
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import MANAGER, is_active, owner_reference
from notebook_mux.playground.selectors import Predicate
from notebook_mux.playground.store import Stored

Json = dict[str, Any]


def claim(cluster: Cluster, owner: Stored, selects: Predicate) -> list[Stored]:
    """The pods that an owner controls, also those that are over, after what is to be adopted and let go."""
    found = []
    for pod in list(cluster.store.items("pods", owner.namespace)):
        if pod.owner == owner.uid:
            if owner.deleting or selects(pod.labels):
                found.append(pod)
            else:
                _let_go(cluster, owner, pod)
        elif not pod.owner and not owner.deleting and is_active(pod) and selects(pod.labels):
            found.append(_adopt(cluster, owner, pod))
    return found


def _adopt(cluster: Cluster, owner: Stored, pod: Stored) -> Stored:
    obj = pod.decode()
    metadata = obj["metadata"]
    own = owner_reference(owner)
    metadata["ownerReferences"] = [*(metadata.get("ownerReferences") or ()), own]
    managed.record(obj, MANAGER, cluster.agenda.stamp(), {"metadata": {"ownerReferences": [own]}})
    return cluster.put(pod, obj)


def _let_go(cluster: Cluster, owner: Stored, pod: Stored) -> None:
    obj = pod.decode()
    metadata = obj["metadata"]
    metadata["ownerReferences"] = [one for one in metadata["ownerReferences"] if one["uid"] != owner.uid]
    if not metadata["ownerReferences"]:
        del metadata["ownerReferences"]
    cluster.put(pod, obj)
