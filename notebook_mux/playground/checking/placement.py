"""Where a pod may run: tolerations, affinity, spreading."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    bad,
    duplicate,
    forbidden,
    inner,
    is_number,
    label_problems,
    labels,
    names,
    objects,
    qualified,
    required,
    selector,
    unsupported,
    value_problems,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
HEAVIEST = 100
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")


def tolerations(path: str, spec: Json) -> Causes:
    """What is wrong with what a pod tolerates."""
    for number, one in objects(spec, "tolerations"):
        here = f"{path}[{number}]"
        key, operator, effect = one.get("key") or "", one.get("operator") or "", one.get("effect") or ""
        if key:
            yield from qualified(f"{here}.key", key)
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield bad(f"{here}.operator", operator, why)
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            yield bad(f"{here}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
        if operator == "Exists":
            if one.get("value"):
                yield bad(f"{here}.operator", one["value"], "value must be empty when `operator` is 'Exists'")
        elif operator in ("", "Equal"):
            for said in value_problems(str(one.get("value") or "")):
                yield bad(f"{here}.operator", one.get("value"), said)
        else:
            yield unsupported(f"{here}.operator", operator, ("Equal", "Exists"))
        if effect and effect not in EFFECTS:
            yield unsupported(f"{here}.effect", effect, EFFECTS)


def runtime_class(obj: Json) -> Causes:
    """What is wrong with a runtime class: its handler, what its pods need beside themselves, where they can run."""
    if handler := obj.get("handler"):
        for said in label_problems(handler):
            yield bad("handler", handler, said)
    else:
        yield required("handler")
    for name, value in inner(inner(obj, "overhead"), "podFixed").items():
        if quantities.known(value).nano < 0:
            yield bad(f"overhead.limits[{name}]", str(value), "must be greater than or equal to 0")
    scheduling = inner(obj, "scheduling")
    yield from labels("scheduling.nodeSelector", scheduling.get("nodeSelector"))
    yield from tolerations("scheduling.tolerations", scheduling)
    seen: list[Json] = []
    for number, one in objects(scheduling, "tolerations"):
        shown = {name: one.get(name[:1].lower() + name[1:]) or "" for name in ("Key", "Operator", "Value", "Effect")}
        shown["TolerationSeconds"] = one.get("tolerationSeconds")
        if shown in seen:
            yield duplicate(f"scheduling.tolerations[{number}]", shown)
        seen.append(shown)


def affinity(path: str, spec: Json) -> Causes:
    """What is wrong with what a pod is drawn to."""
    found = inner(spec, "affinity")
    node = inner(found, "nodeAffinity")
    if isinstance(node.get(REQUIRED), dict):
        here = f"{path}.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
        terms = objects(node[REQUIRED], "nodeSelectorTerms")
        if not terms:
            yield required(here, "must have at least one node selector term")
        for number, term in terms:
            yield from _term(f"{here}[{number}]", term)
    for number, one in objects(node, PREFERRED):
        here = f"{path}.nodeAffinity.{PREFERRED}[{number}]"
        yield from _weight(f"{here}.weight", one.get("weight"))
        yield from _term(f"{here}.preference", inner(one, "preference"))
    for name in ("podAffinity", "podAntiAffinity"):
        for number, one in objects(inner(found, name), REQUIRED):
            yield from _pods(f"{path}.{name}.{REQUIRED}[{number}]", one)
        for number, one in objects(inner(found, name), PREFERRED):
            here = f"{path}.{name}.{PREFERRED}[{number}]"
            yield from _weight(f"{here}.weight", one.get("weight"))
            yield from _pods(f"{here}.podAffinityTerm", inner(one, "podAffinityTerm"))


def _weight(path: str, value: Any) -> Causes:
    if not is_number(value) or not 0 < value <= HEAVIEST:
        yield bad(path, value or 0, "must be in the range 1-100")


def _term(path: str, term: Json) -> Causes:
    for number, one in objects(term, "matchExpressions"):
        here = f"{path}.matchExpressions[{number}]"
        operator, values = one.get("operator") or "", one.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield forbidden(f"{here}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        elif operator in ("Gt", "Lt"):
            if len(values) != 1:
                yield required(f"{here}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
        else:
            yield bad(f"{here}.operator", operator, "not a valid selector operator")
        yield from qualified(f"{here}.key", one.get("key") or "")
        for index, value in enumerate(values):
            yield from names(f"{here}.values[{index}]", value, value_problems(str(value)))


def _pods(path: str, term: Json) -> Causes:
    yield from selector(f"{path}.labelSelector", term.get("labelSelector"))
    yield from _topology(f"{path}.topologyKey", term)
    if not term.get("topologyKey"):
        yield from qualified(f"{path}.topologyKey", "")


def _topology(path: str, holder: Json) -> Causes:
    if not holder.get("topologyKey"):
        yield required(path, "can not be empty")
    else:
        yield from qualified(path, holder["topologyKey"])


def spreading(path: str, spec: Json) -> Causes:
    """What is wrong with how pods are spread."""
    for number, one in objects(spec, "topologySpreadConstraints"):
        here = f"{path}[{number}]"
        if not is_number(one.get("maxSkew")) or one["maxSkew"] <= 0:
            yield bad(f"{here}.maxSkew", one.get("maxSkew", 0), "must be greater than zero")
        yield from _topology(f"{here}.topologyKey", one)
        if one.get("whenUnsatisfiable") not in UNSATISFIABLE:
            yield unsupported(f"{here}.whenUnsatisfiable", one.get("whenUnsatisfiable") or "", UNSATISFIABLE)
        yield from selector(f"{here}.labelSelector", one.get("labelSelector"))
