"""`apply`, `scale`, `restart` and `delete` of a manager. Coroutines of `waiting`'s kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from notebook_mux.handles.changing import meant as targets
from notebook_mux.handles.changing.deleting import Delete, checked_cascade, checked_grace
from notebook_mux.handles.changing.meant import Meant
from notebook_mux.handles.changing.restarting import Restart
from notebook_mux.handles.changing.running import run
from notebook_mux.handles.changing.scaling import Scale, checked_replicas
from notebook_mux.handles.changing.steps import Spot, Step
from notebook_mux.handles.questions import Names, chosen_contexts
from notebook_mux.handles.rights import may_write
from notebook_mux.printing.outcome import Outcome

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager


async def scale(
    manager: Manager, target: Any, replicas: Any, dry_run: bool, namespace: Names, cluster: Names
) -> Outcome:
    """See `api_changes.scale`."""
    number = checked_replicas(replicas)
    wanted = targets.meant(target, namespace, cluster)
    title = f"scale {_words(wanted)} to {number}"
    return await _run(manager, title, wanted, lambda spot, uid: Scale(spot, number, uid), dry_run)


async def restart(manager: Manager, target: Any, dry_run: bool, namespace: Names, cluster: Names) -> Outcome:
    """See `api_changes.restart`."""
    wanted = targets.meant(target, namespace, cluster)
    return await _run(manager, f"restart {_words(wanted)}", wanted, Restart, dry_run)


async def delete(
    manager: Manager, target: Any, cascade: Any, grace: Any, dry_run: bool, namespace: Names, cluster: Names
) -> Outcome:
    """See `api_changes.delete`."""
    policy, seconds = checked_cascade(cascade), checked_grace(grace)
    wanted = targets.meant(target, namespace, cluster)
    title = f"delete {_words(wanted)}"
    return await _run(manager, title, wanted, lambda spot, uid: Delete(spot, policy, seconds, uid), dry_run)


async def _run(
    manager: Manager, title: str, wanted: list[Meant], make: Callable[[Spot, str], Step], dry_run: bool
) -> Outcome:
    identity = manager._identity
    for one in wanted:
        may_write(manager, chosen_contexts(identity, one.cluster), title)
    found = await targets.find(identity, wanted)
    return await run(manager, title, [make(spot, uid) for spot, uid in found], dry_run=dry_run)


def _words(wanted: list[Meant]) -> str:
    if len(wanted) > 1:
        return f"{len(wanted)} objects"
    return f"{wanted[0].kind.lower()}/{wanted[0].name}"
