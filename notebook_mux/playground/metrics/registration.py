"""The APIServices that the aggregation layer knows: one for each group and version, and that of the metrics."""

from __future__ import annotations

import contextlib
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.metrics.serving import GROUP

Json = dict[str, Any]

AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
MANAGER = "kube-apiserver"
PRIORITIES = {
    "": 18000, "apiregistration.k8s.io": 18000, "apps": 17800, "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600, "autoscaling": 17500, "batch": 17400, "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200, "policy": 17100, "storage.k8s.io": 16800, "apiextensions.k8s.io": 16700,
    "scheduling.k8s.io": 16600, "coordination.k8s.io": 16500, "node.k8s.io": 16300,
    "discovery.k8s.io": 16200, GROUP: 100,
}  # fmt: skip
"""groupPriorityMinimum of some groups (kubernetes/pkg/controlplane/apiserver/aggregator.go); of others `PRIORITY`."""

PRIORITY, VERSION_PRIORITY = 17000, 15
LOCAL = {"reason": "Local", "message": "Local APIServices are always available"}
PASSED = {"reason": "Passed", "message": "all checks passed"}


LATER = frozenset({"v1.certificates.k8s.io", "v1.autoscaling"})
"""What came after the first worlds: what a seed makes stays as it was."""

VERSION_PRIORITIES = {"v1.": 1, "v2.autoscaling": 30}
"""Of those that have another than `VERSION_PRIORITY` (pkg/controlplane/apiserver/aggregator.go)."""


def register(cluster: Cluster) -> None:
    """Create the APIService of each group and version that is served now."""
    known = dict.fromkeys((kind.group, kind.version) for kind in cluster.kinds if not kind.custom)
    for group, version in known:
        obj = _service(group, version, cluster.agenda.stamp())
        managed.record(obj, MANAGER, cluster.agenda.stamp(), {"spec": obj["spec"]})
        name = f"{version}.{group}"
        with cluster.apart(name) if name in LATER else contextlib.nullcontext():
            cluster.create(obj)


def _service(group: str, version: str, stamp: str) -> Json:
    metadata: Json = {"name": f"{version}.{group}"}
    spec: Json = {
        "groupPriorityMinimum": PRIORITIES.get(group, PRIORITY),
        "version": version,
        "versionPriority": VERSION_PRIORITIES.get(metadata["name"], VERSION_PRIORITY),
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
