"""An API server's refusal as an error of our tree, with its own words."""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux import errors

SAID_BYTES = 2000
"""Of a body that is no Status, what is taken as the server's words."""

OK = range(200, 300)
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, GONE = 401, 403, 404, 410
BAD_REQUEST, UNPROCESSABLE, GATEWAY_TIMEOUT = 400, 422, 504

_SELECTOR_WORDS = ("selector", "field label", "unable to parse requirement")


def message_of(body: bytes) -> tuple[str, str]:
    """The message and the reason of a Status; of another body its text."""
    try:
        status: Any = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return body[:SAID_BYTES].decode(errors="replace").strip(), ""
    if not isinstance(status, dict):
        return str(status), ""
    return str(status.get("message") or ""), str(status.get("reason") or "")


def refused(status: int, body: bytes, *, what: str, cluster: str) -> errors.MuxError:
    """The error for an answer that is none of the 200s.

    Args:
        status: The HTTP status.
        body: The answer's body.
        what: What was asked, such as "listing pods in default".
        cluster: The cluster's name.
    """
    said, reason = message_of(body)
    given: dict[str, Any] = {"cluster": cluster, "said": said or f"HTTP {status} {reason}".strip()}
    if status == UNAUTHORIZED:
        return errors.LoginRequired(
            f"{what} needs a login", todo="log in to the cluster again, then run the cell again", **given
        )
    if status == FORBIDDEN:
        if reason == "WriteRefused":
            return errors.WriteRefused(f"{what} needs write", todo="connect with write=True", **given)
        return errors.Forbidden(
            f"{what} is forbidden", todo="ask for another namespace=, or for the right to list", **given
        )
    if status == NOT_FOUND:
        return errors.NotFound(f"{what} found nothing", **given)
    if status in (BAD_REQUEST, UNPROCESSABLE):
        if any(word in said.lower() for word in _SELECTOR_WORDS):
            return errors.BadSelector(f"{what} was refused", todo="correct the selector", **given)
        return errors.InvalidArgument(f"{what} was refused", **given)
    if status == GATEWAY_TIMEOUT:
        return errors.TimedOut(f"{what} took too long", todo="try again", **given)
    return errors.ServerError(f"{what} failed with HTTP {status}", todo="try again", **given)
