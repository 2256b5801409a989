"""What the server fills in where an object says nothing, by kind.

`fill` is what happens to each body that comes in, new or changed; `apply` is a new object, with what the server gives
it besides: its first status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notebook_mux.playground.defaulting import always, others, pods, workloads
from notebook_mux.playground.defaulting.pods import inner, pod_spec
from notebook_mux.playground.defaulting.workloads import job_spec
from notebook_mux.playground.pod_resources import qos

Json = dict[str, Any]

_FILL: dict[str, Callable[[Json], None]] = {
    "pods": pods.pod,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "replicationcontrollers": workloads.replication_controller,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "horizontalpodautoscalers.autoscaling": workloads.autoscaler,
    "services": others.service,
    "networkpolicies.networking.k8s.io": others.network_policy,
    "endpoints": others.endpoints,
    "endpointslices.discovery.k8s.io": others.endpoint_slice,
    "persistentvolumeclaims": others.claim,
    "persistentvolumes": others.volume,
    "storageclasses.storage.k8s.io": others.storage_class,
    "priorityclasses.scheduling.k8s.io": others.priority_class,
    "runtimeclasses.node.k8s.io": others.runtime_class,
    "secrets": others.secret,
    "resourcequotas": others.resource_quota,
    "limitranges": others.limit_range,
    "rolebindings.rbac.authorization.k8s.io": others.binding,
    "clusterrolebindings.rbac.authorization.k8s.io": others.binding,
    "nodes": others.node,
    "namespaces": others.namespace,
}


def fill(resource: str, obj: Json) -> None:
    """Fill in an object's defaults."""
    if (found := _FILL.get(resource)) is not None:
        found(obj)
    always.fill(resource, obj)


# ----------------------------------------------------------------------------------------- a new object's own


def _pod(obj: Json) -> None:
    spec = inner(obj, "spec")
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault("tolerations", list(DEFAULT_TOLERATIONS))
    finish_pod(obj)


TOLERATION_SECONDS = 300
DEFAULT_TOLERATIONS: tuple[Json, ...] = tuple(
    {
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": TOLERATION_SECONDS,
    }
    for key in ("not-ready", "unreachable")
)


def finish_pod(obj: Json) -> None:
    """A new pod's status: its class follows from what it asks for after all else is filled in."""
    spec = inner(obj, "spec")
    obj["status"] = {"phase": "Pending", **(obj.get("status") or {}), "qosClass": qos(spec)}
    if spec.get("schedulingGates") and not obj["status"].get("conditions"):
        said = "Scheduling is blocked due to non-empty scheduling gates"
        gated = {"type": "PodScheduled", "status": "False", "lastProbeTime": None,
                 "lastTransitionTime": obj["metadata"].get("creationTimestamp"), "reason": "SchedulingGated",
                 "message": said}  # fmt: skip
        obj["status"]["conditions"] = [gated]


def _service(obj: Json) -> None:
    spec = inner(obj, "spec")
    if spec.get("type") != "ExternalName":
        # Nobody can say what is behind a headless service without a selector, so it is of both families.
        both = spec.get("clusterIP") == "None" and not spec.get("selector")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
    obj.setdefault("status", {"loadBalancer": {}})


def _namespace(obj: Json) -> None:
    others.namespace(obj)
    obj["spec"] = {"finalizers": ["kubernetes"]}
    obj["status"] = {"phase": "Active"}


GENERATION = "deprecated.daemonset.template.generation"
"""A daemon set counts the states of its template here too, as before there were revisions."""


def _daemon_set(obj: Json) -> None:
    inner(obj["metadata"], "annotations").setdefault(GENERATION, "1")
    counts = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
    obj.setdefault("status", dict.fromkeys(counts, 0))


def _job(obj: Json) -> None:
    """A job selects its pods by its own uid, unless it says how itself (kubernetes.io/docs, "Job patterns")."""
    obj.setdefault("status", {})
    metadata, spec = obj["metadata"], inner(obj, "spec")
    uid, name = metadata.get("uid"), metadata.get("name")
    if spec.get("manualSelector") or not uid or not name:
        return
    labels = {f"{prefix}{key}": value for prefix in ("batch.kubernetes.io/", "")
              for key, value in (("controller-uid", uid), ("job-name", name))}  # fmt: skip
    pods = inner(inner(spec, "template"), "metadata")
    pods["labels"] = {**(pods.get("labels") or {}), **labels}
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}


_STATUS: dict[str, Json] = {
    "deployments.apps": {},
    "replicasets.apps": {"replicas": 0},
    "replicationcontrollers": {"replicas": 0},
    "statefulsets.apps": {"replicas": 0, "availableReplicas": 0},
    "cronjobs.batch": {},
    "ingresses.networking.k8s.io": {"loadBalancer": {}},
    "horizontalpodautoscalers.autoscaling": {"desiredReplicas": 0, "currentMetrics": None},
    "poddisruptionbudgets.policy": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
    "certificatesigningrequests.certificates.k8s.io": {},
    "resourcequotas": {},
    "persistentvolumeclaims": {"phase": "Pending"},
    "persistentvolumes": {"phase": "Pending"},
}
"""What a new object's status says before anybody has looked at it."""

_NEW: dict[str, Callable[[Json], None]] = {
    "pods": _pod,
    "services": _service,
    "namespaces": _namespace,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
}


def apply(resource: str, obj: Json) -> None:
    """Fill in an object's defaults, and what a new one has besides."""
    fill(resource, obj)
    new(resource, obj)


def new(resource: str, obj: Json) -> None:
    """Give a new object what the server gives it."""
    if resource in _STATUS:
        obj.setdefault("status", dict(_STATUS[resource]))
    if (found := _NEW.get(resource)) is not None:
        found(obj)


__all__ = ["apply", "fill", "finish_pod", "job_spec", "new", "pod_spec", "qos"]
