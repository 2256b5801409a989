"""Built-in kinds that are served in several versions: stored in one, converted for the others.

Custom kinds have versions of their own (`crds.versions`), between which nothing is converted but the name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notebook_mux.playground.conversions import autoscalers
from notebook_mux.playground.kinds import Kind, built_in

Json = dict[str, Any]

CONVERTERS: dict[tuple[str, str], Callable[[Json], Json]] = {
    (autoscalers.RESOURCE, autoscalers.V1): autoscalers.to_v1,
    (autoscalers.RESOURCE, autoscalers.V2): autoscalers.to_v2,
}
"""By resource and the version that is wanted."""

STORED = {autoscalers.RESOURCE: autoscalers.V2}
"""The version that objects are stored in, of the resources that have several."""


def kept_as(kind: Kind) -> Kind:
    """The version of a kind that its objects are stored in; of most kinds the only one."""
    version = STORED.get(kind.resource)
    if version is None or kind.custom or kind.api_version == version:
        return kind
    return next(one for one in built_in() if one.resource == kind.resource and one.api_version == version)


def convert(obj: Json, kind: Kind) -> Json:
    """An object in another version of its kind; itself where it is in that one."""
    if obj.get("apiVersion") == kind.api_version:
        return obj
    return CONVERTERS[kind.resource, kind.api_version](obj)
