"""Services, endpoint slices, ingresses, network policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.printers.common import (
    NONE,
    UNKNOWN,
    UNSET,
    Json,
    addresses,
    age,
    label_map,
    name,
    selector_cell,
    spec,
    status,
    with_more,
)

SHOWN = 3
"""Endpoints, ports and hosts, before the rest is only counted."""


def print_service(obj: Json, now: float) -> list[Any]:
    """printers.go:1456."""
    wanted = spec(obj)
    internal = (wanted.get("clusterIPs") or [wanted.get("clusterIP") or NONE])[0]
    return [
        name(obj),
        wanted.get("type", ""),
        internal,
        _external(obj),
        ",".join(_port(one) for one in wanted.get("ports") or ()) or NONE,
        age(obj, now),
        label_map(wanted.get("selector")),
    ]


def _external(obj: Json) -> str:
    wanted = spec(obj)
    own = list(wanted.get("externalIPs") or ())
    kind = wanted.get("type")
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(own) or NONE
    if kind == "LoadBalancer":
        return ",".join([*addresses(status(obj).get("loadBalancer")), *own]) or "<pending>"
    return str(wanted.get("externalName", "")) if kind == "ExternalName" else UNKNOWN


def _port(port: Json) -> str:
    outside = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{outside}/{port.get('protocol', 'TCP')}"


def print_endpoints(obj: Json, now: float) -> list[Any]:
    """printers.go:1649."""
    found = [
        _with_port(address.get("ip", ""), port)
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or (None,)
        for address in subset.get("addresses") or ()
    ]
    return [name(obj), with_more(found, SHOWN, NONE), age(obj, now)]


def _with_port(address: str, port: Json | None) -> str:
    if port is None:
        return address
    return f"[{address}]:{port.get('port')}" if ":" in address else f"{address}:{port.get('port')}"


def print_endpoint_slice(obj: Json, now: float) -> list[Any]:
    """printers.go:1681."""
    found = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]
    ports = [_slice_port(one) for one in obj.get("ports") or ()]
    return [
        name(obj),
        obj.get("addressType", ""),
        with_more(ports, SHOWN, UNSET),
        with_more(found, SHOWN, UNSET),
        age(obj, now),
    ]


def _slice_port(port: Json) -> str:
    number = port.get("port")
    return str(port.get("name", "*")) if number is None else str(number)


def print_ingress(obj: Json, now: float) -> list[Any]:
    """printers.go:1533."""
    wanted = spec(obj)
    return [
        name(obj),
        wanted.get("ingressClassName", NONE),
        _hosts(wanted.get("rules") or ()),
        ",".join(addresses(status(obj).get("loadBalancer"))),
        "80, 443" if wanted.get("tls") else "80",
        age(obj, now),
    ]


def _hosts(rules: Iterable[Json]) -> str:
    """printers.go:1521: rules count, though only those with a host are shown."""
    rules = list(rules)
    shown: list[str] = []
    more = False
    for rule in rules:
        more = more or len(shown) == SHOWN
        if not more and rule.get("host"):
            shown.append(rule["host"])
    text = ",".join(shown) or "*"
    return f"{text} + {len(rules) - SHOWN} more..." if more else text


def print_ingress_class(obj: Json, now: float) -> list[Any]:
    """printers.go:1569."""
    wanted = spec(obj)
    parameters = wanted.get("parameters")
    text = NONE
    if parameters is not None:
        kind = parameters["kind"]
        if group := parameters.get("apiGroup"):
            kind = f"{kind}.{group}"
        text = f"{kind}/{parameters['name']}"
    return [name(obj), wanted.get("controller", ""), text, age(obj, now)]


def print_network_policy(obj: Json, now: float) -> list[Any]:
    """printers.go:2695."""
    return [name(obj), selector_cell(spec(obj).get("podSelector")), age(obj, now)]


def print_service_cidr(obj: Json, now: float) -> list[Any]:
    """printers.go:3191."""
    return [name(obj), ",".join(spec(obj).get("cidrs") or ()), age(obj, now)]


PRINTERS = {
    "servicecidrs.networking.k8s.io": print_service_cidr,
    "services": print_service,
    "endpoints": print_endpoints,
    "endpointslices.discovery.k8s.io": print_endpoint_slice,
    "ingresses.networking.k8s.io": print_ingress,
    "ingressclasses.networking.k8s.io": print_ingress_class,
    "networkpolicies.networking.k8s.io": print_network_policy,
}
