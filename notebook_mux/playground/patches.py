"""The three ways to patch an object: merge, strategic merge, JSON patch (RFC 7386, Kubernetes' own, RFC 6902)."""

from __future__ import annotations

import copy
from typing import Any

from notebook_mux.playground.status import ApiError, bad_request

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"

MERGE_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "conditions": ("type",),
    "taints": ("key",),
    "addresses": ("type",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "topologySpreadConstraints": ("topologyKey",),
}
"""By which field lists are merged (the ``patchMergeKey`` tags in k8s.io/api); the first that an item has."""

PRIMITIVE = frozenset({"finalizers"})
"""Lists of plain values that are merged."""


def merge(obj: Any, patch: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(obj: Any, patch: Any) -> Any:
    """A strategic merge patch: as a merge, but lists of known names are merged by their key."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    result = dict(obj) if isinstance(obj, dict) else {}
    if (kept := patch.get("$retainKeys")) is not None:
        result = {key: value for key, value in result.items() if key in kept}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [one for one in result.get(name) or () if one not in value]
        elif key.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            result.pop(key, None)
        elif isinstance(value, list) and key in PRIMITIVE:
            there = list(result.get(key) or ())
            result[key] = there + [one for one in value if one not in there]
        elif isinstance(value, list) and key in MERGE_KEYS:
            result[key] = _by_key(list(result.get(key) or ()), value, MERGE_KEYS[key])
        else:
            result[key] = strategic(result.get(key), value)
    return result


def _by_key(there: list[Any], patch: list[Any], keys: tuple[str, ...]) -> list[Any]:
    if any(isinstance(one, dict) and one.get("$patch") == "replace" for one in patch):
        return [copy.deepcopy(one) for one in patch if not (isinstance(one, dict) and "$patch" in one)]
    for one in patch:
        key = next((name for name in keys if isinstance(one, dict) and name in one), None)
        if key is None:
            there.append(copy.deepcopy(one))
            continue
        index = next((i for i, old in enumerate(there) if isinstance(old, dict) and old.get(key) == one[key]), None)
        if one.get("$patch") == "delete":
            if index is not None:
                del there[index]
        elif index is None:
            there.append(strategic({}, one))
        else:
            there[index] = strategic(there[index], one)
    return there


def json_patch(obj: Any, operations: Any) -> Any:
    """A JSON patch.

    Raises:
        ApiError: 400, no list of operations; 422, one of them fails.
    """
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")  # fmt: skip  # noqa: E501
    result = copy.deepcopy(obj)
    for operation in operations:
        try:
            result = _apply(result, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            raise ApiError(
                422, "Invalid", "the server rejected our request due to an error in our request", {}
            ) from None
    return result


def _steps(path: str) -> list[str]:
    if path == "":
        return []
    if not path.startswith("/"):
        raise ValueError(path)
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _apply(obj: Any, operation: dict[str, Any]) -> Any:
    name, steps = operation["op"], _steps(operation["path"])
    if name == "test":
        if _get(obj, steps) != operation.get("value"):
            raise ValueError("test failed")
        return obj
    if name in ("move", "copy"):
        source = _steps(operation["from"])
        value = copy.deepcopy(_get(obj, source))
        if name == "move":
            obj = _remove(obj, source)
        return _set(obj, steps, value, insert=True)
    if name == "remove":
        return _remove(obj, steps)
    if name in ("add", "replace"):
        # The real server's library takes a replace of a member that is not there for an add.
        return _set(obj, steps, copy.deepcopy(operation.get("value")), insert=name == "add")
    raise ValueError(name)


def _get(obj: Any, steps: list[str]) -> Any:
    for step in steps:
        obj = obj[int(step)] if isinstance(obj, list) else obj[step]
    return obj


def _set(obj: Any, steps: list[str], value: Any, *, insert: bool) -> Any:
    if not steps:
        return value
    parent, last = _get(obj, steps[:-1]), steps[-1]
    if isinstance(parent, list):
        if last == "-":
            parent.append(value)
        elif insert:
            if not 0 <= int(last) <= len(parent):
                raise IndexError(last)
            parent.insert(int(last), value)
        else:
            parent[int(last)] = value
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise TypeError(last)
    return obj


def _remove(obj: Any, steps: list[str]) -> Any:
    parent, last = _get(obj, steps[:-1]), steps[-1]
    del parent[int(last) if isinstance(parent, list) else last]
    return obj
