"""Which port of a pod is meant: a number, the name of a container's port, or a service's port and what it maps to.

As kubectl does it (kubectl/pkg/util/service_port.go, pod_port.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from notebook_mux import errors
from notebook_mux.handles.objects import Object
from notebook_mux.wire.portforward import PORTS

Port = int | str

HEADLESS = "None"
"""The clusterIP of a service that has none: its ports are the pods' own."""

TCP = "TCP"


def checked_port(port: Any) -> Port:
    """A port as a user gives it: a number, a text of one, or a name.

    Raises:
        InvalidArgument: It is none.
    """
    text = port.strip() if isinstance(port, str) else port
    if isinstance(text, str) and text.isascii() and text.isdigit():
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int | str) or not text or (text not in PORTS and _is_int(text)):
        raise errors.InvalidArgument(
            f"{port!r} is no port", todo=f"give a number, {PORTS.start} to {PORTS.stop - 1}, or a port's name"
        )
    return text


def _is_int(port: Port) -> bool:
    return isinstance(port, int)


def port_of(owner: Object, pod: Object, port: Port) -> int:
    """The pod's port.

    Args:
        owner: What was named: a service, a workload, or the pod itself.
        pod: Of it.
        port: A service's port or its name for a service; else a pod's.

    Raises:
        InvalidArgument: There is no such port; it says which there are.
    """
    if owner.kind != "Service":
        return port if isinstance(port, int) else _named(pod, port)
    spec = owner.get("spec") or {}
    listed = [one for one in spec.get("ports") or () if isinstance(one, Mapping)]
    for one in listed:
        if port in (one.get("port"), one.get("name")):
            break
    else:
        there = ", ".join(filter(None, (_shown(one) for one in listed))) or "it has none"
        raise errors.InvalidArgument(
            f"service {owner.namespace}/{owner.name} has no port {port}",
            cluster=owner.cluster,
            todo=f"one of: {there}" if listed else "give a pod's own port, with a pod for the target",
        )
    if str(one.get("protocol") or TCP) != TCP:
        raise errors.InvalidArgument(
            f"port {port} of service {owner.namespace}/{owner.name} is {one['protocol']}: only TCP can be forwarded",
            cluster=owner.cluster,
        )
    target = one.get("targetPort") or one["port"]
    if spec.get("clusterIP") == HEADLESS:
        return int(one["port"])
    return target if isinstance(target, int) else _named(pod, str(target))


def _named(pod: Object, name: str) -> int:
    named = list(_container_ports(pod))
    for one in named:
        if one.get("name") == name and str(one.get("protocol") or TCP) == TCP:
            return int(one["containerPort"])
    there = ", ".join(str(one["name"]) for one in named if one.get("name"))
    raise errors.InvalidArgument(
        f"pod {pod.namespace}/{pod.name} names no TCP port {name!r}",
        cluster=pod.cluster,
        todo=f"one of: {there}, or a number" if there else "give a number: its containers name no ports",
    )


def _container_ports(pod: Object) -> Iterator[Mapping[str, Any]]:
    spec = pod.get("spec") or {}
    for group in ("containers", "initContainers"):
        for container in spec.get(group) or ():
            for one in container.get("ports") or ():
                if isinstance(one.get("containerPort"), int):
                    yield one


def _shown(port: Mapping[str, Any]) -> str:
    """As in ``80 (http)``."""
    return f"{port['port']} ({port['name']})" if port.get("name") else str(port.get("port") or "")
