"""Port-forward and proxy: the same requests to the playground and to a real API server with its nodes."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import waiting
from tests.controlplane.sides import Json
from tests.testbed.control_plane import ControlPlane
from tests.unit.checks.servers import refused_port
from tests.unit.playground.client import MERGE, Answer, Client

eventually = partial(waiting.eventually, seconds=60, pause=0.2)

KEY = base64.b64encode(os.urandom(16)).decode()
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
SPDY = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
PROTOCOL = "Sec-WebSocket-Protocol"


def pod(name: str, port: int = 80, **spec: Any) -> Json:
    container = {"name": "main", "image": "traefik/whoami", "ports": [{"name": "http", "containerPort": port}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"containers": [container], **spec}}  # fmt: skip


def service(name: str) -> Json:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "other", "port": 81}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": ports}}  # fmt: skip


def create(side: Client, place: str, *objects: Json) -> None:
    for obj in objects:
        made = side.ask("POST", f"{place}/{obj['kind'].lower()}s", obj)
        assert made.status == 201, made.body


def running(side: Client, place: str, name: str) -> None:
    def is_running() -> bool:
        conditions = side.get(f"{place}/pods/{name}").json()["status"].get("conditions", ())
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    eventually(is_running, f"{name} runs")


def said(answer: Answer) -> tuple[Any, ...]:
    """Status, reason and message of a Status; the text of what is none."""
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        return answer.status, answer.body.decode().strip()
    body = answer.json()
    return answer.status, body.get("reason"), body["message"]


def test_what_is_there(side: Client):
    listed = {one["name"]: (one["kind"], sorted(one["verbs"])) for one in side.get("/api/v1").json()["resources"]}
    passed = ["create", "delete", "get", "patch", "update"]
    assert listed["pods/portforward"] == ("PodPortForwardOptions", ["create", "get"])
    assert listed["pods/proxy"] == ("PodProxyOptions", passed)
    assert listed["services/proxy"] == ("ServiceProxyOptions", passed)
    assert listed["nodes/proxy"] == ("NodeProxyOptions", passed)


OFFERS = (
    ("SPDY/3.1+portforward.k8s.io", "SPDY/3.1+portforward.k8s.io"),
    ("x, v4.channel.k8s.io", "v4.channel.k8s.io"),
    ("v4.base64.channel.k8s.io", "v4.base64.channel.k8s.io"),
    ("", ""),
)
"""Sub-protocols, and which of them is chosen."""


def _kubectl(kubeconfig: Path, place: str) -> None:
    """What a stock kubectl says, and how it ends."""
    free = refused_port()
    where = ["--kubeconfig", str(kubeconfig), "-n", place.rpartition("/")[2]]
    command = ["kubectl", *where, "port-forward", "web", f":{free}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        match = re.fullmatch(rf"Forwarding from 127\.0\.0\.1:(\d+) -> {free}\n", process.stdout.readline())
        assert match
        with socket.create_connection(("127.0.0.1", int(match[1]))) as local:
            local.settimeout(60)
            local.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert local.recv(1) == b""
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, f"Handling connection for {match[1]}\n" in out) == (1, True)
    # How kubectl frames the node's words is its own matter, and another one in 1.37.
    assert re.search(rf"error forwarding port {free} to pod [\w-]+, uid : .*connect: connection refused", errors)
    assert errors.endswith("error: lost connection to pod\n")


def test_a_port_forward(side: Client, place: str, request: pytest.FixtureRequest):
    """What is refused, then what is chosen, then what kubectl makes of a port on which nobody listens."""
    create(side, place, pod("web"), pod("nowhere", schedulerName="nobody"))
    running(side, place, "web")
    path = f"{place}/pods/web/portforward"
    assert said(side.get(f"{place}/pods/nope/portforward", headers=UPGRADE)) == (
        404, "NotFound", 'pods "nope" not found',
    )  # fmt: skip
    assert said(side.get(f"{place}/pods/nowhere/portforward", headers=UPGRADE)) == (
        400, "BadRequest", "pod nowhere does not have a host assigned",
    )  # fmt: skip
    for method in ("GET", "POST"):
        assert said(side.ask(method, path)) == (400, "BadRequest", "Upgrade request required")
    assert said(side.ask("PUT", path, {}))[:2] == (405, "MethodNotAllowed")
    assert said(side.get(path, dryRun="All")) == (400, "BadRequest", "dryRun is not supported")
    for ports, why in (("x", "invalid syntax"), ("", "invalid syntax"), ("70000", "value out of range")):
        assert said(side.get(f"{place}/pods/nope/portforward", ports=f"80,{ports}")) == (
            400, "BadRequest", f'cannot convert to []int32: strconv.ParseUint: parsing "{ports}": {why}',
        )  # fmt: skip
    # From here on it is the node that refuses, in plain text.
    assert said(side.get(path, headers=UPGRADE)) == (400, 'query parameter "port" is required')
    assert said(side.get(path, headers=UPGRADE, ports="0")) == (400, 'port "0" must be > 0')
    for protocol in ("portforward.k8s.io", "v5.channel.k8s.io"):
        assert said(side.get(path, headers={**UPGRADE, PROTOCOL: protocol}, ports=80)) == (403, "")
    refused = side.get(path, headers={**UPGRADE, PROTOCOL: "SPDY/3.1+v4.channel.k8s.io"})
    negotiation = "unable to upgrade: unable to negotiate protocol"
    assert said(refused) == (
        403, f"{negotiation}: client supports [v4.channel.k8s.io], server accepts [portforward.k8s.io]",
    )  # fmt: skip
    assert refused.headers["X-Accepted-Stream-Protocol-Versions"] == "portforward.k8s.io"
    refused = side.ask("POST", path, headers={**SPDY, "X-Stream-Protocol-Version": "a"})
    assert said(refused) == (403, f"{negotiation}: client supports [a], server accepts [portforward.k8s.io]")
    assert said(side.ask("POST", path, headers=SPDY)) == (
        400, "unable to upgrade: header X-Stream-Protocol-Version does not exist in request with 7 headers",
    )  # fmt: skip
    for offered, chosen in OFFERS:
        answer = side.get(path, headers={**UPGRADE, **({PROTOCOL: offered} if offered else {})}, ports=80)
        assert (answer.status, answer.headers[PROTOCOL]) == (101, chosen)
    if shutil.which("kubectl") is not None:
        real = request.node.callspec.params["side"] == "real"
        _kubectl(request.getfixturevalue("control_plane" if real else "playground").kubeconfig, place)


def _refusals_of_the_proxy(side: Client, place: str) -> None:
    create(side, place, pod("nowhere", schedulerName="nobody"), service("none"))
    unavailable = 503, "ServiceUnavailable"
    for path, expected in (
        ("pods/nope/proxy/", (404, "NotFound", 'pods "nope" not found')),
        ("pods/a:b:c:d/proxy/", (400, "BadRequest", 'invalid pod request "a:b:c:d"')),
        ("pods/web:1:2/proxy/", (400, "BadRequest", 'invalid pod request "web:1:2"')),
        ("pods/:80/proxy/", (400, "BadRequest", 'invalid pod request ":80"')),
        ("pods/nowhere/proxy", (400, "BadRequest", "address not allowed")),
        ("services/nope/proxy/", (*unavailable, 'no endpoints available for service "nope"')),
        ("services/nope:80/proxy/a", (404, "NotFound", 'services "nope" not found')),
        ("services/none:http/proxy/", (*unavailable, 'no endpoints available for service "none"')),
        ("services/web:82/proxy/", (*unavailable, 'no service port 82 found for service "web"')),
        ("services/web:nope/proxy/", (*unavailable, 'no endpoints available for service "web"')),
        ("services/web/proxy/", (*unavailable, 'no endpoints available for service "web"')),
        ("services/ftp:web:80/proxy/", (400, "BadRequest", 'invalid service request "ftp:web:80"')),
        ("configmaps/web/proxy/", (404, "NotFound", "the server could not find the requested resource")),
    ):
        assert said(side.get(f"{place}/{path}")) == expected, path
    assert said(side.get(f"{place}/pods/web/proxy/", dryRun="All")) == (400, "BadRequest", "dryRun is not supported")
    assert said(side.ask("TRACE", f"{place}/pods/web/proxy/"))[:2] == (405, "MethodNotAllowed")
    assert said(side.get("/api/v1/nodes/nope/proxy/healthz")) == (404, "NotFound", 'nodes "nope" not found')


class WhoAmI(BaseHTTPRequestHandler):
    """What stands in for a pod of the real side: its request as text, and a page and a redirect with links."""

    def do_GET(self) -> None:
        body = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        self.send_response(302 if self.path == "/away" else 200)
        if self.path == "/away":
            self.send_header("Location", "/login?next=%2F")
        page = self.path == "/page"
        content = (PAGE if page else f"{self.command} {self.path} HTTP/1.1\n{body}").encode()
        self.send_header("Content-Type", "text/html" if page else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815  as http.server calls it

    def log_message(self, *_: Any) -> None:
        """Not into the test's output."""


