"""What counts in the embedded cluster: a pod that writes numbers into its log, and a config map that is raised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from notebook_mux import errors
from notebook_mux.handles.identity import Context
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts
from notebook_mux.handles.refusals import NOT_FOUND, OK, refused
from notebook_mux.handles.rights import may_write
from notebook_mux.handles.server import Server

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

EMBEDDED = "notebook-mux"
"""The ``gitCommit`` of the embedded cluster's version."""

IMAGE = "notebook-mux/counter:1"
"""The embedded cluster's program that counts."""

COUNTS = {"playground.notebook-mux/counts": "0.5"}
"""Has the embedded cluster raise the config map's number so often, in seconds."""

LABELS = {"app.kubernetes.io/part-of": "notebook-mux"}

CONFLICT = 409


async def ready(manager: Manager, name: str, namespace: Names, cluster: str | None) -> tuple[Context, str, str, str]:
    """The cluster, the namespace, the pod's uid and when it was made: all made where they are not there.

    Raises:
        InvalidArgument: It is no embedded cluster, or there is no such name.
        WriteRefused: The manager may not write there.
    """
    contexts = chosen_contexts(manager._identity, cluster)
    context = contexts[0]
    server = Server(manager._identity, context)
    status, body = await server.request("/version", "", "application/json")
    if status not in OK or _decoded(body).get("gitCommit") != EMBEDDED:
        raise errors.InvalidArgument(
            f"the plug is pulled on the embedded cluster, and {context.alias} is another one",
            cluster=context.alias,
            todo="start it with nm.demo(), then run the cell again",
        )
    may_write(manager, [context], "counting")
    places = checked_namespaces(namespace)
    if len(places) > 1 or places == ("*",):
        raise errors.InvalidArgument(f"namespace={namespace!r} is no one namespace")
    where = places[0] if places else server.default_namespace
    metadata = {"name": name, "namespace": where, "labels": LABELS}
    spec = {"containers": [{"name": "counter", "image": IMAGE}], "terminationGracePeriodSeconds": 0}
    pod = await _there(server, "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    data: dict[str, Any] = {"data": {"number": "0"}, "metadata": {**metadata, "annotations": COUNTS}}
    await _there(server, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", **data})
    return context, where, str(pod["metadata"]["uid"]), str(pod["metadata"]["creationTimestamp"])


async def _there(server: Server, resource: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """An object, made if it is not there."""
    name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
    path = f"/api/v1/namespaces/{quote(namespace)}/{resource}"
    status, body = await server.request(f"{path}/{quote(name)}", "", "application/json")
    if status == NOT_FOUND:
        status, body = await server.change("POST", path, json.dumps(wanted))
        if status == CONFLICT:  # somebody else was earlier
            status, body = await server.request(f"{path}/{quote(name)}", "", "application/json")
    if status not in OK:
        raise refused(status, body, what=f"making {resource} {name}", cluster=server.name)
    return _decoded(body)


def _decoded(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    return found
