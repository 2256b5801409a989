"""HTTP requests and responses as values, whatever they travel on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

Field = tuple[str, str]

PLAYGROUND = ("X-Playground", "notebook-mux; no container runs here")
"""A field of every response: what looks like a server is none."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a server gets it.

    Args:
        method: In capital letters.
        target: Path and query as they are sent; an absolute URL for proxies.
        headers: In their order.
        body: Whole.
        version: Of HTTP.
        client: The address that asks.
        port: Its port.
    """

    method: str = "GET"
    target: str = "/"
    headers: tuple[Field, ...] = ()
    body: bytes = b""
    version: str = "HTTP/1.1"
    client: str = "127.0.0.1"
    port: int = 40000

    @property
    def raw_path(self) -> str:
        """The path as it was sent, without a query."""
        target = self.target
        if "://" in target.partition("?")[0]:
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        return target.partition("?")[0].partition("#")[0] or "/"

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path, errors="replace")

    @property
    def query_text(self) -> str:
        """The query as it was sent."""
        return self.target.partition("?")[2].partition("#")[0]

    @property
    def query(self) -> dict[str, str]:
        """The first value of each parameter."""
        return {name: values[0] for name, values in parse_qs(self.query_text, keep_blank_values=True).items()}

    def header(self, name: str, default: str = "") -> str:
        """The first field of a name, in any case."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), default)

    @property
    def first_line(self) -> str:
        """As access logs have it."""
        return f"{self.method} {self.target} {self.version}"


@dataclass(frozen=True, slots=True)
class Response:
    """A response; length, date and server are added by who sends it.

    Args:
        status: The HTTP status.
        body: Whole.
        media: Its Content-Type; "" leaves it out.
        headers: Further fields.
    """

    status: int = 200
    body: bytes = b""
    media: str = "text/plain; charset=utf-8"
    headers: tuple[Field, ...] = field(default=())

    @property
    def reason(self) -> str:
        """The status in words."""
        return phrase(self.status)

    def header(self, name: str, default: str = "") -> str:
        """The first field of a name, in any case."""
        return next((value for known, value in self.fields() if known.lower() == name.lower()), default)

    def fields(self) -> Iterable[Field]:
        """All fields that belong to the response itself."""
        if self.media and self.status not in WITHOUT_BODY:
            yield ("Content-Type", self.media)
        yield from self.headers


WITHOUT_BODY = frozenset({204, 304})
"""Statuses whose responses never have a body (RFC 9110, 6.4.1)."""


def phrase(status: int) -> str:
    """A status in words."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def text(body: str, status: int = 200, *headers: Field) -> Response:
    """Plain text."""
    return Response(status, body.encode(), headers=headers)


def html(body: str, status: int = 200, *headers: Field, media: str = "text/html") -> Response:
    """A page."""
    return Response(status, body.encode(), media, headers)


def http_date(at: float) -> str:
    """A time as HTTP writes it (RFC 9110, 5.6.7), in any locale."""
    when = datetime.fromtimestamp(at, UTC)
    day, month = DAYS[when.weekday()], MONTHS[when.month - 1]
    return f"{day}, {when.day:02d} {month} {when:%Y %H:%M:%S} GMT"


def log_date(at: float) -> str:
    """A time as the common log format writes it."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{when.day:02d}/{MONTHS[when.month - 1]}/{when:%Y:%H:%M:%S} +0000"


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