PAGE = (
    '<!DOCTYPE html><!-- <a href="/no"> --><A HREF=/abs?x=1&amp;y=2#f class=k>t &amp; u</A>\n<img src="//other/x">'
    '<img src="/i.png"/><a href="rel">r</a>\n<script src="/s.js">var x="<a href=\'/q\'>"</script>'
    '<form action="/f/"></form><a href="http://other/z">z</a><br>'
)


@contextlib.contextmanager
def reachable(side: Client, place: str, is_real: bool) -> Iterator[tuple[str, int]]:
    """A pod that answers: of the playground its own, of the real one a server of this machine's, not on loopback."""
    if not is_real:
        create(side, place, pod("web"), service("web"))
        running(side, place, "web")
        yield str(side.get(f"{place}/pods/web").json()["status"]["podIP"]), 80
        return
    own = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    address = next((one for one in own if not one.startswith("127.") and ":" not in one), "")
    if not address:
        pytest.skip("this machine has no address but loopback's")
    with ThreadingHTTPServer((address, 0), WhoAmI) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        create(side, place, pod("web", server.server_port), service("web"))
        running(side, place, "web")
        own_address = {"status": {"podIP": address, "podIPs": [{"ip": address}]}}
        assert side.ask("PATCH", f"{place}/pods/web/status", own_address, media=MERGE).status == 200
        eventually(lambda: side.get(f"{place}/services/web:80/proxy/").status == 200, "the endpoints are known")
        yield address, server.server_port
        server.shutdown()
        thread.join()


