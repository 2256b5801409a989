"""Pods and workloads as a client creates them, and what became of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.paths import Target
from notebook_mux.playground.store import Stored
from notebook_mux.playground.writes import Asking, Writer
from notebook_mux.printers import PRINTERS

Json = dict[str, Any]

STEP_S = 0.25


def created(cluster: Cluster, obj: Json) -> Stored:
    """An object, created as by the API: with defaults, without status."""
    kind = cluster.kinds.of_object(obj["apiVersion"], obj["kind"])
    assert kind is not None
    namespace = obj["metadata"].get("namespace", "default") if kind.namespaced else ""
    return Writer(cluster).create(Target(kind, namespace), copy.deepcopy(obj), Asking("test"))


def container(name: str = "main", image: str = "ghcr.io/example/app:1", **more: Any) -> Json:
    return {"name": name, "image": image, **more}


def pod(name: str = "one", *containers: Json, behaviour: str = "", **spec: Any) -> Json:
    """A pod of one container, ``main``, or of some."""
    annotations = {"playground.notebook-mux/behaviour": behaviour} if behaviour else {}
    metadata = {"name": name, "namespace": "default", "annotations": annotations, "labels": {"app": name}}
    return {
        "kind": "Pod", "apiVersion": "v1", "metadata": metadata,
        "spec": {"containers": list(containers) or [container()], **spec},
    }  # fmt: skip


def run(cluster: Cluster, obj: Json, seconds: float) -> Json:
    """Create a pod and let time pass; the pod then."""
    created(cluster, obj)
    cluster.agenda.step(seconds)
    return now(cluster, obj["metadata"]["name"])


def now(cluster: Cluster, name: str = "one", resource: str = "pods", namespace: str = "default") -> Json:
    found = cluster.get(resource, namespace, name)
    assert found is not None, f"{resource} {name} is gone"
    return found


def until(cluster: Cluster, holds: Callable[[], object], seconds: float = 120.0) -> float:
    """Let time pass until something holds; how long it took, seconds."""
    passed = 0.0
    while not holds():
        assert passed < seconds, f"not within {seconds} s"
        cluster.agenda.step(STEP_S)
        passed += STEP_S
    return passed


def row(cluster: Cluster, obj: Json, resource: str = "pods") -> list[Any]:
    """What `kubectl get` prints for an object."""
    return PRINTERS[resource](obj, cluster.agenda.now())


def shown(cluster: Cluster, name: str = "one") -> str:
    """A pod's STATUS as `kubectl get pods` prints it."""
    found = cluster.get("pods", "default", name)
    return "" if found is None else str(row(cluster, found)[2])


def seen(cluster: Cluster, name: str = "one", seconds: float = 60.0) -> list[str]:
    """The different STATUS texts of a pod, in their order, while time passes."""
    found: list[str] = []
    passed = 0.0
    while passed < seconds:
        cluster.agenda.step(STEP_S)
        passed += STEP_S
        text = shown(cluster, name)
        if text and text not in found[-1:]:
            found.append(text)
    return found


def status(obj: Json, name: str = "main", kind: str = "containerStatuses") -> Json:
    found: Json = next(one for one in obj["status"][kind] if one["name"] == name)
    return found


def condition(obj: Json, kind: str) -> Json:
    return next((one for one in obj["status"].get("conditions") or () if one["type"] == kind), {})


def events(cluster: Cluster, name: str = "one") -> list[tuple[str, str, str]]:
    """Type, reason and message of the events about an object, oldest first."""
    found = [one.decode() for one in cluster.store.items("events")]
    about = [one for one in found if one["involvedObject"]["name"] == name]
    about.sort(key=lambda one: int(one["metadata"]["resourceVersion"]) if one.get("count", 1) == 1 else 0)
    return [(one["type"], one["reason"], one["message"]) for one in about]


def reasons(cluster: Cluster, name: str = "one") -> list[str]:
    return [reason for _, reason, _ in events(cluster, name)]
