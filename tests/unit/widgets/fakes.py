"""A stream with the interface that widgets read, and pods that change as fast as one likes. No kernel, no cluster."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from notebook_mux.ages import human_duration
from notebook_mux.handles.identity import Cluster, Context
from notebook_mux.handles.readers import Readers
from notebook_mux.kernel.feed import Feed
from notebook_mux.kernel.members import ClusterState, StreamView
from notebook_mux.kernel.minute import together
from notebook_mux.printing import cells
from notebook_mux.wire.frames import Record

PODS = {"name": "pods", "group": "", "version": "v1", "kind": "Pod", "namespaced": True}

COLUMNS: list[dict[str, Any]] = [
    {"name": name, "type": kind, "format": "name" if name == "Name" else "", "description": about, "priority": priority}
    for name, kind, priority, about in (
        ("Name", "string", 0, "Name must be unique within a namespace."),
        ("Ready", "string", 0, "The aggregate readiness state of this pod for accepting traffic."),
        ("Status", "string", 0, "The aggregate status of the containers in this pod."),
        ("Restarts", "string", 0, "The number of times the containers in this pod have been restarted."),
        ("Age", "string", 0, "CreationTimestamp is a timestamp."),
        ("IP", "string", 1, "podIP address allocated to the pod."),
        ("Node", "string", 1, "NodeName indicates in which node this pod is scheduled."),
        ("Nominated Node", "string", 1, "The node the pod may be scheduled on."),
        ("Readiness Gates", "string", 1, "Conditions that must be met."),
    )
]

STATUSES = ("Running",) * 14 + ("Pending", "ContainerCreating", "CrashLoopBackOff", "Completed", "Terminating", "Error")

APPS = ("web", "api", "cart", "checkout", "search", "mail", "ledger", "billing", "auth", "cache")


def state(name: str = "live", *, reason: str = "", synced: bool = True, **more: Any) -> ClusterState:
    """A cluster's state."""
    given: dict[str, Any] = {
        "said": None, "code": None, "todo": None, "since": time.time(), "retry_at": None,
        "resource": PODS, "namespaces": ("*",),
    }  # fmt: skip
    return ClusterState(state=name, reason=reason, synced=synced, **(given | more))


def pod(number: int, rng: random.Random, *, version: int = 1, now: float | None = None) -> Record:
    """A pod as the server prints it."""
    now = time.time() if now is None else now
    app = APPS[number % len(APPS)]
    name = f"{app}-{number // len(APPS)}"
    status = rng.choice(STATUSES)
    ready = {"Running": "1/1", "Completed": "0/1"}.get(status, "0/1")
    age = 40 + number * 37 % 900_000
    restarts: int = rng.choice((0, 0, 0, 1, 3, 12))
    restarted = f"{restarts} ({human_duration(age / 3)} ago)" if restarts else "0"
    printed = [
        name, ready, status, restarted, human_duration(age),
        f"10.244.{number // 250 % 250}.{number % 250}", f"node-{number % 7}", "<none>", "<none>",
    ]  # fmt: skip
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - age))
    return Record(
        uid=f"00000000-0000-4000-8000-{number:012d}",
        namespace=("shop", "default", "kube-system")[number % 3],
        name=name,
        version=str(version),
        created=created,
        printed=now,
        cells=json.dumps(printed).encode(),
        object=b'{"metadata":{}}',
    )


class FakeStream(Readers):
    """What a widget reads: `_feed`, `_view`, `_words`, and the readers of a real stream."""

    def __init__(self, clusters: Iterable[str] = ("kind-a",), words: str = "pods") -> None:
        self.records: dict[str, dict[str, Record]] = {name: {} for name in clusters}
        self.states: dict[str, ClusterState] = {name: state() for name in self.records}
        self.columns_: list[dict[str, Any]] = COLUMNS
        self.closed = False
        self.version = 0
        self.feeds: list[Feed] = []
        self._text = words
        self._lock = threading.RLock()

    def _words(self) -> str:
        return self._text

    def _view(self) -> StreamView:
        with self._lock:
            records = {name: dict(held) for name, held in self.records.items()}
            return StreamView(self.version, records, self.columns_, dict(self.states), self.closed)

    _ready = _view

    def _feed(self, wake: Callable[[], None], *, initial: bool = True, what: str = "") -> Feed:
        feed = Feed(wake, self.feeds.remove)
        with self._lock:
            if initial:
                feed.push(
                    ("ADDED", name, record, None) for name, held in self.records.items() for record in held.values()
                )
            self.feeds.append(feed)
        feed.nudge()
        return feed

    def put(self, *records: Record, cluster: str = "") -> None:
        """Objects as they are now."""
        self._push(cluster, [(record, False) for record in records])

    def delete(self, *records: Record, cluster: str = "") -> None:
        """Objects that are gone."""
        self._push(cluster, [(record, True) for record in records])

    def _push(self, cluster: str, changes: list[tuple[Record, bool]]) -> None:
        cluster = cluster or next(iter(self.records))
        with self._lock:
            held = self.records[cluster]
            out: list[Any] = []
            for record, gone in changes:
                old = held.pop(record.uid, None)
                if not gone:
                    held[record.uid] = record
                out.append(("DELETED" if gone else "MODIFIED" if old else "ADDED", cluster, record, old))
            self.version += 1
            feeds = list(self.feeds)
            for feed in feeds:
                feed.push(out)
        for feed in feeds:
            feed.nudge()

    def say(self, cluster: str = "", **changed: Any) -> None:
        """A cluster's state changes."""
        cluster = cluster or next(iter(self.records))
        with self._lock:
            self.states[cluster] = state(**changed)
            self.version += 1
            feeds = list(self.feeds)
        for feed in feeds:
            feed.nudge()

    def close(self) -> None:
        """The stream ends."""
        self.closed = True
        self.say(name="closed", reason="closed")


