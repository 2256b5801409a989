"""The cluster's network, as programs of the emulation see it: `notebook_mux.playground.web`, asked from a container."""

from __future__ import annotations

from notebook_mux.playground import web
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.store import Stored
from notebook_mux.playground.web import listening


def pod_of(container: Container) -> Stored | None:
    """The pod that asks, as it is now."""
    metadata = container.pod["metadata"]
    return container.cluster.store.get("pods", metadata["namespace"], metadata["name"])


def namespace_of(container: Container) -> str:
    """Where short names are looked for first."""
    return str(container.pod["metadata"]["namespace"])


def addresses(container: Container, host: str) -> list[str]:
    """The addresses of a name.

    Raises:
        web.Unresolved: It has none.
    """
    if host == container.hostname:
        return [container.address]
    return web.addresses(container.cluster, host, namespace_of(container))


def full_name(container: Container, host: str) -> str:
    """The whole name of a host; an address as it is.

    Raises:
        web.Unresolved: There is no such name.
    """
    if addresses(container, host) == [host]:
        return host
    if host in ("localhost", container.hostname):
        return host
    return web.full_name(container.cluster, host, namespace_of(container))


def asked(container: Container, host: str, port: int, request: web.Request) -> web.Response:
    """The response of a host to a request.

    Raises:
        web.NetworkError: There is none.
    """
    target = container.address if host == container.hostname else host
    return web.answer(container.cluster, target, port, request, namespace=namespace_of(container),
                      source=pod_of(container))  # fmt: skip


def is_open(container: Container, host: str, port: int) -> None:
    """Refuse a port at which nobody listens.

    Raises:
        web.NetworkError: Nobody does.
    """
    target = container.address if host == container.hostname else host
    pod, number = web.reach(container.cluster, target, port, namespace_of(container), pod_of(container))
    try:
        listening.listener(container.cluster, pod, number)
    except listening.Refused as fault:
        raise web.ConnectionRefused(str(fault)) from None


def ports(container: Container) -> list[int]:
    """Where the pod listens."""
    pod = pod_of(container)
    found = listening.servers(container.cluster, pod.decode()) if pod is not None else ()
    return sorted({port for one in found for port in one.listens()})
