"""What of a request may reach a pod, and what of its answer a browser, where its pages stand under Jupyter's address.

Pure text. Only what is listed passes: a proxy on the way (a Hub's, a cloud's) puts credentials into fields of its own
name, and an answer has fields that act on all pages of the address (``Clear-Site-Data``, ``Strict-Transport-Security``)
or on the proxies in front (``X-Accel-Redirect``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable
from urllib.parse import unquote_plus, urljoin, urlsplit

ASKED = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "cache-control", "content-encoding", "content-language"),
        *("content-length", "content-type", "if-match", "if-modified-since", "if-none-match", "if-range"),
        *("if-unmodified-since", "last-event-id", "pragma", "range", "user-agent", "x-requested-with"),
    }
)
"""Of a request."""

ANSWERED = frozenset(
    {
        *("accept-ranges", "age", "allow", "content-disposition", "content-encoding", "content-language"),
        *("content-length", "content-range", "content-type", "date", "etag", "last-modified", "retry-after", "vary"),
    }
)
"""Of an answer; `OURS` and the place of a redirect come beside them."""

SANDBOX = "sandbox allow-scripts allow-forms"
"""Without ``allow-same-origin``: a page has an origin that nothing else has, and is a stranger to Jupyter's pages,
their cookies and their storage. (W3C, Content Security Policy Level 3, 6.3.2.)"""

OURS = {
    "Content-Security-Policy": SANDBOX,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
"""Of every answer. The path has a secret in it, so no page tells it to others."""

PARTS = "multipart/x-mixed-replace"
"""A page of several answers, each with fields of its own: some browsers (Firefox) take cookies from there."""

OPAQUE = "application/octet-stream"

SECRETS = frozenset({"token", "_xsrf"})
"""Parameters of a query that Jupyter takes for its own; not passed on."""

_DOTS = re.compile(r"%2e", re.IGNORECASE)
_STRIPPED = re.compile(r"[\t\r\n]")

Fields = Iterable[tuple[str, str]]


def asked(fields: Fields, host: str) -> list[tuple[str, str]]:
    """The fields of a request for the pod.

    Args:
        fields: As they came.
        host: What the pod is to be called.
    """
    given = list(fields)
    passed = [(name, value) for name, value in given if name.lower() in ASKED]
    if any(name.lower() == "origin" for name, _ in given):
        passed.append(("Origin", f"http://{host}"))  # a server compares it with the host that it was called by
    return [("Host", host), *passed]


def answered(fields: Fields) -> list[tuple[str, str]]:
    """The fields of the pod's answer for a browser, without the place of a redirect."""
    passed = [(name, value) for name, value in fields if name.lower() in ANSWERED]
    return [*((name, OPAQUE if PARTS in value.lower() else value) for name, value in passed), *OURS.items()]


def without_secrets(target: str) -> str:
    """A request's target (path and query, as it came) without Jupyter's parameters."""
    path, mark, query = target.partition("?")
    kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]).lower() not in SECRETS]
    return f"{path}{mark if any(kept) else ''}{'&'.join(kept)}"


def redirected(place: str, at: str, own: Collection[str]) -> str | None:
    """A redirect's place as a relative one that stays below the forward's path; None where it would leave it.

    Args:
        place: The pod's ``Location``.
        at: The path that was asked for, below the forward's.
        own: What the pod calls itself: hosts with their ports, in lower case.
    """
    # As browsers read it: a backslash is a slash, an escaped dot a dot, and tabs are not there.
    read = _DOTS.sub(".", _STRIPPED.sub("", place.strip())).replace("\\", "/")
    try:
        parts = urlsplit(read)
    except ValueError:
        return None
    if parts.scheme and (parts.scheme != "http" or not parts.netloc):
        return None
    if parts.netloc and parts.netloc.lower() not in own:
        return None
    path = parts.path or ("/" if parts.netloc else "")
    whole = urlsplit(urljoin(f"http://pod{at}", path or at)).path or "/"
    inside = posixpath.normpath("/" + whole.lstrip("/")).lstrip("/")
    if inside and whole.endswith("/"):
        inside += "/"
    up = "../" * (at.count("/") - 1) or "./"
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{up}{inside}{query}{fragment}"
