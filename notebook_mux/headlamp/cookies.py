"""The cookies that carry a cluster's token to a Headlamp server.

The server sets them for ``/clusters/<name>`` only, so no cookie jar would send them to ``/wsMultiplexer``, where it
reads them too: they are put together by hand. (kubernetes-sigs/headlamp, backend/pkg/auth/cookies.go, 0.45.0; later
versions put a digest into the name and read this one as well.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from notebook_mux.wire.headlamp import cookie_parts, cookie_stem

_DIGEST = re.compile(r"(-[0-9a-f]{32})?")
"""What later versions put behind the name."""

_SAFE = re.compile(r"[!#-+\x2d-:<-\[\]-~]+")
"""RFC 6265, cookie-octet."""


def header(tokens: Mapping[str, str]) -> str:
    """The Cookie header for tokens by cluster; "" for none.

    Where two clusters' cookies have one name neither is sent, unless the tokens are the same: the server would send one
    cluster's token to the other. (Their watches go by the direct path then, which has its own.)
    """
    named: dict[str, set[str]] = {}
    for cluster, token in sorted(tokens.items()):
        named.setdefault(cookie_stem(cluster), set()).add(token)
    parts: list[str] = []
    for stem, alike in named.items():
        if len(alike) == 1:
            parts += [f"{stem}.{number}={part}" for number, part in enumerate(cookie_parts(alike.pop()))]
    return "; ".join(parts)


def renewed(cluster: str, set_cookies: Iterable[tuple[str, str]]) -> str | None:
    """The token that an answer's cookies (name, value) set for a cluster; None if they set none.

    An empty value clears a chunk, as the server does before it sets a new token.
    """
    chunks: dict[int, str] = {}
    name = cookie_stem(cluster)
    for cookie, value in set_cookies:
        base, _, number = cookie.rpartition(".")
        if number.isdigit() and value and base.startswith(name) and _DIGEST.fullmatch(base.removeprefix(name)):
            chunks[int(number)] = value
    token = "".join(chunks[at] for at in range(len(chunks)) if at in chunks)
    return token if is_token(token) else None  # quoted ones may have a line's end in them


def is_token(text: str) -> bool:
    """Whether a text can be sent as a cookie's value."""
    return bool(_SAFE.fullmatch(text))
