"""What a person looks for in services, their endpoints and ingresses, and network policies; see `facts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from notebook_mux.printing.facts import (
    Cell,
    Json,
    Section,
    cell,
    code,
    items,
    labels_value,
    listed,
    namespace_of,
    part,
    ref,
    selector_value,
    table,
    word,
)


def service(content: Json) -> list[Section]:
    """A service."""
    spec = part(content, "spec")
    balancer = part(content, "status", "loadBalancer")
    outside = [
        *(spec.get("externalIPs") or ()),
        *(one.get("ip") or one.get("hostname") or "" for one in listed(balancer, "ingress")),
    ]
    ports = [
        [
            str(one.get("name") or ""),
            code(f"{one.get('port')}/{one.get('protocol') or 'TCP'}"),
            code(one.get("targetPort") or one.get("port") or ""),
            code(one["nodePort"]) if one.get("nodePort") else "",
            str(one.get("appProtocol") or ""),
        ]
        for one in listed(spec, "ports")
    ]
    about = items(
        "Service",
        ("Type", spec.get("type")),
        ("Cluster IP", [code(one) for one in spec.get("clusterIPs") or [spec.get("clusterIP") or ""] if one]),
        ("External", [code(one) for one in outside if one]),
        ("External name", spec.get("externalName")),
        ("Selector", labels_value(spec.get("selector")) or cell("none: its endpoints are made by hand", "")),
        ("Session affinity", spec.get("sessionAffinity") if spec.get("sessionAffinity") != "None" else ""),
        ("Traffic policy", spec.get("externalTrafficPolicy")),
    )
    return [*about, *table("Ports", ("Name", "Port", "Target", "Node port", "Protocol"), ports)]


def endpoint_slice(content: Json) -> list[Section]:
    """A slice of a service's endpoints."""
    name = part(content, "metadata", "labels").get("kubernetes.io/service-name")
    ports = [code(f"{one.get('name') or ''} {one.get('port')}/{one.get('protocol') or 'TCP'}".strip())
             for one in listed(content, "ports")]  # fmt: skip
    about = items(
        "Endpoint slice",
        ("Service", ref("Service", name, namespace_of(content))),
        ("Addresses", content.get("addressType")),
        ("Ports", ports),
    )
    return [*about, *endpoints([content])]


def endpoints(slices: Sequence[Json]) -> list[Section]:
    """The endpoints in all slices of a service."""
    rows: list[list[Any]] = []
    for one in slices:
        for endpoint in listed(one, "endpoints"):
            target, ready = part(endpoint, "targetRef"), part(endpoint, "conditions").get("ready")
            kind = str(target.get("kind") or "")
            named = ref(
                word(kind, str(target.get("apiVersion") or "")), target.get("name"), str(target.get("namespace") or "")
            )
            state = cell("ready", "good") if ready is not False else cell("not ready", "warn")
            addresses = ", ".join(map(str, endpoint.get("addresses") or ()))
            rows.append([code(addresses), state, named, ref("Node", endpoint.get("nodeName"))])
    return table("Endpoints", ("Address", "State", "Target", "Node"), rows)


def ingress(content: Json) -> list[Section]:
    """An ingress."""
    spec, where = part(content, "spec"), namespace_of(content)
    balancer = part(content, "status", "loadBalancer")
    rows = []
    for rule in listed(spec, "rules"):
        for path in listed(part(rule, "http"), "paths"):
            words = f"{path.get('path') or '/'} ({path.get('pathType') or 'any'})"
            rows.append([str(rule.get("host") or "*"), code(words), *_backend(part(path, "backend"), where)])
    if part(spec, "defaultBackend"):
        rows.append(["*", "all else", *_backend(part(spec, "defaultBackend"), where)])
    secure: list[Cell] = [
        ref("Secret", one.get("secretName"), where, f"{', '.join(one.get('hosts') or ())} by {one.get('secretName')}")
        for one in listed(spec, "tls")
    ]
    about = items(
        "Ingress",
        ("Class", ref("IngressClass.networking.k8s.io", spec.get("ingressClassName"))),
        ("Address", [code(one.get("ip") or one.get("hostname") or "") for one in listed(balancer, "ingress")]),
        ("TLS", [one for one in secure if one]),
    )
    return [*about, *table("Rules", ("Host", "Path", "Service", "Port"), rows)]


def _backend(backend: Json, where: str) -> list[Cell]:
    target = part(backend, "service")
    if not target:
        other = part(backend, "resource")
        return [f"{other.get('kind')} {other.get('name')}", ""]
    port = part(target, "port")
    return [ref("Service", target.get("name"), where), code(port.get("number") or port.get("name") or "")]


def network_policy(content: Json) -> list[Section]:
    """A network policy."""
    spec = part(content, "spec")
    about = items(
        "Network policy",
        ("Pods", selector_value(spec.get("podSelector")) or "all of the namespace"),
        ("Types", spec.get("policyTypes")),
    )
    rows = [
        [
            direction,
            "; ".join(map(_peer, listed(rule, key))) or "anywhere",
            ", ".join(map(_port, listed(rule, "ports"))) or "all",
        ]
        for direction, rules, key in (("from", "ingress", "from"), ("to", "egress", "to"))
        for rule in listed(spec, rules)
    ]
    return [*about, *table("Allows", ("Direction", "Peers", "Ports"), rows)]


def _peer(peer: Json) -> str:
    block = part(peer, "ipBlock")
    if block:
        without = ", ".join(block.get("except") or ())
        return f"{block.get('cidr')}{f' but {without}' if without else ''}"
    words = []
    for key, name in (("namespaceSelector", "namespaces"), ("podSelector", "pods")):
        if key in peer:
            chosen = ", ".join(str(one["text"]) if isinstance(one, dict) else one for one in selector_value(peer[key]))
            words.append(f"{name} {chosen or 'all'}")
    return ", ".join(words)


def _port(port: Json) -> str:
    last = f"-{port['endPort']}" if port.get("endPort") else ""
    return f"{port.get('port') or 'all'}{last}/{port.get('protocol') or 'TCP'}"
