"""What ``GET /config`` says of a Headlamp server: its clusters, by which it is told from our gateway too.

(kubernetes-sigs/headlamp, backend/cmd/headlamp.go, type clientConfig, 0.45.0)
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from notebook_mux.errors import NoCluster, UnknownContext
from notebook_mux.wire import UNREADABLE
from notebook_mux.wire.messages import Context

NEAR = 0.5
"""How like a name must be to be offered (difflib's ratio)."""

NAMED = 5
"""How many names an error names."""

DEFAULT_NAMESPACE = "default"

ALL = "*"


class ServedCluster(msgspec.Struct):
    """One cluster of the list. What else a server says of it is not looked at."""

    name: str
    server: str | None = ""
    error: str | None = None
    meta_data: dict[str, Any] | None = None

    @property
    def namespace(self) -> str:
        """The context's own namespace, where the server tells it."""
        found = (self.meta_data or {}).get("namespace")
        return found if isinstance(found, str) and found else DEFAULT_NAMESPACE


class Config(msgspec.Struct):
    """A server's answer."""

    clusters: list[ServedCluster] | None


def read(body: bytes) -> Config | None:
    """The config in an answer's body, None if it is none."""
    try:
        return msgspec.json.decode(body, type=Config)
    except UNREADABLE:
        return None


def ref_of(base: str, cluster: ServedCluster) -> str:
    """What stands for a cluster: by content, so that another one behind the same name is another."""
    return hashlib.sha256(f"{base}\n{cluster.name}\n{cluster.server}".encode()).hexdigest()[:16]


def contexts(base: str, config: Config, names: Sequence[str] | None) -> list[Context]:
    """Resolve names: None for the only one there is, ``["*"]`` for all.

    Raises:
        NoCluster: The server has none.
        UnknownContext: A name is not there, or none was given where there are several.
    """
    known = {cluster.name: cluster for cluster in config.clusters or ()}
    if not known:
        raise NoCluster(
            f"the Headlamp server at {base} has no cluster", todo="give it a kubeconfig, or see what its log says"
        )
    if names is None and len(known) > 1:
        some = ", ".join(repr(name) for name in sorted(known)[:NAMED])
        raise UnknownContext(
            f"the Headlamp server at {base} has {len(known)} clusters and none of them is the current one",
            todo=f"name one, or '*' for all: {some}",
        )
    chosen = list(known) if names is None or ALL in names else list(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=3, cutoff=NEAR) or sorted(known)[:NAMED]
            raise UnknownContext(
                f"the Headlamp server at {base} has no cluster {name!r}",
                todo=f"did you mean {', '.join(map(repr, near))}? There are {len(known)}; a cluster that only a browser"
                " has (a kubeconfig loaded there) cannot be reached from here",
            )
    return [_context(base, known[name]) for name in chosen]


def _context(base: str, cluster: ServedCluster) -> Context:
    error = None
    if cluster.error:
        error = {
            "code": "unreachable",
            "what": f"the Headlamp server cannot use its cluster {cluster.name!r}",
            "said": cluster.error,
            "todo": "see the server's own kubeconfig",
        }
    return Context(
        name=cluster.name,
        ref="" if error else ref_of(base, cluster),
        server=cluster.server or "",
        namespace=cluster.namespace,
        error=error,
    )
