"""ComponentStatuses: what the API server finds when it looks at the parts of its control plane. They are not stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from notebook_mux.playground import accept, columns, selectors
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import ApiError, bad_request
from notebook_mux.printers import PRINTERS

Json = dict[str, Any]

RESOURCE = "componentstatuses"
PARTS = ("controller-manager", "scheduler", "etcd-0")
"""In the real server's order (registry/core/componentstatus); all of the playground's are one process, and well."""

_encode = msgspec.json.Encoder().encode


def answer(target: Target, query: Mapping[str, str], form: str) -> bytes:
    """The answer to a get or a list.

    Args:
        target: One, or all.
        query: Its selectors.
        form: As `accept.form` says.

    Raises:
        ApiError: 400, a bad selector; 404.
    """
    head = {"kind": target.kind.kind, "apiVersion": target.kind.api_version}
    if target.name:
        if target.name not in PARTS:
            message = f'componentstatus "{target.name}" not found'
            raise ApiError(404, "NotFound", message, {"name": target.name, "kind": "componentstatus"})
        found = _status(target.name)
        return _table(target, [found]) if form == accept.TABLE else _encode({**head, **found})
    try:
        labels = selectors.labels(query.get("labelSelector", ""))
        fields = selectors.fields(target.kind, query.get("fieldSelector", ""))
    except selectors.BadSelector as error:
        raise bad_request(str(error)) from None
    items = [_status(name) for name in PARTS if labels({}) and fields("", name, {})]
    if form == accept.TABLE:
        return _table(target, items)
    return _encode({"kind": f"{target.kind.kind}List", "apiVersion": "v1", "metadata": {}, "items": items})


def _status(name: str) -> Json:
    return {"metadata": {"name": name}, "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}]}


def _table(target: Target, items: list[Json]) -> bytes:
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    printed = PRINTERS[RESOURCE]
    rows = [{"cells": printed(one, 0.0), "object": {**partial, "metadata": one["metadata"]}} for one in items]
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}}
    return _encode({**head, "columnDefinitions": columns.definitions(target.kind), "rows": rows})
