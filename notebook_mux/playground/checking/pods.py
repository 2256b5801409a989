"""A pod's spec, of a pod or of a template."""

from __future__ import annotations

import re
from typing import Any

from notebook_mux.playground.checking import containers, placement, volumes
from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    address,
    bad,
    duplicate,
    forbidden,
    inner,
    is_number,
    label,
    labels,
    objects,
    one_of,
    qualified,
    required,
    subdomain,
)

RESTARTS = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION = ("PreemptLowerPriority", "Never")
SYSTEMS = ("linux", "windows")
SECONDS_LIMIT = 2**31 - 1
SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
SYSCTL_LIMIT = 253
NO_PROBES = "may not be set for init containers without restartPolicy=Always"


def check(path: str, spec: Json) -> Causes:
    """What is wrong with a pod's spec."""
    causes, known = volumes.check(f"{path}.volumes", spec)
    yield from causes
    yield from _containers(path, spec, known)
    yield from one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTARTS)
    yield from one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES)
    yield from labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    yield from _security(f"{path}.securityContext", inner(spec, "securityContext"))
    yield from placement.affinity(f"{path}.affinity", spec)
    yield from _dns(path, spec)
    for number, gate in objects(spec, "readinessGates"):
        yield from qualified(f"{path}.readinessGates[{number}].conditionType", gate.get("conditionType") or "")
    yield from placement.spreading(f"{path}.topologySpreadConstraints", spec)
    for name, form in (("serviceAccountName", subdomain), ("nodeName", subdomain)):
        if spec.get(name):
            yield from form(f"{path}.{name}", spec[name])
    deadline = spec.get("activeDeadlineSeconds")
    if is_number(deadline) and not 0 < deadline <= SECONDS_LIMIT:
        yield bad(f"{path}.activeDeadlineSeconds", deadline, f"must be between 1 and {SECONDS_LIMIT}, inclusive")
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            yield from label(f"{path}.{name}", spec[name])
    yield from placement.tolerations(f"{path}.tolerations", spec)
    for number, alias in objects(spec, "hostAliases"):
        yield from address(f"{path}.hostAliases[{number}].ip", alias.get("ip") or "")
    if spec.get("priorityClassName"):
        yield from subdomain(f"{path}.priorityClassName", spec["priorityClassName"])
    yield from one_of(f"{path}.preemptionPolicy", spec.get("preemptionPolicy"), PREEMPTION)
    yield from one_of(f"{path}.os", inner(spec, "os").get("name"), SYSTEMS)


def _containers(path: str, spec: Json, known: set[str]) -> Causes:
    host = bool(spec.get("hostNetwork"))
    seen: set[Any] = set()
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    for number, one in objects(spec, "containers"):
        here = f"{path}.containers[{number}]"
        yield from containers.common(here, one, known, host_network=host)
        yield from _unique(here, one, seen)
        yield from containers.running(here, one)
        yield from one_of(f"{here}.restartPolicy", one.get("restartPolicy"), containers.RESTARTS)
    for number, one in objects(spec, "initContainers"):
        here = f"{path}.initContainers[{number}]"
        yield from containers.common(here, one, known, host_network=host)
        yield from _unique(here, one, seen)
        if one.get("restartPolicy") == "Always":
            yield from containers.running(here, one)
        else:
            yield from one_of(f"{here}.restartPolicy", one.get("restartPolicy"), containers.RESTARTS)
            for name in ("lifecycle", *containers.PROBES):
                if one.get(name) is not None:
                    yield forbidden(f"{here}.{name}", NO_PROBES)


def _unique(path: str, one: Json, seen: set[Any]) -> Causes:
    name = one.get("name")
    if name and name in seen:
        yield duplicate(f"{path}.name", name)
    seen.add(name)


def _security(path: str, context: Json) -> Causes:
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from containers.identity(f"{path}.{name}", context.get(name))
    for number, one in objects(context, "sysctls"):
        here, name = f"{path}.sysctls[{number}].name", one.get("name") or ""
        if not name:
            yield required(here)
        elif len(name) > SYSCTL_LIMIT or not re.fullmatch(SYSCTL, name):
            yield bad(here, name, f"must have at most {SYSCTL_LIMIT} characters and match regex {SYSCTL}")


def _dns(path: str, spec: Json) -> Causes:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None" and config is None:
        yield required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    for number, one in enumerate(inner(spec, "dnsConfig").get("nameservers") or ()):
        yield from address(f"{path}.dnsConfig.nameservers[{number}]", one)
