"""Ports of pods of a real API server, whose kubelet forwards to this machine: every byte, many at once, every end."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib
import os
import random
import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux import aio
from notebook_mux.kernel import holder
from notebook_mux.life import runtime
from notebook_mux.life.name import ServiceName
from tests import waiting
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create, user
from tests.testbed.control_plane import ControlPlane
from tests.unit.checks.servers import refused_port
from tests.unit.forwards.pods import quietly

WAIT_SECONDS = 40.0
MEGABYTES = 20 * 1024 * 1024
AT_ONCE = 50

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)


class Pages(BaseHTTPRequestHandler):
    """What runs "in the pod": it says its host, sends so many bytes, or the hash of what it gets."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        word, _, size = self.path[1:].partition("/")
        content = random.Random(1).randbytes(int(size)) if word == "bytes" else f"hello {self.path}\n".encode()
        self.answer(content)

    def do_POST(self) -> None:
        self.answer(hashlib.sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest().encode())

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Not into the test's output."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that goes is no error."""


@pytest.fixture(scope="module")
def served() -> Iterator[int]:
    """The port of an HTTP server."""
    with Server(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def web(control_plane: ControlPlane, namespace: str, served: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running pod behind a service, and a manager that may write."""
    quietly(monkeypatch)
    ports = [{"name": "http", "containerPort": served}]
    create(control_plane, pod("web-0", namespace, containers=[{"name": "main", "image": "x", "ports": ports}]))
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "selector": {"app": "web-0"},
            "ports": [
                {"name": "www", "port": 80, "targetPort": "http"},
                {"name": "plain", "port": 81, "targetPort": served},
                {"name": "dns", "port": 53, "protocol": "UDP"},
            ],
        },
    }
    create(control_plane, service)
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    nm.connect(kubeconfig=control_plane.kubeconfig, write=True, namespace=namespace)
    yield "web-0"
    nm.close()


def get(forward: nm.Forward, path: str = "/x") -> bytes:
    with urllib.request.urlopen(f"{forward.url}{path}", timeout=WAIT_SECONDS) as answer:
        found: bytes = answer.read()
    return found


def is_open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_a_page(web: str, served: int) -> None:
    with nm.port_forward("svc/web", 80) as forward:
        assert forward.url == f"http://127.0.0.1:{forward.port}"
        assert (forward.host, forward.pod, forward.pod_port, forward.state) == ("127.0.0.1", web, served, "listening")
        assert get(forward) == b"hello /x\n"
        eventually(lambda: forward.total == 1 and forward.connections == 0, "it is counted")
        assert forward.bytes.sent > 0
        assert forward.bytes.received > len(b"hello /x\n")
        assert (forward.errors, forward.error) == (0, "")
        port = forward.port
    assert forward.closed
    eventually(lambda: not is_open(port), "the port is closed")


def test_the_same_again(web: str, served: int) -> None:
    forward = nm.port_forward("svc/web", 80)
    assert nm.port_forward("service/web", "80") is forward
    assert nm.port_forward("svc/web", 81) is not forward
    forward.close()
    forward.close()
    again = nm.port_forward("svc/web", 80)
    assert again is not forward
    assert get(again) == b"hello /x\n"
    for target, port in ((web, served), (web, "http"), ("svc/web", "www"), ("svc/web", "plain")):
        assert nm.port_forward(target, port).pod_port == served


async def test_awaited(web: str) -> None:
    async with await aio.port_forward("svc/web", 80) as forward:
        assert forward.state == "listening"
    assert forward.state == "closed"


def test_twenty_megabytes_both_ways(web: str) -> None:
    content = random.Random(1).randbytes(MEGABYTES)
    forward = nm.port_forward("svc/web", 80)
    assert hashlib.sha256(get(forward, f"/bytes/{MEGABYTES}")).digest() == hashlib.sha256(content).digest()
    request = urllib.request.Request(f"{forward.url}/", data=content)
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
        assert answer.read().decode() == hashlib.sha256(content).hexdigest()
    eventually(lambda: min(forward.bytes) > MEGABYTES, "they are counted")


def test_many_at_once(web: str) -> None:
    forward = nm.port_forward("svc/web", 80)
    open_ = [http.client.HTTPConnection(forward.host, forward.port, timeout=WAIT_SECONDS) for _ in range(AT_ONCE)]

    def ask(numbered: tuple[int, http.client.HTTPConnection]) -> bytes:
        number, connection = numbered
        connection.request("GET", f"/{number}")
        return connection.getresponse().read()

    with contextlib.ExitStack() as closing, ThreadPoolExecutor(AT_ONCE) as threads:
        for one in open_:
            closing.callback(one.close)
        answers = list(threads.map(ask, enumerate(open_)))
        assert answers == [f"hello /{number}\n".encode() for number in range(AT_ONCE)]
        eventually(
            lambda: forward.connections == AT_ONCE,
            lambda: f"all are open at once: {forward.connections} of {forward.total}, {forward.errors} failed",
        )
        assert list(threads.map(ask, enumerate(open_))) == answers
    assert forward.total == AT_ONCE
    assert forward.error == ""


def test_nobody_listens(web: str) -> None:
    port = refused_port()
    forward = nm.port_forward(web, port)
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        get(forward)
    eventually(lambda: forward.errors == 1, "it is told")
    assert f"error forwarding port {port} to pod" in forward.error
    assert "connection refused" in forward.error
    assert forward.state == "listening"


def test_the_pod_goes(web: str, control_plane: ControlPlane, namespace: str, served: int) -> None:
    control_plane.kubectl("create", "deployment", "api", "-n", namespace, "--image=x")
    control_plane.kubectl("rollout", "status", "deployment/api", "-n", namespace, "--timeout=60s")
    moving, fixed = nm.port_forward("deploy/api", served), nm.port_forward(web, served)
    port, first = moving.port, moving.pod
    assert get(moving) == get(fixed) == b"hello /x\n"
    control_plane.kubectl("delete", "pod", first, web, "-n", namespace, "--now")
    eventually(lambda: not {first, web} & {row["Name"] for row in nm.get("pods").rows}, "the pods are gone")
    control_plane.kubectl("rollout", "status", "deployment/api", "-n", namespace, "--timeout=60s")
    assert get(moving) == b"hello /x\n"  # it waits for the other pod
    eventually(lambda: moving.state == "listening", "it goes on")
    assert moving.port == port
    assert moving.pod.startswith("api-")
    assert moving.pod != first
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        get(fixed)
    eventually(lambda: fixed.state == "lost", "it is told")
    assert f'pods "{web}" not found' in fixed.reason
    create(control_plane, pod(web, namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", f"pod/{web}", "-n", namespace, "--timeout=60s")
    assert get(fixed) == b"hello /x\n"
    eventually(lambda: fixed.state == "listening", "the pod of that name is back")


def test_a_cut_of_the_socket(web: str) -> None:
    forward = nm.port_forward("svc/web", 80)
    port = forward.port
    connection = http.client.HTTPConnection(forward.host, port, timeout=WAIT_SECONDS)
    connection.request("GET", "/before")
    assert connection.getresponse().read() == b"hello /before\n"
    core = holder.core()
    before = core.status("auto")["reconnects"]
    core.cut("auto")
    eventually(lambda: core.status("auto")["reconnects"] > before, "it was cut, and is back")
    connection.request("GET", "/after")  # what goes through it does not notice
    assert connection.getresponse().read() == b"hello /after\n"
    connection.close()
    eventually(lambda: forward.state == "listening", "it is joined again")
    assert forward.port == port
    assert nm.port_forward("svc/web", 80) is forward
    assert get(forward) == b"hello /x\n"


def test_a_gateway_that_is_lost(web: str) -> None:
    forward = nm.port_forward("svc/web", 80)
    port, before = forward.port, holder.core().status("auto")["instance"]
    gateway = runtime.read(ServiceName("gateway").runtime_file())
    assert gateway is not None
    os.kill(gateway.pid, signal.SIGKILL)
    eventually(lambda: holder.core().status("auto")["instance"] not in ("", before), "another gateway is there")
    eventually(lambda: forward.state == "listening", "it listens again")
    assert forward.port == port
    assert get(forward) == b"hello /x\n"


def test_reloaded_modules_find_it(web: str) -> None:
    first = nm.port_forward("svc/web", 80)
    port = first.port
    kept = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "notebook_mux"}
    for name in kept:
        del sys.modules[name]
    try:
        anew = importlib.import_module("notebook_mux")
        forward = anew.port_forward("svc/web", 80)
        assert type(forward) is not type(first)
        assert forward.port == port
        anew.close()
        eventually(lambda: not is_open(port), "the port is closed")
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "notebook_mux"]:
            del sys.modules[name]
        sys.modules.update(kept)


def test_what_there_is_not(web: str, namespace: str) -> None:
    with pytest.raises(nm.InvalidArgument, match=f"service {namespace}/web has no port 8080") as caught:
        nm.port_forward("svc/web", 8080)
    assert caught.value.todo == "one of: 80 (www), 81 (plain), 53 (dns)"
    with pytest.raises(nm.InvalidArgument, match="only TCP"):
        nm.port_forward("svc/web", "dns")
    with pytest.raises(nm.InvalidArgument, match="names no TCP port 'nope'"):
        nm.port_forward(web, "nope")
    with pytest.raises(nm.NotFound, match="web-1"):
        nm.port_forward("web-1", 80)
    for port in (0, 65536, -1, "", True, None, 1.5):
        with pytest.raises(nm.InvalidArgument, match="is no port"):
            nm.port_forward(web, port)  # type: ignore[arg-type]


def test_looking_is_the_default(web: str, control_plane: ControlPlane, namespace: str) -> None:
    forward = nm.port_forward("svc/web", 80)
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    with pytest.raises(nm.WriteRefused, match="forwarding a port may change something") as caught:
        nm.port_forward("svc/web", 80)
    assert caught.value.todo == "connect with nm.connect(..., write=True)"
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        get(forward)  # one that is there forwards nothing more
    eventually(lambda: "may only look" in forward.error, "it is told")


def test_the_missing_right_is_named(web: str, control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    rights = "get,list pods"
    for name, rules, verb in (
        ("looker", [rights], "get"),
        ("half", [rights, "get pods/portforward"], "create"),
    ):
        nm.connect(kubeconfig=user(control_plane, tmp_path / name, name, namespace, *rules), write=True)
        with pytest.raises(nm.Forbidden, match=f"you may not {verb} pods/portforward in namespace") as caught:
            nm.port_forward(web, "http", namespace=namespace)
        assert "--verb=get,create --resource=pods/portforward" in (caught.value.todo or "")
        nm.close()
    path = user(control_plane, tmp_path / "both", "both", namespace, rights, "get,create pods/portforward")
    nm.connect(kubeconfig=path, write=True)
    assert get(nm.port_forward(web, "http", namespace=namespace)) == b"hello /x\n"
    nm.close()
