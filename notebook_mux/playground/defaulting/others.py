"""Defaults of services and what is before them, of storage, and of small kinds."""

from __future__ import annotations

import base64
from typing import Any

from notebook_mux.playground.defaulting.pods import claim_spec, inner, maps
from notebook_mux.playground.quantities import canonical, canonical_map

Json = dict[str, Any]

AFFINITY_SECONDS = 10_800
RBAC = "rbac.authorization.k8s.io"
LIMITS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def service(obj: Json) -> None:
    """A Service; its addresses and node ports are given where it is stored."""
    spec = inner(obj, "spec")
    spec["type"] = spec.get("type") or "ClusterIP"
    spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if spec["sessionAffinity"] == "ClientIP":
        inner(inner(spec, "sessionAffinityConfig"), "clientIP").setdefault("timeoutSeconds", AFFINITY_SECONDS)
    for port in maps(spec.get("ports")):
        port["protocol"] = port.get("protocol") or "TCP"
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")
    if spec["type"] in ("NodePort", "LoadBalancer") or (spec["type"] == "ClusterIP" and spec.get("externalIPs")):
        spec["externalTrafficPolicy"] = spec.get("externalTrafficPolicy") or "Cluster"
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def namespace(obj: Json) -> None:
    """A Namespace: a label has its name."""
    if name := obj["metadata"].get("name"):
        inner(obj["metadata"], "labels")["kubernetes.io/metadata.name"] = name


def network_policy(obj: Json) -> None:
    """A NetworkPolicy."""
    spec = inner(obj, "spec")
    for rule in (*maps(spec.get("ingress")), *maps(spec.get("egress"))):
        for port in maps(rule.get("ports")):
            port.setdefault("protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def endpoints(obj: Json) -> None:
    """An Endpoints."""
    for subset in maps(obj.get("subsets")):
        for port in maps(subset.get("ports")):
            port.setdefault("protocol", "TCP")


def endpoint_slice(obj: Json) -> None:
    """An EndpointSlice."""
    for endpoint in maps(obj.get("endpoints")):
        endpoint.setdefault("conditions", {})
    for port in maps(obj.get("ports")):
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def claim(obj: Json) -> None:
    """A PersistentVolumeClaim."""
    claim_spec(inner(obj, "spec"))


def volume(obj: Json) -> None:
    """A PersistentVolume."""
    spec = inner(obj, "spec")
    spec["persistentVolumeReclaimPolicy"] = spec.get("persistentVolumeReclaimPolicy") or "Retain"
    spec.setdefault("volumeMode", "Filesystem")
    canonical_map(spec, "capacity")
    if isinstance(path := spec.get("hostPath"), dict):
        path.setdefault("type", "")


def storage_class(obj: Json) -> None:
    """A StorageClass."""
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def priority_class(obj: Json) -> None:
    """A PriorityClass."""
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def runtime_class(obj: Json) -> None:
    """A RuntimeClass; what its pods need beside themselves is written as the server writes it."""
    canonical_map(obj.get("overhead"), "podFixed")


def secret(obj: Json) -> None:
    """A Secret; what is given as plain text is kept as the rest is."""
    obj["type"] = obj.get("type") or "Opaque"
    plain = obj.pop("stringData", None)
    if isinstance(plain, dict) and plain:
        data = inner(obj, "data")
        data |= {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}


def resource_quota(obj: Json) -> None:
    """A ResourceQuota."""
    canonical_map(inner(obj, "spec"), "hard")


def limit_range(obj: Json) -> None:
    """A LimitRange: for containers the default is the maximum, the default request the default, or the minimum."""
    for one in maps(inner(obj, "spec").get("limits")):
        if one.get("type") == "Container":
            _limit(one)
        for name in LIMITS:
            if isinstance(values := one.get(name), dict):
                one[name] = {key: canonical(value) for key, value in values.items()}


def _limit(one: Json) -> None:
    default, asked = (dict(one.get(name) or {}) for name in ("default", "defaultRequest"))
    for key, value in (one.get("max") or {}).items():
        default.setdefault(key, value)
    for key, value in {**(one.get("min") or {}), **default}.items():
        asked.setdefault(key, value)
    if default:
        one["default"] = default
    if asked:
        one["defaultRequest"] = asked


def binding(obj: Json) -> None:
    """A RoleBinding or ClusterRoleBinding."""
    if isinstance(role := obj.get("roleRef"), dict):
        role["apiGroup"] = role.get("apiGroup") or RBAC
    for subject in maps(obj.get("subjects")):
        if subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = subject.get("apiGroup") or RBAC


NODE_INFO = ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion",
             "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture")  # fmt: skip


def node(obj: Json) -> None:
    """A Node."""
    status = inner(obj, "status")
    if "capacity" in status:
        status.setdefault("allocatable", dict(status["capacity"]))
    canonical_map(status, "capacity", "allocatable")
    status.setdefault("daemonEndpoints", {"kubeletEndpoint": {"Port": 0}})
    status.setdefault("nodeInfo", dict.fromkeys(NODE_INFO, ""))
