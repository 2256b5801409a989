"""The cluster's network: names of services and pods, addresses, and what a packet to them meets.

Names are those of the cluster's DNS (kubernetes/dns, "Kubernetes DNS-Based Service Discovery", 1.1.0), addresses what
kube-proxy makes of services: one of the ready endpoints in turn, and a refusal where there is none.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.containers import node_address
from notebook_mux.playground.controllers.slices import SERVICE, SLICES
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

DOMAIN = "cluster.local"
LOCALHOST = frozenset({"localhost", "127.0.0.1", "::1"})


class NetworkError(Exception):
    """A connection that cannot be made."""


class Unresolved(NetworkError):
    """A name that the cluster's DNS does not know: NXDOMAIN."""


class ConnectionRefused(NetworkError):
    """Nobody listens there."""


class TimedOut(NetworkError):
    """Nobody answers there: an address that nobody has, a service's port that it does not name."""


class Endpoint(NamedTuple):
    """Where a connection arrives: a pod, and a port of it."""

    pod: Stored
    port: int


_turns: WeakKeyDictionary[Cluster, dict[tuple[str, str, str], Iterator[int]]] = WeakKeyDictionary()
"""Whose turn is next, by service and port."""


# ------------------------------------------------------------------------------------------------------ names


def addresses(cluster: Cluster, host: str, namespace: str = "default") -> list[str]:
    """The addresses of a name or an address, as a pod of a namespace resolves it.

    Args:
        cluster: Whose.
        host: ``web``, ``web.shop``, ``web.shop.svc.cluster.local``, ``web-0.web.shop.svc``, ``10-244-0-5.shop.pod``.
        namespace: Of the pod that asks: its search list begins there.

    Raises:
        Unresolved: There is no such name. The world outside has none.
    """
    if _is_address(host):
        return [host]
    name = host.rstrip(".").lower()
    if name == "localhost":
        return ["127.0.0.1"]
    for full in _searched(name, namespace, absolute=host.endswith(".")):
        if found := _full_name(cluster, full):
            return found
    raise Unresolved(host)


def full_name(cluster: Cluster, host: str, namespace: str = "default") -> str:
    """The full name under which a host is found.

    Raises:
        Unresolved: There is no such name.
    """
    name = host.rstrip(".").lower()
    for full in _searched(name, namespace, absolute=host.endswith(".")):
        if _full_name(cluster, full):
            return full
    raise Unresolved(host)


def _searched(name: str, namespace: str, *, absolute: bool) -> Iterator[str]:
    """Full names in the order of a pod's resolv.conf (ndots:5)."""
    if not absolute:
        for domain in (f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN):
            yield f"{name}.{domain}"
    yield name


def _full_name(cluster: Cluster, name: str) -> list[str]:
    """The addresses of a full name; none if there is no such."""
    if not name.endswith(f".{DOMAIN}"):
        return []
    parts = name.removesuffix(f".{DOMAIN}").split(".")
    if len(parts) == 3 and parts[2] == "pod":
        address = parts[0].replace("-", ".")
        pod = _pod_at(cluster, address) if _is_address(address) else None
        return [address] if pod is not None and pod.namespace == parts[1] else []
    if len(parts) not in (3, 4) or parts[-1] != "svc":
        return []
    namespace, service = parts[-2], parts[-3]
    found = cluster.get("services", namespace, service)
    if found is None:
        return []
    spec = found["spec"]
    if spec.get("type") == "ExternalName":
        return _external(cluster, str(spec.get("externalName", "")))
    own = spec.get("clusterIP", "")
    if len(parts) == 3 and own not in ("", "None"):
        return [str(own)]
    if own != "None":
        return []
    host = parts[0] if len(parts) == 4 else ""
    ready = endpoints(cluster, namespace, service, unready=bool(spec.get("publishNotReadyAddresses")))
    pods = [pod for pod, _ in ready if not host or _host_name(pod) == host]
    return list(dict.fromkeys(pod.fields["status.podIP"] for pod in pods))


def _external(cluster: Cluster, name: str) -> list[str]:
    """An alias is followed to another name of the cluster, and to nothing outside."""
    full = name.rstrip(".").lower()
    return _full_name(cluster, full) if full.endswith(f".svc.{DOMAIN}") else []


def _host_name(pod: Stored) -> str:
    return str(pod.decode()["spec"].get("hostname") or pod.name)


# -------------------------------------------------------------------------------------------------- addresses


