"""What a request asks for, read from its method, path and query alone: before anybody looks whether that is served.

The rules are those of RequestInfo (https://kubernetes.io/docs/reference/access-authn-authz/authorization/).
"""

from __future__ import annotations

from collections.abc import Mapping

from notebook_mux.playground.access import Asked
from notebook_mux.playground.options import boolean

VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
OF_COLLECTIONS = {"get": "list", "delete": "deletecollection"}
IN_PATHS = frozenset({"watch", "proxy"})
"""Verbs that old paths name."""

OF_NAMESPACES = frozenset({"status", "finalize"})
"""Sub-resources of namespaces; anything else behind a namespace's name is a resource in it."""

NAME_FIELD = "metadata.name"


def read(method: str, path: str, query: Mapping[str, str]) -> Asked:
    """What is asked.

    Args:
        method: Of HTTP.
        path: Decoded.
        query: Its parameters.
    """
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] not in ("api", "apis") or len(parts) < (3 if parts[0] == "api" else 4):
        return Asked(method.lower(), path=path)
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    verb = VERBS.get(method, "")
    if rest[0] in IN_PATHS:
        verb, rest = rest[0], rest[1:]
    namespace = ""
    if rest and rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in OF_NAMESPACES:
            rest = rest[2:]
    resource, name, subresource = (*rest[:3], "", "", "")[:3]
    if not name:
        if verb == "get" and boolean(query.get("watch")):
            verb = "watch"
        verb = OF_COLLECTIONS.get(verb, verb)
    if not name and verb in ("list", "watch", "deletecollection"):
        name = _selected(query.get("fieldSelector", ""))
    return Asked(verb, group, resource, subresource, namespace, name)


def _selected(selector: str) -> str:
    """The one name that a field selector lets through; empty if it may be several."""
    for term in selector.split(","):
        field, sign, value = term.partition("=")
        if sign and field == NAME_FIELD:
            return value.removeprefix("=")
    return ""
