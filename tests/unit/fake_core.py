"""A core without a socket: what the handles are tested against. Tests put objects into it and set states."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import msgspec
import pytest

from notebook_mux.handles import managers
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.manager import Manager
from notebook_mux.kernel import holder
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.feed import Feed
from notebook_mux.kernel.members import ClusterState, StreamSpec, StreamView
from notebook_mux.wire.frames import Record
from tests.unit.fake_terminals import FakeTerminals

PODS = {
    "name": "pods",
    "singular": "pod",
    "kind": "Pod",
    "group": "",
    "version": "v1",
    "namespaced": True,
    "short_names": ["po"],
    "categories": ["all"],
    "verbs": ["get", "list", "watch"],
}
NODES = PODS | {"name": "nodes", "singular": "node", "kind": "Node", "namespaced": False, "short_names": ["no"]}
SECRETS = PODS | {"name": "secrets", "singular": "secret", "kind": "Secret", "short_names": []}
DEPLOYMENTS = PODS | {
    "name": "deployments",
    "singular": "deployment",
    "kind": "Deployment",
    "group": "apps",
    "short_names": ["deploy"],
}
POD_COLUMNS = [
    {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": wide}
    for name, wide in (("Name", 0), ("Ready", 0), ("Status", 0), ("Restarts", 0), ("Age", 0), ("IP", 1), ("Node", 1))
]

_versions = itertools.count(100)


def stamp(seconds: float) -> str:
    """Unix seconds as RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def pod(
    name: str,
    namespace: str = "default",
    *,
    uid: str = "",
    status: str = "Running",
    ready: bool = True,
    restarts: str = "0",
    age: float = 300.0,
    **more: Any,
) -> Record:
    """A pod with kubectl's cells."""
    now = time.time()
    uid = uid or f"uid-{namespace}-{name}"
    created = stamp(now - age)
    content = {
        "metadata": {"name": name, "namespace": namespace, "uid": uid, "creationTimestamp": created},
        "status": {"phase": status, "conditions": [{"type": "Ready", "status": str(ready)}]},
        **more,
    }
    cells = [name, f"{int(ready)}/1", status, restarts, "5m", "10.0.0.1", "n1"]
    encode = msgspec.json.encode
    return Record(uid, namespace, name, str(next(_versions)), created, now, encode(cells), encode(content))


def done(value: Any = None) -> Future[Any]:
    """A future with a result, or with a failure."""
    future: Future[Any] = Future()
    if isinstance(value, BaseException):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


class FakeStream:
    """One stream of the fake core."""

    def __init__(self, id_: str, spec: StreamSpec) -> None:
        self.id = id_
        self.spec = spec
        self.records: dict[str, dict[str, Record]] = {alias: {} for alias, _, _ in spec.clusters}
        self.columns: list[dict[str, Any]] = []
        self.states = {alias: state("connecting", "asking what it serves") for alias, _, _ in spec.clusters}
        self.version = 0
        self.closed = False
        self.holders: set[str] = set()
        self.feeds: list[Feed] = []
        self.settled: Future[None] = Future()

    def moved(self) -> None:
        self.version += 1
        if not self.settled.done() and all(s.synced or s.state != "connecting" for s in self.states.values()):
            self.settled.set_result(None)
        for feed in list(self.feeds):
            feed.nudge()

    def sync(self, *records: Record, cluster: str = "", columns: Any = None, resource: Any = None) -> None:
        """The first complete list of a cluster (all of them by default) has come."""
        self.columns = POD_COLUMNS if columns is None else columns
        for alias, _, namespace in self.spec.clusters:
            if cluster in ("", alias):
                namespaces = self.spec.namespaces or (namespace,)
                self.put(*records, cluster=alias, quiet=True)
                self.states[alias] = state("live", synced=True, resource=resource or PODS, namespaces=namespaces)
        self.moved()

    def put(self, *records: Record, cluster: str = "", quiet: bool = False) -> None:
        alias = cluster or self.spec.clusters[0][0]
        for record in records:
            old = self.records[alias].get(record.uid)
            self.records[alias] = self.records[alias] | {record.uid: record}
            for feed in self.feeds:
                feed.push([("MODIFIED" if old else "ADDED", alias, record, old)])
        if not quiet:
            self.moved()

    def delete(self, uid: str, cluster: str = "") -> None:
        alias = cluster or self.spec.clusters[0][0]
        old = self.records[alias][uid]
        self.records[alias] = {key: value for key, value in self.records[alias].items() if key != uid}
        for feed in self.feeds:
            feed.push([("DELETED", alias, old, old)])
        self.moved()

    def say(self, state_: str, reason: str = "", cluster: str = "", **more: Any) -> None:
        """Set a cluster's state."""
        alias = cluster or self.spec.clusters[0][0]
        known = self.states[alias]
        self.states[alias] = state(
            state_, reason, synced=known.synced, resource=known.resource, namespaces=known.namespaces, **more
        )
        self.moved()


