"""From what was kept to a cluster's objects."""

from __future__ import annotations

from pathlib import Path

import msgspec

from notebook_mux.playground.cluster import CRDS, Cluster
from notebook_mux.playground.state.contents import Contents, Name
from notebook_mux.playground.state.errors import ANOTHER, UNTOUCHED, StateRefused, damaged


def restore(cluster: Cluster, contents: Contents, folder: Path) -> None:
    """Put objects into an empty cluster with the versions they had; what was before the newest is too old from now on.

    A real server that starts again does the same: its watch cache begins with what etcd has then.

    Raises:
        StateRefused: An object is of a kind that this version does not serve, or cannot be read.
    """
    for name in sorted(contents.objects, key=_order):
        revision, body = contents.objects[name]
        try:
            obj = msgspec.json.decode(body)
            kind = cluster.kinds.of(name[0])
        except msgspec.DecodeError as error:
            raise damaged(folder, 0, f"{' '.join(name)} cannot be read: {error}") from None
        except KeyError:
            raise StateRefused(
                f"the state in {folder} has objects of a kind that is not served here: {name[0]}",
                todo=f"use the version of notebook-mux that wrote it, or {ANOTHER}; {UNTOUCHED}",
            ) from None
        cluster.store.restore(kind, obj, revision)
    cluster.store.begin_at(contents.revision)
    cluster.random.seed(f"{cluster.name}/{contents.revision}")  # no uid may come a second time


def _order(name: Name) -> tuple[bool, Name]:
    """Definitions first: they say what the others are."""
    return name[0] != CRDS, name
