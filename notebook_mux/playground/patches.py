"""The ways to patch an object: merge, strategic merge, JSON patch (RFC 7386, Kubernetes' own, RFC 6902).

Server-side apply is no patch of these: it is `apply`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from notebook_mux.playground.apply.json_patch import json_patch
from notebook_mux.playground.apply.server_side import APPLY
from notebook_mux.playground.apply.strategic import strategic
from notebook_mux.playground.apply.typed import Schema
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.status import ApiError, bad_request

__all__ = ["APPLY", "JSON", "MERGE", "STRATEGIC", "decode", "json_patch", "merge", "patcher", "strategic"]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"


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


def patcher(kind: Kind, schema: Schema | None, media: str) -> Callable[[Any, Any], Any]:
    """What carries out a patch of a media type.

    Raises:
        ApiError: 415, there is no such for the kind.
    """
    if media == MERGE:
        return merge
    if media == JSON:
        return json_patch
    if media == STRATEGIC and not kind.custom:
        return lambda obj, patch: strategic(obj, patch, schema)
    raise unsupported(kind)


CUSTOM_MEDIA = f"{JSON}, {MERGE}, {APPLY}"


def unsupported(kind: Kind) -> ApiError:
    """415 for a patch of another form."""
    if kind.custom:
        said = "the body of the request was in an unknown format - accepted media types include: "
        return ApiError(415, "UnsupportedMediaType", said + CUSTOM_MEDIA)
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def decode(media: str, body: bytes) -> Any:
    """What a patch's body says.

    Raises:
        ApiError: 400.
    """
    try:
        patch = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise bad_request("invalid JSON patch") from None
    if media in (MERGE, STRATEGIC) and not isinstance(patch, dict):
        said = f"json: cannot unmarshal {_json_type(patch)} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding patch: {said}" if media == MERGE else said)
    return patch


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "array" if isinstance(value, list) else "string" if isinstance(value, str) else "number"
