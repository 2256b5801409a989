"""Port-forward, proxy and real lines in logs over the wire: a stock kubectl, a WebSocket, plain requests."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from notebook_mux.playground.controllers.nodes import SILENT, is_node_ready
from notebook_mux.playground.controllers.slices import SERVICE as OF, SLICES
from notebook_mux.playground.scenarios import Settings
from tests import waiting
from tests.playground import RunningPlayground
from tests.unit.playground.client import Client

eventually = partial(waiting.eventually, seconds=30)
WAIT_S = 30.0
SERVED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)")
needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")

WHOAMI: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "whoami", "namespace": "default", "labels": {"app": "whoami"}},
    "spec": {
        "containers": [{"name": "main", "image": "traefik/whoami", "ports": [{"name": "http", "containerPort": 80}]}]
    },
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "whoami", "namespace": "default"},
    "spec": {"selector": {"app": "whoami"}, "ports": [{"port": 8000, "targetPort": "http"}]},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    one = RunningPlayground(tmp_path_factory.mktemp("forwards"), "first-look", settings=Settings(still=True))
    one.create(WHOAMI)
    one.create(SERVICE)
    eventually(lambda: _ready(one.get("pods", "whoami")), "the pod is ready")
    eventually(lambda: _served(one), "its service knows it")
    yield one
    one.close()


def _ready(pod: dict[str, Any] | None) -> bool:
    conditions = (pod or {}).get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _served(running: RunningPlayground) -> bool:
    """Whether the pod is an endpoint of its service, which it is a moment after it is ready."""
    slices = [one for one in running.list(SLICES, "default") if one["metadata"]["labels"].get(OF) == "whoami"]
    return any(one["conditions"]["ready"] for each in slices for one in each.get("endpoints") or ())


@pytest.fixture(scope="module")
def client(running: RunningPlayground) -> Client:
    return Client(running.kubeconfig)


class Forward:
    """A ``kubectl port-forward`` that runs."""

    def __init__(self, running: RunningPlayground, *words: str, **env: str):
        command = ["kubectl", "--kubeconfig", str(running.kubeconfig), "port-forward", *words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **env}
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = SERVED.search(line)
        assert match, line + self.process.communicate(timeout=WAIT_S)[0]
        self.port, self.pod_port = int(match[1]), int(match[2])

    def get(self, *paths: str) -> list[bytes]:
        """Pages, all on one connection."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)) as connection:
            found = []
            for path in paths:
                connection.request("GET", path)
                found.append(connection.getresponse().read())
            return found

    def end(self) -> str:
        """End it; what it has written."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.communicate(timeout=WAIT_S)[0]


@pytest.fixture
def forward(running: RunningPlayground) -> Iterator[Callable[..., Forward]]:
    started: list[Forward] = []

    def start(*words: str, **env: str) -> Forward:
        started.append(Forward(running, *words, **env))
        return started[-1]

    yield start
    for one in started:
        one.end()


@needs_kubectl
@pytest.mark.parametrize("env", [{}, {"KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}], ids=["websocket", "spdy"])
def test_kubectl(running: RunningPlayground, forward: Callable[..., Forward], env: dict[str, str]):
    one = forward("svc/web", ":80", **env)
    assert one.pod_port == 8080, "the service's targetPort"
    assert b"<title>Welcome to nginx!</title>" in one.get("/")[0]
    first, second, missing = one.get("/index.html", "/", "/nope")
    assert first == second
    assert b"404 Not Found" in missing
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: one.get("/", "/")[1], range(24))) == {first}
    assert running.call(lambda: running.playground.open_forwards) == 1
    assert one.process.poll() is None
    one.end()
    eventually(lambda: running.call(lambda: running.playground.open_forwards) == 0, "it is forgotten")


@needs_kubectl
def test_kubectl_by_other_names(forward: Callable[..., Forward]):
    for words, says in (
        (("deploy/api", ":8080"), b'"path": "/query"'),
        (("pod/whoami", ":http"), b"Hostname: whoami\n"),
        (("service/whoami", ":8000"), b"RemoteAddr: 127.0.0.1:"),
        (("sts/prometheus", ":9090", "-n", "monitoring"), b"Prometheus"),
    ):
        assert says in forward(*words).get("/query")[0], words


@needs_kubectl
def test_nobody_listens(forward: Callable[..., Forward]):
    one = forward("whoami", ":81")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        one.get("/")
    said = one.process.communicate(timeout=WAIT_S)[0]
    assert re.search(r"error forwarding port 81 to pod \w+, uid : failed to execute portf.* connection refused", said)
    assert "error: lost connection to pod" in said
    assert one.process.returncode == 1


@needs_kubectl
def test_a_pod_that_goes(running: RunningPlayground, forward: Callable[..., Forward]):
    pod = {**WHOAMI, "metadata": {"name": "brief", "namespace": "default"}}
    running.create(pod)
    eventually(lambda: _ready(running.get("pods", "brief")), "the pod is ready")
    one = forward("brief", ":80")
    assert b"Hostname: brief\n" in one.get("/")[0]
    running.delete("pods", "brief")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        one.get("/")
    assert "failed to find sandbox" in one.process.communicate(timeout=WAIT_S)[0]


@needs_kubectl
def test_what_was_asked_is_followed_in_the_log(running: RunningPlayground, forward: Callable[..., Forward]):
    pod = next(one["metadata"]["name"] for one in running.list("pods", "default")
               if one["metadata"]["labels"].get("app") == "web")  # fmt: skip
    logs = Client(running.kubeconfig)
    found = threading.Event()

    def follow() -> None:
        with logs.opened(f"/api/v1/namespaces/default/pods/{pod}/log", follow="true", tailLines="0") as answer:
            opened.set()
            while line := answer.readline():
                if b"GET /?seen-by-a-follower HTTP/1.1" in line:
                    found.set()
                    return

    opened = threading.Event()
    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    assert opened.wait(WAIT_S)
    forward(f"pod/{pod}", ":8080").get("/?seen-by-a-follower")
    assert found.wait(WAIT_S)
    reader.join(WAIT_S)
    read = logs.get(f"/api/v1/namespaces/default/pods/{pod}/log", tailLines="200").body
    assert read.count(b"GET /?seen-by-a-follower HTTP/1.1") == 1


# ------------------------------------------------------------------------------------------ over WebSockets


def channels(running: RunningPlayground, protocol: str, query: str, pod: str = "whoami") -> connect:
    """A port-forward's WebSocket; not of `websockets.sync`, whose threads read and write one TLS connection at once."""
    context = ssl.create_default_context(cafile=str(running.ca))
    url = f"{running.url.replace('https', 'wss')}/api/v1/namespaces/default/pods/{pod}/portforward?{query}"
    headers = {"Authorization": f"Bearer {running.token}"}
    return connect(url, ssl=context, subprotocols=[Subprotocol(protocol)], additional_headers=headers)


