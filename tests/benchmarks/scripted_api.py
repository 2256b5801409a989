"""A sender in the API server's place: lists, watches and watch-lists of pods, as objects or as a Table with objects.

Run as a child with ``{"pods": 10000, "folder": ..., "plain": false}``; it says ``{"port": ..., "kubeconfig": ...}``.
It serves what the gateway and the official client ask of a server for one kind, over TLS or (``plain``) without, and
what metrics-server says of the pods.
Orders:

- ``{"prepare": n, "form": "table"|"plain"}``: encode the next n changes, so that a reader sets the pace of
- ``{"go": true}``: send them to all who watch; answered when all is written.
- ``{"pace": rate, "during": seconds}``: make changes at this rate, one write each; answered at the end.
- ``{"calm": true}``: make it end now.
- ``{"counts": true}``: requests and watchers so far.

An event is one chunk and one write, so one TLS record, flat out too: that is what Go's server makes of its flushes. A
watch may be a WebSocket too (a Headlamp server asks for it so): then it is one text frame an event.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import time
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from notebook_mux.wire.sending import binary_head
from tests.benchmarks.pods import COLUMNS, NAMESPACES, Pod, Population, namespace
from tests.benchmarks.processes import arguments, many_files, order, orders_async, say
from tests.testbed.certificates import Authority

TOKEN = "scripted-token"
HISTORY = 20_000
"""Changes that a watch can begin before."""

TRUE = ("1", "true", "True")
"""What clients write; the API server takes all that Go's strconv.ParseBool takes."""

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE = b"\x81", b"\x88\0"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
READ_BYTES = 64 * 1024
BACKLOG = 1024
"""Connections that a client opens at once are taken at once."""

UNSENT_BYTES = 256 * 1024
"""Above so many unsent bytes the sender waits for the reader."""

PODS = {"resource": "pods", "singularResource": "pod", "scope": "Namespaced", "verbs": ["get", "list", "watch"],
        "responseKind": {"group": "", "version": "v1", "kind": "Pod"}, "shortNames": ["po"],
        "categories": ["all"]}  # fmt: skip
METRICS = ["apis", "metrics.k8s.io", "v1beta1", "pods"]
MEASURED = (
    b'{"metadata":{"name":"%b","namespace":"%b"},"timestamp":"2026-11-30T12:00:00Z","window":"15s",'
    b'"containers":[{"name":"web","usage":{"cpu":"%dm","memory":"%dMi"}}]}'
)
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
EVENT_TABLE = (
    b'{"type":"%b","object":{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"%d"},'
    b'"columnDefinitions":null,"rows":[{"cells":%b,"object":%b}]}}\n'
)
BOOKMARK = (
    b'{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"%d","creationTimestamp":null%b},'
    b'"spec":{"containers":null},"status":{}}'
)
INITIAL_END = b',"annotations":{"k8s.io/initial-events-end":"true"}'
BOOKMARK_CELLS = b'["","0/0","","0","<unknown>","<none>","<none>","<none>","<none>"]'


def event(kind: bytes, version: int, cells: bytes, content: bytes, table: bool) -> bytes:
    """A watch's line."""
    if table:
        return EVENT_TABLE % (kind, version, cells, content)
    return b'{"type":"%b","object":%b}\n' % (kind, content)


def chunk(data: bytes) -> bytes:
    """A piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def text_frame(data: bytes) -> bytes:
    """A WebSocket's text message (RFC 6455, 5.2)."""
    return TEXT + binary_head(len(data))[1:] + data


def upgraded(key: str) -> bytes:
    """The answer to a WebSocket's request (RFC 6455, 4.2.2)."""
    proof = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    return "\r\n".join([*lines, f"Sec-WebSocket-Accept: {proof}", "", ""]).encode()


class Watcher:
    """One open watch; `framed` makes what is written of an event's line."""

    def __init__(
        self, writer: asyncio.StreamWriter, wanted: str | None, table: bool, framed: Callable[[bytes], bytes]
    ) -> None:
        self.writer = writer
        self._framed = framed
        self.wanted = wanted
        self.table = table
        self._told_columns = not table

    def send(self, line: bytes) -> None:
        """Write one event; the first of a Table has the columns."""
        if not self._told_columns:
            self._told_columns = True
            columns = json.dumps(COLUMNS, separators=(",", ":")).encode()
            line = line.replace(b'"columnDefinitions":null', b'"columnDefinitions":' + columns, 1)
        self.writer.write(self._framed(line))

    def end(self) -> None:
        """Say that there is no more."""
        self.writer.write(CLOSE if self._framed is text_frame else chunk(b""))

    async def calm(self) -> None:
        """Wait while too much is unsent."""
        if self.writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            await self.writer.drain()


