"""`kubeconfig`: the path of a file by which kubectl and its like reach a manager's clusters through the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from notebook_mux import errors
from notebook_mux.handles.crossing import answered, told
from notebook_mux.kernel import holder
from notebook_mux.kernel.core import AUTO
from notebook_mux.urls import is_loopback

if TYPE_CHECKING:
    from notebook_mux.handles.identity import Identity
    from notebook_mux.handles.manager import Manager

LOOPBACK = "127.0.0.1"

HEADLAMP = "headlamp"
"""What the core calls the other dialect."""


async def kubeconfig(manager: Manager) -> str:
    """See `api.kubeconfig`. A coroutine of `waiting`'s kind."""
    manager._check()
    identity = manager._identity
    _refuse_headlamp(identity)
    usable = sorted((one for one in identity.contexts if one.ref), key=lambda one: not one.current)
    clusters = [(one.alias, one.ref, one.namespace) for one in usable]
    what = "asking the gateway for a kubeconfig"
    path: str = await answered(holder.core().kubeconfig, identity.connection, identity.scope, clusters, what=what)
    _refuse_elsewhere(identity, path)
    return path


def _refuse_elsewhere(identity: Identity, path: str) -> None:
    """Refuse where the gateway listens on a machine of its own, behind a proxy that the notebook goes through.

    Raises:
        InvalidArgument: It does.
    """
    kind, url = identity.endpoint
    if kind != AUTO and not is_loopback(url or "") and f"https://{LOOPBACK}:" in Path(path).read_text(encoding="utf-8"):
        raise errors.InvalidArgument(
            "the gateway is behind a proxy, and serves kubectl on its own machine only",
            todo="connect without url=, or run kubectl where the gateway runs",
        )


def _refuse_headlamp(identity: Identity) -> None:
    """Refuse what kubectl cannot go through.

    Raises:
        InvalidArgument: By way of a Headlamp server.
    """
    status: dict[str, Any] = told(holder.core().status, identity.connection)
    if status.get("dialect") == HEADLAMP:
        raise errors.InvalidArgument(
            "kubectl cannot go by way of a Headlamp server, which wants of a client what kubectl does not send",
            todo="connect to these clusters without url=; nm.get, nm.table, nm.exec and nm.logs go this way too",
        )
