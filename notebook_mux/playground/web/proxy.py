"""``pods/P/proxy``, ``services/S/proxy`` and ``nodes/N/proxy``: requests that the API server passes on.

A name may have a scheme and a port: ``https:web:8443``, ``web:http``. What cannot be reached, and what is changed on
the way, is the real server's: kubernetes, pkg/registry/core/{pod,service,node}; apimachinery, pkg/util/proxy.
"""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from notebook_mux.playground.access import Access, Asked, User
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.containers import node_address
from notebook_mux.playground.controllers.nodes import is_node_ready
from notebook_mux.playground.status import ApiError, bad_request, not_allowed, not_found
from notebook_mux.playground.store import Stored
from notebook_mux.playground.web import ConnectionRefused, NoHttp, Request, Response, answer_at, network
from notebook_mux.playground.web.links import Links

Json = dict[str, Any]

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete",
         "OPTIONS": ""}  # fmt: skip
SCHEMES = frozenset({"", "http", "https"})
USUAL_PORTS = {"": "80", "http": "80", "https": "443"}
PORT_DIGITS = 9
"""Of what is looked at as a number at all."""

KUBELET_PORT = "10250"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
DROPPED = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade", "authorization", "content-length"),
    }
)
"""Fields of a request that are not passed on: those of the connection, and the login, which is for the API server."""

SUBRESOURCE = "proxy"


@dataclass(frozen=True, slots=True)
class Proxied:
    """What is asked for.

    Args:
        plural: ``pods``, ``services`` or ``nodes``.
        namespace: Empty for nodes.
        identity: A name, with a scheme and a port if there are any.
        path: Behind the sub-resource, as it was sent; None if there is not even a slash.
        prefix: Until there, decoded.
    """

    plural: str
    namespace: str
    identity: str
    path: str | None
    prefix: str

    @property
    def parts(self) -> tuple[str, str, str] | None:
        """Scheme, name and port; None if it is none of these."""
        found = self.identity.split(":")
        scheme, name, port = {1: ("", *found, ""), 2: ("", *found), 3: tuple(found)}.get(len(found), ("", "", ""))
        return (scheme, name, port) if name and scheme in SCHEMES else None


def read(raw_path: str) -> Proxied | None:
    """What a path asks to be passed on; None if it is another's.

    Args:
        raw_path: Path and query as they were sent.
    """
    path = raw_path.partition("?")[0]
    begin, slash, rest = path.partition(f"/{SUBRESOURCE}/")
    if not slash:
        begin, found, after = path.rpartition(f"/{SUBRESOURCE}")
        if not found or after:
            return None
    match [unquote(part) for part in begin.split("/")[1:]]:
        case ["api", "v1", "namespaces", namespace, ("pods" | "services") as plural, name] if name and namespace:
            pass
        case ["api", "v1", "nodes" as plural, name] if name:
            namespace = ""
        case _:
            return None
    return Proxied(plural, namespace, name, _cleaned(rest) if slash else None, unquote(f"{begin}/{SUBRESOURCE}"))


def _cleaned(rest: str) -> str:
    """A path without empty parts and dots (net.JoinPreservingTrailingSlash)."""
    path = "/" + posixpath.normpath("/" + rest).lstrip("/")
    return f"{path}/" if rest.endswith("/") and path != "/" else path


