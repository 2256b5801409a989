"""Deployments, replica sets, stateful sets, daemon sets, and what belongs to them."""

from __future__ import annotations

from typing import Any

from notebook_mux.printers.common import (
    NONE,
    UNKNOWN,
    UNSET,
    Json,
    age,
    containers,
    label_map,
    name,
    number,
    selector_cell,
    selector_text,
    spec,
    status,
)


def print_deployment(obj: Json, now: float) -> list[Any]:
    """printers.go:2506."""
    wanted, state = spec(obj), status(obj)
    return [
        name(obj),
        f"{number(state.get('readyReplicas'))}/{number(wanted.get('replicas'))}",
        number(state.get("updatedReplicas")),
        number(state.get("availableReplicas")),
        age(obj, now),
        *containers(wanted.get("template")),
        selector_text(wanted.get("selector")),
    ]


def print_replica_set(obj: Json, now: float) -> list[Any]:
    """printers.go:1264."""
    wanted, state = spec(obj), status(obj)
    return [
        name(obj),
        number(wanted.get("replicas")),
        number(state.get("replicas")),
        number(state.get("readyReplicas")),
        age(obj, now),
        *containers(wanted.get("template")),
        selector_cell(wanted.get("selector")),
    ]


def print_replication_controller(obj: Json, now: float) -> list[Any]:
    """printers.go:1231: as a replica set, but for the selector, which is a map."""
    return [*print_replica_set({**obj, "spec": {**spec(obj), "selector": None}}, now)[:-1],
            label_map(spec(obj).get("selector"))]  # fmt: skip


def print_stateful_set(obj: Json, now: float) -> list[Any]:
    """printers.go:1603."""
    wanted = spec(obj)
    return [
        name(obj),
        f"{number(status(obj).get('readyReplicas'))}/{number(wanted.get('replicas'))}",
        age(obj, now),
        *containers(wanted.get("template")),
    ]


def print_daemon_set(obj: Json, now: float) -> list[Any]:
    """printers.go:1630."""
    wanted, state = spec(obj), status(obj)
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
              "numberAvailable")  # fmt: skip
    return [
        name(obj),
        *(number(state.get(count)) for count in counts),
        label_map(spec(wanted.get("template") or {}).get("nodeSelector")),
        age(obj, now),
        *containers(wanted.get("template")),
        selector_cell(wanted.get("selector")),
    ]


def print_pod_template(obj: Json, now: float) -> list[Any]:
    """printers.go:1174."""
    template = obj.get("template") or {}
    return [name(obj), *containers(template), label_map((template.get("metadata") or {}).get("labels"))]


def print_controller_revision(obj: Json, now: float) -> list[Any]:
    """printers.go:2906."""
    owner = next((one for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), None)
    controller = NONE
    if owner is not None:
        group = owner.get("apiVersion", "").partition("/")[0]
        controller = f"{owner['kind'].lower()}.{group}/{owner['name']}"
    return [name(obj), controller, number(obj.get("revision")), age(obj, now)]


def print_hpa(obj: Json, now: float) -> list[Any]:
    """printers.go:2644."""
    wanted, state = spec(obj), status(obj)
    target = wanted.get("scaleTargetRef") or {}
    least = wanted.get("minReplicas")
    return [
        name(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics(wanted.get("metrics") or (), state.get("currentMetrics") or ()),
        UNSET if least is None else str(least),
        number(wanted.get("maxReplicas")),
        number(state.get("currentReplicas")),
        age(obj, now),
    ]


METRICS_SHOWN = 2


def _metrics(wanted: Any, current: Any) -> str:
    if not wanted:
        return NONE
    found = [_metric(one, current[index] if len(current) > index else {}) for index, one in enumerate(wanted)]
    if len(found) > METRICS_SHOWN:
        return f"{', '.join(found[:METRICS_SHOWN])} + {len(found) - METRICS_SHOWN} more..."
    return ", ".join(found)


_FIELDS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _metric(wanted: Json, state: Json) -> str:
    field = _FIELDS.get(wanted.get("type", ""))
    if field is None:
        return "<unknown type>"
    metric = wanted.get(field) or {}
    target, current = metric.get("target") or {}, (state.get(field) or {}).get("current") or {}
    average = target.get("averageValue")
    if field in ("resource", "containerResource"):
        if average is not None:
            return f"{metric['name']}: {current.get('averageValue', UNKNOWN)}/{average}"
        used, limit = current.get("averageUtilization"), target.get("averageUtilization")
        goal = "<auto>" if limit is None else f"{limit}%"
        return f"{metric['name']}: {UNKNOWN if used is None else f'{used}%'}/{goal}"
    if field == "pods":
        return f"{current.get('averageValue', UNKNOWN)}/{average}"
    if average is not None:
        return f"{current.get('averageValue', UNKNOWN)}/{average} (avg)"
    return f"{current.get('value', UNKNOWN)}/{target.get('value', '0')}"


def print_pdb(obj: Json, now: float) -> list[Any]:
    """printers.go:1195."""
    wanted = spec(obj)
    return [
        name(obj),
        str(wanted.get("minAvailable", "N/A")),
        str(wanted.get("maxUnavailable", "N/A")),
        number(status(obj).get("disruptionsAllowed")),
        age(obj, now),
    ]


PRINTERS = {
    "podtemplates": print_pod_template,
    "deployments.apps": print_deployment,
    "replicasets.apps": print_replica_set,
    "replicationcontrollers": print_replication_controller,
    "statefulsets.apps": print_stateful_set,
    "daemonsets.apps": print_daemon_set,
    "controllerrevisions.apps": print_controller_revision,
    "horizontalpodautoscalers.autoscaling": print_hpa,
    "poddisruptionbudgets.policy": print_pdb,
}
