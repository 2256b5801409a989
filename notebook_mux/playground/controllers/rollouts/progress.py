"""Whether a roll-out makes progress: a deployment's conditions (docs: "Deployment status")."""

from __future__ import annotations

import copy
from typing import Any

from notebook_mux.playground.clock import rfc3339, since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import condition
from notebook_mux.playground.controllers.rollouts.sizes import unavailable
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

KIND = "deployments.apps"
PROGRESSING, AVAILABLE, FAILURE = "Progressing", "Available", "ReplicaFailure"
DONE, UPDATED, TIMED_OUT = "NewReplicaSetAvailable", "ReplicaSetUpdated", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
NO_DEADLINE = 2**31 - 1


def _has_deadline(spec: Json) -> bool:
    return spec.get("progressDeadlineSeconds", NO_DEADLINE) not in (None, NO_DEADLINE)


def _set(conditions: list[Json], kind: str, value: str, reason: str, message: str, stamp: str) -> None:
    """Set a condition unless it is so already; its update is noted, its transition only with another value."""
    for at, old in enumerate(conditions):
        if old["type"] == kind:
            if (old["status"], old["reason"]) == (value, reason):
                return
            transition = old["lastTransitionTime"] if old["status"] == value else stamp
            del conditions[at]
            break
    else:
        transition = stamp
    conditions.append({"type": kind, "status": value, "lastUpdateTime": stamp, "lastTransitionTime": transition,
                       "reason": reason, "message": message})  # fmt: skip


def _without(conditions: list[Json], kind: str) -> None:
    conditions[:] = [one for one in conditions if one["type"] != kind]


def note_set(
    cluster: Cluster, stored: Stored, message: str, reason: str, *, value: bool = True, only_first: bool = False
) -> None:
    """Note what became of the newest replica set, as a sign of progress.

    Args:
        only_first: Whether to say so only where nothing has been said yet.
    """
    obj = _newest(cluster, stored)
    conditions = list((obj.get("status") or {}).get("conditions") or ())
    if not _has_deadline(obj["spec"]) or (only_first and condition(conditions, PROGRESSING)):
        return
    _set(conditions, PROGRESSING, str(value), reason, message, cluster.agenda.stamp())
    _put(cluster, stored, conditions)


def note_pause(cluster: Cluster, stored: Stored) -> None:
    """Note that a roll-out was paused, or goes on."""
    obj = _newest(cluster, stored)
    conditions = list((obj.get("status") or {}).get("conditions") or ())
    reason = condition(conditions, PROGRESSING).get("reason")
    if not _has_deadline(obj["spec"]) or reason == TIMED_OUT:
        return
    paused, stamp = bool(obj["spec"].get("paused")), cluster.agenda.stamp()
    if paused and reason != PAUSED:
        _set(conditions, PROGRESSING, "Unknown", PAUSED, "Deployment is paused", stamp)
    elif not paused and reason == PAUSED:
        _set(conditions, PROGRESSING, "Unknown", RESUMED, "Deployment is resumed", stamp)
    else:
        return
    _put(cluster, stored, conditions)


def _newest(cluster: Cluster, stored: Stored) -> Json:
    return (cluster.store.get(KIND, *stored.key) or stored).content


def _put(cluster: Cluster, stored: Stored, conditions: list[Json]) -> None:
    cluster.update(KIND, *stored.key, lambda obj: obj.setdefault("status", {}).update(conditions=conditions))


def is_complete(obj: Json) -> bool:
    """Whether all replicas are of the newest template, and available."""
    return _is_complete(obj, obj.get("status") or {})


def _is_complete(obj: Json, counts: Json) -> bool:
    wanted = obj["spec"]["replicas"]
    return all(counts.get(name, 0) == wanted for name in ("updatedReplicas", "replicas", "availableReplicas"))


def conditions(obj: Json, counts: Json, newest: str, failure: Json | None, now: float) -> list[Json]:
    """A deployment's conditions after a look at its replica sets.

    Args:
        obj: The deployment, with its status before.
        counts: The numbers of its status now.
        newest: The name of the newest replica set; empty without one.
        failure: The condition of a replica set that cannot make pods.
        now: Unix seconds.
    """
    spec, before = obj["spec"], obj.get("status") or {}
    found: list[Json] = copy.deepcopy(before.get("conditions") or [])
    stamp = rfc3339(now)
    if counts["availableReplicas"] >= spec["replicas"] - unavailable(spec):
        _set(found, AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", stamp)
    else:
        said = "Deployment does not have minimum availability."
        _set(found, AVAILABLE, "False", "MinimumReplicasUnavailable", said, stamp)
    current = condition(found, PROGRESSING)
    if not _has_deadline(spec):
        _without(found, PROGRESSING)
    elif not (
        spec.get("paused") or (counts["replicas"] == counts["updatedReplicas"] and current.get("reason") == DONE)
    ):
        what = f'ReplicaSet "{newest}"' if newest else f'Deployment "{obj["metadata"]["name"]}"'
        if _is_complete(obj, counts):
            _set(found, PROGRESSING, "True", DONE, f"{what} has successfully progressed.", stamp)
        elif _has_progressed(before, counts):
            transition = current["lastTransitionTime"] if current.get("status") == "True" else stamp
            _without(found, PROGRESSING)
            _set(found, PROGRESSING, "True", UPDATED, f"{what} is progressing.", stamp)
            found[-1]["lastTransitionTime"] = transition
        elif current and current["reason"] not in (TIMED_OUT, DONE) and _late(current, spec, now) <= 0:
            _set(found, PROGRESSING, "False", TIMED_OUT, f"{what} has timed out progressing.", stamp)
    _without(found, FAILURE)
    if failure is not None:
        old = condition(before.get("conditions"), FAILURE)
        same = old.get("status") == failure["status"] and old.get("reason") == failure.get("reason")
        found.append(old if same else {
            "type": FAILURE, "status": failure["status"], "lastUpdateTime": failure["lastTransitionTime"],
            "lastTransitionTime": failure["lastTransitionTime"], "reason": failure.get("reason", ""),
            "message": failure.get("message", ""),
        })  # fmt: skip
    return found


def _has_progressed(before: Json, counts: Json) -> bool:
    """Whether there are more new, fewer old, more ready or more available pods than there were."""

    def old(of: Json) -> int:
        return int(of.get("replicas", 0) - of.get("updatedReplicas", 0))

    grown = any(
        counts[name] > before.get(name, 0) for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grown or old(counts) < old(before)


def _late(current: Json, spec: Json, now: float) -> float:
    """Seconds until there has been no progress for too long."""
    since = since_epoch(current["lastUpdateTime"])
    return float(since + spec["progressDeadlineSeconds"] - now)


def until_late(obj: Json, now: float) -> float | None:
    """Seconds until a deployment has to be looked at for want of progress; None if it has not."""
    current = condition((obj.get("status") or {}).get("conditions"), PROGRESSING)
    spec = obj["spec"]
    if not current or not _has_deadline(spec) or current["reason"] in (DONE, TIMED_OUT, PAUSED) or spec.get("paused"):
        return None
    return max(0.0, _late(current, spec, now)) + 1.0
