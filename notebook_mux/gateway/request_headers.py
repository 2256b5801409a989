"""Headers that callers may give to a request of ours; the rest is the kubeconfig's to say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from notebook_mux.errors import InvalidArgument

OURS = frozenset({"authorization", "host", "connection", "content-length", "transfer-encoding", "upgrade", "cookie"})
"""Headers that no caller sets; Impersonate-* neither."""

IMPERSONATION = "impersonate-"
"""How the names of the headers begin that say whom a request is made as."""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def checked(headers: Mapping[str, str] | None) -> dict[str, str]:
    """A copy of headers that may be sent.

    Raises:
        InvalidArgument: One cannot be sent, or is not the caller's to set.
    """
    given = dict(headers or {})
    for name, value in given.items():
        lower = name.lower()
        if lower in OURS or lower.startswith((IMPERSONATION, "proxy-", "x-remote-")):
            raise InvalidArgument(f"the header {name} cannot be set", todo="the kubeconfig decides who asks")
        if not _HEADER.fullmatch(name) or not value.isprintable():
            raise InvalidArgument(f"the header {name[:60]!r} cannot be sent")
    return given
