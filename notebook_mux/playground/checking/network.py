"""Services, ingresses, network policies and endpoint slices."""

from __future__ import annotations

import ipaddress
from typing import Any

from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    address,
    bad,
    cidr,
    duplicate,
    forbidden,
    inner,
    label,
    labels,
    names,
    objects,
    one_of,
    port,
    port_name_problems,
    port_or_name,
    qualified,
    required,
    selector,
    subdomain,
    subdomain_problems,
    unsupported,
)

PROTOCOLS = ("SCTP", "TCP", "UDP")
AFFINITIES = ("ClientIP", "None")
RANGE = ipaddress.ip_network("10.96.0.0/16")
"""Of services' addresses."""

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
HEADLESS = "None"


TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def service(spec: Json) -> Causes:
    """What is wrong with a service's spec."""
    kind, addressed = spec.get("type"), spec.get("clusterIP")
    if kind in ("NodePort", "LoadBalancer") and addressed == HEADLESS:
        yield bad("spec.clusterIPs[0]", HEADLESS, f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        outside = spec.get("externalName") or ""
        if not outside:
            yield required("spec.externalName")
        else:
            yield from subdomain("spec.externalName", outside.rstrip("."))
    yield from _ports(spec, kind)
    yield from labels("spec.selector", spec.get("selector"))
    yield from one_of("spec.type", kind, TYPES)
    yield from one_of("spec.sessionAffinity", spec.get("sessionAffinity"), AFFINITIES)
    if addressed and addressed != HEADLESS and kind != "ExternalName":
        yield from _address(addressed)
    for number, one in enumerate(spec.get("externalIPs") or ()):
        yield from address(f"spec.externalIPs[{number}]", one)
    for number, one in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        yield from cidr(f"spec.LoadBalancerSourceRanges[{number}]", one)
    traffic = spec.get("externalTrafficPolicy")
    if traffic and kind not in ("NodePort", "LoadBalancer") and not spec.get("externalIPs"):
        yield bad("spec.externalTrafficPolicy", traffic, "may only be set for externally-accessible services")


def _address(addressed: str) -> Causes:
    wrong = list(address("spec.clusterIPs[0]", addressed))
    yield from wrong
    if not wrong and ":" not in addressed and ipaddress.ip_address(addressed) not in RANGE:
        range_said = f"is not in the valid range. The range of valid IPs is {RANGE}"
        why = f"failed to allocate IP {addressed}: the provided IP ({addressed}) {range_said}"
        yield bad("spec.clusterIPs", [addressed], why)


def _ports(spec: Json, kind: Any) -> Causes:
    found = objects(spec, "ports")
    if not found and kind != "ExternalName" and spec.get("clusterIP") != HEADLESS:
        yield required("spec.ports")
    seen: set[Any] = set()
    for number, one in found:
        here = f"spec.ports[{number}]"
        name = one.get("name")
        if not name:
            if len(found) > 1:
                yield required(f"{here}.name")
        else:
            yield from label(f"{here}.name", name)
            if name in seen:
                yield duplicate(f"{here}.name", name)
            seen.add(name)
        yield from port(f"{here}.port", one.get("port") or 0)
        yield from one_of(f"{here}.protocol", one.get("protocol"), PROTOCOLS)
        yield from port_or_name(f"{here}.targetPort", one.get("targetPort", one.get("port") or 0))
        if one.get("nodePort") and kind == "ClusterIP":
            yield forbidden(f"{here}.nodePort", "may not be used when `type` is 'ClusterIP'")
    pairs: set[Any] = set()
    for number, one in found:
        key = (one.get("protocol", "TCP"), one.get("port"))
        if key in pairs:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield duplicate(f"spec.ports[{number}]", shown)
        pairs.add(key)


def ingress(spec: Json) -> Causes:
    """What is wrong with an ingress's spec."""
    backend = spec.get("defaultBackend")
    if not spec.get("rules") and backend is None:
        yield bad("spec", None, "either `defaultBackend` or `rules` must be specified")
    if isinstance(backend, dict):
        yield from _backend("spec.defaultBackend", backend)
    for number, rule in objects(spec, "rules"):
        here = f"spec.rules[{number}]"
        if rule.get("host"):
            yield from names(f"{here}.host", rule["host"], subdomain_problems(rule["host"].removeprefix("*.")))
        if not isinstance(rule.get("http"), dict):
            continue
        paths = objects(rule["http"], "paths")
        if not paths:
            yield required(f"{here}.http.paths")
        for index, one in paths:
            yield from _path(f"{here}.http.paths[{index}]", one)
    if spec.get("ingressClassName"):
        yield from subdomain("spec.ingressClassName", spec["ingressClassName"])


def _path(path: str, one: Json) -> Causes:
    kind, place = one.get("pathType"), one.get("path") or ""
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
    elif kind not in PATH_TYPES:
        yield unsupported(f"{path}.pathType", kind, PATH_TYPES)
    elif (kind != "ImplementationSpecific" or place) and not place.startswith("/"):
        yield bad(f"{path}.path", place, "must be an absolute path")
    yield from _backend(f"{path}.backend", inner(one, "backend"))


def _backend(path: str, backend: Json) -> Causes:
    found = backend.get("service")
    if backend.get("resource") is not None:
        if found is not None:
            yield bad(path, "", "cannot set both resource and service backends")
        return
    if not isinstance(found, dict):
        yield bad(path, "", "resource or service backend is required")
        return
    if not found.get("name"):
        yield required(f"{path}.service.name")
    else:
        yield from label(f"{path}.service.name", found["name"])
    name, number = inner(found, "port").get("name"), inner(found, "port").get("number")
    if name and number:
        yield bad(path, "", "cannot set both port name & port number")
    elif name:
        yield from names(f"{path}.service.port.name", name, port_name_problems(name))
    elif number:
        yield from port(f"{path}.service.port.number", number)
    else:
        yield required(path, "port name or number is required")


def ingress_class(spec: Json) -> Causes:
    """What is wrong with an ingress class's spec."""
    controller = spec.get("controller") or ""
    if not controller:
        yield required("spec.controller")
    elif " " in controller or "/" not in controller:
        yield bad("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')


def network_policy(spec: Json) -> Causes:
    """What is wrong with a network policy's spec."""
    yield from selector("spec.podSelector", spec.get("podSelector"))
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for number, rule in objects(spec, way):
            for index, one in objects(rule, "ports"):
                here = f"spec.{way}[{number}].ports[{index}]"
                yield from one_of(f"{here}.protocol", one.get("protocol"), ("TCP", "UDP", "SCTP"))
                if one.get("port") is not None:
                    yield from port_or_name(f"{here}.port", one["port"])
            for index, peer in objects(rule, peers):
                yield from _peer(f"spec.{way}[{number}].{peers}[{index}]", peer)
    for number, one in enumerate(spec.get("policyTypes") or ()):
        yield from one_of(f"spec.policyTypes[{number}]", one, ("Ingress", "Egress"))


def _peer(path: str, peer: Json) -> Causes:
    given = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(name) is not None]
    if not given:
        yield required(path, "must specify a peer")
    for name in ("podSelector", "namespaceSelector"):
        yield from selector(f"{path}.{name}", peer.get(name))
    if isinstance(block := peer.get("ipBlock"), dict):
        if not block.get("cidr"):
            yield required(f"{path}.ipBlock.cidr")
        else:
            yield from cidr(f"{path}.ipBlock.cidr", block["cidr"])
        if len(given) > 1:
            yield forbidden(path, "may not specify both ipBlock and another peer")


SPECIAL = (
    ("is_unspecified", "may not be unspecified ({})"),
    ("is_loopback", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
    ("is_link_local", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
)
LOCAL_MULTICAST = (ipaddress.ip_network("224.0.0.0/24"), ipaddress.ip_network("ff02::/16"))


def endpoints(obj: Json) -> Causes:
    """What is wrong with an Endpoints."""
    for number, subset in objects(obj, "subsets"):
        here = f"subsets[{number}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(here, "must specify `addresses` or `notReadyAddresses`")
        for name in ("addresses", "notReadyAddresses"):
            for index, one in objects(subset, name):
                yield from _endpoint_address(f"{here}.{name}[{index}]", one)
        ports = objects(subset, "ports")
        for index, one in ports:
            yield from _endpoint_port(f"{here}.ports[{index}]", one, named=len(ports) > 1)


def _endpoint_address(path: str, one: Json) -> Causes:
    value = one.get("ip") or ""
    yield from address(f"{path}.ip", value)
    if one.get("hostname"):
        yield from label(f"{path}.hostname", one["hostname"])
    if one.get("nodeName") is not None:
        yield from subdomain(f"{path}.nodeName", one["nodeName"])
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError:
        yield bad(f"{path}.ip", value, "must be a valid IP address")
        return
    for name, said in SPECIAL:
        if getattr(parsed, name):
            yield bad(f"{path}.ip", value, said.format(value))
    if any(parsed in network for network in LOCAL_MULTICAST):
        yield bad(f"{path}.ip", value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def _endpoint_port(path: str, one: Json, *, named: bool) -> Causes:
    if one.get("name"):
        yield from label(f"{path}.name", one["name"])
    elif named:
        yield required(f"{path}.name")
    yield from port(f"{path}.port", one.get("port") or 0)
    yield from one_of(f"{path}.protocol", one.get("protocol"), PROTOCOLS)
    if one.get("appProtocol"):
        yield from qualified(f"{path}.appProtocol", one["appProtocol"])


def endpoint_slice(obj: Json) -> Causes:
    """What is wrong with an endpoint slice."""
    kind = obj.get("addressType") or ""
    if not kind:
        yield required("addressType")
    elif kind not in ("FQDN", "IPv4", "IPv6"):
        yield unsupported("addressType", kind, ("FQDN", "IPv4", "IPv6"))
