"""Config maps, secrets, quotas, limit ranges, autoscalers, budgets, priorities, leases and nodes."""

from __future__ import annotations

import base64
from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    bad,
    config_key_problems,
    forbidden,
    inner,
    is_number,
    names,
    not_negative,
    objects,
    one_of,
    percentage,
    qualified,
    qualified_problems,
    required,
    selector,
    too_long,
    unsupported,
)

DATA_LIMIT = 1024 * 1024
"""Bytes of a config map or secret (core, ``MaxSecretSize``)."""

NEEDED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
REDACTED = "<secret contents redacted>"
ACCOUNT = "kubernetes.io/service-account.name"


def config_map(obj: Json) -> Causes:
    """What is wrong with a config map."""
    data, binary = inner(obj, "data"), inner(obj, "binaryData")
    size = 0
    for key, value in data.items():
        yield from names(f"data[{key}]", key, config_key_problems(key))
        if key in binary:
            yield bad(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(str(value).encode())
    for key, value in binary.items():
        yield from names(f"binaryData[{key}]", key, config_key_problems(key))
        size += len(str(value)) * 3 // 4
    if size > DATA_LIMIT:
        yield too_long("[]", DATA_LIMIT)


def secret(obj: Json) -> Causes:
    """What is wrong with a secret."""
    data = {**inner(obj, "data"), **inner(obj, "stringData")}
    size = 0
    for key, value in data.items():
        yield from names(f"data[{key}]", key, config_key_problems(key))
        size += len(str(value)) * 3 // 4
    if size > DATA_LIMIT:
        yield too_long("data", DATA_LIMIT)
    kind = obj.get("type") or ""
    for key in NEEDED.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    if kind.startswith("kubernetes.io/docker") and (key := NEEDED.get(kind, ("",))[0]) in data:
        yield from _json(f"data[{key}]", data[key], encoded=key in inner(obj, "data"))
    if kind == "kubernetes.io/service-account-token" and not inner(obj, "metadata", "annotations").get(ACCOUNT):
        yield required(f"metadata.annotations[{ACCOUNT}]")


def _json(path: str, value: Any, *, encoded: bool) -> Causes:
    from notebook_mux.playground.schemas import pairs

    try:
        text = base64.b64decode(value) if encoded else str(value).encode()
    except ValueError:
        return
    try:
        pairs.parse(text)
    except pairs.NoJson as error:
        yield bad(path, REDACTED, str(error))


QUOTA = frozenset({
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
    "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "services",
    "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims", "services.nodeports",
    "services.loadbalancers", "storage",
})  # fmt: skip
COUNTED = frozenset({"pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
                     "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"})  # fmt: skip
SCOPES = frozenset({"Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass",
                    "CrossNamespacePodAffinity", "VolumeAttributesClass"})  # fmt: skip


def resource_quota(spec: Json) -> Causes:
    """What is wrong with a quota's spec."""
    for name, amount in inner(spec, "hard").items():
        here = f"spec.hard[{name}]"
        yield from names(here, name, qualified_problems(name))
        if "/" not in name and name not in QUOTA:
            if not name.startswith(("hugepages-", "requests.", "limits.")):
                yield bad(here, name, "must be a standard resource type or fully qualified")
            yield bad(here, name, "must be a standard resource for quota")
        found = quantities.known(amount)
        if found.nano < 0:
            yield bad(here, str(found), "must be greater than or equal to 0")
        if found.nano % quantities.NANO and (name in COUNTED or name.startswith("count/")):
            yield bad(here, str(found), "must be an integer")
    scopes = spec.get("scopes") or []
    if any(one not in SCOPES for one in scopes):
        yield bad("spec.scopes", scopes, "unsupported scope")


LIMITED = frozenset({"Pod", "Container", "PersistentVolumeClaim"})


def limit_range(spec: Json) -> Causes:
    """What is wrong with a limit range's spec."""
    for number, one in objects(spec, "limits"):
        here = f"spec.limits[{number}]"
        kind = one.get("type") or ""
        if not kind:
            yield required(f"{here}.type")
        elif "/" not in kind and kind not in LIMITED:
            yield bad(f"{here}.type", kind, "must be a standard limit type or fully qualified")
        resources = {name for what in ("min", "max", "default", "defaultRequest") for name in inner(one, what)}
        for name in sorted(resources):
            yield from _limits(here, one, name)


def _limits(path: str, one: Json, name: str) -> Causes:
    def amount(what: str) -> quantities.Quantity | None:
        found = inner(one, what).get(name)
        return quantities.known(found) if found is not None else None

    least, most, asked, default = amount("min"), amount("max"), amount("defaultRequest"), amount("default")
    if least and most and least.nano > most.nano:
        yield bad(f"{path}.min[{name}]", str(least), f"min value {least} is greater than max value {most}")
    if asked and least and least.nano > asked.nano:
        why = f"min value {least} is greater than default request value {asked}"
        yield bad(f"{path}.defaultRequest[{name}]", str(asked), why)
    if asked and most and asked.nano > most.nano:
        why = f"default request value {asked} is greater than max value {most}"
        yield bad(f"{path}.defaultRequest[{name}]", str(asked), why)
    if asked and default and asked.nano > default.nano:
        why = f"default request value {asked} is greater than default limit value {default}"
        yield bad(f"{path}.defaultRequest[{name}]", str(asked), why)
    if default and least and least.nano > default.nano:
        why = f"min value {least} is greater than default value {default}"
        yield bad(f"{path}.default[{name}]", str(least), why)
    if default and most and default.nano > most.nano:
        why = f"default value {default} is greater than max value {most}"
        yield bad(f"{path}.default[{name}]", str(most), why)


METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")


def autoscaler(spec: Json) -> Causes:
    """What is wrong with an autoscaler's spec."""
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if is_number(least) and least < 0:
        yield bad("spec.minReplicas", least, "must be greater than or equal to 0")
    if is_number(least) and most < least:
        yield bad("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = inner(spec, "scaleTargetRef")
    for name in ("kind", "name"):
        if not target.get(name):
            yield required(f"spec.scaleTargetRef.{name}")
    if "/" not in (target.get("apiVersion") or "") and target.get("kind") != "ReplicationController":
        yield bad("spec.scaleTargetRef.apiVersion", target.get("apiVersion") or "", "apiVersion must specify API group")
    for number, metric in objects(spec, "metrics"):
        yield from _metric(f"spec.metrics[{number}]", metric)
    outside = any(metric.get("type") in ("Object", "External") for _, metric in objects(spec, "metrics"))
    if least == 0 and not outside:
        why = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden("spec.metrics", why)
    if most == 0:
        yield required("spec.maxReplicas")


def _metric(path: str, metric: Json) -> Causes:
    kind = metric.get("type") or ""
    if kind not in METRICS:
        yield unsupported(f"{path}.type", kind, METRICS)
        return
    if kind in ("Resource", "ContainerResource"):
        own = kind[0].lower() + kind[1:]
        if not isinstance(metric.get(own), dict):
            yield required(f"{path}.{own}", "must populate information for the given metric source")
            return
        target = inner(metric, own, "target")
        if target.get("averageUtilization") is None and target.get("averageValue") is None:
            why = "must set either a target raw value or a target utilization"
            yield required(f"{path}.{own}.target.averageUtilization", why)


def disruption_budget(spec: Json) -> Causes:
    """What is wrong with a disruption budget's spec."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        whole = {"MinAvailable": least, "Selector": spec.get("selector"), "MaxUnavailable": most,
                 "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy")}  # fmt: skip
        yield bad("spec", whole, "minAvailable and maxUnavailable cannot be both set")
    if least is not None:
        yield from percentage("spec.minAvailable", least, most=100)
    if most is not None:
        yield from percentage("spec.maxUnavailable", most, most=100)
    yield from selector("spec.selector", spec.get("selector"))


PRIORITY_LIMIT = 10**9
SYSTEM_CLASSES = frozenset({"system-cluster-critical", "system-node-critical"})


def priority_class(obj: Json) -> Causes:
    """What is wrong with a priority class."""
    name, value = inner(obj, "metadata").get("name") or "", obj.get("value") or 0
    if name.startswith("system-"):
        if name not in SYSTEM_CLASSES:
            why = "priority class names with 'system-' prefix are reserved for system use only. error: "
            yield forbidden("metadata.name", f"{why}{name} is not a known system priority class")
    elif is_number(value) and value > PRIORITY_LIMIT:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {PRIORITY_LIMIT}")
    yield from one_of("preemptionPolicy", obj.get("preemptionPolicy"), ("PreemptLowerPriority", "Never"))


def api_service(obj: Json) -> Causes:
    """What is wrong with an API service's name: it is made of what it serves."""
    spec, name = inner(obj, "spec"), inner(obj, "metadata").get("name") or ""
    wanted = f"{spec.get('version') or ''}.{spec.get('group') or ''}"
    if name and name != wanted:
        yield bad("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"')


def lease(spec: Json) -> Causes:
    """What is wrong with a lease's spec."""
    seconds = spec.get("leaseDurationSeconds")
    if is_number(seconds) and seconds <= 0:
        yield bad("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))


def node(spec: Json) -> Causes:
    """What is wrong with a node's spec."""
    for number, taint in objects(spec, "taints"):
        here = f"metadata.taints[{number}]"
        yield from qualified(f"{here}.key", taint.get("key") or "")
        effect = taint.get("effect") or ""
        if effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            yield unsupported(f"{here}.effect", effect, ("NoSchedule", "PreferNoSchedule", "NoExecute"))


__all__ = ["api_service", "autoscaler", "config_map", "disruption_budget", "lease", "limit_range", "node",
           "priority_class", "resource_quota", "secret"]  # fmt: skip
