"""The pods' sub-resource eviction: a deletion that asks the pod's disruption budget first.

Refusals are those of kubernetes/pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.disruption import KIND as BUDGETS, selects
from notebook_mux.playground.controllers.parts import condition, is_ready, set_condition
from notebook_mux.playground.deletes import Deleter
from notebook_mux.playground.paths import Target
from notebook_mux.playground.schemas.fields import check_types
from notebook_mux.playground.status import ApiError, bad_request
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

RETRY_S = 10
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
IGNORED = frozenset({"Succeeded", "Failed", "Pending"})
"""Phases of pods whose loss disrupts nobody."""


def evict(cluster: Cluster, deleter: Deleter, target: Target, stored: Stored, body: bytes, *, dry_run: bool) -> Json:
    """Evict a pod.

    Args:
        cluster: The cluster.
        deleter: What deletes in it.
        target: The pod's path.
        stored: The pod.
        body: An Eviction.
        dry_run: Whether nothing is changed.

    Returns:
        A Status: Success, or a Failure that is no error to the server (several budgets).

    Raises:
        ApiError: 400; 409 with preconditions that are not met; 429 where the pod's budget allows no disruption.
    """
    options = _options(target, body)
    dry_run = dry_run or options.get("dryRun") == ["All"]
    obj = stored.decode()
    if obj["status"].get("phase") not in IGNORED and not stored.deleting:
        budgets = [one for one in cluster.store.items(BUDGETS, target.namespace) if selects(one.decode(), stored)]
        if len(budgets) > 1:
            raise ApiError(500, "", TOO_MANY)
        if budgets:
            _ask(cluster, budgets[0], obj, dry_run=dry_run)
    deleter.check(target.kind, stored, options)
    if not dry_run:
        stamp = cluster.agenda.stamp()
        set_condition(obj["status"], "DisruptionTarget", True, stamp, reason="EvictionByEvictionAPI",
                      message="Eviction API: evicting", lastProbeTime=None)  # fmt: skip
        stored = cluster.put(stored, obj)
    deleter.begin(stored, options, dry_run=dry_run)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _options(target: Target, body: bytes) -> Json:
    """The DeleteOptions in an Eviction."""
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(said, dict) or said.get("kind", "Eviction") != "Eviction":
        kind = said.get("kind") if isinstance(said, dict) else None
        raise bad_request(f"no kind {kind!r} is registered for the eviction of pods")
    check_types("policy/v1", "Eviction", said)
    if (said.get("metadata") or {}).get("name", target.name) != target.name:
        raise bad_request("name in URL does not match name in Eviction object")
    options: Json = said.get("deleteOptions") or {}
    return options


def _ask(cluster: Cluster, budget: Stored, pod: Json, *, dry_run: bool) -> None:
    """Take a disruption off a budget, if it has one left and the pod needs one."""
    obj = budget.decode()
    spec, status = obj["spec"], obj.get("status") or {}
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if not is_ready(pod) and (
        spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow" or (healthy >= desired and desired > 0)
    ):
        return
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 1):
        raise _refused(f"The disruption budget {budget.name} is still being processed by the server.", retry=True)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        raise _refused(_why(budget.name, healthy, desired, condition(status.get("conditions"), "DisruptionAllowed")))
    if dry_run:
        return

    def take(one: Json) -> None:
        one["status"]["disruptionsAllowed"] = allowed - 1
        if allowed == 1:
            set_condition(one["status"], "DisruptionAllowed", False, cluster.agenda.stamp(), reason="InsufficientPods",
                          message="", observedGeneration=status["observedGeneration"])  # fmt: skip
        one["status"].setdefault("disruptedPods", {})[pod["metadata"]["name"]] = cluster.agenda.stamp()

    cluster.update(BUDGETS, *budget.key, take)


def _why(name: str, healthy: int, desired: int, found: Json) -> str:
    """Why a budget has no disruption left."""
    said, message = f"The disruption budget {name} does not allow evicting pods currently", found.get("message", "")
    if found.get("reason") == "SyncFailed" and message:
        return f"{said} because it failed sync: {message}"
    if healthy <= desired:
        return f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
    return f"{said} ({found['reason']}): {message}" if message else said


def _refused(why: str, *, retry: bool = False) -> ApiError:
    details: Json = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry:
        details["retryAfterSeconds"] = RETRY_S
    return ApiError(429, "TooManyRequests", REFUSED, details, retry_after=RETRY_S if retry else None)
