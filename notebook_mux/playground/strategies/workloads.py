"""Selectors and templates: once set they stay."""

from __future__ import annotations

import json
from typing import Any

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.selectors import match_expressions
from notebook_mux.playground.status import cause
from notebook_mux.playground.strategies.metadata import forbidden, set_once

Json = dict[str, Any]

SELECTING = frozenset({"deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps"})
STATEFUL = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds")  # fmt: skip
"""What of a stateful set's spec can change."""

STATEFUL_ONCE = ("serviceName", "podManagementPolicy", "volumeClaimTemplates")
JOB_ONCE = ("completions", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
SCHEDULING = ("nodeSelector", "affinity", "tolerations", "schedulingGates", "nodeName")
"""Of a job's template: what a suspended job's can change."""


def check(kind: Kind, new: Json, old: Json) -> list[Json]:
    """What of a changed workload is set once; whether selector and template fit is `checking`'s."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if kind.resource in SELECTING:
        once = [set_once("spec.selector", spec.get("selector"))] if _differs(before, spec, "selector") else []
        return once + (_stateful(before, spec) if kind.resource == "statefulsets.apps" else [])
    return _job(old, before, spec) if kind.resource == "jobs.batch" else []


def _differs(before: Json, after: Json, name: str) -> bool:
    return before.get(name) != after.get(name)


def _stateful(before: Json, after: Json) -> list[Json]:
    causes = [set_once(f"spec.{name}", after.get(name)) for name in STATEFUL_ONCE if _differs(before, after, name)]
    names = (before.keys() | after.keys()) - set(STATEFUL) - set(STATEFUL_ONCE) - {"selector"}
    if any(_differs(before, after, name) for name in names):
        said = ", ".join(f"'{name}'" for name in STATEFUL[:-1])
        causes.append(forbidden("spec", f"updates to statefulset spec for fields other than {said} and "
                                        f"'{STATEFUL[-1]}' are forbidden"))  # fmt: skip
    return causes


def _job(old: Json, before: Json, after: Json) -> list[Json]:
    causes = []
    names = ("completions", "selector", "template", *JOB_ONCE[1:])
    for name in names:
        if name == "template":
            causes += _template(old, before, after)
        elif _differs(before, after, name):
            causes.append(set_once(f"spec.{name}", after.get(name)))
    labels = ((after.get("template") or {}).get("metadata") or {}).get("labels") or {}
    selector = after.get("selector")
    before_all = [] if selector else [cause("FieldValueRequired", "spec.selector", "Required value")]
    if not selector or not match_expressions(selector)(labels):
        said = "`selector` does not match template `labels`"
        before_all.append(set_once("spec.template.metadata.labels", labels, said))
    return [*before_all, *causes]


def _template(old: Json, before: Json, after: Json) -> list[Json]:
    """A job's template changes only while the job is suspended and has not begun, and only in where its pods go."""
    mine, theirs = before.get("template") or {}, after.get("template") or {}
    if mine == theirs:
        return []
    begun = (old.get("status") or {}).get("startTime")
    if not before.get("suspend") or begun:
        return [set_once("spec.template", theirs)]
    first, second = (
        {key: value for key, value in (one.get("spec") or {}).items() if key not in SCHEDULING}
        for one in (mine, theirs)
    )
    if json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True):
        return []
    return [set_once("spec.template.spec", theirs.get("spec"))]
