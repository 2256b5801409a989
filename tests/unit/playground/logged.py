"""Pods whose logs a test asks for, and how."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import defaults
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.logs import options, runs
from notebook_mux.playground.logs.runs import Run
from notebook_mux.playground.logs.written import NS, Line, Written

Json = dict[str, Any]


def pod(name: str, *command: str, image: str = "busybox:1", restart: str = "Never", **spec: Any) -> Json:
    """A pod of one container, ``main``, with a command."""
    container: Json = {"name": "main", "image": image}
    if command:
        container["command"] = list(command)
    spec = {"containers": [container], "restartPolicy": restart, **spec}
    made: Json = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "namespace": "default"}, "spec": spec}
    defaults.apply("pods", made)
    return made


def run_of(cluster: Cluster, name: str, namespace: str = "default", **query: str) -> Run:
    """The run that a query is about."""
    obj = cluster.get("pods", namespace, name)
    assert obj is not None
    run = runs.choose(obj, options.parse(query, name))
    assert run is not None
    return run


def lines(cluster: Cluster, name: str, namespace: str = "default", **query: str) -> list[Line]:
    """What a log has now."""
    asked, now = options.parse(query, name), cluster.agenda.now()
    return list(Written(run_of(cluster, name, namespace, **query)).until(now, asked.tail, asked.oldest(now)))


def texts(cluster: Cluster, name: str, namespace: str = "default", **query: str) -> list[str]:
    """The same without times."""
    return [line.text for line in lines(cluster, name, namespace, **query)]


def offsets(found: list[Line], started: int) -> list[float]:
    """Seconds since a start, to the tenth."""
    return [round((line.ns - started * NS) / NS, 1) for line in found]
