"""nginx with a configuration that is mounted: fixed answers, files, and requests passed on to other services."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlsplit

from notebook_mux.playground.web import nginx_config
from notebook_mux.playground.web.messages import Field, Request, Response, html
from notebook_mux.playground.web.nginx_config import BadConfig, Config, Directive
from notebook_mux.playground.web.static import INDEX, Nginx

REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADED = frozenset({200, 201, 204, 206, 301, 302, 303, 304, 307, 308})
"""Statuses whose responses get the fields of ``add_header``."""

MAX_HOPS = 8
"""Of a request that is passed on from one nginx to the next; two that pass on to each other would never end."""

VARIABLE = re.compile(r"\$\{?(\w+)\}?")
BAD_GATEWAY, GATEWAY_TIMEOUT = 502, 504


class ConfiguredNginx(Nginx):
    """As its image is, or as its configuration says."""

    hops: ClassVar[int] = 0

    def config(self) -> Config | None:
        """Its configuration; None for the image's own, also where nginx would not start with the one that there is."""
        try:
            return nginx_config.read(self.place.volumes)
        except BadConfig:
            return None

    def listens(self) -> set[int]:
        """The ports of its configuration, and no other."""
        config = self.config()
        return config.ports() if config is not None and config.servers else super().listens()

    def respond(self, request: Request, port: int) -> Response:
        """By the server and the location that fit."""
        config = self.config()
        server = config.server(port, request.header("Host")) if config is not None else None
        if config is None or server is None:
            return super().respond(request, port)
        own = nginx_config.location(server, request.path)
        if (told := server.first("return") or own.first("return")) is not None:
            response = self._told(told, request, port)
        elif (told := own.first("proxy_pass")) is not None and told.args:
            response = self._passed(config, server, own, told.args[0], request, port)
        elif request.method not in ("GET", "HEAD"):
            response = self.refused(request)
        else:
            response = self._file(server, own, request)
        added = [one for one in (own.all("add_header") if own.first("add_header") else server.all("add_header"))
                 if len(one.args) > 1 and (response.status in HEADED or "always" in one.args)]  # fmt: skip
        headers = tuple((one.args[0], self._expanded(one.args[1], request, port)) for one in added)
        return Response(response.status, response.body, response.media, (*response.headers, *headers))

    # --------------------------------------------------------------------------------- what locations do

    def _told(self, told: Directive, request: Request, port: int) -> Response:
        """``return``: a status, a text, an address."""
        first, *more = told.args or ("200",)
        if not first.isdigit():
            return self._redirect(302, self._expanded(first, request, port))
        status, said = int(first), self._expanded(" ".join(more), request, port)
        if status in REDIRECTS:
            return self._redirect(status, said)
        if not more:
            return self.failure(status, request) if status >= 400 else Response(status, b"", "")
        return Response(status, said.encode(), "text/plain")

    def _redirect(self, status: int, place: str) -> Response:
        return html(self.failure(status, Request()).body.decode(), status, ("Location", place))

    def _file(self, server: Directive, own: Directive, request: Request) -> Response:
        """A file below ``root`` or ``alias``; ``try_files`` says which."""
        root = own.first("root") or server.first("root")
        folder, path = root.args[0] if root is not None and root.args else self.root, request.path
        alias = own.first("alias")
        if alias is not None and alias.args and own.args:
            folder, path = alias.args[0].rstrip("/"), "/" + path.removeprefix(own.args[-1]).lstrip("/")
        index = own.first("index") or server.first("index")
        names = index.args if index is not None and index.args else (INDEX,)
        tried = own.first("try_files") or server.first("try_files")
        if tried is None:
            return self.serve(request, folder, path, names)
        found = self.failure(404, request)
        for candidate in tried.args:
            if candidate.startswith("="):
                return self.failure(int(candidate[1:]), request) if candidate[1:].isdigit() else found
            found = self.serve(request, folder, candidate.replace("$uri", path), names)
            if found.status not in (301, 403, 404):
                return found
        return found

    def _passed(
        self, config: Config, server: Directive, own: Directive, place: str, request: Request, port: int
    ) -> Response:
        """``proxy_pass``: the response of another server of the cluster."""
        from notebook_mux.playground import web  # it knows this module

        parts = urlsplit(self._expanded(place, request, port))
        group = config.upstream(parts.hostname or "")
        target = urlsplit(f"//{group[0]}") if group else parts
        to = request.target
        if parts.path and own.args:
            to = parts.path + request.raw_path.removeprefix(own.args[-1])
            to += f"?{request.query_text}" if request.query_text else ""
        fields: list[Field] = [("Host", parts.netloc), *(one for one in request.headers if one[0].lower() != "host")]
        for told in own.all("proxy_set_header") if own.first("proxy_set_header") else server.all("proxy_set_header"):
            if len(told.args) == 2:
                name, value = told.args[0], self._expanded(told.args[1], request, port)
                fields = [one for one in fields if one[0].lower() != name.lower()] + [(name, value)]
        if ConfiguredNginx.hops >= MAX_HOPS:
            return self.failure(BAD_GATEWAY, request)
        ConfiguredNginx.hops += 1
        try:
            sent = Request(request.method, to, tuple(fields), request.body, "HTTP/1.0", self.place.address)
            stored = self.place.cluster.store.get("pods", self.place.namespace, self.place.pod["metadata"]["name"])
            found = web.answer(self.place.cluster, target.hostname or "", target.port or 80, sent,
                               namespace=self.place.namespace, source=stored)  # fmt: skip
        except web.TimedOut:
            return self.failure(GATEWAY_TIMEOUT, request)
        except (web.NetworkError, ValueError):
            return self.failure(BAD_GATEWAY, request)
        finally:
            ConfiguredNginx.hops -= 1
        kept = tuple(one for one in found.headers if one[0].lower() not in ("server", "date", "x-playground"))
        return Response(found.status, found.body, found.media, kept)

    def _expanded(self, text: str, request: Request, port: int) -> str:
        """A text with its variables; those that are not known are empty."""
        host = request.header("Host")
        known = {
            "host": host.rpartition(":")[0] or host, "http_host": host, "hostname": self.place.name,
            "uri": request.path, "document_uri": request.path, "request_uri": request.target,
            "args": request.query_text, "query_string": request.query_text,
            "is_args": "?" if request.query_text else "",
            "remote_addr": request.client, "remote_port": str(request.port), "server_port": str(port),
            "server_addr": self.place.address, "scheme": "http", "request_method": request.method,
            "proxy_add_x_forwarded_for": ", ".join(filter(None, (request.header("X-Forwarded-For"), request.client))),
            "nginx_version": self.called().partition("/")[2],
        }  # fmt: skip

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("http_") and name not in known:
                return request.header(name.removeprefix("http_").replace("_", "-"))
            return known.get(name, "")

        return VARIABLE.sub(value, text)
