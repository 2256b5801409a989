"""Kinds of the whole cluster: nodes, namespaces, leases, priority classes, and the definitions of custom kinds."""

from __future__ import annotations

from typing import Any

from notebook_mux.ages import human_duration
from notebook_mux.printers.common import NONE, UNKNOWN, Json, age, is_true, name, number, spec, status

ROLE_PREFIX = "node-role.kubernetes.io/"
ROLE = "kubernetes.io/role"


def print_node(obj: Json, now: float) -> list[Any]:
    """printers.go:2021."""
    state = status(obj)
    ready = next((one for one in reversed(state.get("conditions") or ()) if one.get("type") == "Ready"), None)
    said = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    if spec(obj).get("unschedulable"):
        said += ",SchedulingDisabled"
    info = state.get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or UNKNOWN
    if architecture := info.get("architecture"):
        kernel += f" ({architecture})"
    return [
        name(obj),
        said,
        ",".join(_roles(obj)) or NONE,
        age(obj, now),
        info.get("kubeletVersion", ""),
        _address(state, "InternalIP"),
        _address(state, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _roles(obj: Json) -> list[str]:
    roles = set()
    for key, value in (obj["metadata"].get("labels") or {}).items():
        if key.startswith(ROLE_PREFIX):
            roles.add(key.removeprefix(ROLE_PREFIX))
        elif key == ROLE:
            roles.add(value)
    return sorted(roles - {""})


def _address(state: Json, kind: str) -> str:
    found = (one["address"] for one in state.get("addresses") or () if one.get("type") == kind)
    return next(found, NONE)


def print_namespace(obj: Json, now: float) -> list[Any]:
    """printers.go:1961."""
    return [name(obj), status(obj).get("phase", ""), age(obj, now)]


def print_lease(obj: Json, now: float) -> list[Any]:
    """printers.go:2810."""
    return [name(obj), spec(obj).get("holderIdentity", ""), age(obj, now)]


def print_priority_class(obj: Json, now: float) -> list[Any]:
    """printers.go:2994."""
    return [
        name(obj),
        number(obj.get("value")),
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy", "PreemptLowerPriority"),
    ]


def print_runtime_class(obj: Json, now: float) -> list[Any]:
    """printers.go, printRuntimeClass."""
    return [name(obj), obj.get("handler", ""), age(obj, now)]


def print_crd(obj: Json, now: float) -> list[Any]:
    """apiextensions-apiserver/pkg/registry/customresourcedefinition/tableconvertor/tableconvertor.go:42."""
    wanted = spec(obj)
    names = wanted.get("names") or {}
    served = sorted(
        f"{one['name']}(storage)" if one.get("storage") else one["name"]
        for one in wanted.get("versions") or ()
        if one.get("served")
    )
    return [
        name(obj),
        wanted.get("scope", ""),
        ",".join(served),
        obj["metadata"].get("creationTimestamp", ""),
        wanted.get("group", ""),
        names.get("kind", ""),
        ",".join(names.get("shortNames") or ()),
        is_true(status(obj).get("conditions"), "Established"),
    ]


def print_api_service(obj: Json, now: float) -> list[Any]:
    """kube-aggregator/pkg/registry/apiservice/etcd/etcd.go:77."""
    service = spec(obj).get("service")
    found: Json = next((one for one in status(obj).get("conditions") or () if one.get("type") == "Available"), {})
    available = found.get("status", "Unknown")
    if available != "True" and found.get("reason"):
        available = f"{available} ({found['reason']})"
    called = f"{service['namespace']}/{service['name']}" if service else "Local"
    return [name(obj), called, available, age(obj, now)]


def print_certificate_request(obj: Json, now: float) -> list[Any]:
    """printers.go:2222."""
    wanted, state = spec(obj), status(obj)
    there = {one.get("type") for one in state.get("conditions") or ()}
    said = next((kind for kind in ("Denied", "Approved") if kind in there), "Pending")
    said += ",Failed" if "Failed" in there else ""
    said += ",Issued" if state.get("certificate") else ""
    seconds = wanted.get("expirationSeconds")
    return [
        name(obj),
        age(obj, now),
        wanted.get("signerName", NONE),
        wanted.get("username", ""),
        NONE if seconds is None else human_duration(seconds),
        said,
    ]


def print_trust_bundle(obj: Json, now: float) -> list[Any]:
    """printers.go:2409."""
    return [name(obj), spec(obj).get("signerName") or NONE]


def print_lease_candidate(obj: Json, now: float) -> list[Any]:
    """printers.go:2835."""
    parts = ("leaseName", "binaryVersion", "emulationVersion")
    return [name(obj), *(spec(obj).get(part, "") for part in parts), age(obj, now)]


def print_migration(obj: Json, now: float) -> list[Any]:
    """printers.go:3473."""
    resource = spec(obj).get("resource") or {}
    said = "Unknown"
    for one in status(obj).get("conditions") or ():
        if one.get("status") == "True" and one.get("type") in ("Running", "Failed", "Succeeded"):
            said = one["type"]
    return [name(obj), f"{resource.get('resource', '')}.{resource.get('group', '')}".rstrip("."), said]


def print_component_status(obj: Json, now: float) -> list[Any]:
    """printers.go:2434."""
    found: Json = next((one for one in obj.get("conditions") or () if one.get("type") == "Healthy"), {})
    said = {"": "Unknown", "True": "Healthy"}.get(found.get("status", ""), "Unhealthy")
    return [name(obj), said, found.get("message", ""), found.get("error", "")]


PRINTERS = {
    "clustertrustbundles.certificates.k8s.io": print_trust_bundle,
    "leasecandidates.coordination.k8s.io": print_lease_candidate,
    "storageversionmigrations.storagemigration.k8s.io": print_migration,
    "certificatesigningrequests.certificates.k8s.io": print_certificate_request,
    "componentstatuses": print_component_status,
    "apiservices.apiregistration.k8s.io": print_api_service,
    "nodes": print_node,
    "namespaces": print_namespace,
    "leases.coordination.k8s.io": print_lease,
    "priorityclasses.scheduling.k8s.io": print_priority_class,
    "runtimeclasses.node.k8s.io": print_runtime_class,
    "customresourcedefinitions.apiextensions.k8s.io": print_crd,
}
