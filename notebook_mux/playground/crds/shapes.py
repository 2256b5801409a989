"""What a structural schema fills in.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
"""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]

PRESERVE, EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"


def fill(value: Any, schema: Json) -> None:
    """Put defaults where nothing is said, and where null is said of what cannot be null."""
    if isinstance(value, list):
        items = schema.get("items")
        if items:
            for index, item in enumerate(value):
                if item is None and not items.get("nullable") and "default" in items:
                    value[index] = copy.deepcopy(items["default"])
                fill(value[index], items)
        return
    if not isinstance(value, dict):
        return
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, below in properties.items():
        if key in value and value[key] is None and not below.get("nullable"):
            del value[key]
        if key not in value and "default" in below:
            value[key] = copy.deepcopy(below["default"])
        if key in value:
            fill(value[key], below)
    if isinstance(others, dict):
        for key in [key for key in value if key not in properties]:
            if value[key] is None and not others.get("nullable"):
                del value[key]
                if "default" in others:
                    value[key] = copy.deepcopy(others["default"])
            if key in value:
                fill(value[key], others)
