"""What a client of Headlamp shows: the gateway's token in a header or a sub-protocol, a cluster's token in cookies.

Source: kubernetes-sigs/headlamp 0.45.0, backend/pkg/auth/backendtoken.go and cookies.go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from multidict import CIMultiDict, CIMultiDictProxy

from notebook_mux.wire.headlamp import COOKIE_BYTES, TOKEN_HEADER, cookie_parts, cookie_stem

PROTOCOL_HEADER = "Sec-WebSocket-Protocol"

TOKEN_PROTOCOL = "base64url.headlamp.backend.authorization.k8s.io."
"""A browser cannot set header fields of a WebSocket, so its token is the rest of a sub-protocol's name: base64url
without padding."""

PRIVATE_PROTOCOLS = (
    TOKEN_PROTOCOL,
    "base64url.headlamp.authorization.k8s.io.",
    "base64url.bearer.authorization.k8s.io.",
)
"""Beginnings of sub-protocols that are credentials: they go to no cluster."""

COOKIE_SECONDS = 24 * 3600
"""A browser keeps a cluster's token so long, as Headlamp's default session."""

MAX_COOKIES = 8
"""Of one token: 30 KB, which is all that a request's header may have."""

_TOKEN = re.compile(r"[\x21-\x3a\x3c-\x7e]+")
"""What a token in a cookie is made of: visible ASCII without a semicolon."""


def offered(headers: CIMultiDictProxy[str]) -> list[str]:
    """The sub-protocols of a request, those of credentials included."""
    listed = ",".join(headers.getall(PROTOCOL_HEADER, []))
    return [name for name in (part.strip() for part in listed.split(",")) if name]


def public(protocols: Sequence[str]) -> list[str]:
    """Those that may go to a cluster."""
    return [name for name in protocols if not name.startswith(PRIVATE_PROTOCOLS)]


def with_protocols(headers: Mapping[str, str], protocols: Sequence[str]) -> CIMultiDict[str]:
    """The header fields with these sub-protocols alone, or none."""
    changed = CIMultiDict(headers)
    changed.popall(PROTOCOL_HEADER, None)
    if protocols:
        changed[PROTOCOL_HEADER] = ", ".join(protocols)
    return changed


def shown_tokens(headers: CIMultiDictProxy[str]) -> list[str]:
    """The gateway's tokens that a request shows in Headlamp's ways; "" for one that cannot be read."""
    found = [value.strip() for value in headers.getall(TOKEN_HEADER, [])]
    private = (name.removeprefix(TOKEN_PROTOCOL) for name in offered(headers) if name.startswith(TOKEN_PROTOCOL))
    return found + [_decoded(text) for text in private]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        return ""


def cookie_name(cluster: str, number: int) -> str:
    """The name of a cluster's cookie."""
    return f"{cookie_stem(cluster)}.{number}"


def cookie_token(cookies: Mapping[str, str], cluster: str) -> str:
    """The cluster's token in a request's cookies, "" if there is none or it is none."""
    parts: list[str] = []
    while len(parts) < MAX_COOKIES and (part := cookies.get(cookie_name(cluster, len(parts)))):
        parts.append(part)
    token = "".join(parts)
    return token if _TOKEN.fullmatch(token) else ""


def token_parts(token: str) -> list[str]:
    """A token in pieces that fit into cookies.

    Raises:
        ValueError: It has other characters than a token, or is too long.
    """
    if not _TOKEN.fullmatch(token) or len(token) > COOKIE_BYTES * MAX_COOKIES:
        raise ValueError("no token")
    return cookie_parts(token)
