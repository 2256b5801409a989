"""The sweeper of node shells: which of our pods a crash has left, told from those that may be in use.

A node shell belongs to three: the kernel that made it, the gateway that has its terminal and deletes it, and the
gateway's name, under which another one stands in after a crash. All three are noted in the pod. What cannot be told for
sure, such as of another machine, is left to the pod's own deadline.
"""

from __future__ import annotations

import calendar
import getpass
import os
import socket
import time
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode

import msgspec

from notebook_mux import errors
from notebook_mux.handles import notices
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.refusals import NOT_FOUND, OK, refused
from notebook_mux.handles.server import Server
from notebook_mux.handles.starting import is_gone, owner, pod_path, process_words, read_object
from notebook_mux.handles.targets import phase_of
from notebook_mux.handles.waiting import gather
from notebook_mux.kernel import holder
from notebook_mux.life import process, runtime
from notebook_mux.life.name import ServiceName

LABELS = (("app.kubernetes.io/managed-by", "notebook-mux"), ("shell.notebook-mux/kind", "node"))

WHO = "shell.notebook-mux/who"
"""For those who run the cluster: the account and the machine that it was started from."""
OWNER = "shell.notebook-mux/owner"
KERNEL, GATEWAY, NAME = "shell.notebook-mux/kernel", "shell.notebook-mux/gateway", "shell.notebook-mux/gateway-name"
DEADLINE = "shell.notebook-mux/deadline"

LATE_SECONDS = 300.0
"""A pod that is older than its deadline by this is on a node whose kubelet does not run, or the clocks differ."""


class Held(NamedTuple):
    """What is known here of terminals.

    Args:
        gateway: The process of the gateway that we are connected to, see `starting.process_words`; "" for one that is
            not ours, as that of a URL.
        name: Its name.
        pods: The paths of all pods that it, or this kernel, has a terminal in; None where it does not say.
    """

    gateway: str = ""
    name: str = ""
    pods: frozenset[str] | None = None


def notes(identity: Identity, deadline: float) -> dict[str, str]:
    """The annotations of a new node shell.

    Args:
        identity: The manager's.
        deadline: Its own, in Unix seconds.
    """
    gateway, name = _gateway(identity)
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(deadline))
    known = {WHO: _who(), OWNER: owner(), KERNEL: _kernel(), GATEWAY: gateway, NAME: name, DEADLINE: ends}
    return {key: text for key, text in known.items() if text}


def is_mine(pod: Object) -> bool:
    """Whether this kernel, or what it was before a restart, has made it."""
    return _note(pod, OWNER) == owner()


async def sweep(identity: Identity, context: Context, namespace: str) -> list[str]:
    """Delete the node shells in a namespace that an earlier crash has left; each is told, once, as a notice.

    A coroutine of `waiting`'s kind.

    Returns:
        The names of those deleted.

    Raises:
        MuxError: They cannot be listed.
    """
    return sorted((await _swept(identity, context, namespace))[0])


async def swept(identity: Identity, context: Context, namespace: str) -> list[Object]:
    """`sweep`; gives the node shells that stay."""
    return (await _swept(identity, context, namespace))[1]


async def _swept(identity: Identity, context: Context, namespace: str) -> tuple[list[str], list[Object]]:
    server = Server(identity, context)
    pods = await _listed(identity, context, namespace)
    held = await _held(identity) if pods else Held()
    why = {pod.name: left_behind(pod, held) for pod in pods}
    left = [pod for pod in pods if why[pod.name]]
    results = await gather([_delete(server, pod) for pod in left])
    gone = [pod.name for pod, result in zip(left, results, strict=True) if result is True]
    told = [f"deleted the pod {namespace}/{name} that an earlier node shell has left ({why[name]})" for name in gone]
    notices.of_clusters([(context.alias, told)])
    return gone, [pod for pod in pods if not why[pod.name]]