def state(name: str, reason: str = "", **more: Any) -> ClusterState:
    """A cluster's state."""
    given: dict[str, Any] = {
        "said": None,
        "code": None,
        "todo": None,
        "since": time.time(),
        "retry_at": None,
        "synced": False,
        "resource": None,
        "namespaces": None,
        **more,
    }
    return ClusterState(name, reason, **given)


class FakeThread:
    """The core's thread: here what it is to do is done at once."""

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        function(*arguments)


class FakeCore:
    """See the module. `calls` has what was asked, in order."""

    def __init__(self) -> None:
        self.version = "0"
        self.pid = os.getpid()
        self.closed = False
        self.thread = FakeThread()
        self.calls: list[tuple[Any, ...]] = []
        self.contexts_: list[dict[str, Any]] = [
            {"name": "dev", "ref": "ref-dev", "server": "https://dev:6443", "namespace": "default"}
        ]
        self.probes: dict[str, Any] = {}
        self.resources: dict[str, list[dict[str, Any]]] = {}
        self.served: list[dict[str, Any]] = [PODS, NODES, SECRETS, DEPLOYMENTS]
        self.answer: Callable[[str, str, str], tuple[int, bytes]] = lambda ref, path, query: (404, b"{}")
        self.review: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda ref, review: {"allowed": True}
        """The status of an access or rules review that is posted."""
        self.connected: Any = None
        self.granted: list[str] | None = None
        self.open: set[str] = set()
        self.streams: dict[str, FakeStream] = {}
        self.terminals = FakeTerminals()
        self._ids = itertools.count(1)
        self.prepare: Callable[[FakeStream], None] | None = None

    def connect(self, endpoint: tuple[str, str | None], timeout: float) -> Future[str]:
        self.calls.append(("connect", endpoint))
        if self.connected is not None:
            return done(self.connected)
        name = endpoint[1] or endpoint[0]
        self.open.add(name)
        return done(name)

    def contexts(self, conn: str, source: Mapping[str, Any], names: Any, timeout: float) -> Future[Any]:
        self.calls.append(("contexts", conn, dict(source), names))
        if names is None:
            return done(self.contexts_[:1])
        known = {context["name"]: context for context in self.contexts_}
        if names == ["*"]:
            return done(self.contexts_)
        missing = [name for name in names if name not in known]
        if missing:
            return done(Failure("unknown-context", f"there is no context {missing[0]!r}"))
        return done([known[name] for name in names])

    def scope(self, conn: str, scope_id: str, write: Any) -> Future[list[str]]:
        self.calls.append(("scope", conn, scope_id, sorted(write)))
        return done(list(write) if self.granted is None else self.granted)

    def kubeconfig(self, conn: str, scope: str, clusters: Any) -> Future[str]:
        self.calls.append(("kubeconfig", conn, scope, list(clusters)))
        return done("/run/kubectl/1-a/config")

    def end_kubeconfig(self, conn: str, scope: str) -> Future[None]:
        return done(None)

    def probe(self, conn: str, ref: str, timeout: float) -> Future[Any]:
        self.calls.append(("probe", ref))
        return done(self.probes.get(ref, {"version": "v1.37.2"}))

    def discover(self, conn: str, ref: str, refresh: bool = False) -> Future[Any]:
        self.calls.append(("discover", ref, refresh))
        return done(self.resources.get(ref, self.served))

    def http(self, conn: str, ref: str, method: str, path: str, query: str = "", **more: Any) -> Future[Any]:
        self.calls.append(("http", ref, method, path, query, more["headers"]["Accept"]))
        if method == "POST":
            review = msgspec.json.decode(more["body"])
            return done((201, {}, msgspec.json.encode({"status": self.review(ref, review)})))
        try:
            status, body = self.answer(ref, path, query)
        except Failure as failure:
            return done(failure)
        return done((status, {}, body))

    def open_stream(self, spec: tuple[Any, ...]) -> str:
        known = StreamSpec(*spec)
        if known.connection not in self.open:
            raise Failure("closed", f"there is no connection to {known.connection!r}")
        for stream in self.streams.values():
            if stream.spec == known:
                return stream.id
        stream = FakeStream(f"#{next(self._ids)}", known)
        self.streams[stream.id] = stream
        self.calls.append(("open_stream", known.kind))
        if self.prepare is not None:
            self.prepare(stream)
        return stream.id

    def alive(self, id_: str) -> bool:
        return id_ in self.streams

    def _stream(self, id_: str) -> FakeStream:
        if id_ not in self.streams:
            raise Failure("closed", "the stream has ended")
        return self.streams[id_]

    def settled(self, id_: str) -> Future[None]:
        return self._stream(id_).settled

    def read(self, id_: str) -> StreamView:
        at = self._stream(id_)
        return StreamView(at.version, dict(at.records), at.columns, dict(at.states), at.closed)

    def feed(self, id_: str, wake: Callable[[], None], initial: bool = True) -> Feed:
        at = self._stream(id_)
        feed = Feed(wake, at.feeds.remove)
        if initial:
            feed.push(("ADDED", alias, r, None) for alias, records in at.records.items() for r in records.values())
        at.feeds.append(feed)
        if initial:
            threading.Thread(target=feed.nudge).start()
        return feed

    def hold(self, id_: str, name: str) -> None:
        self._stream(id_).holders.add(name)

    def release(self, id_: str, name: str) -> None:
        if id_ in self.streams:
            self.streams[id_].holders.discard(name)

    def linger(self) -> None:
        """The time has passed after which streams without a holder end."""
        for stream in list(self.streams.values()):
            if not stream.holders:
                self.close_stream(stream.id)

    def close_stream(self, id_: str) -> None:
        stream = self.streams.pop(id_, None)
        if stream is not None:
            stream.closed = True
            stream.moved()

    def close(self, conn: str) -> Future[None]:
        self.calls.append(("close", conn))
        self.open.discard(conn)
        for stream in list(self.streams.values()):
            if stream.spec.connection == conn:
                self.close_stream(stream.id)
        return done()

    def retry(self, conn: str) -> None:
        self.calls.append(("retry", conn))

    def status(self, conn: str | None = None) -> dict[str, Any]:
        clusters = {}
        for context in self.contexts_:
            probe = self.probes.get(context["ref"])
            if isinstance(probe, Failure):
                known = {"state": "unreachable", "reason": probe.fields["what"], "version": ""}
            else:
                known = {"state": "live", "reason": "", "version": "v1.37.2"}
            clusters[context["ref"]] = known
        connections = [
            {
                "id": name,
                "url": "http://127.0.0.1:1/",
                "state": "open",
                "reason": "",
                "clusters": clusters,
                "streams": [{"objects": 2, "changes": 3, "lag": 0.5} for _ in self.streams],
                "reconnects": 1,
                "sockets": 1,
                "bytes_in": 10,
                "terminals": self.terminals.all(name),
            }
            for name in sorted(self.open)
        ]
        if conn is None:
            return {"connections": connections}
        found = [one for one in connections if one["id"] == conn]
        if not found:
            raise Failure("closed", f"there is no connection to {conn!r}")
        return found[0]

    @property
    def stream(self) -> FakeStream:
        """The one stream there is."""
        (only,) = self.streams.values()
        return only

    def asked(self, kind: str) -> list[tuple[Any, ...]]:
        """The calls of one kind."""
        return [call for call in self.calls if call[0] == kind]


def install(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    """Put a fake core where the holder's is."""
    core = FakeCore()
    monkeypatch.setattr(holder, "core", lambda: core)
    monkeypatch.setattr(holder, "running", lambda: core)
    monkeypatch.setattr(managers, "_default", None)
    return core


def manager(core: FakeCore, *aliases: str) -> Manager:
    """A manager of clusters with these names, connected."""
    core.open.add("auto")
    contexts = tuple(Context(a, a, f"ref-{a}", f"https://{a}:6443", "default") for a in aliases or ("dev",))
    source = {"kubeconfig": ["/k"], "env": {}, "in_cluster": False}
    core.contexts_ = [c._asdict() for c in contexts]
    return managers.get(Identity("auto", ("auto", None), source, None, contexts, "user"))
