"""What a request may do: which paths may be asked for at all, which requests change something, and who may change.

Looking is the default. What is no plain reading needs the write scope of the manager that asks, on that cluster.
Pure functions and one small class; no loop, no socket.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from urllib.parse import unquote

from notebook_mux.errors import InvalidArgument, WriteRefused

READING = frozenset({"GET", "HEAD"})
METHODS = READING | {"POST", "PUT", "PATCH", "DELETE"}

ROOTS = frozenset({"api", "apis", "version", "openapi", "readyz", "livez", "healthz", "notebook-mux"})
"""The last is the embedded cluster's clock; no other cluster has anything there."""

CONNECTING = frozenset({"exec", "attach", "portforward", "proxy", "console", "vnc"})
"""Sub-resources that are asked for by GET and yet run, type or reach into something (the last two are KubeVirt's)."""

REVIEWS = re.compile(
    r"/apis/authorization\.k8s\.io/[^/]+/selfsubject(?:access|rules)reviews"
    r"|/apis/authentication\.k8s\.io/[^/]+/selfsubjectreviews"
)
"""Questions about ourselves that are asked by POST."""

HEADERS = frozenset({"accept", "content-type", "if-match", "if-none-match"})
"""Header fields of a client that are passed on. Others could change who asks (Impersonate-User, Authorization,
X-Remote-User), where (Host), or how (Upgrade, X-HTTP-Method-Override)."""

PASSED_ON = frozenset({"content-type", "etag", "warning", "retry-after", "date", "audit-id", "notebook-mux-clock"})
"""Header fields of a cluster's answer that a client gets; none of them carries a secret."""

_POD = ("api", "v1", "namespaces", "", "pods", "")
"""The path of a pod; names stand where nothing is."""

_PATH = re.compile(r"/[A-Za-z0-9/._~:@!$&'()*+,=%-]*")
_QUERY = re.compile(r"[\x21\x22\x24-\x7e]*")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIDDEN = re.compile(r"[\x00-\x20/\\%?#;\x7f-\uffff]")
"""What an escape must not stand for: the server would cut the path at other places than we did."""


def checked_path(path: str) -> list[str]:
    """The segments of a path of a cluster's API, decoded.

    Raises:
        InvalidArgument: It is no plain absolute path below one of `ROOTS`.
    """
    if not _PATH.fullmatch(path) or _ESCAPE.search(path):
        raise _bad("has characters that no path of an API server has")
    raw = path.split("/")[1:]
    if len(raw) > 1 and raw[-1] == "":
        raw.pop()
    segments = [unquote(segment) for segment in raw]
    if any(_HIDDEN.search(segment) for segment in segments):
        raise _bad("hides a character behind an escape")
    if any(segment in ("", ".", "..") for segment in segments):
        raise _bad("has an empty segment, . or ..")
    if segments[0] not in ROOTS:
        raise _bad("is not below /api, /apis, /version, /openapi or a health check")
    return segments


def pod_of(path: str, parts: Container[str] | None = None) -> str | None:
    """The pod, as ``namespace/name``, that a path is, or one of whose `parts` (``exec``, ``log``); None for any other.

    Raises:
        InvalidArgument: See `checked_path`.
    """
    segments = checked_path(path)
    if parts is not None and segments.pop() not in parts:
        return None
    if len(segments) != len(_POD) or any(want and want != have for want, have in zip(_POD, segments, strict=True)):
        return None
    return f"{segments[3]}/{segments[5]}"


def checked_query(query: str) -> str:
    """The query as it came.

    Raises:
        InvalidArgument: It has blanks, control characters or a fragment in it, or is not ASCII.
    """
    if not _QUERY.fullmatch(query):
        raise InvalidArgument("the query of a request has characters that must be escaped")
    return query


def checked_headers(headers: dict[str, str]) -> dict[str, str]:
    """The header fields as they came.

    Raises:
        InvalidArgument: One of them is not in `HEADERS`, or its value is not printable.
    """
    for name, value in headers.items():
        if name.lower() not in HEADERS:
            raise InvalidArgument(
                "a header field that the gateway does not pass on", todo=f"only these: {', '.join(sorted(HEADERS))}"
            )
        if not (value.isascii() and value.isprintable()):
            raise InvalidArgument(f"the value of the header field {name.lower()} is not printable")
    return headers


def needs_write(method: str, path: str) -> bool:
    """Whether a request may change something. In doubt it does.

    Raises:
        InvalidArgument: The method is none of `METHODS`, or see `checked_path`.
    """
    if method not in METHODS:
        raise InvalidArgument(
            "a method that the gateway does not pass on", todo=f"only these: {', '.join(sorted(METHODS))}"
        )
    segments = checked_path(path)
    if method in READING:
        return not CONNECTING.isdisjoint(_beyond_names(segments))
    return not (method == "POST" and REVIEWS.fullmatch("/" + "/".join(segments)))


def _beyond_names(segments: list[str]) -> list[str]:
    """The segments that are no group, version, namespace, kind or name: where a sub-resource stands, in lower case."""
    rest = segments[2:] if segments[0] == "api" else segments[3:] if segments[0] == "apis" else []
    rest = [segment.lower() for segment in rest]
    if rest and rest[0] in ("proxy", "watch"):  # older verbs in front: /api/v1/proxy/..., /api/v1/watch/...
        return rest
    if len(rest) > 2 and rest[0] == "namespaces":
        # Either a sub-resource of the namespace itself, or a kind in it: both readings count.
        return [rest[2], *rest[4:]]
    return rest[2:]


class Scopes:
    """The write scopes of one session, by the id that a manager gave its own.

    Args:
        allowed: Whether this gateway grants any.
    """

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed
        self._granted: dict[str, frozenset[str]] = {}

    def set(self, scope: str, refs: Iterable[str], known: Iterable[str]) -> list[str]:
        """Replace a scope; returns what is granted of it: refs that this session has resolved."""
        granted = frozenset(refs) & frozenset(known) if self.allowed else frozenset()
        self._granted[scope] = granted
        return sorted(granted)

    def check(self, scope: str, ref: str, cluster: str, what: str) -> None:
        """Let a change pass.

        Args:
            scope: The id that the request carried.
            ref: The cluster.
            cluster: Its name.
            what: The request in words.

        Raises:
            WriteRefused: It is not in the scope.
        """
        if scope and ref in self._granted.get(scope, ()):
            return
        if not self.allowed:
            raise WriteRefused(
                f"{what} would change something, and this gateway was started to look only",
                cluster=cluster,
                todo="start it with --write, and connect with write=True",
            )
        raise WriteRefused(
            f"{what} would change something, and this connection may only look",
            cluster=cluster,
            todo="connect with nm.connect(..., write=True)",
        )


def _bad(why: str) -> InvalidArgument:
    return InvalidArgument(f"the path of a request {why}", todo="ask for a path such as /api/v1/namespaces")
