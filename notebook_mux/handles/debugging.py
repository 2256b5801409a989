"""Debug containers: an ephemeral container in a running pod, as ``kubectl debug --profile=general`` starts it.

It has an image of its own, so there is a shell where the pod's image has none. It cannot be removed again: its entry
stays in the pod, ended or not, until the pod goes (kubernetes.io, "Ephemeral Containers"). So one that this kernel has
started already is used again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux import errors
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.refusals import NOT_FOUND, OK
from notebook_mux.handles.server import Server
from notebook_mux.handles.starting import (
    FIELDS,
    LOOK,
    RUN_SECONDS,
    Right,
    check_rights,
    checked_image,
    owner,
    pod_path,
    read_object,
    refusal,
    state_of,
    suffix,
    until_running,
)
from notebook_mux.handles.targets import Place, container_of
from notebook_mux.wire import UNREADABLE

PATCH = Right("patch", "ephemeralcontainers")

STRATEGIC = "application/strategic-merge-patch+json"
"""The list's entries are told apart by their names, so those that are there stay (KEP-277)."""

OWNER = "NOTEBOOK_MUX_OWNER"
"""A variable of the container that says which kernel's it is: an ephemeral container has no labels."""


async def debug_container(
    identity: Identity,
    context: Context,
    pod: Object,
    image: str,
    target: str | None,
    *,
    timeout: float = RUN_SECONDS,
) -> Place:
    """A debug container of this kernel in a pod, started where there is none; returns when it runs.

    Its program is the image's own, on a terminal: attach to it. A coroutine of `waiting`'s kind; stopped while it
    waits, it is found again by the next call.

    Args:
        identity: The manager's, which may write there.
        context: The pod's cluster.
        pod: The pod, read just now.
        image: The container's.
        target: The container whose processes it sees; None leaves it with its own.
        timeout: Seconds until it has to run.

    Raises:
        InvalidArgument: That cannot be an image, the pod has ended or has no such container, or the server refuses it.
        Forbidden: A right is missing, or an admission rule of the cluster refuses it.
        NotFound: The pod is gone.
        ServerError: The API server is too old, or the kubelet cannot start it; in their words.
        TimedOut: It does not run in time; with what it waits for.
    """
    image = checked_image(image)
    container_of(pod, target)
    server = Server(identity, context)
    name = found(pod, image, target)
    rights = (LOOK,) if name else (LOOK, PATCH)
    where = f"{pod.namespace}/{pod.name}"
    purpose = f"start a debug container in pod {where}"
    await check_rights(identity, context, pod.namespace, rights, to=purpose, name=pod.name)
    if not name:
        name = f"debugger-{suffix()}"
        pod = await _started(server, pod, container(name, image, target))
    pod = await until_running(server, pod, name, image=image, timeout=timeout)
    return Place(context, pod, name)


def found(pod: Object, image: str, target: str | None) -> str:
    """The name of a debug container that this kernel has started there and that has not ended; "" without one."""
    mine = {"name": OWNER, "value": owner()}
    for one in (pod.get("spec") or {}).get("ephemeralContainers") or ():
        same = one.get("image") == image and (one.get("targetContainerName") or None) == target
        if same and mine in (one.get("env") or ()) and "terminated" not in state_of(pod, one["name"]):
            return str(one["name"])
    return ""


def container(name: str, image: str, target: str | None) -> dict[str, Any]:
    """An ephemeral container as the profile ``general`` of kubectl 1.37 has it, and whose it is."""
    return {
        "name": name,
        "image": image,
        "env": [{"name": OWNER, "value": owner()}],
        "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}},
        "stdin": True,
        "tty": True,
        "terminationMessagePolicy": "File",
        **({"targetContainerName": target} if target else {}),
    }


async def _started(server: Server, pod: Object, one: dict[str, Any]) -> Object:
    there = [known["name"] for known in (pod.get("spec") or {}).get("ephemeralContainers") or ()]
    order = [{"name": name} for name in (*there, one["name"])]  # else a new one comes first
    patch = {"spec": {"$setElementOrder/ephemeralContainers": order, "ephemeralContainers": [one]}}
    body = msgspec.json.encode(patch).decode()
    path = pod_path(pod.namespace, pod.name, "ephemeralcontainers")
    status, content = await server.change("PATCH", path, body, query=FIELDS, content_type=STRATEGIC)
    what = f"starting a debug container in pod {pod.namespace}/{pod.name}"
    if status in OK:
        return read_object(content, what, server.name)
    if status == NOT_FOUND and not _names_something(content):
        raise errors.ServerError(
            f"{server.name} has no ephemeral containers",
            cluster=server.name,
            said="the server could not find the requested resource",
            todo="they came with Kubernetes 1.25; here only what the pod's own images have can be run",
        )
    raise refusal(status, content, what=what, cluster=server.name)


def _names_something(content: bytes) -> bool:
    """Whether a Status says which object is not there; that of a path which is not served does not."""
    try:
        details = msgspec.json.decode(content, type=dict[str, Any]).get("details")
    except UNREADABLE:
        return False
    return isinstance(details, dict) and bool(details.get("name"))
