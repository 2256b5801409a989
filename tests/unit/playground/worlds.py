"""Clusters whose time the test moves."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import controllers
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.scenarios import base

Json = dict[str, Any]

NOW = 1_760_000_000.0


def bare(seed: int = 0) -> Cluster:
    """A cluster with nothing in it, at a fixed time."""
    return Cluster("test", seed, Agenda(lambda: NOW))


def world(nodes: int = 3, seed: int = 0) -> Cluster:
    """A cluster with nodes, namespaces and all controllers; `cluster.agenda.step(seconds)` lets time pass."""
    cluster = bare(seed)
    base.begin(cluster, nodes=nodes)
    controllers.start(cluster)
    cluster.agenda.step(1)
    return cluster


def config_map(name: str, namespace: str = "default", **data: str) -> Json:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, "data": data}


def pods(cluster: Cluster, app: str, namespace: str = "default") -> list[Json]:
    """An application's pods that are not being deleted."""
    found = [one for one in cluster.store.items("pods", namespace) if one.labels.get("app") == app and not one.deleting]
    return [one.decode() for one in found]


def status(cluster: Cluster, resource: str, name: str, namespace: str = "default") -> Json:
    obj = cluster.get(resource, namespace, name)
    assert obj is not None
    found: Json = obj.get("status") or {}
    return found
