"""Who may run programs in a cluster or forward its ports: ``write`` of the manager, then what the cluster says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from notebook_mux import errors
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.reviews import Reviewer
from notebook_mux.handles.targets import Place

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

VERBS = ("get", "create")
"""What an API server asks for: the WebSocket is a GET, and since 1.35 ``create`` is asked for as well."""

REVIEW_SECONDS = 10.0


def may_write(manager: Manager, contexts: Sequence[Context], what: str = "running a program") -> None:
    """Let it pass if one of the clusters may be changed.

    Args:
        manager: Whose.
        contexts: The clusters.
        what: What would change something.

    Raises:
        WriteRefused: None may.
    """
    if any(context.ref in manager._write for context in contexts):
        return
    name = contexts[0].alias
    raise errors.WriteRefused(
        f"{what} may change something, and {name} is connected to look only",
        cluster=name,
        todo="connect with nm.connect(..., write=True)",
    )


async def may_run(identity: Identity, place: Place, subresource: str = "exec") -> None:
    """Ask for both rights; where the cluster does not say, it will at the start. A coroutine of `waiting`'s kind.

    Args:
        identity: The manager's.
        place: Where.
        subresource: Of the pod: ``exec``, ``attach`` or ``portforward``.

    Raises:
        Forbidden: One is missing; it says which.
    """
    reviewer = Reviewer(identity, place.context, budget=len(VERBS), seconds=REVIEW_SECONDS)
    pod = place.pod
    for verb in VERBS:
        allowed = await reviewer.may(verb, "", "pods", pod.namespace, subresource=subresource, name=pod.name)
        if allowed is False:
            raise errors.Forbidden(
                f"you may not {verb} pods/{subresource} in namespace {pod.namespace}",
                cluster=place.context.alias,
                todo=f"ask for both rights: kubectl create role run --verb={','.join(VERBS)}"
                f" --resource=pods/{subresource} -n {pod.namespace}",
            )
