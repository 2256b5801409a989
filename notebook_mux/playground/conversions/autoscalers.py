"""HorizontalPodAutoscalers of autoscaling/v1, which know a goal for the CPU and keep all else in annotations.

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/ names the annotations; what
stands in them was asked of a kube-apiserver 1.37.2.
"""

from __future__ import annotations

from typing import Any

import msgspec

Json = dict[str, Any]

RESOURCE, V1, V2 = "horizontalpodautoscalers.autoscaling", "autoscaling/v1", "autoscaling/v2"
PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR = (
    PREFIX + name for name in ("metrics", "current-metrics", "conditions", "behavior")
)
ANNOTATIONS = frozenset({METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR})

CPU_GOAL, CPU_NOW = "targetCPUUtilizationPercentage", "currentCPUUtilizationPercentage"
STATUS = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
"""What a status has in both versions."""

GOAL, NOW = "target", "current"
"""What a metric's wanted and its actual value begin with in version 1, and are in in version 2."""

_NAMED = {"name": ("name",), "container": ("container",)}
_METRIC = {"metricName": ("metric", "name")}
_SELECTED = {**_METRIC, "selector": ("metric", "selector")}


def _sources(value: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """The fields of each kind of metric in version 1, and where they are in version 2."""
    utilization = {f"{value}AverageUtilization": (value, "averageUtilization")}
    average, plain = {f"{value}AverageValue": (value, "averageValue")}, {f"{value}Value": (value, "value")}
    return {
        "resource": {**_NAMED, **utilization, **average},
        "containerResource": {**_NAMED, **utilization, **average},
        "pods": {**_SELECTED, **average},
        "object": {"target": ("describedObject",), **_SELECTED, **plain, "averageValue": (value, "averageValue")},
        "external": {**_METRIC, "metricSelector": ("metric", "selector"), **plain, **average},
    }


SOURCES = {GOAL: _sources(GOAL), NOW: _sources(NOW)}
TYPES = {"averageUtilization": "Utilization", "averageValue": "AverageValue", "value": "Value"}
"""A goal's type by the field that it has."""


def to_v1(obj: Json) -> Json:
    """An autoscaler of version 2 in version 1."""
    annotations: dict[str, str] = {}
    spec, status = obj.get("spec"), obj.get("status")
    found = {**obj, "apiVersion": V1}
    if isinstance(spec, dict):
        found["spec"] = {name: value for name, value in spec.items() if name not in ("metrics", "behavior")}
        others = []
        for metric in spec.get("metrics") or ():
            if (goal := _cpu(metric, GOAL)) is not None:
                found["spec"][CPU_GOAL] = goal
            else:
                others.append(_old(metric, GOAL))
        if others:
            annotations[METRICS] = _text(others)
        if spec.get("behavior"):
            annotations[BEHAVIOR] = _text(_upper(spec["behavior"]))
    if isinstance(status, dict):
        found["status"] = {name: status[name] for name in STATUS if name in status}
        for name in ("currentReplicas", "desiredReplicas"):
            found["status"].setdefault(name, 0)
        current = status.get("currentMetrics") or []
        for metric in current:
            if (now := _cpu(metric, NOW)) is not None:
                found["status"][CPU_NOW] = now
        if current:
            annotations[CURRENT_METRICS] = _text([_old(metric, NOW) for metric in current])
        if status.get("conditions"):
            annotations[CONDITIONS] = _text(status["conditions"])
    return _annotated(found, annotations)


def to_v2(obj: Json) -> Json:
    """An autoscaler of version 1 in version 2."""
    said = (obj.get("metadata") or {}).get("annotations") or {}
    spec, status = obj.get("spec"), obj.get("status")
    found = {**obj, "apiVersion": V2}
    if isinstance(spec, dict):
        found["spec"] = {name: value for name, value in spec.items() if name != CPU_GOAL}
        metrics = _metrics(said.get(METRICS), GOAL) or []
        if (goal := spec.get(CPU_GOAL)) is not None:
            wanted = {"type": "Utilization", "averageUtilization": goal}
            metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": wanted}})
        if metrics:
            found["spec"]["metrics"] = metrics
        if behavior := _read(said.get(BEHAVIOR), dict):
            found["spec"]["behavior"] = _lower(behavior)
    if isinstance(status, dict):
        found["status"] = {name: status[name] for name in STATUS if name in status}
        current = _metrics(said.get(CURRENT_METRICS), NOW)
        if current is None and (now := status.get(CPU_NOW)) is not None:
            current = [{"type": "Resource", "resource": {"name": "cpu", NOW: {"averageUtilization": now}}}]
        found["status"]["currentMetrics"] = current
        if conditions := _read(said.get(CONDITIONS), list):
            found["status"]["conditions"] = conditions
    return _annotated(found, {})


def _annotated(obj: Json, more: dict[str, str]) -> Json:
    """An object with these of `ANNOTATIONS` and no others."""
    metadata = dict(obj.get("metadata") or {})
    own = metadata.pop("annotations", None) or {}
    annotations = {name: value for name, value in own.items() if name not in ANNOTATIONS} | more
    if annotations:
        metadata["annotations"] = annotations
    return {**obj, "metadata": metadata} if "metadata" in obj else obj


def _cpu(metric: Json, value: str) -> int | None:
    """How much of its CPU a metric asks for or tells, in percent; None if it is another metric."""
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    found: int | None = (resource.get(value) or {}).get("averageUtilization")
    return found


def _old(metric: Json, value: str) -> Json:
    """A metric in the form of version 1."""
    found = {name: inner for name, inner in metric.items() if name not in SOURCES[value]}
    for name, fields in SOURCES[value].items():
        source = metric.get(name)
        if source is None:
            continue
        found[name] = {old: at for old, path in fields.items() if (at := _at(source, path)) is not None}
        if name == "object":
            found[name].setdefault(f"{value}Value", "0")  # which version 1 always has
    return found


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _new(metric: Json, value: str) -> Json:
    """A metric of version 1 in the form of version 2."""
    found = {name: inner for name, inner in metric.items() if name not in SOURCES[value]}
    for name, fields in SOURCES[value].items():
        source = metric.get(name)
        if source is None:
            continue
        made: Json = {}
        for old, path in fields.items():
            if source.get(old) is None:
                continue
            place = made
            for step in path[:-1]:
                place = place.setdefault(step, {})
            place[path[-1]] = source[old]
        wanted = made.get(value) or {}
        if name == "object" and value == GOAL and "averageValue" in wanted:
            wanted.pop("value", None)
        if value == GOAL and wanted:
            wanted["type"] = next(TYPES[one] for one in TYPES if one in wanted)
        found[name] = made
    return found


def _metrics(text: Any, value: str) -> list[Json] | None:
    """The metrics that an annotation names; None if it names none, or cannot be read, as the server takes it."""
    found = _read(text, list)
    if found is None:
        return None
    try:
        return [_new(one, value) for one in found]
    except (AttributeError, TypeError):
        return None


def _read(text: Any, of_type: type) -> Any:
    try:
        found = msgspec.json.decode(text) if isinstance(text, str) else None
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, of_type) else None


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _upper(behavior: Json) -> Json:
    """A behavior as version 1 has it: names with capitals, and one more that is empty where it is not set."""
    found: Json = _renamed(behavior, str.upper)
    for rules in found.values():
        if isinstance(rules, dict):
            rules.setdefault("Tolerance", None)
    return found


def _lower(behavior: Json) -> Json:
    found: Json = _renamed(behavior, str.lower)
    return found


def _renamed(value: Any, how: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(one, how) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: inner for name, inner in value.items() if inner is not None}
    return {how(name[:1]) + name[1:]: _renamed(inner, how) for name, inner in kept.items()}