class Api:
    """Serves a population of pods."""

    def __init__(self, pods: int) -> None:
        self.population = Population(pods)
        for pod in self.population.pods:
            self.population.object(pod)  # its template is made at its first use, and must not be at a reader's cost
        self.watchers: dict[Watcher, None] = {}
        self.requests: list[str] = []
        self._history: deque[tuple[int, Pod, int]] = deque(maxlen=HISTORY)
        self._oldest = self.population.version
        self._prepared: list[tuple[str, bytes]] = []
        self._calm = False
        self._asked = 0

    # --- orders -----------------------------------------------------------------------------------------------------

    def prepare(self, count: int, form: str) -> None:
        """Encode the next `count` changes; the pods count as changed at once."""
        self._prepared = []
        for _ in range(count):
            pod, line = self._change(form == "table")
            self._prepared.append((pod.namespace, line))

    def _change(self, table: bool) -> tuple[Pod, bytes]:
        pod = self.population.change()
        if len(self._history) == HISTORY:
            self._oldest = self._history[0][0]
        self._history.append((self.population.version, pod, self.population.changes[pod.number]))
        population = self.population
        return pod, event(b"MODIFIED", population.version, population.cells(pod), population.object(pod), table)

    async def go(self) -> None:
        """Send what was prepared to all who watch."""
        await asyncio.gather(*(self._send_prepared(watcher) for watcher in list(self.watchers)))

    async def _send_prepared(self, watcher: Watcher) -> None:
        for place, line in self._prepared:
            if watcher.wanted in (None, place):
                watcher.send(line)
                await watcher.calm()

    async def pace(self, rate: float, seconds: float) -> int:
        """Make changes at `rate` a second for `seconds`; returns how many."""
        began, sent, self._calm = time.monotonic(), 0, False
        while (now := time.monotonic() - began) < seconds and not self._calm:
            due = int(now * rate) + 1
            while sent < due:
                sent += 1
                self._push()
            await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
        return sent

    def calm(self) -> None:
        """Let `pace` end now."""
        self._calm = True

    def _push(self) -> None:
        pod, line = self._change(True)
        plain = b""
        for watcher in list(self.watchers):
            if watcher.wanted in (None, pod.namespace):
                if not watcher.table:
                    plain = plain or event(b"MODIFIED", 0, b"", self.population.object(pod), False)
                watcher.send(line if watcher.table else plain)

    # --- HTTP -------------------------------------------------------------------------------------------------------

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it closes."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                request, *lines = head.split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = request.split(" ")
                self.requests.append(f"{method} {target}")
                await self._serve(method, target, headers, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _serve(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        parts, accept = urlsplit(target), headers.get("accept", "")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        words = unquote(parts.path).strip("/").split("/")
        if words[:2] == ["api", "v1"] and words[-1] == "pods" and len(words) in (3, 5):
            wanted = words[3] if len(words) == 5 else None
            table = "as=Table" in accept
            if query.get("watch", "false") in TRUE:
                key = headers.get("sec-websocket-key", "")
                writer.write(upgraded(key) if key else CHUNKED)
                watcher = Watcher(writer, wanted, table, text_frame if key else chunk)
                await self._watch(watcher, query, reader)
            else:
                self._answer(writer, self._list(wanted, table))
        elif words == METRICS:
            self._answer(writer, self._measured())
        else:
            status, content, kind = self._small(method, words, accept)
            self._answer(writer, json.dumps(content).encode(), status, kind)
        await writer.drain()

    def _small(self, method: str, words: list[str], accept: str) -> tuple[int, dict[str, Any], str]:
        """What is not pods."""
        plain = "application/json"
        if words == ["version"]:
            return 200, {"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64"}, plain
        if words in (["api"], ["apis"]) and "APIGroupDiscoveryList" in accept:
            served = [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [PODS],
                                                               "freshness": "Current"}]}]  # fmt: skip
            items = served if words == ["api"] else []
            found = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
                     "items": items}  # fmt: skip
            return 200, found, DISCOVERY
        if words == ["api"]:
            return 200, {"kind": "APIVersions", "versions": ["v1"]}, plain
        if words == ["apis"]:
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}, plain
        if words == ["api", "v1"]:
            pods = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "shortNames": ["po"],
                    "categories": ["all"], "verbs": PODS["verbs"]}  # fmt: skip
            return 200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": [pods]}, plain
        if words == ["api", "v1", "namespaces"]:
            names = [{"metadata": {"name": namespace(number)}} for number in range(NAMESPACES)]
            return 200, {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": names}, plain
        if method == "POST" and words[-1].startswith("selfsubject"):
            user = {"userInfo": {"username": "benchmark"}, "allowed": True}
            return 201, {"apiVersion": "/".join(words[1:3]), "kind": "Review", "status": user}, plain
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
                   "message": "the server could not find the requested resource"}  # fmt: skip
        return 404, missing, plain

    @staticmethod
    def _answer(writer: asyncio.StreamWriter, body: bytes, status: int = 200, kind: str = "application/json") -> None:
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode())
        writer.write(body)

    def _list(self, wanted: str | None, table: bool) -> bytes:
        population = self.population
        pods = population.in_namespace(wanted)
        if table:
            rows = b",".join(
                b'{"cells":%b,"object":%b}' % (population.cells(pod), population.object(pod)) for pod in pods
            )
            columns = json.dumps(COLUMNS, separators=(",", ":")).encode()
            return (
                b'{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"%d"},'
                b'"columnDefinitions":%b,"rows":[%b]}\n' % (population.version, columns, rows)
            )
        items = b",".join(population.object(pod) for pod in pods)
        return b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"%d"},"items":[%b]}\n' % (
            population.version,
            items,
        )

    def _measured(self) -> bytes:
        """What all pods use, other numbers at each question."""
        self._asked += 1
        items = b",".join(
            MEASURED % (pod.name.encode(), pod.namespace.encode(), 10 + number % 90, 20 + number % 70)
            for number, pod in enumerate(self.population.pods, self._asked)
        )
        return b'{"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1beta1","metadata":{},"items":[%b]}' % items

    # --- watching ---------------------------------------------------------------------------------------------------

    async def _watch(self, watcher: Watcher, query: dict[str, str], reader: asyncio.StreamReader) -> None:
        wanted, table = watcher.wanted, watcher.table
        population, version = self.population, query.get("resourceVersion", "")
        if query.get("sendInitialEvents") == "true" or version in ("", "0"):
            at = population.version
            for pod in list(population.in_namespace(wanted)):
                cells, content = population.cells(pod), population.object(pod)
                watcher.send(event(b"ADDED", population.versions[pod.number], cells, content, table))
                await watcher.calm()
            if query.get("allowWatchBookmarks") in TRUE:
                watcher.send(event(b"BOOKMARK", at, BOOKMARK_CELLS, BOOKMARK % (at, INITIAL_END), table))
        else:
            at = int(version)
        if at < self._oldest:
            gone = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410,
                    "message": f"too old resource version: {at} ({self._oldest})"}  # fmt: skip
            watcher.send(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
            watcher.end()
            return
        for number, pod, change in [entry for entry in self._history if entry[0] > at]:
            if wanted in (None, pod.namespace):
                watcher.send(event(b"MODIFIED", number, pod.cells(change), pod.object(number, change), table))
        self.watchers[watcher] = None
        try:
            while await reader.read(READ_BYTES):
                pass  # a client says nothing that matters until it goes
        finally:
            del self.watchers[watcher]
        raise ConnectionResetError


def write_kubeconfig(folder: Path, port: int) -> Path:
    """A kubeconfig for this server with a token."""
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(folder / "ca.crt")}
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "scripted",
        "clusters": [{"name": "scripted", "cluster": server}],
        "users": [{"name": "scripted", "user": {"token": TOKEN}}],
        "contexts": [{"name": "scripted", "context": {"cluster": "scripted", "user": "scripted"}}],
    }  # fmt: skip
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


