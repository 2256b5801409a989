"""An API server's answers and the words in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from notebook_mux.errors import (
    BadSelector,
    Forbidden,
    InvalidArgument,
    LoginRequired,
    MuxError,
    NotFound,
    ServerError,
)
from notebook_mux.wire import UNREADABLE

WORDS = 400
"""Characters of a body without a Status that are shown as the server's words."""

_SELECTOR = re.compile(r"field label not supported|unable to parse requirement|selector|invalid label", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)

ERRORS: dict[int, tuple[type[MuxError], str]] = {
    400: (InvalidArgument, "correct what was asked"),
    401: (LoginRequired, "log in again, as with kubectl; it is tried again then"),
    403: (Forbidden, "ask for the right, or name another namespace or context"),
    404: (NotFound, "see nm.kinds() and nm.contexts()"),
    422: (InvalidArgument, "correct what was asked"),
}


class Cause(msgspec.Struct):
    """Why, in a machine's word."""

    reason: str | None = None


class Details(msgspec.Struct):
    """A Status' details."""

    causes: list[Cause] | None = None
    retryAfterSeconds: int | None = None  # noqa: N815 - the API's name


class Status(msgspec.Struct):
    """What an API server says of a failure (``meta/v1``)."""

    kind: str | None = None
    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: Details | None = None

    def has_cause(self, reason: str) -> bool:
        """Whether one of the causes is this."""
        causes = self.details.causes if self.details is not None else None
        return any(cause.reason == reason for cause in causes or ())


class _Named(msgspec.Struct):
    name: str


class _Item(msgspec.Struct):
    metadata: _Named


class _Items(msgspec.Struct):
    items: list[_Item] | None = None


_status = msgspec.json.Decoder(Status)
_items = msgspec.json.Decoder(_Items)


def status_of(body: bytes | msgspec.Raw) -> Status | None:
    """The Status in a body, if it is one."""
    try:
        status = _status.decode(body)
    except UNREADABLE:
        return None
    return status if status.kind == "Status" else None


def names_of(body: bytes) -> list[str]:
    """The names in a list of plain objects, in its order; none of what is no such list."""
    try:
        return [item.metadata.name for item in _items.decode(body).items or ()]
    except UNREADABLE:
        return []


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Header names are in lower case; `body` is not compressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> str:
        """The server's own words: a Status' message, a page's title, or the beginning of a text."""
        status = status_of(self.body)
        if status is not None:
            return status.message or status.reason or ""
        text = self.body[: 16 * WORDS].decode(errors="replace").strip()
        if "<html" in text.lower():  # a proxy or a load balancer before the API server
            found = _TITLE.search(text)
            text = f"a page: {found[1].strip()}" if found else "a page of HTML"
        return text[:WORDS]

    @property
    def retry_after(self) -> float | None:
        """Seconds of the header Retry-After, where it gives some."""
        value = self.headers.get("retry-after", "")
        return float(value) if value.isdigit() else None

    def error(self, what: str, cluster: str) -> MuxError | None:
        """The error of our tree for a status that is no success, else None.

        Args:
            what: What was tried, as ``"list pods"``.
            cluster: The cluster's name.
        """
        if 200 <= self.status < 300:
            return None
        said = self.said
        kind, todo = ERRORS.get(self.status, (ServerError, "see the cluster's own state, and try again"))
        if kind is InvalidArgument and _SELECTOR.search(said):
            kind, todo = BadSelector, "correct the selector"
        return kind(f"{what}: the server answered {self.status}", cluster=cluster, said=said or None, todo=todo)


def plain(headers: Mapping[str, str]) -> dict[str, str]:
    """Header fields by their names in lower case; those of one name are joined."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
