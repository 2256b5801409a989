"""The sub-resource scale of a custom kind: its definition says where the numbers are."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.crds.objects import at
from notebook_mux.playground.kinds import Kind

Json = dict[str, Any]


def parts(kind: Kind, obj: Json) -> tuple[Json, Json]:
    """The spec and the status of an object's Scale."""
    paths = _paths(kind)
    wanted, there = at(obj, paths["specReplicasPath"]), at(obj, paths["statusReplicasPath"])
    selector = at(obj, paths["labelSelectorPath"]) if paths.get("labelSelectorPath") else None
    spec = {"replicas": wanted} if wanted else {}
    return spec, {"replicas": there or 0, **({"selector": selector} if selector else {})}


def patch(kind: Kind, replicas: int) -> Json:
    """The merge patch that sets the number of replicas."""
    content: Any = replicas
    for step in reversed(_paths(kind)["specReplicasPath"].removeprefix(".").split(".")):
        content = {step: content}
    found: Json = content
    return found


def _paths(kind: Kind) -> Json:
    scale = kind.definition.scale if kind.definition is not None else None
    assert scale is not None, "only those that say where can be scaled"
    return scale
