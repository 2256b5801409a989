"""A container's log around the moment of an event: one look at it, of this container and of the one before it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from notebook_mux import errors
from notebook_mux.ages import parse_time, utc
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.kin import Thing
from notebook_mux.handles.refusals import OK, refused
from notebook_mux.handles.server import Server
from notebook_mux.handles.waiting import gather

BEFORE_SECONDS, AFTER_SECONDS = 120.0, 60.0
"""What is looked at: a probe fails for some half minutes before the kubelet says so, and a back-off ends after five."""

LIMIT_BYTES = 1024 * 1024
"""Asked of the API server: what a container writes in these minutes if it writes 6 KiB a second."""

MOST_LINES = 300
"""Those nearest to the moment: more than one reads beside an event."""

LONGEST = 2000
"""Characters of a line; the rest is for who opens the log."""


class Around(NamedTuple):
    """What a container wrote around a moment.

    Attributes:
        lines: (Unix seconds, text), in order.
        said: What limits it, in words; "" where nothing does.
    """

    lines: list[tuple[float, str]]
    said: str


async def around(identity: Identity, context: Context, pod: Thing, container: str, at: float) -> Around:
    """Read it. A coroutine of `waiting`'s kind.

    Args:
        identity: The manager's.
        context: The cluster's.
        pod: Whose log.
        container: Which of its containers; "" is the only one.
        at: The moment, in Unix seconds.

    Raises:
        MuxError: It cannot be read: the pod or the container is not there, or one may not.
    """
    server = Server(identity, context)
    path = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/log"
    # the server takes whole seconds
    since = utc(math.floor(at - BEFORE_SECONDS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = {"timestamps": "true", "sinceTime": since, "limitBytes": str(LIMIT_BYTES)}
    if container:
        asked["container"] = container
    answers = await gather(
        [server.request(path, urlencode(asked | more), "*/*") for more in ({"previous": "true"}, {})]
    )
    previous, now = (_body(answer, pod, context) for answer in answers)
    if isinstance(now, errors.MuxError) and isinstance(previous, errors.MuxError):
        raise now
    # a node that knows of no container before it may give the one that is there
    bodies = [one for one in ((now,) if previous == now else (previous, now)) if isinstance(one, bytes)]
    lines = sorted((line for body in bodies for line in lines_of(body)), key=lambda line: line[0])
    near = [line for line in lines if at - BEFORE_SECONDS <= line[0] <= at + AFTER_SECONDS]
    nearest = sorted(near, key=lambda line: abs(line[0] - at))[:MOST_LINES]
    said = []
    if any(len(body) >= LIMIT_BYTES for body in bodies):
        said.append(f"only the first MiB from {since} on was read")
    if len(near) > MOST_LINES:
        said.append(f"the {MOST_LINES} lines nearest to it of {len(near)}")
    if not near:
        said.append("it wrote nothing in the two minutes before and the minute after, or the node keeps it no more")
    return Around(sorted(nearest, key=lambda line: line[0]), "; ".join(said))


def _body(answer: Any, pod: Thing, context: Context) -> bytes | errors.MuxError:
    if isinstance(answer, errors.MuxError):
        return answer
    if isinstance(answer, Exception):
        raise answer
    status, content = answer
    if status in OK:
        found: bytes = content
        return found
    what = f"reading the log of pod {pod.namespace}/{pod.name}"
    return refused(status, content, what=what, cluster=context.alias)


def lines_of(body: bytes) -> list[tuple[float, str]]:
    """The lines of a log with timestamps; one without a time has that of the line before it."""
    found: list[tuple[float, str]] = []
    last = 0.0
    for line in body.decode("utf-8", "replace").split("\n"):
        stamp, _, text = line.partition(" ")
        at = parse_time(stamp)
        if at is None:
            text = line
        else:
            last = at
        if line:
            found.append((last, text if len(text) <= LONGEST else text[:LONGEST] + "…"))
    return found
