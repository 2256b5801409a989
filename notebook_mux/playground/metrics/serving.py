"""The metrics API: NodeMetrics and PodMetrics, as objects, lists and tables.

Both are made when they are asked for and never stored: there is no version to list at and nothing to watch. The figures
are of the last scrape, which is every `RESOLUTION_S` as metrics-server has it, and a container is in it once it has run
for that long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from notebook_mux.playground import accept, columns, selectors
from notebook_mux.playground.clock import rfc3339, since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.nodes import is_silent
from notebook_mux.playground.metrics import quantity
from notebook_mux.playground.metrics.figures import Figures, Usage
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import bad_request, not_found
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

GROUP = "metrics.k8s.io"
RESOLUTION_S = 15.0
"""--metric-resolution of metrics-server."""

_encode = msgspec.json.Encoder().encode


def answer(cluster: Cluster, target: Target, query: Mapping[str, str], form: str) -> bytes:
    """The answer to a get or a list.

    Args:
        cluster: The cluster.
        target: ``nodes`` or ``pods`` of the group, and a name for one of them.
        query: Its selectors.
        form: As `accept.form` says.

    Raises:
        ApiError: 400, a bad selector; 404.
    """
    figures = Figures(cluster, scraped(cluster))
    if target.name:
        stored = cluster.store.get(target.kind.plural, target.namespace, target.name)
        found = None if stored is None else _of(figures, stored, scraped(cluster))
        if found is None:
            raise not_found(target.kind, target.name)
        return _table(target, [found], {}) if form == accept.TABLE else _encode(found)
    chosen = _chosen(cluster, target, query)
    items = [found for one in chosen if (found := _of(figures, one, scraped(cluster))) is not None]
    if form == accept.TABLE:
        return _table(target, items, {})
    for item in items:
        del item["kind"], item["apiVersion"]
    head = {"kind": f"{target.kind.kind}List", "apiVersion": target.kind.api_version, "metadata": {}}
    return _encode({**head, "items": items})


def scraped(cluster: Cluster) -> float:
    """When metrics were last looked at, Unix seconds."""
    return cluster.agenda.now() // RESOLUTION_S * RESOLUTION_S


def of_pod(figures: Figures, stored: Stored, at: float) -> Json | None:
    """A PodMetrics; None for a pod that has none yet, or any more."""
    if stored.fields["status.phase"] != "Running":
        return None
    pod = stored.decode()
    begun = [one["state"]["running"]["startedAt"] for kind in ("containerStatuses", "initContainerStatuses")
             for one in pod["status"].get(kind) or () if "running" in one["state"]]  # fmt: skip
    if not begun or all(since_epoch(one) > at - RESOLUTION_S for one in begun):
        return None
    used = figures.of_pod(pod)
    return {
        "kind": "PodMetrics",
        "apiVersion": f"{GROUP}/v1beta1",
        "metadata": _metadata(pod, at),
        **_times(at),
        "containers": [{"name": name, "usage": _usage(one)} for name, one in used.items()],
    }


def _of(figures: Figures, stored: Stored, at: float) -> Json | None:
    if stored.kind.resource == "pods":
        return of_pod(figures, stored, at)
    node = stored.decode()
    if is_silent(node):
        return None
    return {
        "kind": "NodeMetrics",
        "apiVersion": f"{GROUP}/v1beta1",
        "metadata": _metadata(node, at),
        **_times(at),
        "usage": _usage(figures.of_node(node)),
    }


def _metadata(obj: Json, at: float) -> Json:
    metadata = obj["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    return {**kept, "creationTimestamp": rfc3339(at)}


def _times(at: float) -> Json:
    return {"timestamp": rfc3339(at), "window": f"{RESOLUTION_S:g}s"}


def _usage(used: Usage) -> Json:
    return {"cpu": quantity.cores(used.cpu), "memory": quantity.bytes_(used.memory)}


def _chosen(cluster: Cluster, target: Target, query: Mapping[str, str]) -> list[Stored]:
    try:
        labels = selectors.labels(query.get("labelSelector", ""))
        fields = selectors.fields(cluster.kind(target.kind.plural), query.get("fieldSelector", ""))
    except selectors.BadSelector as error:
        raise bad_request(str(error)) from None
    found = cluster.store.items(target.kind.plural, target.namespace)
    return [one for one in found if labels(one.labels) and fields(one.namespace, one.name, one.fields)]


def _table(target: Target, items: list[Json], metadata: Json) -> bytes:
    """A table with the columns that metrics-server gives: the resources' names, and the window."""
    rows = []
    for item in items:
        usages = [item["usage"]] if "usage" in item else [one["usage"] for one in item["containers"]]
        cpu = sum(quantity.value(one["cpu"]) for one in usages)
        memory = sum(quantity.value(one["memory"]) for one in usages)
        partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
        cells = [item["metadata"]["name"], quantity.cores(cpu), quantity.bytes_(memory), item["window"]]
        rows.append({"cells": cells, "object": partial})
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return _encode({**head, "columnDefinitions": columns.definitions(target.kind), "rows": rows})
