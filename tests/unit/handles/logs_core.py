"""A core with logs that tests write: what the handles of logs are tested against."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec

from notebook_mux.kernel.failure import Failure
from tests.unit.fake_core import PODS, FakeCore

encode = msgspec.json.encode

SERVICES = PODS | {"name": "services", "singular": "service", "kind": "Service", "short_names": ["svc"]}
CRONJOBS = PODS | {
    "name": "cronjobs",
    "singular": "cronjob",
    "kind": "CronJob",
    "group": "batch",
    "short_names": ["cj"],
}

NANOSECONDS = 1_000_000_000
BEGAN = 1_700_000_000 * NANOSECONDS
"""The time of the first line."""

MARK, CUT = 1 << 4, 1 << 6


def pod(name: str, namespace: str = "default", *containers: str, **more: Any) -> dict[str, Any]:
    names = containers or ("main",)
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}"},
        "spec": {"containers": [{"name": one} for one in names], **more},
        "status": {"phase": "Running"},
    }


class FakeLogs:
    """The logs of one question."""

    def __init__(self, id_: str, spec: tuple[Any, ...]) -> None:
        self.id = id_
        self.spec = spec
        self.rows: list[tuple[int, int, int, bytes]] = []
        self.sources: list[dict[str, Any]] = []
        self.oldest = 0
        self.holders: set[str] = set()
        self.wakes: list[Callable[[], None]] = []
        self.settled: Future[None] = Future()
        self.problem: dict[str, Any] | None = None
        self.pods = 0
        self.left_out: list[str] = []
        self.version = 0

    def source(self, pod: str = "web-0", container: str = "main", **more: Any) -> int:
        """A container joins; gives its index."""
        self.sources.append(
            {
                "cluster": self.spec[1][0][0],
                "namespace": "default",
                "pod": pod,
                "container": container,
                "kind": "container",
                "uid": pod,
                "restart": 0,
                "state": "live",
                "reason": "",
                "said": None,
                "todo": None,
                "since": 1_700_000_000.0,
                "retry_at": None,
                "lines": 0,
                "color": len(self.sources),
                **more,
            }
        )
        self.pods = len({one["pod"] for one in self.sources})
        self.moved()
        return len(self.sources) - 1

    def write(self, *texts: str | bytes, source: int = 0, at: float = 0.0, level: int = 0, flags: int = 0) -> None:
        """Lines come; `at` is seconds after `BEGAN`."""
        for text in texts:
            data = text.encode() if isinstance(text, str) else text
            self.rows.append((BEGAN + round(at * NANOSECONDS), source, level | flags, data))
            self.sources[source]["lines"] += 1
        self.moved()

    def mark(self, kind: str, words: str, *, source: int = 0, at: float = 0.0) -> None:
        self.write(json.dumps({"mark": kind, "text": words}), source=source, at=at, flags=MARK)

    def drop(self, number: int) -> None:
        """The oldest lines go."""
        self.oldest += number
        self.moved()

    def settle(self) -> None:
        if not self.settled.done():
            self.settled.set_result(None)
        self.moved()

    def moved(self) -> None:
        self.version += 1
        for wake in list(self.wakes):
            wake()

    def state(self) -> dict[str, Any]:
        kept = self.rows[self.oldest :]
        return {
            "version": self.version,
            "sources": [dict(one) for one in self.sources],
            "pods": self.pods,
            "left_out": list(self.left_out),
            "end": 1 + len(self.rows),
            "oldest": 1 + self.oldest,
            "lines": len(kept),
            "bytes": sum(len(row[3]) for row in kept),
            "dropped": self.oldest,
            "max_lines": 200_000,
            "max_bytes": 64 << 20,
            "settled": self.settled.done(),
            "closed": False,
            "problem": self.problem,
            "note": "",
        }

    def read(self, after: int, most: int) -> dict[str, Any]:
        first = min(max(after, self.oldest), len(self.rows))  # numbers begin at 1, as the core's
        rows = self.rows[first : first + most]
        ends, text = [], b""
        for row in rows:
            text += row[3]
            ends.append(len(text))
        times, sources, flags = [[row[at] for row in rows] for at in range(3)]
        return {
            "first": 1 + first,
            "end": 1 + first + len(rows),
            "oldest": 1 + self.oldest,
            "times": struct.pack(f"<{len(rows)}q", *times),
            "sources": struct.pack(f"<{len(rows)}I", *sources),
            "flags": struct.pack(f"<{len(rows)}H", *flags),
            "ends": struct.pack(f"<{len(rows)}I", *ends),
            "text": text,
        }


class LogsCore(FakeCore):
    """Attributes:
    logs: By id, those that are open.
    prepared: Called with each that is opened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memo: dict[str, Any] = {}
        self.served += [SERVICES, CRONJOBS]
        self.pods = [pod("web-0"), pod("web-1", "default", "main", "side", initContainers=[{"name": "setup"}])]
        self.owners: dict[str, dict[str, Any]] = {
            "deployments/web": {"selector": {"matchLabels": {"app": "web"}}},
            "services/web": {"selector": {"app": "web"}},
            "services/far": {"externalName": "example.com"},
            "cronjobs/tidy": {"schedule": "* * * * *"},
        }
        self.answer = self._answer
        self.logs: dict[str, FakeLogs] = {}
        self.prepared: Callable[[FakeLogs], None] = first_lines

    def _answer(self, ref: str, path: str, query: str) -> tuple[int, bytes]:
        kind, name = path.split("/")[-2:]
        if name == "pods":
            rows = [{"cells": [], "object": one} for one in self.pods]
            return 200, encode({"kind": "Table", "metadata": {}, "columnDefinitions": [], "rows": rows})
        if f"{kind}/{name}" in self.owners:
            served = next(one for one in self.served if one["name"] == kind)
            metadata = {"name": name, "namespace": "default"}
            return 200, encode({"kind": served["kind"], "metadata": metadata, "spec": self.owners[f"{kind}/{name}"]})
        found = [one for one in self.pods if kind == "pods" and one["metadata"]["name"] == name]
        return (200, encode(found[0])) if found else (404, b"{}")

    # --- the core's words -------------------------------------------------------------------------------------------

    def open_logs(self, spec: tuple[Any, ...]) -> str:
        if spec[0] not in self.open:
            raise Failure("closed", f"there is no connection to {spec[0]!r}")
        for one in self.logs.values():
            if one.spec == tuple(spec):
                return one.id
        made = FakeLogs(f"logs-{next(self._ids)}", tuple(spec))
        self.logs[made.id] = made
        self.calls.append(("open_logs", tuple(spec)))
        self.prepared(made)
        return made.id

    def _logs(self, id_: str) -> FakeLogs:
        if id_ not in self.logs:
            raise Failure("closed", "the logs were closed")
        return self.logs[id_]

    def logs_settled(self, id_: str) -> Future[None]:
        return self._logs(id_).settled

    def logs_state(self, id_: str) -> dict[str, Any]:
        return self._logs(id_).state()

    def logs_read(self, id_: str, after: int, most: int = 5000) -> dict[str, Any]:
        return self._logs(id_).read(after, most)

    def logs_feed(self, id_: str, wake: Callable[[], None]) -> Callable[[], None]:
        wakes = self._logs(id_).wakes
        wakes.append(wake)

        def undo() -> None:
            if wake in wakes:
                wakes.remove(wake)

        return undo

    def hold_logs(self, id_: str, name: str) -> None:
        self._logs(id_).holders.add(name)

    def release_logs(self, id_: str, name: str) -> None:
        if id_ in self.logs:
            self.logs[id_].holders.discard(name)

    def logs_alive(self, id_: str) -> bool:
        return id_ in self.logs

    def close_logs(self, id_: str) -> None:
        self.logs.pop(id_, None)

    def linger_logs(self) -> None:
        """The time has passed after which logs without a holder end."""
        for one in list(self.logs.values()):
            if not one.holders:
                self.close_logs(one.id)

    def close(self, conn: str) -> Future[None]:
        for one in list(self.logs.values()):
            if one.spec[0] == conn:
                self.close_logs(one.id)
        return super().close(conn)

    @property
    def one(self) -> FakeLogs:
        """The logs there are."""
        (only,) = self.logs.values()
        return only


def first_lines(logs: FakeLogs) -> None:
    """One pod with two lines, settled."""
    logs.source()
    logs.write("one", "two", at=1.0)
    logs.settle()


def now() -> float:
    return time.time()
