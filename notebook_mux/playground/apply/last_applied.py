"""The annotation of client-side apply, where kubectl goes over to server-side apply.

What the annotation says and still holds is kubectl's own, though another manager's name is on it; so it is no conflict
for the manager ``kubectl`` (documentation, "Upgrading from client-side apply to server-side apply").
"""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.playground.apply import fields
from notebook_mux.playground.apply.fields import Fields
from notebook_mux.playground.apply.typed import Comparison, Mistyped, Schema, fields_of

Json = dict[str, Any]

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
"""The field manager of ``kubectl apply --server-side``, unless it is told another one."""

LIMIT = 256 * 1024
"""Bytes of all annotations (apimachinery validation, TotalAnnotationSizeLimitB)."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def kept(live: Json, schema: Schema | None) -> Fields:
    """The fields that the annotation of a live object says and that still are so."""
    try:
        said = msgspec.json.decode(_annotations(live)[ANNOTATION])
        own = fields_of(said, schema)
        compared = Comparison(said, live, schema, typed=False)
    except (KeyError, TypeError, Mistyped, msgspec.DecodeError):
        return {}
    return fields.difference(fields.difference(own, compared.changed), compared.removed)


def follow(new: Json, applied: Json) -> None:
    """Write the applied configuration into the annotation of an object that has one."""
    if ANNOTATION not in _annotations(new):
        return
    metadata = {key: value for key, value in applied["metadata"].items() if key != "managedFields"}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != ANNOTATION}
    if "annotations" in metadata:
        metadata["annotations"] = annotations
    text = _encode({**applied, "metadata": metadata}).decode() + "\n"
    mine = {**_annotations(new), ANNOTATION: text}
    if sum(len(key) + len(str(value)) for key, value in mine.items()) > LIMIT:
        del mine[ANNOTATION]
    new["metadata"] = {**new["metadata"], "annotations": mine}


def _annotations(obj: Json) -> Json:
    return (obj.get("metadata") or {}).get("annotations") or {}
