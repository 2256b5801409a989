"""A container that was just asked for: the rights to ask, and waiting until it runs or the kubelet says why not.

What debug containers (`debugging`) and node shells (`node_shells`) have in common.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from notebook_mux import errors
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.refusals import NOT_FOUND, OK, message_of, refused
from notebook_mux.handles.reviews import REVIEW_SECONDS, Reviewer
from notebook_mux.handles.server import Server
from notebook_mux.handles.targets import phase_of
from notebook_mux.handles.waiting import Wait, gather
from notebook_mux.life import process
from notebook_mux.life.name import boot_id
from notebook_mux.wire import UNREADABLE

RUN_SECONDS = 120.0
"""Until a container runs: a debug image of 500 MB takes a minute on a slow line; the kubelet itself tries for ever."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two looks: an image that is there already starts in a few hundred ms; Headlamp looks each second."""

FIELDS = "fieldManager=notebook-mux&fieldValidation=Strict"
"""Of each request that writes: who did it stands in the object, and a field that is not known there is an error."""

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes makes names of: no vowels, so no words (apimachinery/pkg/util/rand)."""

SUFFIX = 5
IMAGE_LENGTH = 512
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")

IMAGE_TROUBLES = frozenset(
    (
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    )
)
"""The kubelet's reasons of a container that waits for its image in vain (kubernetes/pkg/kubelet/images/types.go)."""

START_TROUBLES = frozenset(
    ("CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError")
)
"""And of one that cannot be started (kubernetes/pkg/kubelet/kuberuntime)."""

ENDED = ("Succeeded", "Failed")
"""Phases of a pod that none follows."""

STATUSES = ("containerStatuses", "ephemeralContainerStatuses", "initContainerStatuses")


class Right(NamedTuple):
    """Something one must be allowed to do with pods."""

    verb: str
    subresource: str = ""

    @property
    def resource(self) -> str:
        """As a Role says it, such as ``pods/attach``."""
        return f"pods/{self.subresource}" if self.subresource else "pods"


LOOK = Right("get")
ATTACH = (Right("get", "attach"), Right("create", "attach"))
"""The WebSocket is a GET, and since 1.35 an API server asks for ``create`` as well."""
EXEC = (Right("get", "exec"), Right("create", "exec"))
"""As good as `ATTACH`: a shell beside the container's own program."""


async def check_rights(
    identity: Identity, context: Context, namespace: str, rights: Sequence[Right], *, to: str, name: str = ""
) -> None:
    """Ask for all of them, and for `ATTACH` or `EXEC`; where the cluster does not say, it will when it is asked.

    A coroutine of `waiting`'s kind.

    Args:
        identity: The manager's.
        context: The cluster's.
        namespace: Where.
        rights: Which.
        to: What they are needed for, such as "start a debug container in web-0".
        name: The pod's; "" for any.

    Raises:
        Forbidden: With every one that is missing.
    """
    asked = (*rights, *ATTACH, *EXEC)
    reviewer = Reviewer(identity, context, budget=len(asked), seconds=REVIEW_SECONDS)
    answers = await gather(
        [reviewer.may(r.verb, "", "pods", namespace, subresource=r.subresource, name=name) for r in asked]
    )
    denied = {right for right, answer in zip(asked, answers, strict=True) if answer is False}
    way = EXEC if denied.isdisjoint(EXEC) else ATTACH
    missing = [right for right in (*rights, *way) if right in denied]
    if missing:
        raise errors.Forbidden(
            f"you may not {', '.join(f'{right.verb} {right.resource}' for right in missing)} in namespace {namespace}, "
            f"which it takes to {to}",
            cluster=context.alias,
            todo="ask for a Role with: " + "; ".join(_by_resource((*rights, *way))),
        )


def _by_resource(rights: Sequence[Right]) -> list[str]:
    """Such as "pods/attach: get, create"."""
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(right.resource, []).append(right.verb)
    return [f"{resource}: {', '.join(each)}" for resource, each in verbs.items()]


def suffix(choose: Callable[[str], str] = secrets.choice) -> str:
    """Five characters that make a name another one each time."""
    return "".join(choose(ALPHABET) for _ in range(SUFFIX))