async def listen(api: Api, place: Path, plain: bool = False) -> tuple[asyncio.Server, dict[str, Any]]:
    """Serve; returns the server and what a child says of it."""
    context = None
    if not plain:
        Authority(place)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(place / "server.crt", place / "server.key")
    server = await asyncio.start_server(api.talk, "127.0.0.1", 0, ssl=context, limit=1 << 20, backlog=BACKLOG)
    port = server.sockets[0].getsockname()[1]
    return server, {"port": port, "kubeconfig": "" if plain else str(write_kubeconfig(place, port))}


async def main(pods: int, folder: str, plain: bool = False) -> None:
    """Serve until the input ends."""
    many_files()
    api = Api(pods)
    _server, said = await listen(api, Path(folder), plain)
    say(**said)
    reader = await orders_async()
    tasks: set[asyncio.Task[None]] = set()

    async def pace(given: dict[str, Any]) -> None:
        sent = await api.pace(given["pace"], given["during"])
        say(paced=sent, version=api.population.version)

    while (given := await order(reader)) is not None:
        if "prepare" in given:
            api.prepare(given["prepare"], given.get("form", "table"))
            say(prepared=given["prepare"], version=api.population.version)
        elif "go" in given:
            await api.go()
            say(sent=True)
        elif "pace" in given:
            tasks.add(asyncio.get_running_loop().create_task(pace(given)))
        elif "calm" in given:
            api.calm()
        else:
            say(requests=api.requests, watchers=len(api.watchers))


def run_loop(program: Coroutine[Any, Any, None]) -> None:
    """Run a child's `main` on the fastest loop there is."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(program)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(program)


if __name__ == "__main__":
    run_loop(main(**arguments()))
