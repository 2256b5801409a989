"""The multiplexer's own frames of one subscription: STATUS, ERROR, COMPLETE and DATA."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec

from notebook_mux.wire import headlamp as wire

NO_QUERY = "?"
"""The query of a STATUS where the subscription's own is empty. Headlamp's front end takes a STATUS for an event of the
subscription with its query: an empty one matches no other, and no query is a question mark."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why a subscription ended: in words, and the HTTP status and reason that an API server gave, if one did."""

    words: str = ""
    code: int = 0
    reason: str = ""


class Frames:
    """The frames of one subscription, whose key is all four.

    Args:
        cluster: The cluster's name.
        path: Decoded text.
        query: Encoded, without a question mark.
        user: The client's id.
    """

    __slots__ = ("_opening", "cluster", "path", "query", "user")

    def __init__(self, cluster: str, path: str, query: str, user: str) -> None:
        self.cluster, self.path, self.query, self.user = cluster, path, query, user
        self._opening = wire.opening(cluster, path, query, user)

    def data(self, text: bytes, *, binary: bool = False) -> bytes:
        """A DATA frame; see `event_text` and `binary_text`."""
        return wire.data_frame(self._opening, text, binary=binary)

    def status(self, state: str, why: Why | None = None) -> bytes:
        """A STATUS frame. Its data says which query is meant: the field of that name must not."""
        data = {"state": state, "error": why.words if why else ""} | _fields(why) | {"query": self.query}
        return self._frame(wire.STATUS, data, "" if self.query else NO_QUERY)

    def error(self, why: Why) -> bytes:
        """An ERROR frame."""
        return self._frame(wire.ERROR, {"error": why.words} | _fields(why), self.query)

    def complete(self) -> bytes:
        """A COMPLETE frame: nothing comes after it but STATUS."""
        return self._frame(wire.COMPLETE, None, self.query)

    def _frame(self, kind: str, data: dict[str, object] | None, query: str) -> bytes:
        text = "" if data is None else msgspec.json.encode(data).decode()
        return wire.encode(wire.Envelope(self.cluster, self.path, self.user, kind, query, text)).encode()


def event_text(line: bytes) -> bytes:
    """A line of a watch as JSON text."""
    return msgspec.json.encode(line.decode(errors="replace"))


def binary_text(data: bytes) -> bytes:
    """Bytes as JSON text of their base64."""
    return b'"' + base64.b64encode(data) + b'"'


def _fields(why: Why | None) -> dict[str, object]:
    return {"code": why.code, "reason": why.reason} if why is not None and why.code else {}