class Proxy:
    """The proxy of one cluster's API.

    Args:
        cluster: Whose.
        access: Who may.
    """

    def __init__(self, cluster: Cluster, access: Access) -> None:
        self._cluster = cluster
        self._access = access

    async def serve(
        self, request: web.BaseRequest, user: User, asked: Proxied, body: Callable[[], Awaitable[bytes]]
    ) -> web.StreamResponse:
        """Pass a request on.

        Args:
            request: The request.
            user: Who asks.
            asked: What for.
            body: Reads the request's body.

        Raises:
            ApiError: It is refused, or nobody answers.
        """
        if request.method not in VERBS:
            raise not_allowed()
        verb = VERBS[request.method]
        self._access.check(user, Asked(verb, "", asked.plural, SUBRESOURCE, asked.namespace, asked.identity))
        if "dryRun" in request.query:
            raise bad_request("dryRun is not supported")
        if asked.parts is None:
            raise bad_request(f'invalid {asked.plural[:-1]} request "{asked.identity}"')
        pod, port = self._found(asked, *asked.parts)
        query = request.raw_path.partition("?")[2]
        if asked.path is None and request.method in ("GET", "HEAD"):
            place = f"{asked.prefix}/" + (f"?{query}" if query else "")
            return web.Response(status=301, headers={"Location": place})
        if pod is None:
            return _sent(self._kubelet(asked), request)
        if asked.parts[0] == "https":
            raise _unreachable("tls: first record does not look like a TLS handshake")
        sent = Request(request.method, (asked.path or "/") + (f"?{query}" if query else ""),
                       self._fields(request, asked), await body(), client=self._own_address())  # fmt: skip
        address = f"{pod.fields['status.podIP']}:{port}"
        try:
            found = answer_at(self._cluster, pod, port, sent)
        except ConnectionRefused:
            raise _unreachable(f"dial tcp {address}: connect: connection refused") from None
        except NoHttp:
            raise _unreachable("EOF") from None
        return _sent(_moved(found, Links(asked.prefix, address, request.host)), request)

    # ------------------------------------------------------------------------------------ whom it goes to

    def _found(self, asked: Proxied, scheme: str, name: str, port: str) -> tuple[Stored | None, int]:
        """The pod and its port; no pod for a node's kubelet."""
        if asked.plural == "services":
            return self._of_service(asked.namespace, name, port)
        if asked.plural == "nodes":
            self._check_node(name, port)
            return None, 0
        pod = self._cluster.store.get("pods", asked.namespace, name)
        if pod is None:
            raise not_found(self._cluster.kind("pods"), name)
        if not port:
            containers = pod.decode()["spec"]["containers"]
            port = next((str(one["ports"][0]["containerPort"]) for one in containers if one.get("ports")), "")
        if not _allowed(pod.fields["status.podIP"]):
            raise bad_request("address not allowed")
        return pod, _number(port or USUAL_PORTS[scheme])

    def _of_service(self, namespace: str, name: str, port: str) -> tuple[Stored, int]:
        if port.isascii() and port.isdigit() and len(port) <= PORT_DIGITS:
            service = self._cluster.get("services", namespace, name)
            if service is None:
                raise not_found(self._cluster.kind("services"), name)
            ports = service["spec"].get("ports") or ()
            named = next((one.get("name", "") for one in ports if one["port"] == int(port)), None)
            if named is None:
                raise _unavailable(f'no service port {int(port)} found for service "{name}"')
            port = named
        found = network.choose(self._cluster, namespace, name, port)
        if found is None:
            raise _unavailable(f'no endpoints available for service "{name}"')
        return found

    # ------------------------------------------------------------------------------------------- kubelets

    def _check_node(self, name: str, port: str) -> None:
        node = self._cluster.get("nodes", "", name)
        if node is None:
            raise not_found(self._cluster.kind("nodes"), name)
        address = node_address(node)
        if not is_node_ready(node):
            raise _unreachable(f"dial tcp {address}:{port or KUBELET_PORT}: connect: no route to host")
        if port not in ("", KUBELET_PORT):
            raise _unreachable(f"dial tcp {address}:{port}: connect: connection refused")

    def _kubelet(self, asked: Proxied) -> Response:
        """What a node's kubelet answers: its health, its pods; nothing else is there."""
        path = unquote(asked.path or "/").rstrip("/")
        if path == "/healthz":
            return Response(200, b"ok")
        if path not in ("/pods", "/runningpods"):
            return Response(404, b"404 page not found\n", headers=(("X-Content-Type-Options", "nosniff"),))
        node = asked.identity.split(":")[-2 if asked.identity.count(":") else -1]
        pods = [one for one in self._cluster.store.items("pods") if one.fields["spec.nodeName"] == node]
        if path == "/runningpods":
            pods = [one for one in pods if one.fields["status.phase"] == "Running"]
        items = [msgspec.Raw(one.item) for one in pods]
        listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
        return Response(200, msgspec.json.encode(listed), "application/json")

    # -------------------------------------------------------------------------------------- what is passed

    def _own_address(self) -> str:
        """The address that a pod sees: that of the node on which the API server runs."""
        nodes = self._cluster.store.items("nodes")
        own = next((one for one in nodes if CONTROL_PLANE in one.labels), next(iter(nodes), None))
        return node_address(own.decode()) if own is not None else "127.0.0.1"

    @staticmethod
    def _fields(request: web.BaseRequest, asked: Proxied) -> tuple[tuple[str, str], ...]:
        kept = [(name, value) for name, value in request.headers.items()
                if name.lower() not in DROPPED and not name.lower().startswith("impersonate-")]  # fmt: skip
        before = request.headers.get("X-Forwarded-For")
        kept = [(name, value) for name, value in kept if name.lower() not in ("x-forwarded-for", "x-forwarded-uri")]
        said = f"{before}, {_client(request)}" if before else _client(request)
        return (*kept, ("X-Forwarded-For", said), ("X-Forwarded-Uri", asked.prefix + (asked.path or "/")))


def _client(request: web.BaseRequest) -> str:
    return request.remote or "127.0.0.1"


def _moved(response: Response, links: Links) -> Response:
    """A response whose links to its own server go through the proxy."""
    place = response.header("Location")
    if place:
        headers = tuple((name, links.moved(value) if name.lower() == "location" else value)
                        for name, value in response.headers)  # fmt: skip
        return Response(response.status, response.body, response.media, headers)
    if response.media.partition(";")[0].strip() != "text/html":
        return response
    return Response(response.status, links.page(response.body), response.media, response.headers)


def _sent(response: Response, request: web.BaseRequest) -> web.Response:
    found = web.Response(status=response.status, body=response.body)
    found.headers.popall("Content-Type", None)
    found.headers.add("Cache-Control", "no-cache, private")
    for name, value in response.fields():
        if name.lower() not in ("connection", "content-length"):
            found.headers.add(name, value)
    return found


def _allowed(address: str) -> bool:
    """Whether pods may be reached at an address (net.IP.IsGlobalUnicast)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_multicast or found.is_link_local or found.is_unspecified)


def _number(port: str) -> int:
    """A port, by its number or as services are named everywhere.

    Raises:
        ApiError: 503, as the dialer of Go says it.
    """
    known = {"http": 80, "https": 443}
    if port.isascii() and port.isdigit() and len(port) <= PORT_DIGITS and int(port) < 65536:
        return int(port)
    if port in known:
        return known[port]
    if port.isascii() and port.isdigit():
        raise _unreachable(f"dial tcp: address {port}: invalid port")
    raise _unreachable(f"dial tcp: lookup tcp/{port}: unknown port")


def _unavailable(words: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", words)


def _unreachable(words: str) -> ApiError:
    return _unavailable(f"error trying to reach service: {words}")
