"""What the server writes of an object though nobody set it: Go has no times and no structs that are not there.

Measured on a kube-apiserver 1.37: a field of type ``metav1.Time`` (and not a pointer to one) is written as null, with
``omitempty`` and without.
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.defaulting.pods import maps

Json = dict[str, Any]

CHANGED = "lastTransitionTime"
PROBED = ("lastProbeTime", CHANGED)
OF_CONDITIONS: dict[str, tuple[str, ...]] = {
    "pods": PROBED,
    "jobs.batch": PROBED,
    "persistentvolumeclaims": PROBED,
    "deployments.apps": ("lastUpdateTime", CHANGED),
    "nodes": ("lastHeartbeatTime", CHANGED),
    **dict.fromkeys(
        ("namespaces", "services", "replicationcontrollers", "replicasets.apps", "statefulsets.apps", "daemonsets.apps",
         "horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy", "apiservices.apiregistration.k8s.io",
         "customresourcedefinitions.apiextensions.k8s.io"), (CHANGED,)),
}  # fmt: skip
"""The times of each condition in a status, by kind; those of a certificate signing request the server gives itself."""

OF_EVENT: Json = {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None,
                  "reportingComponent": "", "reportingInstance": ""}  # fmt: skip


def fill(resource: str, obj: Json) -> None:
    """Fill in what is always written."""
    if resource == "events":
        for name, empty in OF_EVENT.items():
            obj.setdefault(name, dict(empty) if isinstance(empty, dict) else empty)
    elif (times := OF_CONDITIONS.get(resource)) is not None:
        status = obj.get("status")
        for one in maps(status.get("conditions")) if isinstance(status, dict) else ():
            for name in times:
                one.setdefault(name, None)
