"""The scale sub-resource of kinds with replicas."""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.playground.crds import scale as custom_scale
from notebook_mux.playground.patches import JSON, MERGE, STRATEGIC, json_patch, merge
from notebook_mux.playground.paths import Target
from notebook_mux.playground.schemas.fields import check_types
from notebook_mux.playground.selectors import selector_of
from notebook_mux.playground.status import ApiError, bad_request, cause, conflict, invalid
from notebook_mux.playground.store import Stored
from notebook_mux.playground.writes import Asking, Writer
from notebook_mux.printers.common import selector_text

Json = dict[str, Any]


def scale_of(stored: Stored) -> Json:
    """The Scale of an object."""
    obj = stored.decode()
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    selector = "" if stored.kind.custom else selector_text(selector_of(stored.kind, spec))
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    wanted: Json = {"replicas": spec["replicas"]} if spec.get("replicas") else {}
    there: Json = {"replicas": status.get("replicas", 0), **({"selector": selector} if selector else {})}
    if stored.kind.custom:
        wanted, there = custom_scale.parts(stored.kind, obj)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": wanted,
        "status": there,
    }


def change(writer: Writer, target: Target, media: str, body: bytes, asking: Asking, *, patch: bool) -> Json:
    """Set the number of replicas.

    Raises:
        ApiError: 400, 404, 409, 415, 422.
    """
    scale = scale_of(writer.find(target))
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    if patch:
        if media not in (MERGE, STRATEGIC, JSON):
            raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
        said = json_patch(scale, said) if media == JSON else merge(scale, said)
    check_types("autoscaling/v1", "Scale", said)
    version = (said.get("metadata") or {}).get("resourceVersion")
    if version and version != scale["metadata"]["resourceVersion"]:
        raise conflict(target.kind, target.name)
    replicas = (said.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid("autoscaling", "Scale", target.name, cause("FieldValueInvalid", "spec.replicas", text))
    changed = custom_scale.patch(target.kind, replicas) if target.kind.custom else {"spec": {"replicas": replicas}}
    content = msgspec.json.encode(changed)
    return scale_of(writer.patch(target, MERGE, content, asking))