class Storm:
    """A thread that changes a stream's pods.

    Args:
        stream: Whose first cluster is changed.
        rows: Pods in all.
        rate: Changes a second.
    """

    def __init__(self, stream: FakeStream, rows: int, rate: float, seed: int = 0) -> None:
        self.stream, self.rows, self.rate = stream, rows, rate
        self.rng = random.Random(seed)
        self.version = 1
        self.changes = 0
        stream.put(*(pod(number, self.rng) for number in range(rows)))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Storm:
        """Begin to change."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """No more changes."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        tick = 0.01  # the gateway's batches come every 5 to 10 ms
        owed = 0.0
        while not self._stop.wait(tick):
            owed += self.rate * tick
            batch = []
            while owed >= 1:
                owed -= 1
                self.version += 1
                batch.append(pod(self.rng.randrange(self.rows), self.rng, version=self.version))
            if batch:
                self.changes += len(batch)
                self.stream.put(*batch)


KINDS = (
    "pods", "nodes", "deployments", "events", "services", "replicasets", "jobs", "configmaps", "endpointslices",
    "ingresses", "persistentvolumeclaims", "horizontalpodautoscalers", "widgets.example.com",
)  # fmt: skip


class FakeManager:
    """What the status reads of a manager: its counters go up, its socket can be cut."""

    def __init__(self) -> None:
        self._identity = SimpleNamespace(
            demo=None,
            key="fake",
            connection="auto",
            contexts=(
                Context("kind-a", "kind-a", "ref-a", "https://127.0.0.1:6443", "default"),
                Context("prod-eu", "prod-eu", "ref-eu", "https://eu.example", "shop"),
            ),
        )
        self.began = time.time()
        self.socket: dict[str, Any] = {
            "id": "auto", "url": "http://127.0.0.1:8123", "state": "open", "reason": "", "since": self.began,
            "retry_at": None, "attempts": 1, "reconnects": 0, "last_error": "", "sockets": 1, "instance": "3f2a",
            "package": "0.1.0", "subscriptions": 2, "bytes_in": 0, "bytes_out": 2_000, "frames_in": 0, "frames_out": 9,
        }  # fmt: skip
        self.standing: dict[str, dict[str, Any]] = {}
        self.retried = 0
        self.streams = 2
        self.late = -1
        """The number of a stream whose changes come late."""
        self.clusters: dict[str, Cluster] = {
            "kind-a": Cluster("live", "", "v1.37.2", "https://127.0.0.1:6443", "default", True, "kind-a"),
            "prod-eu": Cluster("login", "the token has expired", "", "https://eu.example", "shop", False, "prod-eu"),
        }

    def retry(self) -> None:
        self.retried += 1

    def _core_status(self) -> dict[str, Any]:
        streams = [self._stream(number) for number in range(self.streams)]
        minute = together([stream["minute"] for stream in streams])
        changes = sum(stream["changes"] for stream in streams)
        return {
            **self.socket, "bytes_in": changes * 5000, "frames_in": changes, "streams": streams, "minute": minute,
            "memory": sum(stream["memory"] for stream in streams), "thread": (time.time() - self.began) / 20,
        }  # fmt: skip

    def _stream(self, number: int) -> dict[str, Any]:
        """The first is of pods and busy, the second of nodes; each further one is of another kind, and slower."""
        now = time.time()
        passed = now - self.began
        busy = 40 / (1 + number * number)
        changes = int(busy * (passed + 4 * (1 + math.sin(passed / 4))))
        seconds = range(int(now) - 59, int(now))
        rates = [max(0, round(busy * (1 + math.sin((second + number) / 4)))) for second in seconds]
        lag = 1.7 if number == self.late else 0.012
        words = KINDS[number % len(KINDS)]
        return {
            "id": f"s{number + 1}", "kind": words, "namespaces": ("*",) if number != 1 else (), "selector": "",
            "field_selector": "" if number < len(KINDS) else f"metadata.namespace=team-{number}",
            "states": {"kind-a": "live", "prod-eu": "login"}, "lag": lag, "last_change": now,
            "objects": 1234 // (1 + number) if number != 1 else 3, "changes": changes, "skipped": 7 * (number == 3),
            "relists": 1, "snapshots": 1, "requests": 1 + number % 3, "bytes": changes * 5000, "frames": changes // 4,
            "standing": self.standing, "memory": 9_870_000 // (1 + number), "seconds": passed * busy / 400,
            "holders": 2 - number % 2,
            "held": ["callback-7f-3|on_pod"] if number % 2 else ["view-7f-1|table web", "python-7f-2"],
            "minute": {
                "changes": rates,
                "bytes": [rate * 5000 for rate in rates],
                "lag": [lag * (1 + math.cos(second / 7)) / 2 if rate else 0.0
                        for second, rate in zip(seconds, rates, strict=True)],
            },
        }  # fmt: skip


__all__ = ["COLUMNS", "PODS", "FakeManager", "FakeStream", "Storm", "cells", "pod", "state"]
