"""What goes wrong with a list or a watch, sorted by what has to be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from notebook_mux.errors import AccessError, Forbidden, InvalidArgument, MuxError
from notebook_mux.kube.answers import Answer, Status, status_of

Kind = Literal[
    "expired",  # the version is too old: list again
    "future",  # the version is ahead of the server, which was restored from a backup: list without it
    "throttled",  # wait as told
    "internal",  # 500: try the same again, for a while
    "unreachable",  # no connection, or it broke: the same again
    "stalled",  # a connection on which nothing comes: the same again on another one
    "login",
    "forbidden",
    "missing",
    "invalid",
    "other",
]

EXPIRED_REASONS = ("Expired", "Gone")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failure.

    Attributes:
        kind: What has to be done about it.
        reason: In a few words of ours.
        said: The server's or the system's own words.
        code: The HTTP status, if it was one.
        retry_after: Seconds the server asks to wait.
        todo: What to do next, where whoever failed knows it.
    """

    kind: Kind
    reason: str
    said: str | None = None
    code: int | None = None
    retry_after: float | None = None
    todo: str | None = None


REASONS: dict[Kind, str] = {
    "expired": "the version is too old",
    "future": "the version is ahead of the server's",
    "throttled": "the server is overloaded",
    "internal": "the server failed",
    "login": "the server does not accept the credentials",
    "forbidden": "not allowed",
    "missing": "the server does not have it",
    "invalid": "the server refuses the query",
    "other": "the server refuses",
}


def vpn(where: str) -> str:
    """What to look at where nobody answers; `where` is "on pc, where this runs", for it is not where the browser is."""
    return f"if it is in a private network, its VPN must be up {where}"


def of_status(code: int, status: Status | None, said: str | None, retry_after: float | None = None) -> Trouble:
    """The trouble that an HTTP status, or the code in a watch's ERROR event, tells."""
    reason = (status.reason if status is not None else None) or ""
    kind: Kind
    if code == 410 or reason in EXPIRED_REASONS:
        kind = "expired"
    elif code == 429:
        kind = "throttled"
    elif status is not None and status.has_cause("ResourceVersionTooLarge"):
        kind = "future"
    elif retry_after is not None and code >= 500:
        kind = "throttled"
    elif code in (401, 403, 404):
        kind = {401: "login", 403: "forbidden", 404: "missing"}[code]  # type: ignore[assignment]
    elif code in (400, 406, 422):
        kind = "invalid"
    elif code == 500:
        kind = "internal"
    else:
        kind = "other"
    if retry_after is None and status is not None and status.details is not None:
        retry_after = status.details.retryAfterSeconds
    return Trouble(kind, REASONS[kind], said or None, code, retry_after)


def of_answer(answer: Answer) -> Trouble:
    """The trouble of an answer that is no success."""
    return of_status(answer.status, status_of(answer.body), answer.said, answer.retry_after)


def of_error(error: MuxError) -> Trouble:
    """The trouble of a request that got no answer."""
    if isinstance(error, Forbidden):
        kind: Kind = "forbidden"
    elif isinstance(error, AccessError):
        kind = "login"
    elif isinstance(error, InvalidArgument):
        kind = "invalid"
    else:
        kind = "unreachable"
    return Trouble(kind, error.what, error.said, todo=error.todo)
