"""Servers of files: nginx, Apache, Caddy, Python's and busybox'. Their files are what volumes bring, else one page."""

from __future__ import annotations

import hashlib
import mimetypes
import posixpath
from collections.abc import Callable, Sequence
from html import escape
from typing import ClassVar
from urllib.parse import quote

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.stories.program import spaced
from notebook_mux.playground.web.messages import Request, Response, html, http_date, log_date, phrase, text
from notebook_mux.playground.web.site import Site, allowed, combined

NOTE = (
    "This page comes from the notebook_mux playground, an embedded cluster for trying things out. "
    "No container runs here; pod {pod} in namespace {namespace} answers as a {name} would."
)
INDEX = "index.html"
HEALTH = "/healthz"

READERS: list[Callable[[Site, str], bytes | None]] = []
"""Further sources of files, asked before volumes: an emulated shell may have written into a container.

One that knows that a file is gone raises FileNotFoundError."""

mimetypes.init()


def page(title: str, *lines: str) -> str:
    """A small page."""
    body = "\n".join(f"<p>{line}</p>" for line in lines)
    return (f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n</head>\n<body>\n'
            f"<h1>{title}</h1>\n{body}\n</body>\n</html>\n")  # fmt: skip


class FileSite(Site):
    """Files below a folder.

    Attributes:
        root: The folder.
        lists: Whether a folder without an index is shown as a list.
        empty: The status where a folder has no index and is not shown.
    """

    root: ClassVar[str] = "/"
    lists: ClassVar[bool] = False
    empty: ClassVar[int] = 404

    def folder(self) -> str:
        """Its root."""
        return self.root

    def respond(self, request: Request, port: int) -> Response:
        """A file, an index, a redirect to a folder, or an error."""
        if request.method not in ("GET", "HEAD"):
            return self.refused(request)
        return self.serve(request, self.folder(), request.path)

    def serve(self, request: Request, folder: str, asked: str, indexes: Sequence[str] = (INDEX,)) -> Response:
        """A file, an index, a redirect to a folder, or an error.

        Args:
            request: The request.
            folder: The root.
            asked: The path below it, decoded.
            indexes: Names of what stands for a folder.
        """
        inner = posixpath.normpath("/" + asked.lstrip("/"))
        if "\0" in inner:
            return self.failure(400, request)
        path = posixpath.normpath(folder + inner)
        if asked.endswith("/"):
            for index in indexes:
                body = self.read(posixpath.join(path, index))
                if body is not None:
                    return self.file(request, index, body)
            if names := self.names(path) or ([] if inner == "/" else None):
                return self.listing(request, names) if self.lists else self.failure(403, request)
            if inner == "/":
                return self.listing(request, []) if self.lists else self.failure(self.empty, request)
            return self.failure(404, request)
        body = self.read(path)
        if body is not None:
            return self.file(request, path, body)
        if self.names(path):
            place = quote(inner) + "/" + (f"?{request.query_text}" if request.query_text else "")
            return html(self.moved(place), 301, ("Location", self.absolute(request, place)))
        return self.failure(404, request)

    def refused(self, request: Request) -> Response:
        """The response to a method that no file knows."""
        found = self.failure(405, request)
        return Response(found.status, found.body, found.media, (*found.headers, *allowed("GET", "HEAD")))

    def read(self, path: str) -> bytes | None:
        """A file of the container: written by somebody, mounted, or its image's own page."""
        for reader in READERS:
            try:
                if (found := reader(self, path)) is not None:
                    return found
            except FileNotFoundError:
                return None
        volumes = self.place.volumes
        if (found := volumes.read(path)) is not None:
            return found
        if path == posixpath.join(self.folder(), INDEX) and not volumes.covers(path):
            own = self.welcome()
            return own.encode() if own is not None else None
        return None

    def names(self, folder: str) -> list[str]:
        """What is in a folder."""
        return self.place.volumes.names(folder)

    def file(self, request: Request, path: str, body: bytes) -> Response:
        """A file's response, or that it has not changed."""
        mark = f'"{hashlib.sha256(body).hexdigest()[:12]}-{len(body):x}"'
        changed = since_epoch(self.place.pod["metadata"]["creationTimestamp"])
        headers = (("Last-Modified", http_date(changed)), ("ETag", mark))
        known = request.header("If-None-Match")
        since = request.header("If-Modified-Since")
        if mark in known or known == "*" or (not known and since == http_date(changed)):
            return Response(304, b"", "", headers)
        media = mimetypes.guess_type(path)[0] or self.unknown_media()
        return Response(200, body, media, headers)

    def unknown_media(self) -> str:
        """The type of a file without a known suffix."""
        return "application/octet-stream"

    def welcome(self) -> str | None:
        """The page of the image itself; None if it has none."""
        return None

    def note(self, name: str) -> str:
        """Who speaks, for a page."""
        return NOTE.format(pod=escape(self.place.name), namespace=escape(self.place.namespace), name=name)

    def moved(self, place: str) -> str:
        """The page of a redirect."""
        return page(f"301 {phrase(301)}", f'<a href="{escape(place)}">{escape(place)}</a>')

    def absolute(self, request: Request, place: str) -> str:
        """A redirect's place."""
        host = request.header("Host")
        return f"http://{host}{place}" if host else place

    def listing(self, request: Request, names: list[str]) -> Response:
        """A folder as a list."""
        raise NotImplementedError


