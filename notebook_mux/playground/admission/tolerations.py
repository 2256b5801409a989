"""DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or unreachable, unless they say so."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.admission.base import Request
from notebook_mux.playground.defaults import DEFAULT_TOLERATIONS

Json = dict[str, Any]


def add_defaults(request: Request) -> None:
    """Add to a pod the two tolerations that it lacks."""
    if request.kind.resource != "pods" or request.subresource or not isinstance(request.obj.get("spec"), dict):
        return
    own = request.obj["spec"].get("tolerations") or []
    added = [dict(one) for one in DEFAULT_TOLERATIONS if not any(_covers(mine, one["key"]) for mine in own)]
    if added:
        request.obj["spec"]["tolerations"] = [*own, *added]


def _covers(toleration: Json, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
