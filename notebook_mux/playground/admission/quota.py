"""ResourceQuota: what would exceed a namespace's quotas is refused, and what is let in is counted at once."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import usage
from notebook_mux.playground.admission.base import CREATE, UPDATE, Request
from notebook_mux.playground.quantities import Amounts, add, amounts, named, written

Json = dict[str, Any]

QUOTAS = "resourcequotas"
UPDATES = frozenset({"services", "persistentvolumeclaims"})
"""Kinds whose use can grow by a change."""


def check(request: Request) -> None:
    """Refuse what exceeds a quota; count it in the quota's status otherwise.

    Raises:
        ApiError: 403.
    """
    resource = request.kind.resource
    if request.subresource or not request.namespace:
        return
    if request.operation != CREATE and not (request.operation == UPDATE and resource in UPDATES):
        return
    counts: list[tuple[str, Amounts]] = []
    for stored in request.cluster.store.items(QUOTAS, request.namespace):
        quota = stored.decode()
        if (change := _charge(request, resource, quota)) is not None:
            counts.append((stored.name, change))
    if request.dry_run:
        return
    for name, change in counts:

        def count(quota: Json, change: Amounts = change) -> None:
            quota["status"]["used"] = written(add(amounts(quota["status"].get("used")), change))

        request.cluster.update(QUOTAS, request.namespace, name, count)


def _charge(request: Request, resource: str, quota: Json) -> Amounts | None:
    """What a request adds to a quota; None if it has nothing to do with it."""
    name, status = quota["metadata"]["name"], quota.get("status") or {}
    hard, used = amounts(status.get("hard")), amounts(status.get("used"))
    names = usage.counted(resource, hard)
    if not names or not usage.in_scope(quota.get("spec") or {}, resource, request.obj):
        return None
    if resource == "pods" and (said := usage.missing(names, request.obj)):
        raise request.refusal(f"failed quota: {name}: {said}")
    if unknown := sorted(set(names) - set(used)):
        raise request.refusal(f"status unknown for quota: {name}, resources: {','.join(unknown)}")
    wanted = usage.of(resource, request.obj)
    before = usage.of(resource, request.old) if request.old is not None else {}
    change = {one: wanted[one] - before[one] if one in before else wanted[one] for one in names if one in wanted}
    change = {one: value for one, value in change.items() if value.nano > 0}
    new = add(used, change)
    over = [one for one in change if new[one].nano > hard[one].nano]
    if over:
        requested, so_far, limited = (named(values, over) for values in (change, used, hard))
        raise request.refusal(f"exceeded quota: {name}, requested: {requested}, used: {so_far}, limited: {limited}")
    return change or None
