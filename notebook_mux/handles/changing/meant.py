"""What is to be scaled, restarted or deleted: from what a user names to objects that are there, each exactly one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from notebook_mux import errors
from notebook_mux.handles.changing.steps import Spot
from notebook_mux.handles.fetching import check_name, fetch_one
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts
from notebook_mux.handles.reviews import side_by_side
from notebook_mux.handles.server import Server
from notebook_mux.handles.targets import named

HOW = "write 'deploy/web', or give an object, a row of table.selected, or a list of these"

MOST = 1000
"""Objects of one call: as many rows as can be selected."""


class Meant(NamedTuple):
    """One object that is meant.

    Args:
        kind: As a person or an object says it.
        name: Its name.
        namespace: Where to look.
        cluster: Where to look.
        uid: The very one; "" for whichever has that name.
    """

    kind: str
    name: str
    namespace: Names
    cluster: Names
    uid: str = ""


def meant(target: Any, namespace: Names, cluster: Names) -> list[Meant]:
    """What a target names, taken apart, each once.

    Raises:
        InvalidArgument: It is no target, or names nothing.
    """
    if isinstance(cluster, Iterable) and not isinstance(cluster, str):
        cluster = tuple(cluster)
    try:
        found = list(dict.fromkeys(_each(target, checked_namespaces(namespace) or None, cluster)))
    except RecursionError:
        raise errors.InvalidArgument("lists in lists without an end name nothing", todo=HOW) from None
    if not found:
        raise errors.InvalidArgument("nothing was named that could be changed", todo=HOW)
    if len(found) > MOST:
        raise errors.InvalidArgument(f"{len(found)} objects at once", todo=f"at most {MOST}")
    return found


def _each(target: Any, namespace: Names, cluster: Names) -> Iterable[Meant]:
    if isinstance(target, str):
        if "=" in target or "," in target or " " in target.strip():
            raise errors.InvalidArgument(
                f"{target!r} is no one object's name",
                todo="read first what it selects: nm.delete(nm.get('pods', selector='app=web')); " + HOW,
            )
        kind, slash, name = target.strip().rpartition("/")
        if not name.strip() or (slash and not kind):
            raise errors.InvalidArgument(f"{target!r} names nothing that could be changed", todo=HOW)
        one = named(target, namespace, cluster)
        check_name(one.name)
        yield Meant(one.kind, one.name, one.namespace, one.cluster)
    elif isinstance(target, Mapping):
        metadata = target.get("metadata")
        if not isinstance(metadata, Mapping) and not target.get("Name"):
            raise errors.InvalidArgument("a dict that is no object and no row", todo=HOW)
        if isinstance(metadata, Mapping):
            if not target.get("kind"):
                raise errors.InvalidArgument("an object without kind names nothing that could be changed", todo=HOW)
            check_name(metadata.get("name") or None)
        one = named(target, namespace, cluster)
        uid = str(metadata.get("uid") or "") if isinstance(metadata, Mapping) else ""
        yield Meant(one.kind, one.name, one.namespace, one.cluster, uid)
    elif all(hasattr(target, part) for part in ("cluster", "namespace", "name", "uid", "kind")):  # a row's reference
        if not target.kind or not isinstance(target.kind, str):
            raise errors.InvalidArgument(f"the row of {target.name!r} does not say its kind", todo=HOW)
        check_name(target.name)
        yield Meant(target.kind, target.name, target.namespace or None, target.cluster or cluster, target.uid)
    elif isinstance(target, Iterable) and not isinstance(target, bytes | bytearray):
        for one_of_them in target:
            yield from _each(one_of_them, namespace, cluster)
    else:
        raise errors.InvalidArgument(f"a {type(target).__name__} names nothing that could be changed", todo=HOW)


async def find(identity: Identity, wanted: list[Meant]) -> list[tuple[Spot, str]]:
    """The objects that are meant, each once, and their uids, in the order given. A coroutine of `waiting`'s kind.

    Raises:
        NotFound: One is not there; with near names.
        Ambiguous: One is there twice, in two namespaces or clusters.
        MuxError: A cluster failed and no other has it.
    """
    found: dict[int, tuple[Spot, str]] = {}

    async def one(at: int) -> None:
        found[at] = await _find_one(identity, wanted[at])

    await side_by_side(range(len(wanted)), one)
    # one that is named in two ways is one
    return list({(spot.context.ref, spot.path()): (spot, uid) for _, (spot, uid) in sorted(found.items())}.values())


async def _find_one(identity: Identity, one: Meant) -> tuple[Spot, str]:
    contexts = chosen_contexts(identity, one.cluster)
    servers = {context.alias: Server(identity, context) for context in contexts}
    namespaces = checked_namespaces(one.namespace)
    first: errors.NotFound | None = None
    for kind in await _kinds(list(servers.values()), one):
        try:
            content = await fetch_one(list(servers.values()), kind, one.name, namespaces)
        except errors.NotFound as error:
            first = first or error
            continue
        uid = str(content["metadata"].get("uid") or "")
        if one.uid in ("", uid):
            context = next(context for context in contexts if context.alias == content.cluster)
            return await spot_of(identity, context, kind, content.namespace, one.name), uid
        first = errors.NotFound(
            f"{one.kind} {one.name} is gone, and another has its name now",
            cluster=content.cluster,
            todo="look again, and choose anew",
        )
    assert first is not None
    raise first


async def _kinds(servers: list[Server], one: Meant) -> list[str]:
    """The kinds that may be meant: a row names its kind and not its group, and several groups may have one."""
    if not one.uid or "." in one.kind or "/" in one.kind or len(servers) != 1:
        return [one.kind]
    return await servers[0].kinds(one.kind) or [one.kind]


async def spot_of(identity: Identity, context: Context, kind: str, namespace: str, name: str) -> Spot:
    """The place of an object. A coroutine of `waiting`'s kind.

    Raises:
        UnknownKind: The cluster serves no such kind.
    """
    server = Server(identity, context)
    resource = await server.resource(kind)
    return Spot(server, context, resource, namespace if resource["namespaced"] else "", name)