def test_the_proxy(side: Client, place: str, request: pytest.FixtureRequest):
    is_real = request.node.callspec.params["side"] == "real"
    with reachable(side, place, is_real) as (address, port):
        _refusals_of_the_proxy(side, place)
        for base in (f"{place}/pods/web", f"{place}/services/web:80", f"{place}/services/http:web:http"):
            moved = side.get(f"{base}/proxy", x=1)
            assert (moved.status, moved.headers["Location"]) == (301, f"{base}/proxy/?x=1")
            shown = side.get(f"{base}/proxy//a/../b", headers={"X-Forwarded-For": "9.9.9.9", "Cookie": "a=b"}, x=1)
            lines = set(shown.body.decode().splitlines())
            assert lines >= {
                "GET /b?x=1 HTTP/1.1", "Cookie: a=b", "User-Agent: contract", "Accept: application/json",
                "X-Forwarded-For: 9.9.9.9, 127.0.0.1", f"X-Forwarded-Uri: {base}/proxy/b",
            }, lines  # fmt: skip
            assert not any("authorization" in line.lower() for line in lines)
            assert side.ask("POST", f"{base}/proxy", b"x").body.startswith(b"POST / " if is_real else b"Hostname")
        assert said(side.get(f"{place}/pods/web:9/proxy/")) == (
            503, "ServiceUnavailable",
            f"error trying to reach service: dial tcp {address}:9: connect: connection refused",
        )  # fmt: skip
        assert said(side.get(f"{place}/pods/https:web:{port}/proxy/")) == (
            503, "ServiceUnavailable",
            "error trying to reach service: tls: first record does not look like a TLS handshake",
        )  # fmt: skip


def test_links_of_pages(control_plane: ControlPlane, playground: Any, place_of_real: tuple[Client, str]):
    """A page with all kinds of links comes through both proxies alike."""
    real, place = place_of_real
    with reachable(real, place, is_real=True):
        seen = real.get(f"{place}/pods/web/proxy/page")
        away = real.get(f"{place}/pods/web/proxy/away")
    playground.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"page": PAGE}})
    mounts = [{"name": "page", "mountPath": "/usr/share/nginx/html/index.html", "subPath": "page"}]
    nginx = {"name": "main", "image": "nginx", "volumeMounts": mounts}
    playground.create(pod("web", containers=[nginx], volumes=[{"name": "page", "configMap": {"name": "page"}}]))
    ours = Client(playground.kubeconfig)
    running(ours, "/api/v1/namespaces/default", "web")
    shown = ours.get("/api/v1/namespaces/default/pods/web/proxy/")
    assert shown.body.decode() == seen.body.decode().replace(place, "/api/v1/namespaces/default")
    assert away.headers["Location"] == f"{place}/pods/web/proxy/login?next=%2F", "see test_the_proxy for ours"


@pytest.fixture
def place_of_real(control_plane: ControlPlane, namespace: str) -> tuple[Client, str]:
    return Client(control_plane.kubeconfig), f"/api/v1/namespaces/{namespace}"
