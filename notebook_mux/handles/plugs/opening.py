"""From the call of `nm.plug` to what it gives: the same for the same pod."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from notebook_mux import errors
from notebook_mux.handles.plugs import sources
from notebook_mux.handles.plugs.plug import Plug
from notebook_mux.widgets import bundle

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

PLUGS = "plugs"
"""Of what outlives a reload of the package: each plug by its manager and pod."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")


async def open_(manager: Manager, name: Any, namespace: Any, cluster: Any) -> Plug:
    """See `api_checks.plug`. A coroutine of `waiting`'s kind."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.InvalidArgument(f"name={name!r} cannot be a pod's name", todo="small letters, digits and '-'")
    manager._check()
    context, where, uid, made_at = await sources.ready(manager, name, namespace, cluster)
    # A cluster that is started afresh with the same seed has the same uids.
    account = f"{uid} {made_at}"
    key = (manager._identity.key, account)
    known = bundle.kept(PLUGS).get(key)
    if isinstance(known, Plug) and not known.closed:
        return known
    if known is not None:
        known.close()  # of an earlier generation of these modules, which would count beside the new one
    logs = await manager._logs(f"pod/{name}", None, None, None, None, False, True, None, None, 1, where, context.alias)
    stream = await manager._watch("configmaps", where, context.alias, None, f"metadata.name={name}")
    for other in list(bundle.kept(PLUGS).values()):
        if isinstance(other, Plug) and other._logs is logs:
            other.close()  # of a pod that had the name before
    made = bundle.kept(PLUGS)[key] = Plug(manager, name, uid, account, logs, stream)
    return made
