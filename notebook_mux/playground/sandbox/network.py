"""The network of a sandbox: the cluster's addresses and names, and nothing else.

In the sandbox's own network all addresses of the cluster are local (`inside.rooting`). For each at which somebody
answers there is a socket that listens; it was made inside and is served here, by what serves a port-forward. The API
server is the one real server that is reached, as it is by every client of this machine, and it asks for a token.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any

from notebook_mux.playground import web
from notebook_mux.playground.sandbox import bridge, names
from notebook_mux.playground.sandbox.box import Box, NoSandbox
from notebook_mux.playground.sandbox.doors import Door, Doors
from notebook_mux.playground.shell import network
from notebook_mux.playground.shell.container import Container

PIECE = 64 * 1024
DNS_PORT = 53
DATAGRAM = 4096
CONNECTIONS = 64
"""At once, of one sandbox."""

SILENT_S = 300.0
"""A connection on which nobody says anything is closed."""

LOOPBACK = "127.0.0.1"
API = ("default", "kubernetes")
"""The service of the API server."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with which a connection is reset when it is closed (socket(7))."""

Serve = Callable[[socket.socket], Coroutine[Any, Any, None]]


class Network:
    """What listens in a sandbox for the cluster.

    Args:
        container: Whose.
        box: The sandbox.
        doors: Of the cluster.
        exchange: Brings the files of both sides together: a server shows what was written a moment ago.
    """

    def __init__(self, container: Container, box: Box, doors: Doors, exchange: Callable[[], Coroutine[Any, Any, None]]):
        self._container = container
        self._box = box
        self._doors = doors
        self._exchange = exchange
        self._open: dict[Door, socket.socket] = {}
        self._names: socket.socket | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def refresh(self) -> None:
        """Listen where somebody answers now, and nowhere else.

        Raises:
            NoSandbox: The sandbox has ended.
        """
        wanted = self._wanted()
        for door in self._open.keys() - wanted:
            self._stop(self._open.pop(door))
        fresh = [{"kind": "tcp", "host": one.host, "port": one.port} for one in sorted(wanted - self._open.keys())]
        if self._names is None:
            fresh.insert(0, {"kind": "udp", "host": self._resolver(), "port": DNS_PORT})
        if not fresh:
            return
        loop = asyncio.get_running_loop()
        for one, opened in await self._box.listen(fresh):
            if one["kind"] == "udp":
                self._names = opened
                loop.add_reader(opened, self._asked)
            else:
                self._open[Door(one["host"], one["port"])] = opened
                loop.add_reader(opened, self._called, opened)

    def close(self) -> None:
        """Serve no more."""
        for opened in self._open.values():
            self._stop(opened)
        self._open.clear()
        if self._names is not None:
            self._stop(self._names)
            self._names = None
        for task in self._connections:
            task.cancel()

    @staticmethod
    def _stop(opened: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(opened)
        opened.close()

    def _wanted(self) -> set[Door]:
        container = self._container
        own = {Door(host, port) for port in network.ports(container) for host in (LOOPBACK, container.address) if host}
        api = self._api()
        return {*self._doors.found(), *own, bridge.DOOR, *([api] if api is not None else ())}

    def _api(self) -> Door | None:
        found = self._container.cluster.get("services", *API) or {"spec": {}}
        address = found["spec"].get("clusterIP")
        return Door(address, found["spec"]["ports"][0]["port"]) if address else None

    def _resolver(self) -> str:
        dns = self._container.cluster.get("services", "kube-system", "kube-dns") or {}
        return str((dns.get("spec") or {}).get("clusterIP", "10.96.0.10"))

    # ------------------------------------------------------------------------------------------------ names

    def _asked(self) -> None:
        assert self._names is not None
        try:
            datagram, sender = self._names.recvfrom(DATAGRAM)
            if (answer := names.answer(datagram, self._addresses)) is not None:
                self._names.sendto(answer, sender)
        except OSError:
            pass  # whoever asked asks again

    def _addresses(self, name: str) -> list[str]:
        try:
            return network.addresses(self._container, name)
        except web.Unresolved:
            raise LookupError(name) from None

    # ------------------------------------------------------------------------------------------ connections

    def _called(self, opened: socket.socket) -> None:
        try:
            connection, _ = opened.accept()
            connection.setblocking(False)
            door = Door(*connection.getsockname()[:2])
        except OSError:
            return
        if len(self._connections) >= CONNECTIONS:
            _reset(connection)
            return
        if door == bridge.DOOR:
            work = bridge.serve(self._container, connection, self._exchange)
        elif door == self._api():
            work = self._to_api(connection)
        else:
            work = self._to_server(connection, door)
        task = asyncio.create_task(self._within(connection, work))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    @staticmethod
    async def _within(connection: socket.socket, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (OSError, TimeoutError, web.NetworkError, NoSandbox):
            _reset(connection)
        finally:
            connection.close()

    async def _to_server(self, connection: socket.socket, door: Door) -> None:
        """To what serves this door in the cluster."""
        loop, container = asyncio.get_running_loop(), self._container
        await self._exchange()
        source, space = network.pod_of(container), network.namespace_of(container)
        talk = web.connect(container.cluster, door.host, door.port, namespace=space, source=source)
        while not talk.over:
            data = await asyncio.wait_for(loop.sock_recv(connection, PIECE), SILENT_S)
            await loop.sock_sendall(connection, talk.receive(data) if data else talk.end())
            if not data:
                return

    async def _to_api(self, connection: socket.socket) -> None:
        """To the cluster's API server, byte for byte."""
        loop, address = asyncio.get_running_loop(), self._container.cluster.address
        if address is None:
            raise ConnectionRefusedError
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
            server.setblocking(False)
            await loop.sock_connect(server, address)
            ways = [asyncio.create_task(_copy(*way)) for way in ((connection, server), (server, connection))]
            try:
                await asyncio.gather(*ways)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)


async def _copy(source: socket.socket, to: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, PIECE):
        await loop.sock_sendall(to, data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()
