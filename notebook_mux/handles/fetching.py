"""One-time reading: a list of a kind over the clusters asked, or one object by its name."""

from __future__ import annotations

import difflib
import reprlib
import time
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from notebook_mux import clocks, errors
from notebook_mux.clocks import Clock
from notebook_mux.handles.crossing import told
from notebook_mux.handles.entries import Described
from notebook_mux.handles.lists import PAGE, TABLE, page
from notebook_mux.handles.objects import Object
from notebook_mux.handles.readers import NEAR_NAMES
from notebook_mux.handles.refusals import GONE, NOT_FOUND, OK, refused
from notebook_mux.handles.snapshot import ReadState, ReadView, Snapshot
from notebook_mux.handles.telling import most_telling, parted, state_of
from notebook_mux.handles.waiting import gather
from notebook_mux.kernel import kinds
from notebook_mux.kube.scope import checked_path
from notebook_mux.wire import UNREADABLE

EVERYWHERE = ("*",)
JSON = "application/json"

Resource = dict[str, Any]
Records = dict[str, Any]
Columns = list[dict[str, Any]]


class Server(Protocol):
    """A manager's cluster, as far as reading needs it; coroutines of `waiting`'s kind."""

    name: str
    default_namespace: str
    clock: Clock
    """The cluster's, by its last answer."""

    async def resource(self, kind: str) -> Resource:
        """The resource that the word names there."""

    async def request(self, path: str, query: str, accept: str) -> tuple[int, bytes]:
        """A GET: status and body."""


async def fetch_list(
    servers: Sequence[Server],
    kind: str,
    namespaces: tuple[str, ...],
    selector: str,
    field_selector: str,
    described: Described,
) -> Snapshot:
    """List a kind on each cluster; those that fail are a state of the snapshot.

    Raises:
        MuxError: All failed; the most telling of their errors.
    """
    chosen = {"labelSelector": selector, "fieldSelector": field_selector}
    query = {name: value for name, value in chosen.items() if value}
    results = await gather([_list_cluster(server, kind, namespaces, query) for server in servers])
    records: dict[str, Records] = {}
    states: dict[str, ReadState] = {}
    columns: Columns = []
    failed = []
    for server, result in zip(servers, results, strict=True):
        if isinstance(result, errors.MuxError):
            failed.append((server.name, result))
            records[server.name] = {}
            states[server.name] = ReadState(
                state_of(result), time.time(), False, result.what, result.said, result.code, result.todo
            )
        elif isinstance(result, Exception):
            raise result
        else:
            states[server.name], records[server.name], its_columns = result
            columns = max(columns, its_columns, key=len)
    if len(failed) == len(servers):
        raise most_telling(failed)
    return Snapshot(ReadView(records, columns, states), described.words(state.resource for state in states.values()))


def check_name(name: Any, source: str = "") -> None:
    """Refuse what no object is called, before it stands in a path.

    Args:
        name: What is given for one.
        source: Where it stands; "" where it has no place.

    Raises:
        InvalidArgument: It cannot be a name.
    """
    try:
        checked_path(f"/api/{quote(name if isinstance(name, str) and name else '..', safe='')}")
    except (errors.InvalidArgument, UnicodeError):
        raise errors.InvalidArgument(
            f"{reprlib.repr(name)} cannot be an object's name{f' ({source})' if source else ''}",
            todo="small letters, digits, '-' and '.'",
        ) from None


async def fetch_one(servers: Sequence[Server], kind: str, name: str, namespaces: tuple[str, ...]) -> Object:
    """One object by its name.

    Raises:
        InvalidArgument: None could have that name.
        NotFound: No cluster has it; with near names.
        Ambiguous: It is there twice, in two namespaces or clusters.
        MuxError: A cluster failed and no other has it.
    """
    check_name(name)
    results = await gather([_one_of_cluster(server, kind, name, namespaces) for server in servers])
    came, failed = parted((server.name for server in servers), results)
    found = [one for _, objects in came for one in objects]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(f"{one.cluster}: {one.namespace}/{one.name}" for one in found[:NEAR_NAMES])
        raise errors.Ambiguous(
            f"{kind} {name!r} is there {len(found)} times: {places}", todo="give namespace= and cluster="
        )
    missing = [error for _, error in failed if type(error) is errors.NotFound]
    others = [(cluster, error) for cluster, error in failed if type(error) is not errors.NotFound]
    if others:
        raise most_telling(others)
    raise missing[0]


async def _list_cluster(
    server: Server, kind: str, namespaces: tuple[str, ...], query: dict[str, str]
) -> tuple[ReadState, Records, Columns]:
    resource = await server.resource(kind)
    places = _places(server, resource, namespaces)
    note = ""
    try:
        records, columns = await _list_places(server, resource, places, query)
    except errors.Forbidden as error:
        if places != (None,) or not resource["namespaced"]:
            raise
        records, columns, places, note = await _allowed_only(server, resource, query, error)
    shown = None if not resource["namespaced"] else tuple(place or "*" for place in places)
    clock = clocks.plain(server.clock)
    return (
        ReadState("live", time.time(), True, note, resource=resource, namespaces=shown, clock=clock),
        records,
        columns,
    )


