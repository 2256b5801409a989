"""The small servers of tutorials: they say who they are, or show the request that reached them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from notebook_mux.playground.stories.program import spaced
from notebook_mux.playground.web.messages import Request, Response, html, log_date, text
from notebook_mux.playground.web.site import Site
from notebook_mux.playground.web.static import NOTE, page

NOT_FOUND = "404 page not found\n"
"""What Go's servers say."""


def as_json(value: Any, status: int = 200) -> Response:
    """JSON, one field a line."""
    return Response(status, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n", "application/json")


def shown(request: Request) -> dict[str, str]:
    """A request's fields by their usual names."""
    return {name.title(): value for name, value in request.headers}


class HelloApp(Site):
    """``google-samples/hello-app``."""

    ports = (8080,)

    def respond(self, request: Request, port: int) -> Response:
        """Who answers; any path."""
        version = self.place.version("1.0.0")
        return text(f"Hello, world!\nVersion: {version}\nHostname: {self.place.name}\n")

    def access(self, request: Request, response: Response, at: float) -> str:
        """The path."""
        return f"{spaced(at, '%Y/%m/%d %H:%M:%S')} Serving request: {request.path}"


class Bootcamp(Site):
    """``google-samples/kubernetes-bootcamp``."""

    ports = (8080,)

    def respond(self, request: Request, port: int) -> Response:
        """Who answers, and in which version."""
        version = self.place.tag.lstrip("v").partition(".")[0]
        number = version if version.isdigit() else "1"
        return text(f"Hello Kubernetes bootcamp! | Running on: {self.place.name} | v={number}\n")

    def access(self, request: Request, response: Response, at: float) -> str:
        """Who was asked, and when."""
        when = spaced(at, "%a %b %d %Y %H:%M:%S")
        return f"Running On:  {self.place.name} | Log Time: {when} GMT+0000 (Coordinated Universal Time)"


class HttpEcho(Site):
    """``hashicorp/http-echo``: always the same text, the one it was given."""

    ports = (5678,)

    def listens(self) -> set[int]:
        """The port of ``-listen``."""
        told = (self.place.option("-listen", "--listen") or ":5678").rpartition(":")[2]
        return {int(told)} if told.isascii() and told.isdigit() else set(self.ports)

    def respond(self, request: Request, port: int) -> Response:
        """The text; any path."""
        said = self.place.option("-text", "--text") or self.place.env.get("ECHO_TEXT", "")
        for name, value in self.place.env.items():
            said = said.replace(f"$({name})", value)
        code = self.place.option("-status-code", "--status-code") or ""
        status = int(code) if code.isascii() and code.isdigit() and 200 <= int(code) < 600 else 200
        named = (("X-App-Name", "http-echo"), ("X-App-Version", self.place.version("1.0.0")))
        if request.path == "/health":
            return Response(200, b'{"status":"ok"}\n', "application/json", named)
        return text(f"{said}\n", status, *named)

    def access(self, request: Request, response: Response, at: float) -> str:
        """Its lines, with the time that it took."""
        if request.path == "/health":
            return ""
        size, agent = len(response.body), request.header("User-Agent")
        return (f"{spaced(at, '%Y/%m/%d %H:%M:%S')} {request.header('Host')} {request.client}:{request.port} "
                f'"{request.first_line}" {response.status} {size} "{agent}" 21.3µs')  # fmt: skip


class EchoServer(Site):
    """``registry.k8s.io/echoserver``: what it was asked, in plain text."""

    ports = (8080,)
    server = "echoserver"

    def respond(self, request: Request, port: int) -> Response:
        """Pod, request, fields, body."""
        host = request.header("Host") or self.place.address
        known: Mapping[str, str] = self.place.env
        pod = [f"\t{word}:\t{known[name]}" for word, name in POD if name in known]
        fields = sorted(f"\t{name.lower()}={value}" for name, value in request.headers)
        sections = (
            f"Hostname: {self.place.name}",
            "\n".join(["Pod Information:", *(pod or ["\t-no pod information available-"])]),
            "Server values:\n\tserver_version=notebook_mux playground",
            "\n".join([
                "Request Information:", f"\tclient_address={request.client}", f"\tmethod={request.method}",
                f"\treal path={request.target}", f"\tquery={request.query_text}",
                f"\trequest_version={request.version.removeprefix('HTTP/')}", "\trequest_scheme=http",
                f"\trequest_uri=http://{host}{request.target}",
            ]),
            "\n".join(["Request Headers:", *fields]),
            "\n".join(["Request Body:", request.body.decode(errors="replace") or "\t-no body in request-"]),
        )  # fmt: skip
        return Response(200, ("\n\n" + "\n\n".join(sections) + "\n\n").encode(), "text/plain")

    def access(self, request: Request, response: Response, at: float) -> str:
        """The common format of its nginx."""
        agent = request.header("User-Agent", "-")
        return (f"{request.client} - - [{log_date(at)}] \"{request.first_line}\" {response.status} "
                f'{len(response.body)} "-" "{agent}"')  # fmt: skip


POD = (("node name", "NODE_NAME"), ("pod name", "POD_NAME"), ("pod namespace", "POD_NAMESPACE"), ("pod IP", "POD_IP"))
"""What the echo server shows, by the variables it takes them from."""


class WhoAmI(Site):
    """``traefik/whoami``."""

    def listens(self) -> set[int]:
        """The port it is told."""
        told = self.place.option("-port", "--port") or self.place.env.get("WHOAMI_PORT_NUMBER", "")
        return {int(told)} if told.isascii() and told.isdigit() else super().listens()

    def respond(self, request: Request, port: int) -> Response:
        """Host, addresses, request."""
        if request.path == "/health":
            return Response(200, b"", "")
        if request.path == "/api":
            return as_json({"hostname": self.place.name, "ip": ["127.0.0.1", "::1", self.place.address],
                            "headers": {name: [value] for name, value in shown(request).items()},
                            "url": request.target, "host": request.header("Host"), "method": request.method,
                            "remoteAddr": f"{request.client}:{request.port}"})  # fmt: skip
        fields = shown(request)
        host = fields.pop("Host", "")
        name = self.place.option("-name", "--name") or self.place.env.get("WHOAMI_NAME", "")
        lines = [f"Name: {name}"] if name else []
        lines += [f"Hostname: {self.place.name}", "IP: 127.0.0.1", "IP: ::1", f"IP: {self.place.address}",
                  f"RemoteAddr: {request.client}:{request.port}", request.first_line, f"Host: {host}",
                  *(f"{key}: {value}" for key, value in sorted(fields.items()))]  # fmt: skip
        return text("\n".join(lines) + "\n\n")


LIVENESS, WELL_S = "liveness", 10.0
"""A sub-command of agnhost's, and for how long it is well."""


class Agnhost(Site):
    """``e2e-test-images/agnhost``: ``netexec``, ``serve-hostname`` and ``liveness``, which tutorials run.

    Without a word it does nothing.
    """

    ports = (8080,)

    @property
    def varies(self) -> bool:  # type: ignore[override]
        """``liveness`` is well for some seconds only."""
        return LIVENESS in self.place.words

    def listens(self) -> set[int]:
        """By its sub-command."""
        words = self.place.words
        if "serve-hostname" in words:
            return {_number(self.place.option("--port"), 9376)}
        if LIVENESS in words:
            return set(self.ports)
        return {_number(self.place.option("--http-port"), 8080)} if "netexec" in words else set()

    def respond(self, request: Request, port: int) -> Response:
        """A few of its paths."""
        path, query = request.path, request.query
        if LIVENESS in self.place.words:
            return self._well() if path == "/healthz" else text(NOT_FOUND, 404)
        if "serve-hostname" in self.place.words or path in ("/hostname", "/hostName"):
            return text(self.place.name)
        if path == "/":
            now = spaced(self.place.cluster.agenda.now(), "%Y-%m-%d %H:%M:%S.%f")
            return text(f"NOW: {now}000 +0000 UTC")
        if path == "/echo":
            code = _number(query.get("code"), 200)
            return text(query.get("msg", ""), code if 200 <= code < 600 else 400)
        if path in ("/clientip", "/header", "/healthz"):
            said = {"/clientip": f"{request.client}:{request.port}", "/header": request.header(query.get("key", ""))}
            return text(said.get(path, ""))
        return text(NOT_FOUND, 404)

    def _well(self) -> Response:
        """Well at first, and then no more."""
        age = self.place.cluster.agenda.now() - self.place.started
        return text("ok") if age <= WELL_S else text(f"error: {age:.6f}", 500)

    def access(self, request: Request, response: Response, at: float) -> str:
        """Its klog lines."""
        when = spaced(at, "%m%d %H:%M:%S.%f")
        return f"I{when}       1 log.go:245] {request.method} {request.path}"


class Kuard(Site):
    """``kuard``: a page about its pod, and its probes."""

    ports = (8080,)

    def respond(self, request: Request, port: int) -> Response:
        """The page, or a probe's word."""
        if request.path in ("/healthy", "/ready"):
            return text("ok")
        if request.path == "/env/api":
            return as_json({"commandLine": self.place.words or ["/kuard"], "env": {"HOSTNAME": self.place.name,
                                                                                  **self.place.env}})  # fmt: skip
        if request.path != "/":
            return text(NOT_FOUND, 404)
        note = NOTE.format(pod=self.place.name, namespace=self.place.namespace, name="kuard")
        facts = (f"Hostname: {self.place.name}", f"Address: {self.place.address}", f"Version: {self.place.tag}",
                 f"Client: {request.client}:{request.port}")  # fmt: skip
        return html(page("KUAR Demo", *facts, note))

    def access(self, request: Request, response: Response, at: float) -> str:
        """Who asked for what."""
        return f"{spaced(at, '%Y/%m/%d %H:%M:%S')} {request.client}:{request.port} {request.method} {request.target}"


class HpaExample(Site):
    """``hpa-example``: work to do for an autoscaler's walk-through."""

    server = "Apache/2.4.10 (Debian)"

    def respond(self, request: Request, port: int) -> Response:
        """That it is done."""
        return html("OK!") if request.path in ("/", "/index.php") else html("Not Found\n", 404)

    def access(self, request: Request, response: Response, at: float) -> str:
        """The combined format."""
        agent = request.header("User-Agent", "-")
        return (f"{request.client} - - [{log_date(at)}] \"{request.first_line}\" {response.status} "
                f'{len(response.body)} "-" "{agent}"')  # fmt: skip


class NginxHello(Site):
    """``nginxdemos/hello``."""

    server = "nginx/1.29.4"

    def respond(self, request: Request, port: int) -> Response:
        """Where it runs: as a page, or as text where the tag says so."""
        when = log_date(self.place.cluster.agenda.now())
        mark = hashlib.sha256(f"{self.place.name}/{request.target}/{when}".encode()).hexdigest()[:32]
        lines = (f"Server address: {self.place.address}:{port}", f"Server name: {self.place.name}", f"Date: {when}",
                 f"URI: {request.target}", f"Request ID: {mark}")  # fmt: skip
        if "plain" in self.place.tag:
            return Response(200, ("\n".join(lines) + "\n").encode(), "text/plain")
        note = NOTE.format(pod=self.place.name, namespace=self.place.namespace, name="nginx demo")
        return html(page("Hello World", *lines, note))


class PodInfo(Site):
    """``stefanprodan/podinfo``: the paths that are asked most."""

    ports = (9898,)
    usual = "6.9.2"
    probes: ClassVar[frozenset[str]] = frozenset({"/healthz", "/readyz"})

    def respond(self, request: Request, port: int) -> Response:
        """JSON about itself, its probes, what it was sent."""
        version = self.place.version(self.usual)
        if request.path in self.probes:
            return as_json({"status": "OK"})
        if request.path == "/version":
            return as_json({"version": version, "commit": "playground"})
        if request.path == "/echo":
            return Response(202, request.body, "application/json; charset=utf-8")
        if request.path == "/headers":
            return as_json({name: [value] for name, value in shown(request).items()})
        if request.path != "/":
            return text(NOT_FOUND, 404)
        said = self.place.env.get("PODINFO_UI_MESSAGE") or self.place.option("--ui-message")
        return as_json({"hostname": self.place.name, "version": version, "color": "#34577c",
                        "message": said or "greetings from the playground", "runtime": "notebook_mux"})  # fmt: skip


def _number(text: str | None, usual: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else usual
