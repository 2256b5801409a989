"""Deployments, replica sets, stateful sets, daemon sets, jobs and cron jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from notebook_mux.playground.checking import cron, metadata, pods
from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    bad,
    forbidden,
    inner,
    is_number,
    label,
    not_negative,
    objects,
    one_of,
    percentage,
    required,
    selector,
    unsupported,
)
from notebook_mux.playground.checking.storage import claim_spec
from notebook_mux.playground.label_selectors import selects

ALWAYS = ("Always",)
ENDING = '"OnFailure", "Never"'
MISMATCH = "`selector` does not match template `labels`"


def deployment(spec: Json) -> Causes:
    """What is wrong with a deployment's spec."""
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from _selector(spec, "deployment", needed=True)
    yield from _lasting(spec)
    yield from _strategy("spec.strategy", inner(spec, "strategy"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    yield from not_negative("spec.progressDeadlineSeconds", deadline)
    if is_number(deadline) and deadline <= (spec.get("minReadySeconds") or 0):
        yield bad("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def replica_set(spec: Json) -> Causes:
    """What is wrong with a replica set's spec."""
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _selector(spec, "replicaset", needed=True)
    yield from _lasting(spec)


def replication_controller(spec: Json) -> Causes:
    """What is wrong with a replication controller's spec."""
    found, template = spec.get("selector"), spec.get("template")
    if not found:
        yield required("spec.selector")
    if template is None:
        yield required("spec.template")
    else:
        labels = inner(template, "metadata").get("labels")
        if found and not selects({"matchLabels": found}, labels or {}):
            yield bad("spec.template.metadata.labels", labels, MISMATCH)
        yield from _lasting(spec, word="ReplicationController")
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))


def stateful_set(spec: Json) -> Causes:
    """What is wrong with a stateful set's spec."""
    policy = spec.get("podManagementPolicy")
    if policy is not None and policy not in ("OrderedReady", "Parallel"):
        yield bad("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    update = inner(spec, "updateStrategy")
    if update.get("type") not in (None, "RollingUpdate", "OnDelete"):
        yield bad("spec.updateStrategy", _go(update), "must be 'RollingUpdate' or 'OnDelete'")
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    for number, claim in objects(spec, "volumeClaimTemplates"):
        yield from claim_spec(f"spec.volumeClaimTemplates[{number}].spec", inner(claim, "spec"))
    if spec.get("serviceName"):
        yield from label("spec.serviceName", spec["serviceName"])
    yield from _selector(spec, "statefulset", needed=True)
    claims = {name for _, one in objects(spec, "volumeClaimTemplates") if (name := inner(one, "metadata").get("name"))}
    yield from _lasting(spec, claims=claims)


def daemon_set(spec: Json) -> Causes:
    """What is wrong with a daemon set's spec."""
    yield from _selector(spec, "daemonset", needed=False)
    yield from _lasting(spec)
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    update = inner(spec, "updateStrategy")
    if update.get("type") not in (None, "RollingUpdate", "OnDelete"):
        yield unsupported("spec.updateStrategy", _go(update), ("RollingUpdate", "OnDelete"))
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def _go(strategy: Json) -> Json:
    """A strategy as Go prints the server's own form of it."""
    return {"Type": strategy.get("type"), "RollingUpdate": strategy.get("rollingUpdate")}


def _strategy(path: str, strategy: Json) -> Causes:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind == "RollingUpdate" and isinstance(rolling, dict):
        here = f"{path}.rollingUpdate"
        less, more = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        yield from percentage(f"{here}.maxUnavailable", less)
        yield from percentage(f"{here}.maxSurge", more)
        if less in (0, "0%") and more in (0, "0%"):
            yield bad(f"{here}.maxUnavailable", less, "may not be 0 when `maxSurge` is 0")
        if isinstance(less, str):
            yield from (
                one for one in percentage(f"{here}.maxUnavailable", less, most=100) if "greater" in one["message"]
            )
    elif kind not in (None, "RollingUpdate"):
        yield unsupported(path, _go(strategy), ("Recreate", "RollingUpdate"))


def _selector(spec: Json, word: str, *, needed: bool) -> Causes:
    found = spec.get("selector")
    labels = inner(spec, "template", "metadata").get("labels")
    if found is None:
        if needed:
            yield required("spec.selector")
        yield bad("spec.template.metadata.labels", labels, MISMATCH)
        return
    wrong = list(selector("spec.selector", found))
    yield from wrong
    if not found.get("matchLabels") and not found.get("matchExpressions"):
        yield bad("spec.selector", found, f"empty selector is invalid for {word}")
    elif wrong:
        yield bad("spec.selector", found, "invalid label selector")
    elif not selects(found, labels or {}):
        yield bad("spec.template.metadata.labels", labels, MISMATCH)


def _lasting(spec: Json, claims: Iterable[str] = (), word: str = "ReplicaSet") -> Causes:
    """The template of what runs for ever; each pod of a stateful set has the volumes of its ``claims`` besides."""
    template = inner(spec, "template")
    yield from metadata.template("spec.template", inner(template, "metadata"))
    pod = inner(template, "spec")
    if claims:
        pod = {**pod, "volumes": [*(pod.get("volumes") or ()), *({"name": one, "emptyDir": {}} for one in claims)]}
    own = "spec.template.spec.restartPolicy"
    yield from (one for one in pods.check("spec.template.spec", pod) if one["field"] != own)
    yield from one_of(own, pod.get("restartPolicy"), ALWAYS)
    if pod.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {word} is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", why)


def job(spec: Json, path: str = "spec") -> Causes:
    """What is wrong with a job's spec."""
    for name in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        yield from not_negative(f"{path}.{name}", spec.get(name))
    yield from one_of(f"{path}.completionMode", spec.get("completionMode"), ("NonIndexed", "Indexed"))
    template = inner(spec, "template")
    here = f"{path}.template"
    yield from metadata.template(here, inner(template, "metadata"))
    pod = inner(template, "spec")
    own = f"{here}.spec.restartPolicy"
    yield from (one for one in pods.check(f"{here}.spec", pod) if one["field"] != own)
    if pod.get("restartPolicy") not in ("OnFailure", "Never"):
        yield required(own, f"valid values: {ENDING}")


def cron_job(spec: Json) -> Causes:
    """What is wrong with a cron job's spec."""
    yield from job(inner(spec, "jobTemplate", "spec"), "spec.jobTemplate.spec")
    schedule = spec.get("schedule") or ""
    if not schedule:
        yield required("spec.schedule")
    elif said := cron.problem(schedule):
        yield bad("spec.schedule", schedule, said)
    yield from not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    yield from _zone(spec)
    yield from one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from not_negative(f"spec.{name}", spec.get(name))


def _zone(spec: Json) -> Causes:
    zone = spec.get("timeZone")
    if zone is None:
        return
    if not zone:
        yield bad("spec.timeZone", zone, "timeZone must be nil or non-empty string")
    elif not _is_zone(zone):
        yield bad("spec.timeZone", zone, f"unknown time zone {zone}")


def _is_zone(name: str) -> bool:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def templates(kind: str, spec: Json) -> Iterator[tuple[str, Any]]:
    """The pod specs in a workload's spec, with their paths."""
    if kind == "pods":
        yield "spec", spec
    elif kind == "cronjobs.batch":
        yield "spec.jobTemplate.spec.template.spec", inner(spec, "jobTemplate", "spec", "template", "spec")
    elif isinstance(spec.get("template"), dict):
        yield "spec.template.spec", inner(spec, "template", "spec")