async def _list_places(
    server: Server, resource: Resource, places: tuple[str | None, ...], query: dict[str, str]
) -> tuple[Records, Columns]:
    results = await gather([_list_path(server, resource, place, query) for place in places])
    records: Records = {}
    columns: Columns = []
    for result in results:
        if isinstance(result, Exception):
            raise result
        records |= result[0]
        columns = max(columns, result[1], key=len)
    return records, columns


async def _allowed_only(
    server: Server, resource: Resource, query: dict[str, str], error: errors.Forbidden
) -> tuple[Records, Columns, tuple[str | None, ...], str]:
    """All namespaces at once are forbidden: those that the user may list, else the context's."""
    status, body = await server.request("/api/v1/namespaces", f"limit={PAGE}", JSON)
    names = [server.default_namespace]
    if status in OK:
        names = sorted(record.name for record in page(body, 0.0).records.values())
    results = await gather([_list_path(server, resource, name, query) for name in names])
    allowed: list[str] = []
    records: Records = {}
    columns: Columns = []
    for name, result in zip(names, results, strict=True):
        if isinstance(result, errors.Forbidden):
            continue
        if isinstance(result, Exception):
            raise result
        allowed.append(name)
        records |= result[0]
        columns = max(columns, result[1], key=len)
    if not allowed:
        raise error
    return records, columns, tuple(allowed), f"{error.said}; showing {', '.join(allowed[:5])}"


async def _list_path(
    server: Server, resource: Resource, namespace: str | None, query: dict[str, str]
) -> tuple[Records, Columns]:
    """All pages of one collection; where a page has expired, the whole at once, as kubectl does."""
    path = kinds.path(resource, namespace)
    what = f"listing {resource['name']}" + (f" in {namespace}" if namespace else "")
    asked = {"includeObject": "Object", "limit": str(PAGE), **query}
    records: Records = {}
    columns: Columns = []
    while True:
        status, body = await server.request(path, urlencode(asked), TABLE)
        if status == GONE and "continue" in asked:
            asked = {"includeObject": "Object", **query}
            records, columns = {}, []
            continue
        if status not in OK:
            raise refused(status, body, what=what, cluster=server.name)
        part = page(body, server.clock.now(time.time()))
        records |= part.records
        columns = columns or part.columns
        if not part.next:
            return records, columns
        asked["continue"] = part.next


async def _one_of_cluster(server: Server, kind: str, name: str, namespaces: tuple[str, ...]) -> list[Object]:
    resource = await server.resource(kind)
    places = _places(server, resource, namespaces)
    if places == (None,) and resource["namespaced"]:
        # In all namespaces: a name is only told from others by a list.
        query = {"fieldSelector": f"metadata.name={name}"}
        records, _ = await _list_places(server, resource, places, query)
        found = [Object.of(record, server.name, resource) for record in records.values()]
    else:
        what = f"reading {resource['singular'] or resource['name']} {name}"
        results = await gather([_read(server, resource, place, name, what) for place in places])
        found = []
        for result in results:
            if isinstance(result, Exception):
                raise result
            found += [Object(result, server.name)] if result is not None else []
    if not found:
        raise await _not_there(server, resource, places, name)
    return found


async def _read(server: Server, resource: Resource, place: str | None, name: str, what: str) -> dict[str, Any] | None:
    path = f"{kinds.path(resource, place)}/{quote(name, safe='')}"
    status, body = await server.request(path, "", JSON)
    if status == NOT_FOUND:
        return None
    if status not in OK:
        raise refused(status, body, what=what, cluster=server.name)
    try:
        content: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        raise errors.ServerError(f"{what}: the answer cannot be read", cluster=server.name, said=str(error)) from None
    return content


async def _not_there(server: Server, resource: Resource, places: tuple[str | None, ...], name: str) -> errors.NotFound:
    """The error for a name that is not there, with near ones where they may be listed."""
    near: list[str] = []
    try:
        records, _ = await _list_places(server, resource, places, {})
        near = difflib.get_close_matches(name, sorted({r.name for r in records.values()}), NEAR_NAMES)
    except errors.MuxError:
        pass  # then there is only the plain word
    where = ", ".join(place for place in places if place)
    return errors.NotFound(
        f"there is no {resource['singular'] or resource['name']} {name!r}" + (f" in {where}" if where else ""),
        cluster=server.name,
        todo=f"did you mean {' or '.join(near)}?" if near else "look with nm.get(kind), or in another namespace=",
    )


def _places(server: Server, resource: Resource, namespaces: tuple[str, ...]) -> tuple[str | None, ...]:
    """The namespaces to ask in; (None,) is all of them, or a resource that is in none."""
    if not resource["namespaced"] or namespaces == EVERYWHERE:
        return (None,)
    return namespaces or (server.default_namespace,)


def find_kind(resources: list[Resource], word: str) -> Resource:
    """`kinds.find` with errors of our tree."""
    return told(kinds.find, resources, word)
