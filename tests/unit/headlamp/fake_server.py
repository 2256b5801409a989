"""A Headlamp server that does as it is told: the recorded protocol with its traps, and objects from a dict."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from aiohttp import WSMsgType, web

from notebook_mux.kernel.thread import LoopThread
from notebook_mux.printers import PRINTERS
from tests.serving import Place, stop_serving

MAPS = "/api/v1/namespaces/default/configmaps"
ODDS = "/apis/example.com/v1/namespaces/default/odds"
COLUMNS = {
    MAPS: ["Name", "Data", "Age"],
    ODDS: ["Name", "Odd"],
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
DISCOVERY = {
    "/api": [("", "v1", "configmaps", "ConfigMap")],
    "/apis": [("example.com", "v1", "odds", "Odd")],
}


class FakeHeadlamp:
    """Runs in a thread of its own; the methods without an underscore may be called from a test.

    Attributes:
        clusters: What ``/config`` lists: name to server.
        backend_token: What ``X-HEADLAMP_BACKEND-TOKEN`` must say, if anything.
        cluster_token: What the cookies of a cluster must say, if anything.
        prefix: Where it is served.
        handshake: What a dial of the multiplexer comes to: "" for success, else the words of the refusal.
        swallow: How many REQUESTs pass unanswered.
        answers: By path a status and a body instead of what there is.
        page_status: What any other path is answered with.
        slow: Seconds before each answer of a cluster.
        ends_at_once: Whether the upstream ends as soon as it is open.
        hold_directs: Whether direct dials are left without an answer; `held` are those.
        refuse_upgrades: Whether the multiplexed socket is refused.
        direct_status: What a direct watch is refused with; 0 for success.
        direct_tables: Whether a direct watch that accepts Tables gets them, as from an API server.
        pods: What an exec is answered by; see `tests.unit.remote.pods`.
        logs: What a log is answered by.
        cookies: By cluster the Cookie headers that came with its requests and direct watches.
        requests: All envelopes that came.
        upgrades: The headers of all upgrades of the multiplexer.
    """

    def __init__(self, prefix: str = "") -> None:
        self.thread = LoopThread("fake headlamp")
        self.clusters = {"real": "https://10.0.0.1"}
        self.backend_token: str | None = None
        self.cluster_token: str | None = None
        self.prefix = prefix
        self.handshake = ""
        self.swallow = 0
        self.answers: dict[str, tuple[int, str]] = {}
        self.set_cookies: dict[str, str] = {}
        self.direct_status = 0
        self.direct_tables = True
        self.pods: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        self.logs: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        self.hold_directs = self.refuse_upgrades = False
        self.ends_at_once = False
        self.slow = 0.0
        self.page_status = 200
        self.held = self.pages = self.configs = 0
        self.cookies: defaultdict[str, set[str]] = defaultdict(set)
        self.requests: list[dict[str, Any]] = []
        self.upgrades: list[dict[str, str]] = []
        self.directs: list[str] = []
        self.lists: list[str] = []
        self.port = 0
        self._place = Place()
        self.compacted = 0
        self.objects: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self._versions = itertools.count(100)
        self._log: list[tuple[int, str, dict[str, Any]]] = []
        self._streams: dict[tuple[str, str, str], tuple[web.WebSocketResponse, str, str]] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._direct_sockets: dict[web.WebSocketResponse, str] = {}
        self._runner: Any = None

    # --- from tests -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def start(self) -> FakeHeadlamp:
        """Listen, on the same port as before."""
        self.thread.submit(self._start()).result(30)
        return self

    def stop(self) -> None:
        """Go away, cutting everything."""
        self.thread.submit(self._stop()).result(30)

    def close(self) -> None:
        """Go away for good."""
        self.stop()
        self._place.give_up()
        self.thread.stop(30)

    def put(self, name: str, value: str = "", path: str = MAPS) -> str:
        """Create or change an object; its version."""
        return self.thread.submit(self._put(name, value, path)).result(30)

    def delete(self, name: str, path: str = MAPS) -> None:
        """Delete an object."""
        self.thread.submit(self._delete(name, path)).result(30)

    def say(self, frame: str) -> None:
        """Send a frame to all multiplexed sockets."""
        self.thread.submit(self._say(frame)).result(30)

    def end(self, path: str = MAPS, state: str = "closed", error: str = "", user: str = "") -> None:
        """End the upstreams of a path (of those users whose ids begin so), as an API server does."""
        self.thread.submit(self._end(path, state, error, user)).result(30)

    def event(self, kind: str, obj: Any, path: str = MAPS) -> None:
        """Send an event as it is to the streams of a path."""
        self.thread.submit(self._event(kind, obj, path)).result(30)

    def bookmark(self, path: str = MAPS) -> str:
        """Send a bookmark of now; its version."""
        version = str(next(self._versions))
        self.event("BOOKMARK", {"metadata": {"resourceVersion": version}}, path)
        return version

    def compact(self) -> None:
        """Forget all that happened: older versions are expired."""
        self.compacted = next(self._versions)

    def cut(self) -> None:
        """Cut all multiplexed sockets."""
        self.thread.submit(self._cut()).result(30)

    def asked(self, kind: str = "REQUEST") -> list[dict[str, Any]]:
        """The envelopes of a type that came."""
        return [envelope for envelope in self.requests if envelope.get("type") == kind]

    @property
    def streams(self) -> int:
        """Upstreams that are open for the multiplexer."""
        return len(self._streams)

    @property
    def sockets(self) -> int:
        """Multiplexed sockets that are open."""
        return len(self._sockets)

    # --- life -----------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get(f"{self.prefix}/config", self._config)
        app.router.add_get(f"{self.prefix}/wsMultiplexer", self._multiplexer)
        app.router.add_route("*", f"{self.prefix}/clusters/{{cluster}}/{{path:.*}}", self._cluster)
        app.router.add_get("/{rest:.*}", self._page)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._place.give_up()

    async def _stop(self) -> None:
        await self._cut()
        if self._runner is not None:
            await stop_serving(self._runner)
            self._runner = None
            self._place.keep(self.port)

    async def _cut(self) -> None:
        for socket in [*self._sockets, *self._direct_sockets]:
            transport = socket._req.transport if socket._req is not None else None
            if transport is not None:
                transport.abort()

    async def _page(self, request: web.Request) -> web.Response:
        self.pages += 1
        return web.Response(
            status=self.page_status, text="<!doctype html><title>Headlamp</title>", content_type="text/html"
        )

    def _guarded(self, request: web.Request) -> None:
        if self.backend_token and request.headers.get("X-HEADLAMP_BACKEND-TOKEN") != self.backend_token:
            raise web.HTTPForbidden(text="access denied")

    async def _config(self, request: web.Request) -> web.Response:
        self.configs += 1
        self._guarded(request)
        listed = [
            {"name": name, "server": url, "auth_type": "", "meta_data": {}} for name, url in self.clusters.items()
        ]
        return web.json_response({"clusters": listed})

    # --- the multiplexer ------------------------------------------------------------------------------------------

    async def _multiplexer(self, request: web.Request) -> web.StreamResponse:
        self._guarded(request)
        self.upgrades.append(dict(request.headers))
        if self.refuse_upgrades:
            return web.Response(status=503, text="not now")
        socket = web.WebSocketResponse(protocols=["headlamp.multiplexer.k8s.io"])
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await self._envelope(socket, message.data)
        finally:
            self._sockets.discard(socket)
            self._streams = {key: stream for key, stream in self._streams.items() if stream[0] is not socket}
        return socket

    async def _envelope(self, socket: web.WebSocketResponse, text: str) -> None:
        try:
            said = json.loads(text)
            key = said["clusterId"], said["path"], said["userId"]
        except (ValueError, KeyError, TypeError):
            return
        self.requests.append(said)
        if not all(key):
            return
        if said["type"] == "CLOSE":
            if self._streams.pop(key, None) is not None:
                await self._status(socket, key, "closed")
        elif said["type"] == "REQUEST":
            if self.swallow:
                self.swallow -= 1
            elif key not in self._streams:  # the query is no part of the key
                await self._dial(socket, key, said["query"])
        else:
            await self._send(socket, key, said["query"], "ERROR", json.dumps({"error": "unsupported message type"}))

    async def _dial(self, socket: web.WebSocketResponse, key: tuple[str, str, str], query: str) -> None:
        words = self.handshake if key[0] in self.clusters else ""
        if key[0] not in self.clusters:
            await self._send(socket, key, query, "ERROR", json.dumps({"error": "getting context: key not found"}))
            return
        if words:
            await self._status(socket, key, "error", words)
            await self._send(socket, key, query, "ERROR", json.dumps({"error": words}))
            return
        self._streams[key] = socket, query, key[1]
        await self._status(socket, key, "connected")
        if self.ends_at_once:
            del self._streams[key]
            await self._status(socket, key, "closed")
            return
        since = int(parse_qs(query).get("resourceVersion", ["0"])[0])
        if since < self.compacted:
            gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
            await self._send(socket, key, query, "DATA", json.dumps({"type": "ERROR", "object": gone}) + "\n")
            self._streams.pop(key, None)
            await self._status(socket, key, "closed")
            return
        for version, path, event in list(self._log):
            if path == key[1] and version > since:
                await self._data(socket, key, query, event)

    async def _status(
        self, socket: web.WebSocketResponse, key: tuple[str, str, str], state: str, error: str = ""
    ) -> None:
        data = json.dumps({"state": state, "error": error})
        await self._send(socket, (key[0], key[1], ""), "", "STATUS", data)

    async def _data(self, socket: web.WebSocketResponse, key: tuple[str, str, str], query: str, event: Any) -> None:
        await self._send(socket, key, query, "COMPLETE", "")
        await self._send(socket, key, query, "DATA", json.dumps(event) + "\n")

    async def _send(
        self, socket: web.WebSocketResponse, key: tuple[str, str, str], query: str, kind: str, data: str
    ) -> None:
        said = {"clusterId": key[0], "path": key[1], "query": query, "userId": key[2]}
        with contextlib.suppress(ConnectionError):
            await socket.send_str(json.dumps(said | ({"data": data} if data else {}) | {"type": kind}) + "\n")

    async def _say(self, frame: str) -> None:
        for socket in list(self._sockets):
            await socket.send_str(frame)

    async def _end(self, path: str, state: str, error: str, user: str) -> None:
        for key, (socket, _, of) in list(self._streams.items()):
            if of == path and key[2].startswith(user):
                if state == "closed":
                    del self._streams[key]
                await self._status(socket, key, state, error)
        for socket in [socket for socket, of in self._direct_sockets.items() if of == path]:
            await socket.close()

    async def _event(self, kind: str, obj: Any, path: str) -> None:
        event = {"type": kind, "object": obj}
        for key, (socket, query, of) in list(self._streams.items()):
            if of == path:
                await self._data(socket, key, query, event)
        for direct in [direct for direct, of in self._direct_sockets.items() if of == path]:
            await direct.send_str(self._line(direct, path, event))

    # --- objects --------------------------------------------------------------------------------------------------

    async def _put(self, name: str, value: str, path: str) -> str:
        version = next(self._versions)
        before = self.objects[path].get(name)
        obj = {
            "kind": "Odd" if path == ODDS else "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": before["metadata"]["uid"] if before else f"uid-{name}-{version}",
                "resourceVersion": str(version),
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "data": {"value": value},
        }
        self.objects[path][name] = obj
        await self._happened(version, "MODIFIED" if before else "ADDED", obj, path)
        return str(version)

    async def _delete(self, name: str, path: str) -> None:
        version = next(self._versions)
        obj = self.objects[path].pop(name)
        gone = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}
        await self._happened(version, "DELETED", gone, path)

    async def _happened(self, version: int, kind: str, obj: Any, path: str) -> None:
        self._log.append((version, path, {"type": kind, "object": obj}))
        await self._event(kind, obj, path)

    # --- the clusters' own paths ----------------------------------------------------------------------------------

    async def _cluster(self, request: web.Request) -> web.StreamResponse:
        self._guarded(request)
        name, path = request.match_info["cluster"], "/" + request.match_info["path"]
        self.cookies[name].add(request.headers.get("Cookie", ""))
        if name not in self.clusters:
            return web.Response(status=404, text="cluster not found")
        if self.cluster_token and request.cookies.get(f"headlamp-auth-{name}.0") != self.cluster_token:
            return _status(401, "Unauthorized")
        if path.endswith("/exec") and self.pods is not None:
            return await self.pods(request)
        if path.endswith("/log") and self.logs is not None:
            return await self.logs(request)
        if "upgrade" in request.headers.get("Connection", "").lower():
            return await self._direct(request, path)
        if self.slow:
            await asyncio.sleep(self.slow)
        if path in self.answers:
            status, body = self.answers[path]
            return web.Response(status=status, text=body)
        response = self._rest(request, path)
        for cookie, value in self.set_cookies.items():
            response.set_cookie(cookie, value)
        return response

    def _rest(self, request: web.Request, path: str) -> web.Response:
        if path == "/version":
            return web.json_response({"gitVersion": "v1.37.2"})
        if path in DISCOVERY:
            found = json.dumps({"items": [_discovered(*one) for one in DISCOVERY[path]]}).encode()
            return web.Response(body=found, headers={"Content-Type": AGGREGATED})
        if path in COLUMNS:
            self.lists.append(request.query_string)
            return web.json_response(self._list(path, request))
        return _status(404, "the server could not find the requested resource")

    def _list(self, path: str, request: web.Request) -> Any:
        at, limit = int(request.query.get("continue", "0")), int(request.query.get("limit", "500"))
        metadata = {"resourceVersion": str(next(self._versions))}
        objects = list(self.objects[path].values())
        if at + limit < len(objects):
            metadata["continue"] = str(at + limit)
        objects = objects[at : at + limit]
        if "as=Table" not in request.headers.get("Accept", ""):
            return {"kind": "List", "metadata": metadata, "items": objects}
        columns = [{"name": name, "type": "string", "format": "", "priority": 0} for name in COLUMNS[path]]
        rows = [{"cells": self._cells(path, obj), "object": obj} for obj in objects]
        return {"kind": "Table", "metadata": metadata, "columnDefinitions": columns, "rows": rows}

    def _cells(self, path: str, obj: Any) -> list[Any]:
        if path == MAPS:
            return PRINTERS["configmaps"](obj, 1.8e9)
        return [obj["metadata"]["name"], f"odd {obj['data']['value']}"]

    def _line(self, socket: web.WebSocketResponse, path: str, event: Any) -> str:
        accepted = socket._req.headers.get("Accept", "") if socket._req is not None else ""
        if self.direct_tables and "as=Table" in accepted and event["type"] in ("ADDED", "MODIFIED", "DELETED"):
            columns = [{"name": name, "type": "string", "format": "", "priority": 0} for name in COLUMNS[path]]
            rows = [{"cells": self._cells(path, event["object"]), "object": event["object"]}]
            table = {"kind": "Table", "metadata": {}, "columnDefinitions": columns, "rows": rows}
            event = {"type": event["type"], "object": table}
        return json.dumps(event) + "\n"

    async def _direct(self, request: web.Request, path: str) -> web.StreamResponse:
        self.directs.append(request.query_string)
        if self.hold_directs:
            self.held += 1
            try:
                await asyncio.sleep(3600)
            finally:
                self.held -= 1
        if self.direct_status:
            return _status(self.direct_status, "said by the cluster")
        if not request.headers.get("Origin"):
            return web.Response(status=403)
        socket = web.WebSocketResponse(protocols=["base64.binary.k8s.io"])
        await socket.prepare(request)
        self._direct_sockets[socket] = path
        since = int(request.query.get("resourceVersion", "0"))
        try:
            for version, of, event in list(self._log):
                if of == path and version > since:
                    await socket.send_str(self._line(socket, path, event))
            async for _ in socket:
                continue
        finally:
            del self._direct_sockets[socket]
        return socket


def _status(code: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "code": code, "message": message}, status=code)


def _discovered(group: str, version: str, plural: str, kind: str) -> Any:
    resource = {
        "resource": plural,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "scope": "Namespaced",
        "singularResource": kind.lower(),
        "verbs": ["get", "list", "watch"],
    }
    return {"metadata": {"name": group}, "versions": [{"version": version, "resources": [resource]}]}
