"""The servers of the scenarios, and any image that nothing is known of: honest small answers."""

from __future__ import annotations

from typing import Any, ClassVar

from notebook_mux.playground.stories.program import as_json as log_line, spaced
from notebook_mux.playground.web.messages import Request, Response, html, text
from notebook_mux.playground.web.site import Site
from notebook_mux.playground.web.static import NOTE, page
from notebook_mux.playground.web.tutorials import NOT_FOUND, as_json

PROBES = frozenset({"/healthz", "/livez", "/readyz", "/health", "/ready"})
COUNTED = "# HELP up Whether the playground is there.\n# TYPE up gauge\nup 1\n"


class Service(Site):
    """A service that answers in JSON, and writes a line of JSON for a request.

    Attributes:
        paths: What it has, below which an object is made up.
    """

    ports = (8080,)
    paths: ClassVar[tuple[str, ...]] = ("/items",)

    def respond(self, request: Request, port: int) -> Response:
        """About itself, its health, or an object."""
        if request.path in PROBES:
            return text("ok\n")
        about: dict[str, Any] = {"service": self.place.container["name"], "version": self.place.tag,
                                 "pod": self.place.name, "note": "the playground runs no images"}  # fmt: skip
        if request.path == "/":
            return as_json(about)
        path = next((one for one in self.paths if request.path == one or request.path.startswith(f"{one}/")), None)
        if path is None:
            return as_json({"error": "not found", "path": request.path}, 404)
        if request.path == path and request.method == "GET":
            return as_json({"items": [], **about})
        return as_json({"id": request.path.rpartition("/")[2], **about}, 201 if request.method == "POST" else 200)

    def access(self, request: Request, response: Response, at: float) -> str:
        """As its story writes them."""
        if request.path in PROBES:
            return ""
        return log_line(at, "info", "request", method=request.method, path=request.path, status=response.status,
                        duration_ms=1.2, client=request.client)  # fmt: skip


class Storefront(Service):
    """The shop's front is a page."""

    paths = ("/products", "/cart", "/search")

    def respond(self, request: Request, port: int) -> Response:
        """The page; the rest is JSON."""
        if request.path != "/":
            return super().respond(request, port)
        note = NOTE.format(pod=self.place.name, namespace=self.place.namespace, name="shop")
        return html(page("The shop", f"Version {self.place.tag}", note))


class Checkout(Service):
    """The checkout."""

    paths = ("/checkout", "/orders")


class Cart(Service):
    """The carts."""

    paths = ("/carts",)


class Api(Service):
    """A Python service: uvicorn's access log."""

    server = "uvicorn"
    paths = ("/v1/items",)

    def access(self, request: Request, response: Response, at: float) -> str:
        """As its story writes them."""
        when = spaced(at, "%Y-%m-%d %H:%M:%S,%f")[:-3]
        said = f'{request.client}:{request.port} - "{request.first_line}" {response.status}'
        return f"{when} {'INFO':8} uvicorn.access {said}"


class Figures(Site):
    """A program whose figures are scraped."""

    ports: ClassVar[tuple[int, ...]] = (9100,)

    def respond(self, request: Request, port: int) -> Response:
        """Hardly any figures."""
        if request.path == "/metrics":
            return Response(200, COUNTED.encode(), "text/plain; version=0.0.4; charset=utf-8")
        if request.path in PROBES:
            return text("OK")
        if request.path == "/":
            return html(page(self.place.container["name"], '<a href="/metrics">Metrics</a>'))
        return text(NOT_FOUND, 404)


class Prometheus(Figures):
    """Prometheus, without figures."""

    ports = (9090,)

    def respond(self, request: Request, port: int) -> Response:
        """Its health, and its first redirect."""
        if request.path in ("/-/healthy", "/-/ready"):
            said = "Healthy" if request.path == "/-/healthy" else "Ready"
            return text(f"Prometheus Server is {said}.\n")
        if request.path == "/":
            return html('<a href="/query">Found</a>.\n\n', 302, ("Location", "/query"))
        if request.path == "/query":
            note = NOTE.format(pod=self.place.name, namespace=self.place.namespace, name="Prometheus")
            return html(page("Prometheus", note))
        return super().respond(request, port)


class Grafana(Figures):
    """Grafana before anybody has logged in."""

    ports = (3000,)

    def respond(self, request: Request, port: int) -> Response:
        """Its health, and where to log in."""
        if request.path == "/api/health":
            return as_json({"database": "ok", "version": self.place.version("12.1.0"), "commit": "playground"})
        if request.path == "/":
            return html('<a href="/login">Found</a>.\n\n', 302, ("Location", "/login"))
        if request.path == "/login":
            note = NOTE.format(pod=self.place.name, namespace=self.place.namespace, name="Grafana")
            return html(page("Grafana", note))
        return super().respond(request, port)


class CoreDns(Figures):
    """The cluster's names: health, readiness and figures are HTTP."""

    ports = (8080, 8181, 9153)


class Unknown(Site):
    """An image that nothing is known of: on the ports that its container names, a page that says so."""

    ports = ()

    def respond(self, request: Request, port: int) -> Response:
        """The same for all."""
        image = self.place.container.get("image", "")
        return text(f"The playground runs no images: {image} would answer {request.method} {request.target} here, on "
                    f"port {port} of pod {self.place.name}.\n")  # fmt: skip
