"""What a test makes go wrong: a server that refuses, stalls, forgets, or ends watches early."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from notebook_mux.playground.status import ApiError

OVERLOADED = "Too many requests, please try again later.\n"
"""The real server says this in plain text, without a Status (filters/priority-and-fairness.go:377)."""


@dataclass
class Refusal:
    """Answers that are a failure.

    Args:
        status: The HTTP status.
        times: How many; None is until `Faults.clear`.
        path: Only for paths that begin so.
        retry_after: Seconds, as a header.
    """

    status: int
    times: int | None = None
    path: str = "/"
    retry_after: int | None = None


@dataclass
class Faults:
    """The faults of one server.

    Attributes:
        gate: Cleared while the server stalls: it accepts and says nothing.
        max_watch_seconds: The longest that a watch lives; None is the server's usual choice.
    """

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    max_watch_seconds: float | None = None
    refusals: list[Refusal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.refusals.clear()
        self.max_watch_seconds = None
        self.gate.set()

    def refusal(self, path: str) -> web.Response | None:
        """The failure to answer with, if there is one for this path."""
        for refusal in self.refusals:
            if not path.startswith(refusal.path):
                continue
            if refusal.times is not None:
                refusal.times -= 1
                if refusal.times <= 0:
                    self.refusals.remove(refusal)
            return self._answer(refusal)
        return None

    @staticmethod
    def _answer(refusal: Refusal) -> web.Response:
        headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
        if refusal.status == 429:
            return web.Response(status=429, text=OVERLOADED, headers={"Retry-After": "1", **headers})
        words = {
            401: ("Unauthorized", "Unauthorized"),
            403: ("Forbidden", "forbidden: refused by a test"),
            410: ("Expired", "The resourceVersion for the provided list is too old."),
            503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
        }
        reason, message = words.get(refusal.status, ("InternalError", "Internal error occurred: refused by a test"))
        body = ApiError(refusal.status, reason, message).status()
        return web.json_response(body, status=refusal.status, headers=headers)
