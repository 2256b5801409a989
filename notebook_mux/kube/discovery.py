"""The kinds a cluster serves, by the aggregated discovery or, with older servers, one group version at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Protocol
from weakref import WeakKeyDictionary

import msgspec

from notebook_mux.errors import MuxError, ServerError
from notebook_mux.kube.answers import Answer
from notebook_mux.wire import UNREADABLE

ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
PLAIN = "application/json"

FRESH_SECONDS = 30.0
"""How long an answer is used without asking: a new kind (a CRD) is found after that, or at once with `refresh`."""

AT_ONCE = 8
"""Group versions asked for at the same time from a server that has to be asked one by one."""


class Resource(msgspec.Struct, kw_only=True, frozen=True):
    """One kind as one group version serves it; in the server's order, preferred versions first.

    Attributes:
        group: "" for the core group.
        preferred: Whether this is the version the server prefers for its group.
    """

    name: str
    singular: str
    kind: str
    group: str
    version: str
    namespaced: bool
    short_names: list[str] = []
    categories: list[str] = []
    verbs: list[str] = []
    preferred: bool = True


# --- the aggregated form (apidiscovery.k8s.io/v2) -----------------------------------------------------------------


class _Kind(msgspec.Struct):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Served(msgspec.Struct, rename="camel"):
    resource: str
    scope: str = ""
    singular_resource: str = ""
    response_kind: _Kind | None = None
    verbs: list[str] = []
    short_names: list[str] | None = None
    categories: list[str] | None = None


class _Version(msgspec.Struct):
    version: str
    resources: list[_Served] | None = None


class _GroupName(msgspec.Struct, frozen=True):
    name: str = ""


class _Group(msgspec.Struct):
    metadata: _GroupName = _GroupName()
    versions: list[_Version] | None = None


class _Aggregated(msgspec.Struct):
    items: list[_Group] | None = None


# --- the old form -------------------------------------------------------------------------------------------------


class _GroupVersion(msgspec.Struct):
    version: str


class _OldGroup(msgspec.Struct, rename="camel"):
    name: str
    versions: list[_GroupVersion]
    preferred_version: _GroupVersion | None = None


class _OldGroups(msgspec.Struct):
    groups: list[_OldGroup] | None = None


class _OldVersions(msgspec.Struct):
    versions: list[str] | None = None


class _OldResource(msgspec.Struct, rename="camel"):
    name: str
    kind: str
    namespaced: bool
    singular_name: str = ""
    verbs: list[str] = []
    short_names: list[str] | None = None
    categories: list[str] | None = None


class _OldResources(msgspec.Struct):
    resources: list[_OldResource] | None = None


class Cluster(Protocol):
    """Whom to ask. Kept weakly, so that what is known goes with it."""

    @property
    def name(self) -> str:
        """For messages."""

    async def request(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> Answer:
        """One request; an HTTP error is an answer like any other."""


class _Kept:
    """What is known of one cluster."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.resources: list[Resource] | None = None
        self.asked = 0.0
        self.etags: dict[str, str] = {}
        self.parts: dict[str, list[Resource]] = {}


_kept: WeakKeyDictionary[Cluster, _Kept] = WeakKeyDictionary()


async def discover(cluster: Cluster, *, refresh: bool = False, timeout: float = 30.0) -> list[Resource]:
    """All kinds in the server's order, without subresources. On the gateway's loop.

    Callers at the same time share one question. A group whose own server does not answer is left out; the others
    are there.

    Args:
        cluster: Whose.
        refresh: Ask now, even if the last answer is younger than `FRESH_SECONDS`; an unchanged one costs no transfer.
        timeout: Seconds for all of it.

    Raises:
        LoginRequired, Forbidden, Unreachable, TimedOut, ServerError: What the server said to the first question.
    """
    kept = _kept.setdefault(cluster, _Kept())
    asked_at = time.monotonic()
    async with kept.lock:
        fresh = kept.asked > asked_at or (not refresh and asked_at - kept.asked < FRESH_SECONDS)
        if kept.resources is not None and fresh:
            return kept.resources
        started = time.monotonic()
        parts = [await _part(cluster, kept, root, timeout) for root in ("/api", "/apis")]
        kept.resources, kept.asked = [*parts[0], *parts[1]], started
        return kept.resources


async def _part(cluster: Cluster, kept: _Kept, root: str, timeout: float) -> list[Resource]:
    headers = {"Accept": ACCEPT}
    if root in kept.parts and root in kept.etags:
        headers["If-None-Match"] = kept.etags[root]
    answer = await cluster.request("GET", root, headers=headers, timeout=timeout)
    if answer.status == 304 and root in kept.parts:
        return kept.parts[root]
    if answer.status in (404, 406) and root == "/apis":
        return []  # a server with nothing but the core group
    error = answer.error("ask what it serves", cluster.name)
    if error is not None:
        raise error
    kept.etags.pop(root, None)
    try:
        if "APIGroupDiscoveryList" in answer.headers.get("content-type", ""):
            groups = msgspec.json.decode(answer.body, type=_Aggregated).items or []
            found = [one for group in groups for one in _of_group(group)]
            if "etag" in answer.headers:
                kept.etags[root] = answer.headers["etag"]
        else:
            found = await _one_by_one(cluster, root, answer.body, timeout)
    except UNREADABLE as problem:
        raise ServerError(
            "what the cluster serves cannot be understood", cluster=cluster.name, said=str(problem)
        ) from None
    kept.parts[root] = found
    return found


def _of_group(group: _Group) -> Iterable[Resource]:
    for number, version in enumerate(group.versions or ()):
        for served in version.resources or ():
            kind = served.response_kind or _Kind()
            yield Resource(
                name=served.resource,
                singular=served.singular_resource or kind.kind.lower(),
                kind=kind.kind,
                group=group.metadata.name,
                version=version.version,
                namespaced=served.scope == "Namespaced",
                short_names=served.short_names or [],
                categories=served.categories or [],
                verbs=served.verbs,
                preferred=number == 0,
            )


async def _one_by_one(cluster: Cluster, root: str, body: bytes, timeout: float) -> list[Resource]:
    if root == "/api":
        versions = msgspec.json.decode(body, type=_OldVersions).versions or []
        wanted = [("", version, number == 0) for number, version in enumerate(versions)]
    else:
        wanted = []
        for group in msgspec.json.decode(body, type=_OldGroups).groups or ():
            first = group.preferred_version.version if group.preferred_version is not None else ""
            names = sorted((one.version for one in group.versions), key=lambda name: name != first)
            wanted += [(group.name, name, number == 0) for number, name in enumerate(names)]
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(group: str, version: str, preferred: bool) -> list[Resource]:
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        async with turns:
            try:
                answer = await cluster.request("GET", path, headers={"Accept": PLAIN}, timeout=timeout)
                body = answer.body if answer.status == 200 else b"{}"
                listed = msgspec.json.decode(body, type=_OldResources).resources
            except (MuxError, *UNREADABLE):
                return []  # an aggregated API whose server is away must not hide all others
        return [
            Resource(
                name=each.name,
                singular=each.singular_name or each.kind.lower(),
                kind=each.kind,
                group=group,
                version=version,
                namespaced=each.namespaced,
                short_names=each.short_names or [],
                categories=each.categories or [],
                verbs=each.verbs,
                preferred=preferred,
            )
            for each in listed or ()
            if "/" not in each.name
        ]

    async with asyncio.TaskGroup() as group_tasks:
        tasks = [group_tasks.create_task(one(*each)) for each in wanted]
    return [resource for task in tasks for resource in task.result()]
