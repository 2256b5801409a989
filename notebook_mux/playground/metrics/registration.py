"""The APIServices that the aggregation layer knows: one for each group and version, and that of the metrics."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.conversions import kept_as
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.metrics.serving import GROUP

Json = dict[str, Any]

AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
MANAGER = "kube-apiserver"
PRIORITIES = {"": 18000, "apiregistration.k8s.io": 18000, "apps": 17800, GROUP: 100}
"""groupPriorityMinimum of some groups (kubernetes/pkg/controlplane/apiserver/aggregator.go); of others `PRIORITY`."""

PRIORITY, VERSION_PRIORITY = 17000, 15
LOCAL = {"reason": "Local", "message": "Local APIServices are always available"}
PASSED = {"reason": "Passed", "message": "all checks passed"}


def register(cluster: Cluster) -> None:
    """Create the APIService of each group and version that objects are stored in now."""
    known: dict[tuple[str, str], Kind] = {}
    for kind in cluster.kinds:
        if not kind.custom and kept_as(kind) is kind:  # older versions, which are converted, have none here
            known.setdefault((kind.group, kind.version), kind)
    for group, version in known:
        obj = _service(group, version, cluster.agenda.stamp())
        managed.record(obj, MANAGER, cluster.agenda.stamp(), {"spec": obj["spec"]})
        cluster.create(obj)


def _service(group: str, version: str, stamp: str) -> Json:
    metadata: Json = {"name": f"{version}.{group}"}
    spec: Json = {
        "groupPriorityMinimum": PRIORITIES.get(group, PRIORITY),
        "version": version,
        "versionPriority": VERSION_PRIORITY,
    }
    if group:
        spec["group"] = group
    why = LOCAL
    if group == GROUP:
        metadata["labels"] = {"k8s-app": "metrics-server"}
        spec |= {
            "insecureSkipTLSVerify": True,
            "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443},
        }
        why = PASSED
    else:
        metadata["labels"] = {AUTOMANAGED: "onstart"}
    available = {"type": "Available", "status": "True", "lastTransitionTime": stamp, **why}
    return {
        "kind": "APIService",
        "apiVersion": "apiregistration.k8s.io/v1",
        "metadata": metadata,
        "spec": spec,
        "status": {"conditions": [available]},
    }
