"""What a person looks for in an object of each common kind, beside what all have; see `facts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.printing import facts, pod_facts
from notebook_mux.printing.facts import (
    Cell,
    Facts,
    Json,
    Section,
    cell,
    code,
    items,
    labels_value,
    listed,
    moment,
    namespace_of,
    part,
    quantities,
    ref,
    seconds,
    selector_value,
    table,
    word,
)
from notebook_mux.printing.network_facts import endpoint_slice, ingress, network_policy, service


def of(content: Json) -> list[Section]:
    """The sections of an object after its conditions."""
    group = str(content.get("apiVersion") or "").rpartition("/")[0]
    found = KINDS.get((group, str(content.get("kind") or "")))
    return found(content) if found is not None else facts.plain(content)


def _ratio(have: Any, want: Any) -> Cell:
    have, want = have or 0, want or 0
    return cell(f"{have} of {want}", "good" if have == want else "warn")


def _strategy(strategy: Json) -> str:
    rolling = part(strategy, "rollingUpdate")
    return ", ".join([str(strategy.get("type") or ""), *(f"{key} {value}" for key, value in rolling.items())])


def deployment(content: Json) -> list[Section]:
    """A deployment."""
    spec, status = part(content, "spec"), part(content, "status")
    wanted = spec.get("replicas", 1)
    about = items(
        "Deployment",
        ("Ready", _ratio(status.get("readyReplicas"), wanted)),
        ("Up to date", _ratio(status.get("updatedReplicas"), wanted)),
        ("Available", _ratio(status.get("availableReplicas"), wanted)),
        ("Strategy", _strategy(part(spec, "strategy"))),
        ("Paused", cell("yes", "warn") if spec.get("paused") else ""),
        ("Selector", selector_value(spec.get("selector"))),
        ("Revision", part(content, "metadata", "annotations").get("deployment.kubernetes.io/revision")),
        ("Progress deadline", seconds(spec.get("progressDeadlineSeconds"))),
        ("Minimum ready", seconds(spec.get("minReadySeconds"))),
    )
    return [*about, *pod_facts.template(content)]


def replica_set(content: Json) -> list[Section]:
    """A replica set, or a replication controller."""
    spec, status = part(content, "spec"), part(content, "status")
    wanted = spec.get("replicas", 1)
    about = items(
        "Replicas",
        ("Ready", _ratio(status.get("readyReplicas"), wanted)),
        ("Available", _ratio(status.get("availableReplicas"), wanted)),
        ("Selector", selector_value(spec.get("selector"))),
    )
    return [*about, *pod_facts.template(content)]


def stateful_set(content: Json) -> list[Section]:
    """A stateful set."""
    spec, status = part(content, "spec"), part(content, "status")
    wanted, namespace = spec.get("replicas", 1), namespace_of(content)
    claims = [
        [
            code(part(one, "metadata").get("name") or ""),
            quantities(part(one, "spec", "resources", "requests")),
            ref("StorageClass.storage.k8s.io", part(one, "spec").get("storageClassName")),
        ]
        for one in listed(spec, "volumeClaimTemplates")
    ]
    about = items(
        "Stateful set",
        ("Ready", _ratio(status.get("readyReplicas"), wanted)),
        ("Up to date", _ratio(status.get("updatedReplicas"), wanted)),
        ("Service", ref("Service", spec.get("serviceName"), namespace)),
        ("Update strategy", _strategy(part(spec, "updateStrategy"))),
        ("Pod management", spec.get("podManagementPolicy")),
        ("Selector", selector_value(spec.get("selector"))),
    )
    return [*about, *table("Volume claims", ("Name", "Size", "Class"), claims), *pod_facts.template(content)]


def daemon_set(content: Json) -> list[Section]:
    """A daemon set."""
    spec, status = part(content, "spec"), part(content, "status")
    wanted = status.get("desiredNumberScheduled")
    about = items(
        "Daemon set",
        ("Ready", _ratio(status.get("numberReady"), wanted)),
        ("Up to date", _ratio(status.get("updatedNumberScheduled"), wanted)),
        ("Available", _ratio(status.get("numberAvailable"), wanted)),
        ("Misscheduled", cell(status["numberMisscheduled"], "warn") if status.get("numberMisscheduled") else ""),
        ("Update strategy", _strategy(part(spec, "updateStrategy"))),
        ("Selector", selector_value(spec.get("selector"))),
    )
    return [*about, *pod_facts.template(content)]


def job(content: Json) -> list[Section]:
    """A job."""
    spec, status = part(content, "spec"), part(content, "status")
    failed = status.get("failed") or 0
    about = items(
        "Job",
        ("Succeeded", f"{status.get('succeeded') or 0} of {spec.get('completions') or 1}"),
        ("Active", str(status["active"]) if status.get("active") else ""),
        ("Failed", cell(failed, "bad") if failed else ""),
        ("Parallelism", spec.get("parallelism")),
        ("Completion mode", spec.get("completionMode")),
        ("Back-off limit", spec.get("backoffLimit")),
        ("Deadline", seconds(spec.get("activeDeadlineSeconds"))),
        ("Suspended", cell("yes", "warn") if spec.get("suspend") else ""),
        ("Started", moment(status.get("startTime"))),
        ("Completed", moment(status.get("completionTime"))),
    )
    return [*about, *pod_facts.template(content)]


def cron_job(content: Json) -> list[Section]:
    """A cron job."""
    spec, status = part(content, "spec"), part(content, "status")
    kept = (spec.get("successfulJobsHistoryLimit", 3), spec.get("failedJobsHistoryLimit", 1))
    about = items(
        "Cron job",
        ("Schedule", code(spec.get("schedule") or "")),
        ("Time zone", spec.get("timeZone")),
        ("Suspended", cell("yes", "warn") if spec.get("suspend") else ""),
        ("Concurrency", spec.get("concurrencyPolicy")),
        ("Last scheduled", moment(status.get("lastScheduleTime"))),
        ("Last success", moment(status.get("lastSuccessfulTime"))),
        (
            "History",
            f"{kept[0]} good, {kept[1]} failed",
        ),
    )
    return [*about, *pod_facts.template(content, "spec", "jobTemplate", "spec", "template")]


def node(content: Json) -> list[Section]:
    """A node."""
    spec, status = part(content, "spec"), part(content, "status")
    info = part(status, "nodeInfo")
    capacity, allocatable = part(status, "capacity"), part(status, "allocatable")
    resources = [[key, str(value), str(allocatable.get(key, ""))] for key, value in capacity.items()]
    taints = [code(_taint(one)) for one in listed(spec, "taints")]
    about = items(
        "Node",
        ("Schedulable", cell("no, cordoned", "warn") if spec.get("unschedulable") else "yes"),
        ("Taints", taints or "none"),
        ("Addresses", [code(f"{one.get('address')} ({one.get('type')})") for one in listed(status, "addresses")]),
        ("Kubelet", info.get("kubeletVersion")),
        ("Runtime", info.get("containerRuntimeVersion")),
        (
            "System",
            ", ".join(filter(None, (info.get("osImage"), info.get("operatingSystem"), info.get("architecture")))),
        ),
        ("Kernel", info.get("kernelVersion")),
        ("Pod CIDR", spec.get("podCIDR")),
        ("Provider", spec.get("providerID")),
    )
    return [*about, *table("Resources", ("Resource", "Capacity", "Allocatable"), resources)]


def _taint(taint: Json) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key')}{value}:{taint.get('effect')}"


def claim(content: Json) -> list[Section]:
    """A claim on a volume."""
    spec, status = part(content, "spec"), part(content, "status")
    return items(
        "Claim",
        ("Phase", _phase(status)),
        ("Volume", ref("PersistentVolume", spec.get("volumeName"))),
        ("Class", ref("StorageClass.storage.k8s.io", spec.get("storageClassName"))),
        ("Requested", quantities(part(spec, "resources", "requests"))),
        ("Capacity", quantities(status.get("capacity"))),
        ("Access modes", list(spec.get("accessModes") or ())),
        ("Volume mode", spec.get("volumeMode")),
        ("Selector", selector_value(spec.get("selector"))),
    )


def volume(content: Json) -> list[Section]:
    """A volume."""
    spec, status, claimed = part(content, "spec"), part(content, "status"), part(content, "spec", "claimRef")
    plain = {"capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "volumeMode"}
    source = next((key for key, value in spec.items() if key not in plain and isinstance(value, Mapping)), "")
    claim_name = f"{claimed.get('namespace')}/{claimed.get('name')}"
    return items(
        "Volume",
        ("Phase", _phase(status)),
        ("Claim", ref("PersistentVolumeClaim", claimed.get("name"), str(claimed.get("namespace") or ""), claim_name)),
        ("Class", ref("StorageClass.storage.k8s.io", spec.get("storageClassName"))),
        ("Capacity", quantities(spec.get("capacity"))),
        ("Access modes", list(spec.get("accessModes") or ())),
        ("Reclaim policy", spec.get("persistentVolumeReclaimPolicy")),
        ("Volume mode", spec.get("volumeMode")),
        ("Source", f"{source}: {facts._plain(spec.get(source))}" if source else ""),
        ("Message", status.get("message")),
    )


PHASES = {
    "Bound": "good", "Available": "good", "Active": "good", "Pending": "warn", "Released": "done", "Lost": "bad",
    "Failed": "bad", "Terminating": "warn",
}  # fmt: skip


def _phase(status: Json) -> Cell:
    phase = str(status.get("phase") or "")
    return cell(phase, PHASES.get(phase, ""))


def storage_class(content: Json) -> list[Section]:
    """A class of volumes."""
    return items(
        "Storage class",
        ("Provisioner", content.get("provisioner")),
        ("Reclaim policy", content.get("reclaimPolicy")),
        ("Binding", content.get("volumeBindingMode")),
        ("Expansion", bool(content.get("allowVolumeExpansion"))),
        ("Parameters", labels_value(content.get("parameters"))),
    )


def config_map(content: Json) -> list[Section]:
    """A config map."""
    return [*items("Config map", ("Immutable", "yes" if content.get("immutable") else "")), *facts.config_keys(content)]


def secret(content: Json) -> list[Section]:
    """A secret: names and sizes."""
    about = items("Secret", ("Type", content.get("type")), ("Immutable", "yes" if content.get("immutable") else ""))
    return [*about, *facts.secret_keys(content)]


def namespace(content: Json) -> list[Section]:
    """A namespace."""
    return items(
        "Namespace", ("Phase", _phase(part(content, "status"))), ("Finalizers", part(content, "spec").get("finalizers"))
    )


def service_account(content: Json) -> list[Section]:
    """A service account."""
    where = namespace_of(content)
    automount = content.get("automountServiceAccountToken")
    return items(
        "Service account",
        ("Secrets", [ref("Secret", one.get("name"), where) for one in listed(content, "secrets")]),
        ("Pull secrets", [ref("Secret", one.get("name"), where) for one in listed(content, "imagePullSecrets")]),
        ("Mounts its token", automount if isinstance(automount, bool) else ""),
    )


def role(content: Json) -> list[Section]:
    """A role, or a cluster role."""
    rows = [
        [
            ", ".join(rule.get("verbs") or ()),
            ", ".join([*(rule.get("resources") or ()), *(rule.get("nonResourceURLs") or ())]),
            ", ".join(group or "core" for group in rule.get("apiGroups") or ()),
            ", ".join(rule.get("resourceNames") or ()),
        ]
        for rule in listed(content, "rules")
    ]
    return table("Rules", ("Verbs", "Resources", "Groups", "Names"), rows)


def binding(content: Json) -> list[Section]:
    """A binding of a role."""
    chosen, own = part(content, "roleRef"), namespace_of(content)
    kind = str(chosen.get("kind") or "")
    where = own if kind == "Role" else ""
    named = ref(f"{kind}.rbac.authorization.k8s.io", chosen.get("name"), where, f"{kind} {chosen.get('name')}")
    rows = []
    for one in listed(content, "subjects"):
        its = str(one.get("namespace") or "")
        account = one.get("kind") == "ServiceAccount"
        name = ref("ServiceAccount", one.get("name"), its) if account else str(one.get("name") or "")
        rows.append([str(one.get("kind") or ""), name, its])
    return [*items("Binding", ("Role", named)), *table("Subjects", ("Kind", "Name", "Namespace"), rows)]


def autoscaler(content: Json) -> list[Section]:
    """A horizontal autoscaler."""
    spec, status = part(content, "spec"), part(content, "status")
    target = part(spec, "scaleTargetRef")
    kind = word(str(target.get("kind") or ""), str(target.get("apiVersion") or ""))
    where = namespace_of(content)
    words = f"{target.get('kind')} {target.get('name')}"
    return items(
        "Autoscaler",
        ("Scales", ref(kind, target.get("name"), where, words)),
        ("Replicas", f"{status.get('currentReplicas', '?')} now, {status.get('desiredReplicas', '?')} wanted"),
        ("Between", f"{spec.get('minReplicas', 1)} and {spec.get('maxReplicas')}"),
        ("Last scaled", moment(status.get("lastScaleTime"))),
        ("Metrics", facts._plain(spec.get("metrics"))),
    )


def budget(content: Json) -> list[Section]:
    """A disruption budget."""
    spec, status = part(content, "spec"), part(content, "status")
    allowed = status.get("disruptionsAllowed", 0)
    return items(
        "Disruption budget",
        ("Least available", spec.get("minAvailable")),
        ("Most unavailable", spec.get("maxUnavailable")),
        ("Allowed now", cell(allowed, "good" if allowed else "warn")),
        ("Healthy", f"{status.get('currentHealthy', 0)} of {status.get('expectedPods', 0)}"),
        ("Needed", status.get("desiredHealthy")),
        ("Selector", selector_value(spec.get("selector"))),
    )


def quota(content: Json) -> list[Section]:
    """A resource quota."""
    hard, used = part(content, "status", "hard") or part(content, "spec", "hard"), part(content, "status", "used")
    rows = [[key, str(used.get(key, "")), str(value)] for key, value in hard.items()]
    return table("Quota", ("Resource", "Used", "Hard"), rows)


def limits(content: Json) -> list[Section]:
    """A limit range."""
    columns = ("Type", "Min", "Max", "Default request", "Default limit")
    keys = ("min", "max", "defaultRequest", "default")
    rows = [[str(one.get("type")), *(quantities(one.get(key)) for key in keys)] for one in _limits(content)]
    return table("Limits", columns, rows)


def _limits(content: Json) -> list[dict[str, Any]]:
    return listed(part(content, "spec"), "limits")


def definition(content: Json) -> list[Section]:
    """The definition of a kind."""
    spec, names = part(content, "spec"), part(content, "spec", "names")
    rows = [
        [str(one.get("name")), "yes" if one.get("served") else "no", "yes" if one.get("storage") else "no",
         cell("deprecated", "warn") if one.get("deprecated") else ""]
        for one in listed(spec, "versions")
    ]  # fmt: skip
    about = items(
        "Definition",
        ("Group", spec.get("group")),
        ("Kind", names.get("kind")),
        ("Plural", names.get("plural")),
        ("Short names", names.get("shortNames")),
        ("Scope", spec.get("scope")),
    )
    return [*about, *table("Versions", ("Name", "Served", "Stored", ""), rows)]


def event(content: Json) -> list[Section]:
    """An event."""
    about = part(content, "involvedObject") or part(content, "regarding")
    kind = word(str(about.get("kind") or ""), str(about.get("apiVersion") or ""))
    named = ref(kind, about.get("name"), str(about.get("namespace") or ""), f"{about.get('kind')} {about.get('name')}")
    return items(
        "Event",
        ("About", named),
        ("Type", cell(content.get("type") or "", "warn" if content.get("type") == "Warning" else "")),
        ("Reason", content.get("reason")),
        ("Message", content.get("message") or content.get("note")),
        ("Count", content.get("count") or content.get("deprecatedCount")),
        ("Last", moment(content.get("lastTimestamp") or content.get("eventTime"))),
        ("From", part(content, "source").get("component") or content.get("reportingComponent")),
    )


def lease(content: Json) -> list[Section]:
    """A lease."""
    spec = part(content, "spec")
    return items(
        "Lease",
        ("Holder", spec.get("holderIdentity")),
        ("Renewed", moment(spec.get("renewTime"))),
        ("Acquired", moment(spec.get("acquireTime"))),
        ("For", seconds(spec.get("leaseDurationSeconds"))),
    )


RBAC, STORAGE = "rbac.authorization.k8s.io", "storage.k8s.io"

KINDS: dict[tuple[str, str], Facts] = {
    ("", "Pod"): pod_facts.pod,
    ("", "Service"): service,
    ("", "Node"): node,
    ("", "Namespace"): namespace,
    ("", "ConfigMap"): config_map,
    ("", "Secret"): secret,
    ("", "PersistentVolumeClaim"): claim,
    ("", "PersistentVolume"): volume,
    ("", "ServiceAccount"): service_account,
    ("", "ReplicationController"): replica_set,
    ("", "ResourceQuota"): quota,
    ("", "LimitRange"): limits,
    ("", "Event"): event,
    ("events.k8s.io", "Event"): event,
    ("apps", "Deployment"): deployment,
    ("apps", "ReplicaSet"): replica_set,
    ("apps", "StatefulSet"): stateful_set,
    ("apps", "DaemonSet"): daemon_set,
    ("batch", "Job"): job,
    ("batch", "CronJob"): cron_job,
    ("discovery.k8s.io", "EndpointSlice"): endpoint_slice,
    ("networking.k8s.io", "Ingress"): ingress,
    ("networking.k8s.io", "NetworkPolicy"): network_policy,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscaler,
    ("policy", "PodDisruptionBudget"): budget,
    (RBAC, "Role"): role,
    (RBAC, "ClusterRole"): role,
    (RBAC, "RoleBinding"): binding,
    (RBAC, "ClusterRoleBinding"): binding,
    (STORAGE, "StorageClass"): storage_class,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    ("coordination.k8s.io", "Lease"): lease,
}
"""By group and kind; what is not here shows its fields."""