class Nginx(FileSite):
    """nginx as its image is."""

    server = "nginx/{version}"
    usual = "1.29.4"
    root = "/usr/share/nginx/html"
    empty = 403

    def respond(self, request: Request, port: int) -> Response:
        """As `FileSite`; on a port that only its container names it is configured, and has a page for probes."""
        if port not in self.ports and request.path == HEALTH and request.method in ("GET", "HEAD"):
            return text("ok\n")
        return super().respond(request, port)

    def welcome(self) -> str:
        """Its first page, as many a test looks for its title."""
        return page("Welcome to nginx!", self.note("fresh nginx"))

    def failure(self, status: int, request: Request) -> Response:
        """Its centred errors."""
        said = f"{status} {REASONS.get(status, phrase(status))}"
        return html(f"<html>\r\n<head><title>{said}</title></head>\r\n<body>\r\n<center><h1>{said}</h1></center>\r\n"
                    f"<hr><center>{self.called()}</center>\r\n</body>\r\n</html>\r\n", status)  # fmt: skip

    def refused(self, request: Request) -> Response:
        """It names no methods."""
        return self.failure(405, request)

    def moved(self, place: str) -> str:
        """In the look of its errors."""
        return self.failure(301, Request()).body.decode()

    def access(self, request: Request, response: Response, at: float) -> str:
        """The log format ``main``; before it, on standard error, which file was not there."""
        line = f'{combined(request, response, log_date(at))} "{request.header("X-Forwarded-For", "-")}"'
        if response.status != 404:
            return line
        said = f'open() "{self.folder()}{request.path}" failed (2: No such file or directory)'
        host = request.header("Host")
        return (f"{spaced(at, '%Y/%m/%d %H:%M:%S')} [error] 29#29: *1 {said}, client: {request.client}, server: "
                f'localhost, request: "{request.first_line}", host: "{host}"\n{line}')  # fmt: skip


REASONS = {405: "Not Allowed", 504: "Gateway Time-out", 413: "Request Entity Too Large"}
"""Where nginx' words are not the standard's."""


class Apache(FileSite):
    """The Apache server as the image ``httpd`` is."""

    server = "Apache/{version} (Unix)"
    usual = "2.4.66"
    root = "/usr/local/apache2/htdocs"
    lists = True

    def welcome(self) -> str:
        """Its first page."""
        return page("It works!", self.note("fresh Apache"))

    def failure(self, status: int, request: Request) -> Response:
        """Its errors."""
        said = phrase(status)
        why = "The requested URL was not found on this server." if status == 404 else "The server answers so."
        return html('<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
                    f"<title>{status} {said}</title>\n</head><body>\n<h1>{said}</h1>\n<p>{why}</p>\n"
                    "</body></html>\n", status,
                    media="text/html; charset=iso-8859-1")  # fmt: skip

    def listing(self, request: Request, names: list[str]) -> Response:
        """An index, plainly."""
        items = "".join(f'<li><a href="{quote(one)}"> {escape(one)}</a></li>\n' for one in names)
        title = f"Index of {escape(request.path.rstrip('/') or '/')}"
        return html(f"<html>\n<head>\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<ul>{items}</ul>\n"
                    "</body></html>\n", media="text/html;charset=UTF-8")  # fmt: skip

    def access(self, request: Request, response: Response, at: float) -> str:
        """The common log format."""
        size = len(response.body) if request.method != "HEAD" and response.body else "-"
        return f'{request.client} - - [{log_date(at)}] "{request.first_line}" {response.status} {size}'


