"""Defaults of what makes pods: deployments, sets, jobs, cron jobs, and what scales and guards them."""

from __future__ import annotations

import copy
from typing import Any

from notebook_mux.playground.defaulting.pods import claim_spec, inner, maps, pod_spec
from notebook_mux.playground.quantities import canonical

Json = dict[str, Any]

SHARE = "25%"
HISTORY = 10
PROGRESS_SECONDS = 600
BACK_OFF_LIMIT = 6
MAX_INT32 = 2**31 - 1
CPU_TARGET = 80


def template(spec: Json, restart: str = "Always") -> None:
    """Fill in the pod template of a spec."""
    found = inner(spec, "template")
    found.setdefault("metadata", {})
    pod_spec(inner(found, "spec"), restart=restart)


def deployment(obj: Json) -> None:
    """A Deployment of apps/v1."""
    spec = inner(obj, "spec")
    spec.setdefault("replicas", 1)
    strategy = inner(spec, "strategy")
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = inner(strategy, "rollingUpdate")
        rolling.setdefault("maxUnavailable", SHARE)
        rolling.setdefault("maxSurge", SHARE)
    spec.setdefault("revisionHistoryLimit", HISTORY)
    spec.setdefault("progressDeadlineSeconds", PROGRESS_SECONDS)
    template(spec)


def replica_set(obj: Json) -> None:
    """A ReplicaSet of apps/v1."""
    spec = inner(obj, "spec")
    spec.setdefault("replicas", 1)
    template(spec)


def replication_controller(obj: Json) -> None:
    """A ReplicationController: its selector and labels are its template's where it has none."""
    spec = inner(obj, "spec")
    spec.setdefault("replicas", 1)
    if spec.get("template") is None:
        return
    template(spec)
    labels = (spec["template"].get("metadata") or {}).get("labels") if isinstance(spec["template"], dict) else None
    if labels:
        spec.setdefault("selector", dict(labels))
        obj["metadata"].setdefault("labels", dict(labels))


def stateful_set(obj: Json) -> None:
    """A StatefulSet of apps/v1."""
    spec = inner(obj, "spec")
    spec["podManagementPolicy"] = spec.get("podManagementPolicy") or "OrderedReady"
    strategy = inner(spec, "updateStrategy")
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = inner(strategy, "rollingUpdate")
        rolling.setdefault("partition", 0)
        rolling.setdefault("maxUnavailable", 1)
    retention = inner(spec, "persistentVolumeClaimRetentionPolicy")
    for when in ("whenDeleted", "whenScaled"):
        retention[when] = retention.get(when) or "Retain"
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", HISTORY)
    for claim in maps(spec.get("volumeClaimTemplates")):
        claim["kind"], claim["apiVersion"] = "PersistentVolumeClaim", "v1"
        claim_spec(inner(claim, "spec"))
        claim.setdefault("status", {}).setdefault("phase", "Pending")
    template(spec)


def daemon_set(obj: Json) -> None:
    """A DaemonSet of apps/v1."""
    spec = inner(obj, "spec")
    strategy = inner(spec, "updateStrategy")
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = inner(strategy, "rollingUpdate")
        rolling.setdefault("maxSurge", 0)
        rolling.setdefault("maxUnavailable", 1)
    spec.setdefault("revisionHistoryLimit", HISTORY)
    template(spec)


def job_spec(spec: Json, restart: str = "Always") -> None:
    """A job's spec; a cron job's template is filled in alike."""
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", MAX_INT32 if "backoffLimitPerIndex" in spec else BACK_OFF_LIMIT)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    for rule in maps(inner(spec, "podFailurePolicy").get("rules") if "podFailurePolicy" in spec else None):
        for pattern in maps(rule.get("onPodConditions")):
            pattern.setdefault("status", "True")
    template(spec, restart)


def job(obj: Json) -> None:
    """A Job of batch/v1."""
    spec = inner(obj, "spec")
    job_spec(spec)
    spec.setdefault("manualSelector", False)
    labels = (spec["template"].get("metadata") or {}).get("labels") if isinstance(spec["template"], dict) else None
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def cron_job(obj: Json) -> None:
    """A CronJob of batch/v1."""
    spec = inner(obj, "spec")
    spec["concurrencyPolicy"] = spec.get("concurrencyPolicy") or "Allow"
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    made = inner(spec, "jobTemplate")
    made.setdefault("metadata", {})
    template(inner(made, "spec"))


SCALE_UP: Json = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
SCALE_DOWN: Json = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def autoscaler(obj: Json) -> None:
    """A HorizontalPodAutoscaler of autoscaling/v2."""
    spec = inner(obj, "spec")
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": CPU_TARGET}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    for metric in maps(spec["metrics"]):
        for source in metric.values():
            wanted = source.get("target") if isinstance(source, dict) else None
            for name in ("value", "averageValue"):
                if isinstance(wanted, dict) and name in wanted:
                    wanted[name] = canonical(wanted[name])
    if isinstance(behaviour := spec.get("behavior"), dict):
        for name, rules in (("scaleUp", SCALE_UP), ("scaleDown", SCALE_DOWN)):
            behaviour[name] = {**copy.deepcopy(rules), **(behaviour.get(name) or {})}
