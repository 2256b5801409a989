"""Who listens on a port of a pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.store import Stored
from notebook_mux.playground.web.place import Place
from notebook_mux.playground.web.programs import Conversation, Server, server

Json = dict[str, Any]

STATUSES = ("containerStatuses", "initContainerStatuses")
LOCAL = ("127.0.0.1", 40000)
"""A client within the pod, as a port-forward is one."""


class Refused(Exception):
    """Nobody listens there."""


def servers(cluster: Cluster, pod: Json) -> Iterator[Server]:
    """What listens in a pod's running containers."""
    status = pod.get("status") or {}
    states = {one["name"]: one for name in STATUSES for one in status.get(name) or ()}
    for kind in ("containers", "initContainers"):
        for container in pod["spec"].get(kind) or ():
            state = states.get(container["name"], {})
            if (state.get("state") or {}).get("running") is not None:
                found = server(Place(cluster, pod, container, state.get("restartCount", 0)))
                if found is not None:
                    yield found


def listener(cluster: Cluster, pod: Stored, port: int) -> Server:
    """What listens on a port of a pod.

    Raises:
        Refused: Nothing does.
    """
    for one in servers(cluster, pod.decode()):
        if port in one.listens():
            return one
    raise Refused(f"nothing listens on port {port} of pod {pod.name}")


class _Lasting:
    """A connection that ends with the pod it goes to."""

    def __init__(self, cluster: Cluster, pod: Stored, inner: Conversation) -> None:
        self._cluster = cluster
        self._pod = pod
        self._inner = inner
        self.over = False

    def receive(self, data: bytes) -> bytes:
        now = self._cluster.store.get("pods", *self._pod.key)
        if now is None or now.uid != self._pod.uid:
            self.over = True
            return b""
        out = self._inner.receive(data)
        self.over = self._inner.over
        return out

    def end(self) -> bytes:
        out = self._inner.end()
        self.over = self._inner.over
        return out


def dial(cluster: Cluster, pod: Stored, port: int, client: tuple[str, int] = LOCAL) -> Conversation:
    """Connect to a port of a pod.

    Raises:
        Refused: Nothing listens there.
    """
    return _Lasting(cluster, pod, listener(cluster, pod, port).connect(port, client))
