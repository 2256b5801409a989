"""JSON patches (RFC 6902), with the ways of the server's library: what it forgives, and what it refuses."""

from __future__ import annotations

import copy
import json
from typing import Any

from notebook_mux.playground.status import ApiError, bad_request

OPERATIONS = 10_000
"""Operations that a JSON patch may have (apiserver handlers, maxJSONPatchOperations)."""


COPIED = 3 * 1024 * 1024
"""Bytes that the operations ``copy`` may add together (apiserver, AccumulatedCopySizeLimit)."""


def json_patch(obj: Any, operations: Any) -> Any:
    """An object with a JSON patch in it; what is given is not changed.

    Raises:
        ApiError: 400, no list of operations; 413, too many; 422, one of them fails.
    """
    if not isinstance(operations, list):
        raise _undecodable(operations, "[]handlers.jsonPatchOp")
    for one in operations:
        if not isinstance(one, dict):
            raise _undecodable(one, "handlers.jsonPatchOp")
    if len(operations) > OPERATIONS:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"Request entity too large: The allowed maximum operations in a JSON patch is {OPERATIONS}, "
            f"got {len(operations)}",
        )
    result, copied = copy.deepcopy(obj), 0
    for operation in operations:
        try:
            if operation.get("op") == "copy":
                copied += len(json.dumps(_get(result, _steps(operation["from"]))))
                if copied > COPIED:
                    raise ValueError("the accumulated size of copies")
            result = _apply(result, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            raise ApiError(
                422, "Invalid", "the server rejected our request due to an error in our request", {}
            ) from None
    return result


def _undecodable(value: Any, wanted: str) -> ApiError:
    kind = "object" if isinstance(value, dict) else "array" if isinstance(value, list) else (
        "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "number")  # fmt: skip
    return bad_request(f"error decoding patch: json: cannot unmarshal {kind} into Go value of type {wanted}")


def _steps(path: str) -> list[str]:
    """A path's steps. The server's library does not look at what is before the first slash."""
    if path == "":
        return []
    path = path[path.index("/") :] if "/" in path else f"/{path}"
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _apply(obj: Any, operation: dict[str, Any]) -> Any:
    name, steps = operation["op"], _steps(operation["path"])
    if name == "test":
        if not _same(_found(obj, steps), operation.get("value")):
            raise ValueError("test failed")
        return obj
    if name in ("move", "copy"):
        source = _steps(operation["from"])
        value = _get(obj, source)
        value = copy.deepcopy(value) if name == "copy" else value
        if name == "move":
            obj = _remove(obj, source)
        return _set(obj, steps, value, insert=True)
    if name == "remove":
        return _remove(obj, steps)
    if name in ("add", "replace"):
        # The real server's library takes a replace of a member that is not there for an add.
        return _set(obj, steps, copy.deepcopy(operation.get("value")), insert=name == "add")
    raise ValueError(name)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _found(obj: Any, steps: list[str]) -> Any:
    """What is to be tested: a member that is not there is null."""
    parent = _get(obj, steps[:-1])
    if steps and isinstance(parent, dict):
        return parent.get(steps[-1])
    return _get(obj, steps)


def _index(step: str) -> int:
    """A place in a list; those from the end are negative."""
    if not step.removeprefix("-").isdigit():
        raise ValueError(step)
    return int(step)


def _get(obj: Any, steps: list[str]) -> Any:
    for step in steps:
        obj = obj[_index(step)] if isinstance(obj, list) else obj[step]
    return obj


def _set(obj: Any, steps: list[str], value: Any, *, insert: bool) -> Any:
    if not steps:
        return value
    parent, last = _get(obj, steps[:-1]), steps[-1]
    if isinstance(parent, list):
        if last == "-" and insert:
            parent.append(value)
        elif insert:
            place = _index(last)
            if not -len(parent) - 1 <= place <= len(parent):
                raise IndexError(last)
            parent.insert(place if place >= 0 else len(parent) + 1 + place, value)
        else:
            parent[_index(last)] = value
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise TypeError(last)
    return obj


def _remove(obj: Any, steps: list[str]) -> Any:
    parent, last = _get(obj, steps[:-1]), steps[-1]
    del parent[_index(last) if isinstance(parent, list) else last]
    return obj