def reach(cluster: Cluster, host: str, port: int, namespace: str = "default", source: Stored | None = None) -> Endpoint:
    """Where a connection to a host and port arrives.

    Args:
        cluster: Whose.
        host: A name or an address.
        port: The port.
        namespace: Of the pod that asks.
        source: The pod that asks, whose own localhost is its own.

    Raises:
        Unresolved: No such name.
        ConnectionRefused: A service without ready endpoints.
        TimedOut: An address that nobody has.
    """
    if host.lower() in LOCALHOST:
        if source is None:
            raise ConnectionRefused(f"{host}:{port}")
        return Endpoint(source, port)
    for address in addresses(cluster, host, namespace):
        if (pod := _pod_at(cluster, address)) is not None:
            return Endpoint(pod, port)
        if (service := _service_at(cluster, address)) is not None:
            return _through(cluster, service, port, "port", address)
        if any(node_address(one.decode()) == address for one in cluster.store.items("nodes")):
            return _node_port(cluster, port, address)
    raise TimedOut(f"{host}:{port}")


def _node_port(cluster: Cluster, port: int, address: str) -> Endpoint:
    for service in cluster.store.items("services"):
        if any(one.get("nodePort") == port for one in service.decode()["spec"].get("ports") or ()):
            return _through(cluster, service, port, "nodePort", address)
    raise ConnectionRefused(f"{address}:{port}")


def _through(cluster: Cluster, service: Stored, port: int, field: str, address: str) -> Endpoint:
    """One of a service's ready endpoints, in turn."""
    spec = service.decode()["spec"]
    wanted = next((one for one in spec.get("ports") or () if one.get(field) == port
                   and one.get("protocol", "TCP") == "TCP"), None)  # fmt: skip
    if wanted is None:
        raise TimedOut(f"{address}:{port}")
    found = choose(cluster, *service.key, wanted.get("name", ""), sticky=spec.get("sessionAffinity") == "ClientIP")
    if found is None:
        raise ConnectionRefused(f"{address}:{port}")
    return found


def choose(cluster: Cluster, namespace: str, service: str, name: str, *, sticky: bool = False) -> Endpoint | None:
    """One of a service's ready endpoints, in turn; None if there is none.

    Args:
        cluster: Whose.
        namespace: The service's.
        service: Its name.
        name: Of its port.
        sticky: Whether it is always the same.
    """
    ready = [Endpoint(pod, ports[name]) for pod, ports in endpoints(cluster, namespace, service) if name in ports]
    if not ready:
        return None
    if sticky:
        return ready[0]
    turn = _turns.setdefault(cluster, {}).setdefault((namespace, service, name), itertools.count())
    return ready[next(turn) % len(ready)]


def endpoints(
    cluster: Cluster, namespace: str, service: str, *, unready: bool = False
) -> Iterator[tuple[Stored, dict[str, int]]]:
    """The ready endpoints of a service that are pods, each with its ports by name."""
    for found in cluster.store.items(SLICES, namespace):
        if found.labels.get(SERVICE) != service:
            continue
        one = found.decode()
        ports = {port.get("name") or "": port["port"] for port in one.get("ports") or () if port.get("port")}
        for endpoint in one.get("endpoints") or ():
            about = endpoint.get("targetRef") or {}
            if not unready and (endpoint.get("conditions") or {}).get("ready") is False:
                continue
            if about:
                pod = cluster.store.get("pods", namespace, about.get("name", ""))
            else:  # of Endpoints that somebody wrote
                pod = _pod_at(cluster, endpoint["addresses"][0])
            if pod is not None and pod.fields["status.podIP"] in endpoint["addresses"]:
                yield pod, ports


def _pod_at(cluster: Cluster, address: str) -> Stored | None:
    """The pod with an address of its own; those on their node's network have none."""
    for pod in cluster.store.items("pods"):
        if pod.fields["status.podIP"] == address and pod.fields["status.phase"] not in ("Succeeded", "Failed"):
            return None if pod.fields.get("spec.hostNetwork") == "true" else pod
    return None


def _service_at(cluster: Cluster, address: str) -> Stored | None:
    for service in cluster.store.items("services"):
        one = service.decode()
        spec, balanced = one["spec"], ((one.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        known = {spec.get("clusterIP"), *(spec.get("externalIPs") or ()), *(entry.get("ip") for entry in balanced)}
        if address in known:
            return service
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
