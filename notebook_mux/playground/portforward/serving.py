"""A request for ``pods/P/portforward``: refused as the API server and a kubelet refuse it, or upgraded and served.

The order of refusals is the real one's: the pod, its node, an upgrade at all, then what the kubelet says, in plain
text. (kubernetes, pkg/registry/core/pod/rest/subresources.go and pkg/kubelet/server/server.go.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.containers import node_address
from notebook_mux.playground.controllers.nodes import is_node_ready
from notebook_mux.playground.portforward import channels
from notebook_mux.playground.portforward.channels import Channels, ports_of, refusal
from notebook_mux.playground.portforward.dialing import Dial, dialer
from notebook_mux.playground.portforward.tunnel import PROTOCOL, Tunnel
from notebook_mux.playground.status import ApiError, bad_request
from notebook_mux.playground.store import Stored
from notebook_mux.remote.raw import Raw

SPDY = "SPDY/3.1"
TUNNELS = f"{SPDY}+"
"""Before the name of a protocol that runs over SPDY within a WebSocket (KEP-4006)."""

SUFFIX = ".k8s.io"
SPDY_PROTOCOL = "X-Stream-Protocol-Version"
SPDY_ACCEPTED = "X-Accepted-Stream-Protocol-Versions"
IDLE_S = 4 * 3600.0
"""Without a message (the kubelet's streamingConnectionIdleTimeout)."""

MAX_MESSAGE = 32 * 1024 * 1024
"""Bytes of a WebSocket message (golang.org/x/net/websocket, hybi.go)."""

END_S = 2.0
"""For a client's answer to the goodbye."""


def check(cluster: Cluster, pod: Stored, request: web.BaseRequest) -> None:
    """Refuse what the API server refuses itself, once the pod is found.

    Raises:
        ApiError: No node, a node that is silent, no upgrade.
    """
    name = pod.fields["spec.nodeName"]
    if not name:
        raise bad_request(f"pod {pod.name} does not have a host assigned")
    node = cluster.get("nodes", "", name)
    if node is None:
        raise ApiError(404, "NotFound", f'nodes "{name}" not found', {"name": name, "kind": "nodes"})
    if not is_upgrade(request):
        raise bad_request("Upgrade request required")
    if not is_node_ready(node):
        said = f"error dialing backend: dial tcp {node_address(node)}:10250: connect: no route to host"
        raise ApiError(500, "", said)


def is_upgrade(request: web.BaseRequest) -> bool:
    """Whether a request asks for another protocol on its connection."""
    return "upgrade" in request.headers.get("Connection", "").lower() and "Upgrade" in request.headers


class Forwards:
    """The port-forwards of one cluster.

    Args:
        cluster: Whose.
        gate: Awaited before each write; a test stalls the server with it.

    """

    def __init__(self, cluster: Cluster, gate: asyncio.Event) -> None:
        self._cluster = cluster
        self._gate = gate
        self._served: set[asyncio.Task[Any]] = set()

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._served)

    async def close(self) -> None:
        """Cut all, as a server does that ends: it says no goodbye."""
        served = list(self._served)
        for task in served:
            task.cancel()
        if served:
            await asyncio.wait(served, timeout=END_S)

    async def serve(self, request: web.BaseRequest, find: Callable[[], Stored]) -> web.StreamResponse:
        """Answer a request, and serve its connection until the end.

        Args:
            request: The request.
            find: Finds the pod.

        Raises:
            ApiError: See `check`; or what `find` raises.
        """
        ports = self.ports(request)
        pod = find()
        check(self._cluster, pod, request)
        offered = [one.strip() for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if one.strip()]
        websocket = request.headers.get("Upgrade", "").lower() == "websocket"
        tunnels = [one for one in offered if websocket and one.startswith(TUNNELS) and one.endswith(SUFFIX)]
        if websocket and not tunnels and (said := refusal(ports)):
            return _said(400, f"{said}\n")
        if pod.fields["status.phase"] != "Running":
            return _said(500, f'pod not found ("{pod.name}_{pod.namespace}")')
        dial = dialer(self._cluster, pod)
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        try:
            if websocket and not tunnels:
                if offered and not set(offered) & set(channels.PROTOCOLS):
                    return web.Response(status=403)
                return await self._channels(request, ports, dial)
            spoken = [one.removeprefix(TUNNELS) for one in tunnels] or _listed(request, SPDY_PROTOCOL)
            if (refused := _negotiated(spoken, request)) is not None:
                return refused
            return await (self._tunnel(request, dial) if tunnels else self._spdy(request, dial))
        except web.HTTPBadRequest:  # aiohttp's, of a handshake that is none
            known = request.headers.get("Sec-WebSocket-Version") == "13"
            return web.Response(status=400, body=b"" if known else b"missing or bad WebSocket Version")
        finally:
            self._served.discard(task)

    @staticmethod
    def ports(request: web.BaseRequest) -> list[int]:
        """The ports of a request's query; the API server reads it before it looks for the pod.

        Raises:
            ApiError: 400.
        """
        if "dryRun" in request.query:
            raise bad_request("dryRun is not supported")
        try:
            return ports_of(request.query.getall("ports", []))
        except ValueError as error:
            raise bad_request(str(error)) from None

    # ------------------------------------------------------------------------------------ over WebSockets

    async def _tunnel(self, request: web.BaseRequest, dial: Dial) -> web.WebSocketResponse:
        """SPDY within a WebSocket: where a message ends means nothing."""
        socket, tunnel = self._socket(TUNNELS + PROTOCOL), Tunnel(dial)
        await socket.prepare(request)
        try:
            while not tunnel.over and (data := _bytes(await _next(socket))) is not None:
                tunnel.receive(data)
                if answer := tunnel.to_send():
                    await self._send(socket, answer)
            await socket.close()
        except (ConnectionError, TimeoutError):
            pass  # the client has gone, or has been silent for too long
        return socket

    async def _channels(self, request: web.BaseRequest, ports: list[int], dial: Dial) -> web.WebSocketResponse:
        """The channels of a WebSocket."""
        socket = self._socket(*channels.PROTOCOLS)
        # The real server answers so where none is offered.
        socket.headers["Sec-WebSocket-Protocol"] = ""
        await socket.prepare(request)
        encoded = socket.ws_protocol == channels.BASE64
        served = Channels(ports, dial, encoded=encoded)
        try:
            await self._send_all(socket, served.begin(), encoded)
            while not served.over and (data := _bytes(await _next(socket))) is not None:
                await self._send_all(socket, served.receive(data), encoded)
            await socket.close()
        except (ConnectionError, TimeoutError):
            pass  # as above
        return socket

    @staticmethod
    def _socket(*protocols: str) -> web.WebSocketResponse:
        return web.WebSocketResponse(protocols=protocols, compress=False, max_msg_size=MAX_MESSAGE, timeout=END_S)

    async def _send(self, socket: web.WebSocketResponse, data: bytes) -> None:
        await self._gate.wait()
        await socket.send_bytes(data)

    async def _send_all(self, socket: web.WebSocketResponse, messages: Iterable[bytes], encoded: bool) -> None:
        for message in messages:
            await self._gate.wait()
            await (socket.send_str(message.decode()) if encoded else socket.send_bytes(message))

    # ------------------------------------------------------------------------------------------ over SPDY

    async def _spdy(self, request: web.BaseRequest, dial: Dial) -> web.StreamResponse:
        """SPDY on the connection itself, as kubectl before 1.31 has it."""
        response = web.StreamResponse(status=101, headers={
            "Connection": "Upgrade", "Upgrade": SPDY, SPDY_PROTOCOL: PROTOCOL})  # fmt: skip
        if request.headers["Upgrade"].lower() != SPDY.lower():
            return _said(400, "unable to upgrade: missing upgrade headers in request\n")
        raw, tunnel = Raw.of_request(request), Tunnel(dial)
        await response.prepare(request)
        try:
            while not tunnel.over and (data := await asyncio.wait_for(raw.read(), IDLE_S)):
                tunnel.receive(data)
                if answer := tunnel.to_send():
                    await self._gate.wait()
                    await raw.write(answer)
        except (ConnectionError, TimeoutError):
            pass  # as above
        finally:
            raw.close()
        return response


