"""What objects use of a resource quota.

As the documentation has it ("Resource Quotas"): pods by what they ask for while they live, claims by size and class,
services by kind, and every kind by number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import pod_resources
from notebook_mux.playground.admission.storage import class_of
from notebook_mux.playground.label_selectors import requirement_holds
from notebook_mux.playground.quantities import Amounts, Quantity, add, known

Json = dict[str, Any]

ONE = Quantity(10**9)
COMPUTE = ("cpu", "memory", "ephemeral-storage")
NEEDED = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
"""A quota on one of these wants each container to say what it asks for."""

CLASS_SUFFIX = ".storageclass.storage.k8s.io/"
ALIASES = {"configmaps", "resourcequotas", "replicationcontrollers", "secrets"}
"""Kinds counted under their own name too, from before there was ``count/``."""

POD_NAMES = frozenset(
    {"pods", "count/pods", *COMPUTE, *(f"{of}.{name}" for of in ("requests", "limits") for name in COMPUTE)}
)
POD_PREFIXES = ("hugepages-", "requests.")
SERVICE_NAMES = frozenset({"services", "count/services", "services.nodeports", "services.loadbalancers"})
CLAIM_NAMES = frozenset({"persistentvolumeclaims", "count/persistentvolumeclaims", "requests.storage"})


def counted(resource: str, names: Iterable[str]) -> list[str]:
    """Which of a quota's names an object of a resource can use."""
    if resource == "pods":
        other = CLAIM_NAMES | SERVICE_NAMES
        return [
            one
            for one in names
            if one in POD_NAMES or (one.startswith(POD_PREFIXES) and one not in other and CLASS_SUFFIX not in one)
        ]
    if resource == "services":
        return [one for one in names if one in SERVICE_NAMES]
    if resource == "persistentvolumeclaims":
        return [one for one in names if one in CLAIM_NAMES or CLASS_SUFFIX in one]
    own = {f"count/{resource}"} | ({resource} if resource in ALIASES else set())
    return [one for one in names if one in own]


def of(resource: str, obj: Json) -> Amounts:
    """What an object uses."""
    if resource == "pods":
        return _pod(obj)
    found = {f"count/{resource}": ONE}
    if resource in ALIASES:
        found[resource] = ONE
    if resource == "services":
        found |= _service(obj.get("spec") or {})
    elif resource == "persistentvolumeclaims":
        found |= _claim(obj)
    return found


def _pod(pod: Json) -> Amounts:
    found: Amounts = {"count/pods": ONE}
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return found
    spec = pod.get("spec") or {}
    return found | _compute(pod_resources.requests(spec), pod_resources.limits(spec))


def _compute(asked: Amounts, capped: Amounts) -> Amounts:
    found: Amounts = {"pods": ONE}
    for name, value in asked.items():
        found[f"requests.{name}"] = value
        if name in COMPUTE or name.startswith("hugepages-"):
            found[name] = value
    found |= {f"limits.{name}": value for name, value in capped.items() if name in COMPUTE}
    return found


def _service(spec: Json) -> Amounts:
    kind, ports = spec.get("type"), spec.get("ports") or ()
    numbers = 0
    if kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False):
        numbers = len(ports)
    elif kind == "LoadBalancer":
        numbers = sum(bool(port.get("nodePort")) for port in ports)
    return {
        "services": ONE,
        "services.nodeports": Quantity(numbers * ONE.nano),
        "services.loadbalancers": ONE if kind == "LoadBalancer" else Quantity(0),
    }


def _claim(claim: Json) -> Amounts:
    size = known(((claim.get("spec") or {}).get("resources") or {}).get("requests", {}).get("storage"))
    found = {"persistentvolumeclaims": ONE, "requests.storage": size}
    if name := class_of(claim):
        found |= {f"{name}{CLASS_SUFFIX}persistentvolumeclaims": ONE, f"{name}{CLASS_SUFFIX}requests.storage": size}
    return found


def missing(names: Iterable[str], pod: Json) -> str:
    """What a pod's containers have to say under a quota and do not, in the server's words; empty if nothing."""
    spec = pod.get("spec") or {}
    if any((spec.get("resources") or {}).get(kind) for kind in ("requests", "limits")):
        return ""
    without: dict[str, set[str]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources") or {}
        asked, capped = (dict.fromkeys(resources.get(kind) or (), ONE) for kind in ("requests", "limits"))
        for name in NEEDED.intersection(names) - set(_compute(asked, capped)):
            without.setdefault(name, set()).add(str(container.get("name")))
    if not without:
        return ""
    parts = (f"{name} for: {','.join(sorted(containers))}" for name, containers in sorted(without.items()))
    return f"must specify {'; '.join(parts)}"


# ------------------------------------------------------------------------------------------------------ scopes


def scopes(spec: Json) -> list[Json]:
    """The scopes of a quota as requirements; all have to hold."""
    found = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    return found + list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())


def in_scope(spec: Json, resource: str, obj: Json) -> bool:
    """Whether a quota has to do with an object; quotas with scopes have to do with pods only."""
    wanted = scopes(spec)
    if not wanted:
        return True
    return resource == "pods" and all(_holds(one, obj) for one in wanted)


def _holds(requirement: Json, pod: Json) -> bool:
    spec, name = pod.get("spec") or {}, requirement.get("scopeName")
    ends = (spec.get("activeDeadlineSeconds") or -1) >= 0
    best_effort = pod_resources.qos(spec) == "BestEffort"
    simple = {
        "Terminating": ends,
        "NotTerminating": not ends,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "CrossNamespacePodAffinity": _reaches_out(spec),
    }
    if name != "PriorityClass":
        return simple.get(str(name), False)
    own = spec.get("priorityClassName") or ""
    if requirement.get("operator") == "Exists":
        return bool(own)
    labels = {"PriorityClass": own} if own else {}
    return requirement_holds({**requirement, "key": "PriorityClass"}, labels)


def _reaches_out(spec: Json) -> bool:
    """Whether a pod's affinity looks into other namespaces."""
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = (spec.get("affinity") or {}).get(kind) or {}
        plain = terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        weighed = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        for term in (*plain, *(one.get("podAffinityTerm") or {} for one in weighed)):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False


def total(objects: Iterable[tuple[str, Json]], spec: Json) -> Amounts:
    """What objects use together of a quota."""
    hard = spec.get("hard") or {}
    found: Amounts = {name: Quantity(0, known(value).form) for name, value in hard.items()}
    for resource, obj in objects:
        names = counted(resource, hard)
        if names and in_scope(spec, resource, obj):
            used = of(resource, obj)
            found = add(found, {name: used[name] for name in names if name in used})
    return found
