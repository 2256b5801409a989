"""What to do next about a refusal, found out where it has to be: what is allowed, where a login is to be done.

Bounded: some access reviews and one list of namespaces, a few seconds; what cannot be found out leaves the error as it
was.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from notebook_mux import errors
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.lists import PAGE
from notebook_mux.handles.refusals import OK, kubectl, log_in_again, out_of_reach
from notebook_mux.handles.reviews import Reviewer, side_by_side
from notebook_mux.handles.server import Server
from notebook_mux.handles.waiting import Steps
from notebook_mux.kernel.kinds import elsewhere
from notebook_mux.kube.answers import names_of
from notebook_mux.urls import is_loopback

MAX_CHECKED = 40
"""Namespaces asked about for one error."""

CHECK_SECONDS = 5.0
"""For all of it: whoever is refused waits for the reason, not for a study."""

JSON = "application/json"

NAMESPACES, PROJECTS = "/api/v1/namespaces", "/apis/project.openshift.io/v1/projects"
"""What lists namespaces; on OpenShift the second lists one's own, which everybody may."""

T = TypeVar("T")


async def advised(
    identity: Identity, kind: str, namespaces: tuple[str, ...], verbs: Sequence[str], steps: Steps[T]
) -> T:
    """Do something; an error of it is raised with `advice`."""
    began = time.monotonic()
    try:
        return await steps
    except (errors.AccessError, errors.Unreachable, errors.TimedOut) as error:
        raise await advice(identity, error, kind, namespaces, verbs, time.monotonic() - began) from None


async def advice(
    identity: Identity,
    error: errors.MuxError,
    kind: str,
    namespaces: tuple[str, ...],
    verbs: Sequence[str],
    seconds: float | None = None,
) -> errors.MuxError:
    """The same error with what to do next.

    Args:
        identity: The manager's.
        error: It happened to one of the manager's clusters.
        kind: What was asked for.
        namespaces: Where it was asked for; () is the context's own.
        verbs: What was done: ``list``, and ``watch``.
        seconds: How long it took.
    """
    context = next((one for one in identity.contexts if one.alias == error.cluster and one.ref), None)
    if context is None:
        return error
    if type(error) is errors.Forbidden:
        try:
            error.todo = await _allowed(identity, context, kind, namespaces, verbs) or error.todo
        except errors.MuxError:
            pass  # the plain words are there
        return error
    return plain_advice(identity, context, error, seconds)


def plain_advice(
    identity: Identity, context: Context, error: errors.MuxError, seconds: float | None = None
) -> errors.MuxError:
    """What can be said of a login or of a server that is away without asking anybody.

    Args:
        identity: The manager's.
        context: The cluster's.
        error: What happened.
        seconds: How long it took.
    """
    host = here(identity.endpoint)
    if isinstance(error, errors.LoginRequired):
        return log_in_again(error, host=host, command=kubectl(context.name, identity.source.get("kubeconfig")))
    if isinstance(error, (errors.Unreachable, errors.TimedOut)) and not isinstance(error, errors.GatewayError):
        return out_of_reach(error, host=host, server=context.server, seconds=seconds)
    return error


def here(endpoint: tuple[str, str | None]) -> str:
    """The name of the machine where the gateway runs, which logs in and connects."""
    url = endpoint[1] or ""
    named = urlsplit(url).hostname
    return socket.gethostname() if named is None or is_loopback(url) else named


async def _allowed(
    identity: Identity, context: Context, kind: str, namespaces: tuple[str, ...], verbs: Sequence[str]
) -> str | None:
    server = Server(identity, context)
    resource = await server.resource(kind)
    what = f"{' and '.join(verbs)} {resource['name']}"
    if not resource["namespaced"]:
        return f"ask for the right to {what} in the whole cluster (a ClusterRole); nm.kinds() shows what you may"
    refused = namespaces or (server.default_namespace,)
    names = [name for name in await _namespaces(identity, context, server) if name not in refused]
    reviewer = Reviewer(identity, context, budget=MAX_CHECKED * len(verbs), seconds=CHECK_SECONDS)
    group = resource["group"]

    async def may(namespace: str) -> bool | None:
        for verb in verbs:
            if not (found := await reviewer.may(verb, group, resource["name"], namespace)):
                return found
        return True

    answers = dict(await side_by_side(names[:MAX_CHECKED], may))
    checked = [name for name in names if answers.get(name) is not None]
    allowed = [name for name in checked if answers[name]]
    return elsewhere(allowed, checked, len(names), what)


async def _namespaces(identity: Identity, context: Context, server: Server) -> list[str]:
    """The namespaces to ask about, the likely ones first."""
    likely = [one.namespace for one in identity.contexts if one.server == context.server]
    likely += [server.default_namespace, "default"]
    for path in (NAMESPACES, PROJECTS):
        status, body = await server.request(path, f"limit={PAGE}", JSON)
        if status in OK and (listed := set(names_of(body))):
            return [*(name for name in dict.fromkeys(likely) if name in listed), *sorted(listed - set(likely))]
    return list(dict.fromkeys(likely))
