"""What servers in the cluster's containers answer: HTTP for most, a little of Redis' protocol, silence for others.

::

    response = web.answer(cluster, "web.shop", 80, web.Request("GET", "/"))

- `messages`, `http1`: requests and responses, and a connection's bytes, sans-IO.
- `site`, `static`, `tutorials`, `shop`, `redis`: the servers; `programs` knows which container runs which.
- `place`, `volumes`: what a server can know of its container, and the files that are mounted there.
- `listening`: who listens on a port of a pod; `network`: names, addresses, services.
- `accesses`: what real requests leave in a container's log.
"""

from __future__ import annotations

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.store import Stored
from notebook_mux.playground.web.http1 import encode
from notebook_mux.playground.web.listening import Refused, dial, listener
from notebook_mux.playground.web.messages import Request, Response
from notebook_mux.playground.web.network import (
    ConnectionRefused,
    Endpoint,
    NetworkError,
    TimedOut,
    Unresolved,
    addresses,
    full_name,
    reach,
)
from notebook_mux.playground.web.programs import Conversation
from notebook_mux.playground.web.site import Site

__all__ = [
    "ConnectionRefused",
    "Conversation",
    "Endpoint",
    "NetworkError",
    "NoHttp",
    "Request",
    "Response",
    "TimedOut",
    "Unresolved",
    "addresses",
    "answer",
    "answer_at",
    "connect",
    "encode",
    "full_name",
    "reach",
]


class NoHttp(NetworkError):
    """Somebody listens there who does not speak HTTP: the connection ends without an answer."""


def answer(
    cluster: Cluster,
    host: str,
    port: int,
    request: Request,
    *,
    namespace: str = "default",
    source: Stored | None = None,
) -> Response:
    """Send a request to a host of the cluster's network.

    Args:
        cluster: Whose.
        host: A service's or a pod's name or address; ``localhost`` is `source`.
        port: The port.
        request: With the asking pod's address as its client.
        namespace: Of the pod that asks, where short names are looked for first.
        source: The pod that asks.

    Returns:
        The response, with the server's own fields. It has been written into the server's log.

    Raises:
        Unresolved: No such name.
        ConnectionRefused: Nothing listens there, or no endpoint is ready.
        TimedOut: Nobody has that address.
        NoHttp: The server there speaks something else.
    """
    pod, number = reach(cluster, host, port, namespace, source)
    return answer_at(cluster, pod, number, request)


def answer_at(cluster: Cluster, pod: Stored, port: int, request: Request) -> Response:
    """Send a request to a port of a pod; see `answer`."""
    try:
        found = listener(cluster, pod, port)
    except Refused as error:
        raise ConnectionRefused(str(error)) from None
    if not isinstance(found, Site):
        raise NoHttp(f"{pod.name}:{port}")
    return found.answer(request, port)


def connect(
    cluster: Cluster, host: str, port: int, *, namespace: str = "default", source: Stored | None = None
) -> Conversation:
    """Open a connection for bytes to a host of the cluster's network; see `answer`.

    Raises:
        NetworkError: As `answer`, but for `NoHttp`.
    """
    pod, number = reach(cluster, host, port, namespace, source)
    client = (source.fields["status.podIP"] if source is not None else "127.0.0.1", 40000)
    try:
        return dial(cluster, pod, number, client)
    except Refused as error:
        raise ConnectionRefused(str(error)) from None
