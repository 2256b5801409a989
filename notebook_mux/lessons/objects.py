"""Makes what a lesson needs in its namespace, where it is not there yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any
from urllib.parse import quote

import msgspec

from notebook_mux import errors
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.refusals import NOT_FOUND, OK, refused
from notebook_mux.handles.server import Server
from notebook_mux.handles.waiting import Wait, deadline_in
from notebook_mux.kernel import kinds

Json = dict[str, Any]

MARK = "notebook-mux/lesson"
"""The annotation that says what an object was made for."""

FIELDS = "fieldManager=lesson&fieldValidation=Strict"
GONE_SECONDS = 60.0
"""For an object that is deleted to be gone: the pods' grace is 30 s, and the object itself goes at once."""

POLL_S = 0.1
DELETE = '{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}'


async def create(manager: Manager, manifests: Sequence[Json], *, mark: str, anew: bool = False) -> bool:
    """Create objects in the manager's first cluster and namespace.

    Those that are there with the same mark stay as they are, whatever was changed in them; others give way. A coroutine
    of `waiting`'s kind.

    Args:
        manager: Which may write there.
        manifests: The objects.
        mark: What they are made for: a lesson with a seed.
        anew: Whether all that are there give way.

    Returns:
        Whether one was made.

    Raises:
        MuxError: The cluster does not take one of them.
    """
    made = False
    server = Server(manager._identity, manager._identity.contexts[0])
    for manifest in manifests:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        group = manifest["apiVersion"].rpartition("/")[0]
        resource = await server.resource(f"{kind}.{group}" if group else kind)
        path = kinds.path(resource, server.default_namespace if resource["namespaced"] else None)
        own = f"{path}/{quote(name, safe='')}"
        status, body = await server.request(own, "", JSON)
        if status in OK:
            if not anew and _mark(body) == mark:
                continue
            await _delete(server, own, f"deleting {kind} {name}")
        metadata = manifest["metadata"]
        marked = {**manifest, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), MARK: mark}}}
        status, body = await server.change("POST", path, msgspec.json.encode(marked).decode(), query=FIELDS)
        if status not in OK:
            raise refused(status, body, what=f"making {kind} {name} for the lesson", cluster=server.name)
        made = True
    return made


def _mark(body: bytes) -> str:
    found = msgspec.json.decode(body, type=Json)
    return str((found["metadata"].get("annotations") or {}).get(MARK, ""))


async def _delete(server: Server, path: str, what: str) -> None:
    deadline = deadline_in(GONE_SECONDS)
    status, body = await server.change("DELETE", path, DELETE)
    while status in OK:
        try:
            await Wait(Future(), deadline=time.monotonic() + POLL_S, what=what)
        except errors.TimedOut:
            status, body = await server.request(path, "", JSON)
        if deadline is not None and time.monotonic() > deadline:
            raise errors.TimedOut(f"{what}: it is still there after {GONE_SECONDS:g} s", todo="run the cell again")
    if status != NOT_FOUND:
        raise refused(status, body, what=what, cluster=server.name)
