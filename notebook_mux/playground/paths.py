"""What a request's path means: a collection, an object, one of its sub-resources, or something else."""

from __future__ import annotations

from dataclasses import dataclass

from notebook_mux.playground.kinds import Kind, Kinds
from notebook_mux.playground.status import no_such_path


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for.

    Args:
        kind: Its kind.
        namespace: Empty for a kind of the whole cluster, and for all namespaces.
        name: Empty for a collection.
        subresource: Empty for the object itself.
        watch: The old form of a watch, below ``/watch/``.
    """

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    watch: bool = False


class NotServed(Exception):
    """A path that no API group serves: 404 in plain text."""


def parse(path: str, kinds: Kinds) -> Target:
    """Read the path of a resource.

    Args:
        path: Decoded, beginning with ``/api/`` or ``/apis/``.
        kinds: What the cluster serves.

    Raises:
        NotServed: No such group and version.
        ApiError: 404, no such resource in it.
    """
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, version, rest = "", parts[1] if len(parts) > 1 else "", parts[2:]
    elif len(parts) > 2 and parts[1]:  # the group without a name is below /api alone, and authorized there
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise NotServed(path)
    if not any(kind.group == group and kind.version == version for kind in kinds):
        raise NotServed(path)
    watch = bool(rest) and rest[0] == "watch"
    if watch:
        rest = rest[1:]
    if "" in rest:
        raise no_such_path()
    namespace = ""
    if len(rest) >= 3 and rest[0] == "namespaces" and not _is_of_namespace(group, rest):
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 3:
        raise no_such_path()
    kind = kinds.find(group, version, rest[0])
    if kind is None and all(one.custom for one in kinds if one.group == group):
        raise NotServed(path)  # of a custom kind's group there is nothing but what is defined
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if kind is None or (name and kind.namespaced and not namespace) or (namespace and not kind.namespaced):
        raise no_such_path()
    if subresource and (watch or subresource not in kind.subresources):
        raise no_such_path()
    return Target(kind, namespace, name, subresource, watch)


def _is_of_namespace(group: str, rest: list[str]) -> bool:
    """Whether ``namespaces/x/status`` is meant and no kind of that name in namespace x."""
    return group == "" and len(rest) == 3 and rest[2] in ("status", "finalize")
