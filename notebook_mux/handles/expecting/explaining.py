"""What explains that something is not as expected: the pods that do not run, their last words, the warnings."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from notebook_mux import errors
from notebook_mux.ages import human_duration
from notebook_mux.handles import events
from notebook_mux.handles.entries import Described
from notebook_mux.handles.expecting.looks import NAMES, going, more
from notebook_mux.handles.fetching import fetch_list, fetch_one
from notebook_mux.handles.folding import Folded
from notebook_mux.handles.objects import Object
from notebook_mux.handles.questions import checked_namespaces, chosen_contexts
from notebook_mux.handles.refusals import OK
from notebook_mux.handles.server import Server
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.targets import is_ready, phase_of, selector_of
from notebook_mux.printing.log_text import shown
from notebook_mux.printing.masking import masked

if TYPE_CHECKING:
    from notebook_mux.handles.expecting.target import Target
    from notebook_mux.handles.manager import Manager

EVENTS = 5
"""Warnings that a failure shows: with the pods before them still less than a screen of a notebook."""

WORDS = 160
"""Characters of a message or of a log's line."""

POD = "Pod"

_WHICH = re.compile(r" (?:in pod |pod=)\S+_\S+\([0-9a-f-]{36}\)")
"""How a kubelet's message names the pod that it is about, with its uid (kubernetes/pkg/kubelet/util/format/pod.go)."""

Statuses = Mapping[str, Any]


async def near(manager: Manager, target: Target) -> str:
    """What is there in place of a target that is missing: near names, or where to look."""
    servers = [Server(manager._identity, one) for one in chosen_contexts(manager._identity, target.cluster)]
    try:
        await fetch_one(servers, target.kind, target.name, checked_namespaces(target.namespace))
    except errors.NotFound as error:
        return error.todo or ""
    except errors.MuxError:
        pass
    return ""


async def pods(manager: Manager, objects: Sequence[Object]) -> list[str]:
    """Those of an object's pods that do not run as they should, with the reason; a coroutine of `waiting`'s kind."""
    said = []
    for obj in objects[:NAMES]:
        server = next(Server(manager._identity, one) for one in chosen_contexts(manager._identity, obj.cluster or None))
        try:
            said += await _pods_of(server, obj)
        except errors.MuxError:
            continue  # who may not read them has at least been told what was seen
    return said


async def _pods_of(server: Server, obj: Object) -> list[str]:
    if obj.kind == POD:
        listed = await fetch_list(
            [server], "pods", (obj.namespace,), "", f"metadata.name={obj.name}", Described("pods", "", "")
        )
    else:
        selector = selector_of(obj)
        if not selector or obj.kind in ("Node", "PersistentVolumeClaim"):
            return []
        listed = await fetch_list([server], "pods", (obj.namespace,), selector, "", Described("pods", "", ""))
        if not len(listed):
            return [f"there is no pod with {selector}"] if obj.kind == "Service" else []
    troubled = [pod for pod in listed.objects if not is_ready(pod) and not going(pod) and phase_of(pod) != "Succeeded"]
    statuses = _statuses(listed)
    lines = [await _pod(server, pod, statuses) for pod in troubled[:NAMES]]
    if len(troubled) > NAMES:
        lines[-1] += more(len(troubled))
    return lines


def _statuses(listed: Snapshot) -> dict[str, str]:
    """Each pod's status as kubectl prints it."""
    return {str(row.get("Name")): str(row.get("Status") or "") for row in listed.rows}


async def _pod(server: Server, pod: Object, statuses: Statuses) -> str:
    status = pod.get("status") or {}
    words = f"pod {pod.name} is {statuses.get(pod.name) or status.get('phase') or 'unknown'}"
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state, last = one.get("state") or {}, one.get("lastState") or {}
        why = state.get("waiting") or state.get("terminated") or {}
        ended = state.get("terminated") or last.get("terminated") or {}
        if one.get("ready") or not (why or ended):
            continue
        if why.get("message"):
            words += f": {_short(why['message'])}"
        if ended.get("exitCode"):
            words += f" (container {one.get('name')} ended with exit code {ended['exitCode']})"
        if ended:
            line = await _last_line(server, pod, str(one.get("name")))
            words += f'; its last line: "{line}"' if line else ""
        return words
    for one in status.get("conditions") or ():
        if one.get("status") == "False" and one.get("message") and one.get("type") in ("PodScheduled", "Ready"):
            return f"{words}: {_short(one['message'])}"
    return words


async def _last_line(server: Server, pod: Object, container: str) -> str:
    """The last line that a container has written, without what looks like a secret; "" where there is none."""
    path = f"/api/v1/namespaces/{quote(pod.namespace)}/pods/{quote(pod.name)}/log"
    try:
        status, body = await server.request(path, urlencode({"container": container, "tailLines": 1}), "*/*")
    except errors.MuxError:
        return ""
    lines = body.decode("utf-8", "replace").splitlines() if status in OK else []
    return _short(masked(lines[-1])) if lines else ""


async def warnings(manager: Manager, target: Target) -> list[Folded]:
    """The warnings of a target and of what it owns, folded, the newest last; a coroutine of `waiting`'s kind."""
    what: Any = f"{target.kind}/{target.name}" if target.name else target.selector or None
    try:
        found = await events.open_(manager, what, True, target.namespace, target.cluster)
        await found._source.ready()
        folded = found.folded
    except errors.MuxError:
        return []  # there are none, or they may not be read
    if what is None:
        kinds = {target.kind.lower().partition(".")[0]}
        folded = [one for one in folded if kinds & {one.kind.lower(), f"{one.kind.lower()}s"}]
    return folded[-EVENTS:]


def told(event: Folded) -> str:
    """An event as a line."""
    age = human_duration(max(0.0, time.time() - event.last.timestamp()))
    times = f", {event.count} times" if event.count > 1 else ""
    return f"{age} ago{times}: {event.reason} of {event.object}: {_short(event.message)}"


def _short(text: Any) -> str:
    plain = shown(" ".join(_WHICH.sub("", str(text)).split()))
    return plain if len(plain) <= WORDS else f"{plain[: WORDS - 1]}…"
