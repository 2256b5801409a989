"""LimitRanger: a namespace's limit ranges give containers their defaults and refuse what is too much or too little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from notebook_mux.playground import pod_resources
from notebook_mux.playground.admission.base import Request
from notebook_mux.playground.quantities import Amounts, Quantity, amounts, known
from notebook_mux.playground.status import ApiError

Json = dict[str, Any]

ANNOTATION = "kubernetes.io/limit-ranger"
CLAIM = "PersistentVolumeClaim"


def _items(request: Request) -> Iterator[Json]:
    for stored in request.cluster.store.items("limitranges", request.namespace):
        yield from (stored.decode().get("spec") or {}).get("limits") or ()


def fill(request: Request) -> None:
    """Give a new pod's containers what the limit ranges have as default; an annotation says so."""
    if not request.is_new("pods"):
        return
    for stored in request.cluster.store.items("limitranges", request.namespace):
        asked: Json = {}
        capped: Json = {}
        for one in (stored.decode().get("spec") or {}).get("limits") or ():
            if one.get("type") == "Container":
                asked |= one.get("defaultRequest") or {}
                capped |= one.get("default") or {}
        said = [
            line
            for kind, words in (("containers", "container"), ("initContainers", "init container"))
            for container in request.obj["spec"].get(kind) or ()
            for line in _merge(container, asked, capped, words)
        ]
        if said:
            annotations = request.obj["metadata"].setdefault("annotations", {})
            annotations[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(said)}"


def _merge(container: Json, asked: Json, capped: Json, words: str) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for kind, defaults in (("request", asked), ("limit", capped)):
        own = resources.get(f"{kind}s") or {}
        added = sorted(name for name in defaults if name not in own)
        if added:
            resources[f"{kind}s"] = {**own, **{name: defaults[name] for name in added}}
            yield f"{', '.join(added)} {kind} for {words} {container.get('name')}"


# -------------------------------------------------------------------------------------------------- refusing


def check(request: Request) -> None:
    """Refuse a new pod, or a claim, that is outside of the limit ranges.

    Raises:
        ApiError: 403.
    """
    measure: Callable[[Json, Json], Iterator[str]]
    if request.is_new("pods"):
        measure = _pod_problems
    elif request.kind.resource == "persistentvolumeclaims" and not request.subresource:
        measure = _claim_problems
    else:
        return
    for stored in request.cluster.store.items("limitranges", request.namespace):
        found: list[str] = []
        for one in (stored.decode().get("spec") or {}).get("limits") or ():
            found += measure(one, request.obj)
        if found:
            raise _refusal(request, found)


def _refusal(request: Request, found: list[str]) -> ApiError:
    different = list(dict.fromkeys(found))
    return request.refusal(different[0] if len(different) == 1 else f"[{', '.join(different)}]")


def _pod_problems(one: Json, pod: Json) -> Iterator[str]:
    spec, kind = pod.get("spec") or {}, one.get("type")
    if kind == "Container":
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            yield from _problems(one, kind, amounts(resources.get("requests")), amounts(resources.get("limits")))
    elif kind == "Pod":
        yield from _problems(one, kind, pod_resources.requests(spec), pod_resources.limits(spec))


def _claim_problems(one: Json, claim: Json) -> Iterator[str]:
    if one.get("type") != CLAIM:
        return
    asked = amounts(((claim.get("spec") or {}).get("resources") or {}).get("requests"))
    for name, bound in (one.get("min") or {}).items():
        yield from _least(name, CLAIM, known(bound), asked, {})
    for name, bound in (one.get("max") or {}).items():
        limit = known(bound)
        if name not in asked:
            yield f"maximum {name} usage per {CLAIM} is {limit}.  No request is specified"
        elif asked[name].nano > limit.nano:
            yield f"maximum {name} usage per {CLAIM} is {limit}, but request is {asked[name]}"


def _problems(one: Json, kind: str, asked: Amounts, capped: Amounts) -> Iterator[str]:
    measures: tuple[tuple[str, Callable[[str, str, Quantity, Amounts, Amounts], Iterator[str]]], ...] = (
        ("min", _least), ("max", _most), ("maxLimitRequestRatio", _ratio),
    )  # fmt: skip
    for name, measure in measures:
        for resource, bound in sorted((one.get(name) or {}).items()):
            yield from measure(resource, kind, known(bound), asked, capped)


def _least(name: str, kind: str, bound: Quantity, asked: Amounts, capped: Amounts) -> Iterator[str]:
    head = f"minimum {name} usage per {kind} is {bound}"
    if name not in asked:
        yield f"{head}.  No request is specified"
    elif asked[name].nano < bound.nano:
        yield f"{head}, but request is {asked[name]}"
    elif name in capped and capped[name].nano < bound.nano:
        yield f"{head}, but limit is {capped[name]}"


def _most(name: str, kind: str, bound: Quantity, asked: Amounts, capped: Amounts) -> Iterator[str]:
    head = f"maximum {name} usage per {kind} is {bound}"
    if name not in capped:
        yield f"{head}.  No limit is specified"
    elif capped[name].nano > bound.nano:
        yield f"{head}, but limit is {capped[name]}"
    elif name in asked and asked[name].nano > bound.nano:
        yield f"{head}, but request is {asked[name]}"


def _ratio(name: str, kind: str, bound: Quantity, asked: Amounts, capped: Amounts) -> Iterator[str]:
    head = f"{name} max limit to request ratio per {kind} is {bound}"
    if name not in asked or not asked[name].nano:
        yield f"{head}, but no request is specified or request is 0"
    elif name not in capped or not capped[name].nano:
        yield f"{head}, but no limit is specified or limit is 0"
    elif capped[name].milli * 1000 > bound.milli * asked[name].milli:
        yield f"{head}, but provided ratio is {capped[name].milli / asked[name].milli:f}"
