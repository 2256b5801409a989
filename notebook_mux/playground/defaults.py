"""What the server fills in where an object says nothing, for the kinds that people create by hand."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TERMINATION = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}


def pod_spec(spec: Json, *, restart: str = "Always") -> Json:
    """A pod's spec with its defaults (kubernetes/pkg/apis/core/v1/defaults.go)."""
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            tag = container.get("image", "").rpartition("/")[2].partition(":")[2]
            container.setdefault("imagePullPolicy", "IfNotPresent" if tag not in ("", "latest") else "Always")
            container.setdefault("resources", {})
            for key, value in TERMINATION.items():
                container.setdefault(key, value)
            for port in container.get("ports") or ():
                port.setdefault("protocol", "TCP")
    spec.setdefault("restartPolicy", restart)
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    return spec


def _template(spec: Json, restart: str = "Always") -> None:
    template = spec.setdefault("template", {})
    pod_spec(template.setdefault("spec", {}), restart=restart)


def _pod(obj: Json) -> None:
    spec = pod_spec(obj.setdefault("spec", {}))
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault(
        "tolerations",
        [
            {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for key in ("not-ready", "unreachable")
        ],
    )
    obj["status"] = {"phase": "Pending", "qosClass": qos(spec), **(obj.get("status") or {})}


def qos(spec: Json) -> str:
    """A pod's quality of service class."""
    resources = [one.get("resources") or {} for one in spec.get("containers") or ()]
    if not any(resources):
        return "BestEffort"
    full = all(
        {"cpu", "memory"} <= set(one.get("limits") or ()) and one.get("requests", one.get("limits")) == one["limits"]
        for one in resources
    )
    return "Guaranteed" if full else "Burstable"


def _deployment(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault(
        "strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    )
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    _template(spec)


def _replicated(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _template(spec)


def _stateful_set(obj: Json) -> None:
    _replicated(obj)
    spec = obj["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})


def _daemon_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}})
    _template(spec)


def job_spec(spec: Json) -> None:
    """A job's spec with its defaults."""
    spec.setdefault("parallelism", 1)
    spec.setdefault("completions", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    _template(spec, "Never")


def _cron_job(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
    pod_spec(job.setdefault("template", {}).setdefault("spec", {}), restart="OnFailure")


def _service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if spec["type"] != "ExternalName":
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        spec.setdefault("internalTrafficPolicy", "Cluster")
    obj.setdefault("status", {"loadBalancer": {}})


def _namespace(obj: Json) -> None:
    metadata = obj["metadata"]
    metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    obj["spec"] = {"finalizers": ["kubernetes"]}
    obj["status"] = {"phase": "Active"}


def _secret(obj: Json) -> None:
    obj.setdefault("type", "Opaque")


def _pending(obj: Json) -> None:
    obj["spec"].setdefault("volumeMode", "Filesystem")
    obj.setdefault("status", {"phase": "Pending"})


_DEFAULTS = {
    "pods": _pod,
    "deployments.apps": _deployment,
    "replicasets.apps": _replicated,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": lambda obj: job_spec(obj.setdefault("spec", {})),
    "cronjobs.batch": _cron_job,
    "services": _service,
    "namespaces": _namespace,
    "secrets": _secret,
    "persistentvolumeclaims": _pending,
    "persistentvolumes": _pending,
}


def apply(resource: str, obj: Json) -> None:
    """Fill in an object's defaults."""
    fill = _DEFAULTS.get(resource)
    if fill is not None:
        fill(obj)
