"""Node shells: a pod on a node, with its namespaces and its files at ``/host``, as ``kubectl debug node/N`` makes it.

Unlike kubectl's it does not stay. Its path goes to the gateway with the terminal, which deletes the pod when the
terminal is closed; the kubelet ends it at its deadline; and what a crash has left is deleted by `sweeping`, which is
done before each new node shell. The pod has no token of a service account.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any
from urllib.parse import quote

import msgspec

from notebook_mux import errors
from notebook_mux.handles import sweeping
from notebook_mux.handles.fetching import fetch_one
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.refusals import OK
from notebook_mux.handles.server import Server
from notebook_mux.handles.starting import (
    FIELDS,
    LOOK,
    RUN_SECONDS,
    Right,
    check_rights,
    checked_image,
    pod_path,
    read_object,
    refusal,
    suffix,
    until_running,
)
from notebook_mux.handles.targets import Place
from notebook_mux.handles.waiting import in_thread

IMAGE = "docker.io/library/busybox:stable"
"""Small (2 MB), has a shell, and is what Headlamp takes."""

DEADLINE_SECONDS = 4 * 3600
"""The kubelet ends the pod after this: the idle limit of an attach, 4 h (kubelet's streamingConnectionIdleTimeout)."""

GRACE_SECONDS = 1
"""From a pod's deletion to its end: a shell ignores SIGTERM, and the usual 30 s would pass each time."""

CONTAINER = "debugger"
NAME_LENGTH = 63
"""Of the pod: its host name has no more (RFC 1123)."""

RIGHTS = (Right("create"), LOOK, Right("list"), Right("delete"))


async def node_shell(
    identity: Identity,
    context: Context,
    node: str,
    image: str | None,
    *,
    namespace: str | None = None,
    timeout: float = RUN_SECONDS,
) -> tuple[Place, str]:
    """A pod of this kernel on a node, made where there is none, and its path, to be deleted when it is done with.

    Returns when it runs; attach to it. A coroutine of `waiting`'s kind; stopped while it waits, the pod is deleted.

    Args:
        identity: The manager's, which may write there.
        context: The node's cluster.
        node: Its name.
        image: The container's; None is `IMAGE`.
        namespace: Where the pod is; None is the context's namespace.
        timeout: Seconds until it has to run.

    Raises:
        InvalidArgument: That cannot be an image, or the node runs Windows.
        NotFound: There is no such node; with near names.
        Forbidden: A right is missing, or an admission rule of the cluster refuses it.
        ServerError: The kubelet cannot start it; in its words.
        TimedOut: It does not run in time; with what it waits for.
    """
    image = IMAGE if image is None else checked_image(image)
    server = Server(identity, context)
    where = namespace or server.default_namespace
    found = await fetch_one([server], "nodes", node, ())
    _check_system(found)
    await check_rights(identity, context, where, RIGHTS, to=f"start a shell on node {node}")
    kept = await sweeping.swept(identity, context, where)
    pod = next((one for one in kept if _is_same(one, node, image)), None)
    making: Future[Any] | None = None
    path = pod_path(where, pod.name) if pod is not None else ""
    try:
        if pod is None:
            wanted = manifest(identity, node, image, where)
            path = pod_path(where, wanted["metadata"]["name"])
            making = server.sent(
                "POST", f"/api/v1/namespaces/{quote(where, safe='')}/pods", _json(wanted), query=FIELDS
            )
            pod = await _made(server, making, node)
        pod = await until_running(server, pod, CONTAINER, image=image, timeout=timeout)
    except BaseException as error:
        if making is not None:
            discard(identity, context, path, making)
        if isinstance(error, errors.TimedOut) and (why := not_ready(found)):
            error.todo = f"node {node} is not ready: {why}"
        raise
    return Place(context, pod, CONTAINER), path


def manifest(identity: Identity, node: str, image: str, namespace: str, name: str = "") -> dict[str, Any]:
    """The pod, as the profile ``general`` of kubectl 1.37 has it, with what makes it go away again."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name or pod_name(node),
            "namespace": namespace,
            "labels": dict(sweeping.LABELS),
            "annotations": sweeping.notes(identity, time.time() + DEADLINE_SECONDS),
        },
        "spec": {
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": CONTAINER,
                    "image": image,
                    "stdin": True,
                    "tty": True,
                    "terminationMessagePolicy": "File",
                    "volumeMounts": [{"name": "host-root", "mountPath": "/host"}],
                }
            ],
            "hostIPC": True,
            "hostNetwork": True,
            "hostPID": True,
            "nodeName": node,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "tolerations": [{"operator": "Exists"}],
            "volumes": [{"name": "host-root", "hostPath": {"path": "/"}}],
        },
    }


def pod_name(node: str) -> str:
    """Such as ``node-debugger-n1-x7k2p``; a long node's name is cut."""
    end = f"-{suffix()}"
    return f"node-debugger-{node}"[: NAME_LENGTH - len(end)].rstrip("-.") + end


def not_ready(node: Mapping[str, Any]) -> str:
    """Why a node is not ready, in its own words; "" where it is."""
    for one in (node.get("status") or {}).get("conditions") or ():
        if one.get("type") == "Ready" and one.get("status") != "True":
            return str(one.get("message") or one.get("reason") or "it does not say why")
    return ""


def _check_system(node: Object) -> None:
    info = (node.get("status") or {}).get("nodeInfo") or {}
    labels = node["metadata"].get("labels") or {}
    system = str(info.get("operatingSystem") or labels.get("kubernetes.io/os") or "linux").lower()
    if system != "linux":
        raise errors.InvalidArgument(
            f"node {node.name} runs {system.capitalize()}, and a node shell needs Linux",
            cluster=node.cluster,
            todo="for a pod on it use nm.shell('pod'); kubectl debug node/N --profile=sysadmin knows Windows",
        )


def _is_same(pod: Object, node: str, image: str) -> bool:
    """Whether this kernel has made it, on that node, with that image, and it goes on."""
    spec = pod.get("spec") or {}
    same = spec.get("nodeName") == node and [one.get("image") for one in spec.get("containers") or ()] == [image]
    return same and sweeping.is_mine(pod) and not pod["metadata"].get("deletionTimestamp")


async def _made(server: Server, making: Future[Any], node: str) -> Object:
    what = f"starting a shell on node {node}"
    status, content = await server.changed(making)
    if status in OK:
        return read_object(content, what, server.name)
    raise refusal(status, content, what=what, cluster=server.name)


def discard(identity: Identity, context: Context, path: str, making: Future[Any] | None = None) -> None:
    """Delete a pod without waiting for it: whoever waited for something may have been interrupted. Any thread may call.

    Args:
        identity: The manager's.
        context: The cluster's.
        path: As `node_shell` has given it.
        making: The request that makes it, which has to end first.
    """

    def work() -> None:
        if making is not None:
            concurrent.futures.wait([making])
        Server(identity, context).sent("DELETE", path).exception()

    in_thread(work, "notebook_mux node shell")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
