"""managedFields: who set what. Truthful for what an object is made of at first, coarse for later changes."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port", "protocol"),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "podIPs": ("ip",),
    "hostIPs": ("ip",),
    "addresses": ("type",),
}
"""The ``x-kubernetes-list-map-keys`` of these lists."""

SERVER_SET = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"}
)
"""Of the metadata: nobody's fields."""


def fields_of(value: Any, name: str = "") -> Json:
    """The fieldsV1 of a value."""
    if isinstance(value, dict):
        return {f"f:{key}": fields_of(inner, key) for key, inner in value.items()}
    keys = KEYS.get(name)
    if isinstance(value, list) and keys is not None and all(isinstance(one, dict) for one in value):
        found: Json = {".": {}}
        for one in value:
            present = {key: one[key] for key in keys if key in one}
            found["k:" + json.dumps(present, separators=(",", ":"))] = {".": {}, **fields_of(one)}
        return found
    return {}


def entry(manager: str, api_version: str, stamp: str, obj: Json, *, subresource: str = "") -> Json:
    """One entry for what is set in an object.

    Args:
        obj: The parts that are the manager's; the kind and what the server sets are left out.
    """
    own = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
    if "metadata" in own:
        own["metadata"] = {key: value for key, value in own["metadata"].items() if key not in SERVER_SET}
        if not own["metadata"]:
            del own["metadata"]
    found: Json = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": stamp,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields_of(own),
    }
    if subresource:
        found["subresource"] = subresource
    return found


def record(obj: Json, manager: str, stamp: str, changed: Json, *, subresource: str = "") -> None:
    """Note in an object that a manager set some of it; its entry before is replaced."""
    entries = [
        one
        for one in obj["metadata"].get("managedFields") or ()
        if (one.get("manager"), one.get("subresource", "")) != (manager, subresource)
    ]
    entries.append(entry(manager, obj["apiVersion"], stamp, changed, subresource=subresource))
    obj["metadata"]["managedFields"] = entries