async def test_channels_of_two_ports(running: RunningPlayground):
    async with asyncio.timeout(WAIT_S), channels(running, "v4.channel.k8s.io", "ports=80&ports=81") as socket:
        assert [await socket.recv() for _ in range(4)] == [b"\0\x50\0", b"\1\x50\0", b"\2\x51\0", b"\3\x51\0"]
        assert b"connection refused" in await socket.recv(decode=False)
        await socket.send(b"\0GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"Hostname: whoami" in await socket.recv(decode=False)
        with pytest.raises(ConnectionClosed) as ended:
            await socket.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1000


async def test_channels_as_text(running: RunningPlayground):
    async with asyncio.timeout(WAIT_S), channels(running, "v4.base64.channel.k8s.io", "ports=80") as socket:
        assert [await socket.recv() for _ in range(2)] == ["0UAA=", "1UAA="]
        await socket.send("0R0VUIC8gSFRUUC8xLjENCkhvc3Q6IGENCg0K")
        assert (await socket.recv(decode=True)).startswith("0SFRUUC8xLjEgMjAwIE9L")


# ----------------------------------------------------------------------------------------------- the proxy


def test_the_proxy(client: Client):
    base = "/api/v1/namespaces/default"
    shown = client.get(f"{base}/services/whoami:8000/proxy//a/../b", headers={"X-Forwarded-For": "9.9.9.9"}, x="1")
    prefix = f"{base}/services/whoami:8000/proxy"
    lines = shown.body.decode().splitlines()
    assert (shown.status, lines[0], lines[5]) == (200, "Hostname: whoami", "GET /b?x=1 HTTP/1.1")
    assert {"X-Forwarded-For: 9.9.9.9, 127.0.0.1", f"X-Forwarded-Uri: {prefix}/b", "User-Agent: contract"} < set(lines)
    assert not any("Authorization" in line or "Bearer" in line for line in lines)
    assert client.ask("POST", f"{base}/pods/whoami/proxy/", b"x").body.decode().splitlines()[5] == "POST / HTTP/1.1"
    assert client.ask("HEAD", f"{base}/pods/whoami:80/proxy/").headers["Content-Length"] != "0"
    moved = client.get("/api/v1/namespaces/monitoring/services/grafana/proxy/")
    assert moved.status == 503, "its port has a name"
    moved = client.get("/api/v1/namespaces/monitoring/services/grafana:http/proxy/")
    prefix = "/api/v1/namespaces/monitoring/services/grafana:http/proxy"
    assert (moved.status, moved.headers["Location"]) == (302, f"{prefix}/login")


def test_a_node_s_proxy(client: Client):
    assert client.get("/api/v1/nodes/demo-node-1/proxy/healthz").body == b"ok"
    pods = client.get("/api/v1/nodes/demo-node-1:10250/proxy/pods").json()
    assert pods["kind"] == "PodList"
    assert {one["spec"]["nodeName"] for one in pods["items"]} == {"demo-node-1"}
    assert len(client.get("/api/v1/nodes/demo-node-1/proxy/runningpods/").json()["items"]) > 0
    nothing = client.get("/api/v1/nodes/demo-node-1/proxy/nope")
    assert (nothing.status, nothing.body) == (404, b"404 page not found\n")
    refused = client.get("/api/v1/nodes/demo-node-1:81/proxy/")
    assert refused.json()["message"].endswith(":81: connect: connection refused")


def test_a_silent_node(running: RunningPlayground, client: Client):
    node = running.get("pods", "whoami")["spec"]["nodeName"]  # type: ignore[index]

    def say(silent: str | None) -> None:
        running.patch("nodes", node, {"metadata": {"annotations": {SILENT: silent}}})
        eventually(lambda: is_node_ready(running.get("nodes", node) or {}) == (silent is None), "it has fallen silent")
        if silent is None:
            eventually(lambda: _served(running), "the service has its pod again")

    say("true")
    try:
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        answer = client.get("/api/v1/namespaces/default/pods/whoami/portforward", headers=upgrade)
        assert (answer.status, "reason" in answer.json()) == (500, False)
        assert re.fullmatch(r"error dialing backend: dial tcp [\d.]+:10250: connect: .*", answer.json()["message"])
        assert client.get(f"/api/v1/nodes/{node}/proxy/healthz").status == 503
    finally:
        say(None)


def test_who_may(running: RunningPlayground, client: Client):
    running.forbid(verb="create", resource="pods/portforward")
    running.forbid(verb="get", resource="services/proxy")
    try:
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        answer = client.get("/api/v1/namespaces/default/pods/whoami/portforward", headers=upgrade)
        assert answer.status == 403
        assert 'cannot create resource "pods/portforward" in API group ""' in answer.json()["message"]
        answer = client.get("/api/v1/namespaces/default/services/whoami:8000/proxy/")
        assert answer.status == 403
        assert 'services "whoami:8000" is forbidden' in answer.json()["message"]
        assert client.ask("POST", "/api/v1/namespaces/default/services/whoami:8000/proxy/").status == 200
    finally:
        running.call(running.playground.allow)


async def test_a_server_that_stops_ends_forwards(tmp_path: Path):
    one = RunningPlayground(tmp_path, "first-look", settings=Settings(still=True))
    try:
        pod = next(found["metadata"]["name"] for found in one.list("pods", "default")
                   if found["metadata"]["labels"].get("app") == "api")  # fmt: skip
        async with asyncio.timeout(WAIT_S), channels(one, "v4.channel.k8s.io", "ports=8080", pod) as socket:
            assert len([await socket.recv() for _ in range(2)]) == 2
            one.stop()
            with pytest.raises(ConnectionClosed):
                await socket.recv()
    finally:
        one.close()
