"""What a service keeps that was given to it: its addresses and node ports."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
OF_TYPES = {
    "externalTrafficPolicy": WITH_NODE_PORTS,
    "healthCheckNodePort": WITH_NODE_PORTS,
    "allocateLoadBalancerNodePorts": ("LoadBalancer",),
    "loadBalancerClass": ("LoadBalancer",),
    "internalTrafficPolicy": ("ClusterIP", *WITH_NODE_PORTS),
}
"""Fields that only services of some types have; they go with the type unless somebody says them anew."""


def keep(old: Json, new: Json) -> None:
    """Give a changed service what it had and does not say, and take what its new type does not have."""
    before, spec = old.get("spec") or {}, new.get("spec") or {}
    kind = spec.get("type")
    for name, types in OF_TYPES.items():
        if kind not in types and before.get("type") in types and spec.get(name) == before.get(name):
            spec.pop(name, None)
    if kind == "ExternalName":
        for name in ADDRESSES:
            if spec.get(name) == before.get(name):
                spec.pop(name, None)
        return
    if before.get("type") != "ExternalName":
        for name in ADDRESSES:
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
        address = spec.get("clusterIP")
        if address and spec.get("clusterIPs") == before.get("clusterIPs") and address != before.get("clusterIP"):
            spec["clusterIPs"] = [address]  # who says one address means both fields
    _node_ports(before, spec)


def _node_ports(before: Json, spec: Json) -> None:
    known = {_of(port): port.get("nodePort") for port in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        if spec.get("type") in WITH_NODE_PORTS:
            if not port.get("nodePort") and known.get(_of(port)):
                port["nodePort"] = known[_of(port)]
        elif before.get("type") in WITH_NODE_PORTS and port.get("nodePort") == known.get(_of(port)):
            port.pop("nodePort", None)


def _of(port: Json) -> tuple[Any, Any]:
    return port.get("port"), port.get("protocol", "TCP")
