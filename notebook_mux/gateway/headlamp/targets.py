"""Where a request below ``/clusters/<name>/`` goes. Pure functions; the target is taken as it stood on the wire.

Whatever decodes, joins or normalises a path on the way can be made to leave the cluster's part of it, so nothing here
does: a path goes upstream as it came, or is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.guard import TOKEN_PARAMETER
from notebook_mux.kube.scope import checked_path, checked_query

PREFIX = "/clusters/"
MAX_NAME = 253
"""Characters of a cluster's name; the longest contexts are EKS' ARNs with some 120."""

LONG = frozenset({"watch", "follow"})
"""Parameters that make an answer one without an end."""

FALSE = frozenset({"false", "0"})
"""What an API server takes for no, in any case; all else is yes, nothing at all included
(apimachinery/pkg/runtime/conversion.go)."""

_NAME = re.compile(r"[^\x00-\x1f/\\\x7f]+")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Target:
    """A request to a cluster: path and query are encoded, and go upstream as they are."""

    cluster: str
    path: str
    query: str


def parse(raw: str, base: str = "") -> Target:
    """The target of a request line.

    Args:
        raw: Path and query, as sent.
        base: What stands before ``/clusters/``.

    Raises:
        InvalidArgument: It does not lie below one cluster's API.
    """
    path, _, query = raw.partition("?")
    if not path.startswith(base + PREFIX):
        raise InvalidArgument("a path that is not below /clusters/")
    name, slash, rest = path[len(base + PREFIX) :].partition("/")
    target = Target(cluster_name(name), slash + rest, own_query(query))
    checked_path(target.path)
    return target


def cluster_name(raw: str) -> str:
    """The name of a cluster from its segment.

    Raises:
        InvalidArgument: It is none.
    """
    name = unquote(raw)
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME or name in (".", "..") or _ESCAPE.search(raw):
        raise InvalidArgument("a path without the name of a cluster")
    return name


def own_query(query: str) -> str:
    """The query without the gateway's own token in it.

    Raises:
        InvalidArgument: See `checked_query`.
    """
    parts = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != TOKEN_PARAMETER]
    return checked_query("&".join(parts))


def is_set(query: str, name: str) -> bool:
    """Whether a parameter is there and means yes; the first one counts, as with an API server."""
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if unquote_plus(key) == name:
            return unquote_plus(value).lower() not in FALSE
    return False


def is_long(target: Target) -> bool:
    """Whether the answer may have no end."""
    return target.path.startswith(("/api/v1/watch/",)) or any(is_set(target.query, name) for name in LONG)


def is_followed(target: Target) -> bool:
    """Whether it is a log that goes on."""
    return target.path.endswith("/log") and is_set(target.query, "follow")
