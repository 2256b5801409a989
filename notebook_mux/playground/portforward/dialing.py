"""Who listens on a port of a pod, and a node's words where nobody does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.store import Stored

ID_DIGITS = 64
"""Of a sandbox's name, as containerd makes them."""


class Conversation(Protocol):
    """The pod's side of a connection: bytes in, bytes out.

    Attributes:
        over: Whether the pod has closed the connection, behind what it returned last.
    """

    over: bool

    def receive(self, data: bytes) -> bytes:
        """What the client sent; what the pod answers."""

    def end(self) -> bytes:
        """The client sends no more; what the pod still answers."""


class NotForwarded(Exception):
    """A connection that a node could not make; its text is the node's."""


Dial = Callable[[int], Conversation]
"""Makes a connection to a port of a pod; raises `NotForwarded`."""


def dialer(cluster: Cluster, pod: Stored) -> Dial:
    """Makes connections to the ports of one pod, as long as it is there.

    Args:
        cluster: Whose.
        pod: The pod; another one of its name is not meant.
    """
    from notebook_mux.playground.web.listening import Refused, dial  # all servers' emulations

    sandbox = hashlib.sha256(pod.uid.encode()).hexdigest()[:ID_DIGITS]
    # The name of a network namespace is a uid of its own; here it is told from the pod's.
    namespace = f"/var/run/netns/cni-{pod.uid}"

    def make(port: int) -> Conversation:
        now = cluster.store.get("pods", *pod.key)
        what = f"error forwarding port {port} to pod {sandbox}, uid : "
        if now is None or now.uid != pod.uid or now.fields["status.phase"] != "Running":
            raise NotForwarded(f"{what}failed to find sandbox {sandbox!r} in store: not found".replace("'", '"'))
        try:
            return dial(cluster, now, port)
        except Refused:
            # containerd, internal/cri/server/sandbox_portforward_linux.go; as users have quoted it, e.g. in issue
            # olric-data/olric#262. A pod without IPv6 has no such address of localhost.
            raise NotForwarded(
                f'{what}failed to execute portforward in network namespace "{namespace}": failed to connect to '
                f'localhost:{port} inside namespace "{sandbox}", IPv4: dial tcp4 127.0.0.1:{port}: connect: '
                f"connection refused IPv6 dial tcp6: address localhost: no suitable address found "
            ) from None

    return make


def uint16(text: str) -> int:
    """A number as strconv.ParseUint reads one of 16 bits.

    Raises:
        ValueError: Its words.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) >= 1 << 16:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)
