"""Refusals as an API server words them: a Status, which Headlamp's front end shows and a client library raises."""

from __future__ import annotations

import msgspec
from aiohttp import web

from notebook_mux.errors import (
    Forbidden,
    InvalidArgument,
    LoginRequired,
    MuxError,
    NotFound,
    TimedOut,
    Unreachable,
    WriteRefused,
)
from notebook_mux.gateway.headlamp.contexts import words
from notebook_mux.kube.answers import Answer, status_of

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "RequestEntityTooLarge",
    429: "TooManyRequests",
    500: "InternalError",
    502: "ServiceUnavailable",
    503: "ServiceUnavailable",
    504: "Timeout",
}
"""``metav1.StatusReason`` for each status that the gateway itself answers with."""

CODES: tuple[tuple[type[MuxError], int], ...] = (
    (InvalidArgument, 400),
    (LoginRequired, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Unreachable, 502),
    (TimedOut, 504),
)


def code_of(error: MuxError) -> int:
    """The HTTP status of an error of ours."""
    return next((code for kind, code in CODES if isinstance(error, kind)), 502)


def full(error: MuxError) -> str:
    """An error in one line, with what to do next."""
    return f"{words(error)}; {error.todo}" if error.todo else words(error)


def check_write(allowed: bool, what: str, cluster: str) -> None:
    """Let a change pass if the gateway was started for that.

    Raises:
        WriteRefused: It was not.
    """
    if not allowed:
        raise WriteRefused(
            f"{what} would change something, and this gateway was started to look only",
            cluster=cluster,
            todo="start it with --write",
        )


def body(code: int, message: str) -> bytes:
    """A Status (``meta/v1``) of a failure."""
    return msgspec.json.encode(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": REASONS.get(code, ""),
            "code": code,
        }
    )


def response(code: int, message: str) -> web.Response:
    """The answer with that Status."""
    return web.Response(
        status=code,
        body=body(code, message),
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )


def of(error: MuxError) -> web.Response:
    """The answer for an error of ours."""
    return response(code_of(error), full(error))


def told(answer: Answer) -> tuple[str, int, str]:
    """An API server's refusal: in words, its HTTP status, and its reason ("" if it is no Status)."""
    status = status_of(answer.body)
    reason = status.reason if status is not None and status.reason else ""
    return f"{answer.status}: {answer.said or REASONS.get(answer.status, 'no reason given')}", answer.status, reason