def machine() -> str:
    """This machine since its boot, as a digest: process numbers of two with the same name can be compared."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - a container has numbers of its own
    except OSError:
        numbers = ""
    return _digest(socket.gethostname(), boot_id(), numbers)


def process_words(number: int, mark: str) -> str:
    """A process, for `is_gone` on this machine or another one; "" for one without a start mark.

    Args:
        number: Its id.
        mark: `process.start_mark` of it.
    """
    return f"{machine()}|{number}|{mark}" if mark else ""


def is_gone(words: str) -> bool:
    """Whether a process of this machine has ended; False for one of another, of which nobody here can tell."""
    where, _, rest = words.partition("|")
    number, _, mark = rest.partition("|")
    return where == machine() and number.isdigit() and bool(mark) and not process.is_alive(int(number), mark)


def owner() -> str:
    """This kernel, over its restarts, as a digest; outside a kernel this process."""
    from notebook_mux.kernel.core import kernel_name  # by then it is there; to import this module must cost nothing

    return _digest(kernel_name() or f"{machine()} {os.getpid()}")


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def checked_image(image: Any) -> str:
    """An image's name as it was given.

    Raises:
        InvalidArgument: It cannot be one.
    """
    if not isinstance(image, str) or len(image) > IMAGE_LENGTH or not _IMAGE.fullmatch(image):
        raise errors.InvalidArgument(f"{image!r} is no image", todo="write 'busybox' or 'registry.example/tools:1.2'")
    return image


def pod_path(namespace: str, name: str, subresource: str = "") -> str:
    """The path of a pod, or of a subresource of it."""
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(name, safe='')}"
    return f"{path}/{subresource}" if subresource else path


def read_object(content: bytes, what: str, cluster: str) -> Object:
    """An answer's object.

    Raises:
        ServerError: It is none.
    """
    try:
        return Object(msgspec.json.decode(content, type=dict[str, Any]), cluster)
    except UNREADABLE as error:
        raise errors.ServerError(f"{what}: the answer cannot be read", cluster=cluster, said=str(error)) from None


def refusal(status: int, content: bytes, *, what: str, cluster: str) -> errors.MuxError:
    """The error for a pod or container that the cluster does not take; admission's words are told as such."""
    error = refused(status, content, what=what, cluster=cluster)
    said, _ = message_of(content)
    if type(error) is errors.Forbidden or "admission webhook" in said:
        if "violates PodSecurity" in said:
            error.todo = "the namespace's label pod-security.kubernetes.io/enforce decides: use another one, or ask"
        elif " cannot " in said:
            error.todo = "ask for that right"
        else:
            error.todo = "a rule of this cluster refuses it: ask those who run the cluster, or choose another image"
    return error


def state_of(pod: Mapping[str, Any], container: str) -> dict[str, Any]:
    """What the status says of a container: ``{"running": ...}``, ``waiting``, ``terminated``; empty without a word."""
    status = pod.get("status") or {}
    for one in (one for group in STATUSES for one in status.get(group) or ()):
        if one.get("name") == container:
            return dict(one.get("state") or {})
    return {}


async def until_running(
    server: Server, pod: Object, container: str, *, image: str, timeout: float = RUN_SECONDS
) -> Object:
    """Wait until a container runs; what it waits for is shown. A coroutine of `waiting`'s kind.

    Args:
        server: The cluster.
        pod: Its pod, as last seen.
        container: Its name.
        image: Its image's, for words.
        timeout: Seconds.

    Returns:
        The pod of then.

    Raises:
        NotFound: The pod is gone.
        ServerError: The kubelet says why it does not run, or it has ended at once.
        TimedOut: It did not run in time; with what it waited for.
    """
    deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
    what = f"container {container} of pod {pod.namespace}/{pod.name}"
    while True:
        state = state_of(pod, container)
        if "running" in state and phase_of(pod) not in ENDED:  # a debug container runs in a pending pod, too
            return pod
        _raise_trouble(pod, state, what, image, server.name)
        waiting = state.get("waiting") or {}
        words = ": ".join(filter(None, (str(waiting.get(key) or "") for key in ("reason", "message"))))
        shown = f"waiting for {what} of {server.name}" + (f" ({words})" if words else "")
        left = deadline - time.monotonic()
        if left <= 0:
            raise errors.TimedOut(
                f"{what} does not run after {timeout:g} s",
                cluster=server.name,
                said=words or _why_pending(pod),
                todo="run the cell again to go on waiting",
            )
        try:
            await Wait(Future(), deadline=time.monotonic() + min(pause, left), what=shown)
        except errors.TimedOut:
            pause = min(2 * pause, LONGEST_PAUSE)
        status, content = await server.request(pod_path(pod.namespace, pod.name), "", JSON)
        if status == NOT_FOUND:
            raise errors.NotFound(f"pod {pod.namespace}/{pod.name} is gone", cluster=server.name)
        if status not in OK:
            raise refused(status, content, what=f"reading pod {pod.namespace}/{pod.name}", cluster=server.name)
        now = read_object(content, f"reading pod {pod.name}", server.name)
        if now["metadata"].get("uid") != pod["metadata"].get("uid"):
            raise errors.NotFound(f"pod {pod.namespace}/{pod.name} is gone, another has its name", cluster=server.name)
        pod = now


def _raise_trouble(pod: Object, state: Mapping[str, Any], what: str, image: str, cluster: str) -> None:
    waiting, ended = state.get("waiting") or {}, state.get("terminated")
    reason, said = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason in IMAGE_TROUBLES:
        raise errors.ServerError(
            f"the image {image} of {what} cannot be had ({reason})",
            cluster=cluster,
            said=said or reason,
            todo="see whether that name is right and the node may pull it; another image= may be there already",
        )
    if reason in START_TROUBLES:
        raise errors.ServerError(f"{what} cannot be started ({reason})", cluster=cluster, said=said or reason)
    status = pod.get("status") or {}
    if phase_of(pod) in ENDED and (status.get("reason") or not ended):
        said = ": ".join(str(status[key]) for key in ("reason", "message") if status.get(key))
        raise errors.ServerError(
            f"pod {pod.namespace}/{pod.name} has ended ({phase_of(pod)})", cluster=cluster, said=said or None
        )
    if ended is not None:
        said = ": ".join(str(ended[key]) for key in ("reason", "message") if ended.get(key))
        raise errors.ServerError(
            f"{what} ended at once with exit code {ended.get('exitCode')}",
            cluster=cluster,
            said=said or None,
            todo=f"{image} does not start a shell by itself: choose an image that does, such as busybox",
        )


def _why_pending(pod: Object) -> str | None:
    """What the pod's conditions say of why it does not go on."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((str(one["message"]) for one in conditions if one.get("status") != "True" and one.get("message")), None)