async def _next(socket: web.WebSocketResponse) -> WSMessage:
    return await socket.receive(IDLE_S)


def _bytes(message: WSMessage) -> bytes | None:
    """What a message brings; None for the end."""
    if message.type is WSMsgType.BINARY:
        return bytes(message.data)
    return str(message.data).encode() if message.type is WSMsgType.TEXT else None


def _listed(request: web.BaseRequest, name: str) -> list[str]:
    return [one.strip() for line in request.headers.getall(name, []) for one in line.split(",") if one.strip()]


def _negotiated(spoken: list[str], request: web.BaseRequest) -> web.Response | None:
    """A refusal where nothing that the client speaks over SPDY is spoken here (streaming, httpstream.Handshake)."""
    if not spoken:
        # As the kubelet counts them: without host and login, which it does not get, and with where it came from.
        count = len({name.lower() for name in request.headers} - {"host", "authorization"}) + 1
        said = f"unable to upgrade: header {SPDY_PROTOCOL} does not exist in request with {count} headers\n"
        return _said(400, said)
    if PROTOCOL in spoken:
        return None
    said = f"unable to upgrade: unable to negotiate protocol: client supports [{' '.join(spoken)}]"
    refused = _said(403, f"{said}, server accepts [{PROTOCOL}]\n")
    refused.headers[SPDY_ACCEPTED] = PROTOCOL
    return refused


def _said(status: int, words: str) -> web.Response:
    """A kubelet's refusal."""
    return web.Response(status=status, text=words)
