"""A core whose cluster has pods that can be made, patched and deleted: for debug containers and node shells."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from notebook_mux.kernel.failure import Failure
from tests.unit.fake_core import FakeCore, done

Answer = tuple[int, Any]

READY = [{"type": "Ready", "status": "True"}]


class PodsCore(FakeCore):
    """Attributes:
    pods: By path.
    nodes: By name.
    writes: What changed something: method, path, query, content type, body.
    after: Called with a pod before each time that it is read: the kubelet's part.
    refuse: Asked before a change; an answer of its own, a failure, or None to let it pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pods: dict[str, dict[str, Any]] = {}
        self.nodes: dict[str, dict[str, Any]] = {}
        self.writes: list[tuple[str, str, dict[str, str], str, Any]] = []
        self.after: Callable[[dict[str, Any]], None] = run_all
        self.refuse: Callable[[str, str], Answer | Failure | None] = lambda method, path: None
        self.answer = self._read

    def http(self, conn: str, ref: str, method: str, path: str, query: str = "", **more: Any) -> Future[Any]:
        if method == "GET" or "authorization.k8s.io" in path:
            return super().http(conn, ref, method, path, query, **more)
        body = msgspec.json.decode(more["body"]) if more["body"] else None
        self.writes.append((method, path, dict(parse_qsl(query)), more["headers"].get("Content-Type", ""), body))
        assert more["scope"]
        answer = self.refuse(method, path)
        if isinstance(answer, Failure):
            return done(answer)
        status, content = answer or self._changed(method, path, body)
        return done((status, {}, msgspec.json.encode(content)))

    def _changed(self, method: str, path: str, body: Any) -> Answer:
        if method == "POST":
            name = body["metadata"]["name"]
            made = {**copy.deepcopy(body), "status": {"phase": "Pending"}}
            made["metadata"]["uid"] = f"uid-{name}"
            self.pods[f"{path}/{name}"] = made
            return 201, made
        if method == "DELETE":
            return (200, self.pods.pop(path)) if path in self.pods else (404, missing(path))
        pod = self.pods.get(path.removesuffix("/ephemeralcontainers"))
        if pod is None:
            return 404, missing(path)
        pod["spec"].setdefault("ephemeralContainers", []).extend(body["spec"]["ephemeralContainers"])
        return 200, pod

    def _read(self, ref: str, path: str, query: str) -> tuple[int, bytes]:
        encode = msgspec.json.encode
        if path in self.pods:
            self.after(self.pods[path])
            return 200, encode(self.pods[path])
        if path.startswith("/api/v1/nodes"):
            node = self.nodes.get(path.removeprefix("/api/v1/nodes/"))
            return (200, encode(node)) if node else (404, encode(missing(path)))
        if path.endswith("/pods"):
            return 200, encode({"items": [pod for where, pod in self.pods.items() if where.startswith(path)]})
        return 404, encode(missing(path))


def missing(path: str) -> dict[str, Any]:
    """The Status of an object that is not there."""
    name = path.removesuffix("/ephemeralcontainers").rpartition("/")[2]
    return {"kind": "Status", "reason": "NotFound", "message": f'"{name}" not found', "details": {"name": name}}


def run_all(pod: dict[str, Any]) -> None:
    """Start every container that has no status yet."""
    status = pod["status"]
    if status.get("phase") in ("Succeeded", "Failed"):
        return
    status["phase"] = "Running"
    for group, states in (("containers", "containerStatuses"), ("ephemeralContainers", "ephemeralContainerStatuses")):
        known = {one["name"] for one in status.setdefault(states, [])}
        for one in pod["spec"].get(group) or ():
            if one["name"] not in known:
                status[states].append({"name": one["name"], "state": {"running": {"startedAt": "now"}}})


def wait_with(reason: str, message: str = "") -> Callable[[dict[str, Any]], None]:
    """Let new containers wait, with these words."""

    def after(pod: dict[str, Any]) -> None:
        run_all(pod)
        state = {"waiting": {"reason": reason, "message": message}}
        for one in pod["status"]["ephemeralContainerStatuses"] or pod["status"]["containerStatuses"]:
            one["state"] = state
        if not pod["spec"].get("ephemeralContainers"):
            pod["status"]["phase"] = "Pending"

    return after


def pod(name: str = "web-0", *containers: str, **metadata: Any) -> dict[str, Any]:
    """A running pod."""
    names = containers or ("main",)
    running = {"running": {"startedAt": "now"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", **metadata},
        "spec": {"containers": [{"name": one} for one in names]},
        "status": {
            "phase": "Running",
            "conditions": READY,
            "containerStatuses": [{"name": one, "state": running} for one in names],
        },
    }