def left_behind(pod: Object, held: Held, now: float | None = None) -> str:
    """Why a node shell is in use by nobody; "" where it may be.

    Args:
        pod: One of ours.
        held: What is known here.
        now: Unix seconds.
    """
    now = time.time() if now is None else now
    if pod["metadata"].get("deletionTimestamp"):
        return ""  # it is on its way
    if phase_of(pod) in ("Succeeded", "Failed"):
        reason = (pod.get("status") or {}).get("reason")
        return f"it has ended: {reason}" if reason else "it has ended"
    created = _seconds(pod["metadata"].get("creationTimestamp"))
    deadline = (pod.get("spec") or {}).get("activeDeadlineSeconds")
    if created and deadline and now > created + deadline + LATE_SECONDS:
        return "its deadline has passed"
    return _abandoned(pod, held)


def _abandoned(pod: Object, held: Held) -> str:
    """Whether its terminal is gone for good."""
    if held.pods is None or not held.name or _note(pod, NAME) != held.name:
        return ""  # of a gateway whose terminals are not known here
    if pod_path(pod.namespace, pod.name) in held.pods:
        return ""
    gateway, kernel = _note(pod, GATEWAY), _note(pod, KERNEL)
    if gateway == held.gateway:
        return "its kernel is gone" if is_gone(kernel) else ""  # else it may be about to hand it over
    if is_gone(gateway) and (is_gone(kernel) or kernel == _kernel()):
        return "its gateway is gone"
    return ""  # a living kernel may start its terminal again, in the gateway that stands in


async def _held(identity: Identity) -> Held:
    """What the gateway has, and this kernel."""
    gateway, name = _gateway(identity)
    core = holder.core()
    try:
        status = await answered(core.gateway, identity.connection, what="asking the gateway for its terminals")
    except errors.MuxError:
        return Held(gateway, name, None)
    paths = [str(one.get("path")) for one in (*status.get("terminals", ()), *core.terminals.all())]
    return Held(gateway, name, frozenset(_pod_of(path) for path in paths))


def _pod_of(path: str) -> str:
    """The path of the pod of an exec or attach, as `pod_path` writes it."""
    parts = path.split("/")
    return pod_path(unquote(parts[4]), unquote(parts[6])) if len(parts) > 6 else path


def _gateway(identity: Identity) -> tuple[str, str]:
    """The gateway's process and name; "" for one that this user's kernels do not start themselves."""
    name = ServiceName("gateway")
    known = runtime.read(name.runtime_file())
    instance = holder.core().status(identity.connection).get("instance")
    if known is None or known.instance != instance:
        return "", ""
    return process_words(known.pid, known.started), name.stem()


def _kernel() -> str:
    """This process."""
    return process_words(os.getpid(), process.start_mark(os.getpid()))


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):  # an account without a name, as in some containers
        return socket.gethostname()


async def _listed(identity: Identity, context: Context, namespace: str) -> list[Object]:
    server = Server(identity, context)
    what = f"listing the node shells in {namespace}"
    query = urlencode({"labelSelector": ",".join("=".join(label) for label in LABELS)})
    status, content = await server.request(f"/api/v1/namespaces/{quote(namespace, safe='')}/pods", query, JSON)
    if status not in OK:
        raise refused(status, content, what=what, cluster=server.name)
    listed = read_object(content, what, server.name).get("items") or ()
    return [Object({"apiVersion": "v1", "kind": "Pod", **one}, server.name) for one in listed]


async def _delete(server: Server, pod: Object) -> bool:
    """Delete this very pod; whether it was there."""
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": pod["metadata"].get("uid")}}
    body = msgspec.json.encode(options).decode()
    status, content = await server.change("DELETE", pod_path(pod.namespace, pod.name), body)
    if status in OK or status == NOT_FOUND:
        return status in OK
    raise refused(status, content, what=f"deleting pod {pod.namespace}/{pod.name}", cluster=server.name)


def _note(pod: Object, key: str) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(key) or "")


def _seconds(stamp: Any) -> float:
    """Unix seconds of an RFC 3339 time in UTC, as Kubernetes writes it; 0 where there is none."""
    try:
        return float(calendar.timegm(time.strptime(str(stamp), "%Y-%m-%dT%H:%M:%SZ")))
    except ValueError:
        return 0.0