class Caddy(FileSite):
    """Caddy as its image is: no log of what it is asked."""

    server = "Caddy"
    root = "/usr/share/caddy"

    def welcome(self) -> str:
        """Its first page."""
        return page("Caddy works!", self.note("fresh Caddy"))

    def failure(self, status: int, request: Request) -> Response:
        """An error is its status, and nothing else."""
        return Response(status, b"", "")


class Python(FileSite):
    """``python -m http.server``: the folder it was started in, which is empty but for volumes."""

    server = "SimpleHTTP/0.6 Python/{version}"
    usual = "3.14.0"
    ports = (8000,)
    lists = True

    def listens(self) -> set[int]:
        """The port of its command."""
        words = self.place.words
        at = next((at for at, word in enumerate(words) if word == "http.server"), None)
        told = [] if at is None else [int(one) for one in words[at + 1 :] if one.isascii() and one.isdigit()]
        return set(told[:1]) or set(self.ports)

    def folder(self) -> str:
        """The folder it is told, else the one it is started in."""
        return self.place.option("-d", "--directory") or str(self.place.container.get("workingDir") or "/")

    def failure(self, status: int, request: Request) -> Response:
        """Its errors."""
        said = "File not found" if status == 404 else phrase(status)
        return html(f'<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<title>Error response</title>\n</head>\n<body>\n'
                    f"<h1>Error response</h1>\n<p>Error code: {status}</p>\n<p>Message: {said}.</p>\n</body>\n"
                    "</html>\n", status, media="text/html;charset=utf-8")  # fmt: skip

    def refused(self, request: Request) -> Response:
        """It does not know any other method at all."""
        return self.failure(501, request)

    def listing(self, request: Request, names: list[str]) -> Response:
        """A folder's list."""
        items = "".join(f'<li><a href="{quote(one)}">{escape(one)}</a></li>\n' for one in names)
        title = f"Directory listing for {escape(request.path)}"
        return html(f'<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}'
                    f"</h1>\n<hr>\n<ul>\n{items}</ul>\n<hr>\n</body>\n</html>\n",
                    media="text/html; charset=utf-8")  # fmt: skip

    def access(self, request: Request, response: Response, at: float) -> str:
        """Its lines; an error has one of its own before."""
        when = log_date(at).partition(" ")[0].replace(":", " ", 1)
        line = f'{request.client} - - [{when}] "{request.first_line}" {response.status} -'
        said = "File not found" if response.status == 404 else phrase(response.status)
        before = f"{request.client} - - [{when}] code {response.status}, message {said}\n"
        return before + line if response.status >= 400 else line


class Busybox(FileSite):
    """``busybox httpd``: a folder's files, without a list and without a log."""

    def listens(self) -> set[int]:
        """The port of its command."""
        told = (self.place.option("-p") or "80").rpartition(":")[2]
        return {int(told)} if told.isascii() and told.isdigit() else {80}

    def folder(self) -> str:
        """The folder it is told."""
        return self.place.option("-h") or str(self.place.container.get("workingDir") or "/")

    def failure(self, status: int, request: Request) -> Response:
        """Its errors."""
        said = f"{status} {phrase(status)}"
        why = "The requested URL was not found" if status == 404 else "That cannot be done"
        return html(f"<HTML><HEAD><TITLE>{said}</TITLE></HEAD>\n<BODY><H1>{said}</H1>\n{why}\n</BODY></HTML>\n", status)

    def refused(self, request: Request) -> Response:
        """It knows no other method."""
        return self.failure(501, request)


class Traefik(Site):
    """Traefik without routes: nothing is found, but its ping."""

    ports = (80, 8080)

    def respond(self, request: Request, port: int) -> Response:
        """As long as no Ingress is its own."""
        if request.path == "/ping":
            return text("OK")
        return text("404 page not found\n", 404, ("X-Content-Type-Options", "nosniff"))
