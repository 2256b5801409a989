"""What an object has to be before it is stored, kind by kind: the causes of a 422 in the real server's words.

    metadata.py    names, labels, annotations, finalizers
    pods.py        a pod's spec; containers.py, volumes.py and placement.py are its parts
    workloads.py   what has a pod template; cron.py reads schedules
    network.py, storage.py, others.py
    unmeant.py     what is right and yet not meant

What may change of an object that is there is in `strategies`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from notebook_mux.playground.checking import metadata, network, others, placement, pods, storage, unmeant, workloads
from notebook_mux.playground.checking.base import inner
from notebook_mux.playground.kinds import Kind

__all__ = ["causes", "warnings"]

Json = dict[str, Any]

_OF_SPEC: dict[str, Callable[[Json], Iterable[Json]]] = {
    "pods": lambda spec: pods.check("spec", spec),
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "replicationcontrollers": workloads.replication_controller,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "services": network.service,
    "ingresses.networking.k8s.io": network.ingress,
    "ingressclasses.networking.k8s.io": network.ingress_class,
    "networkpolicies.networking.k8s.io": network.network_policy,
    "persistentvolumeclaims": lambda spec: storage.claim_spec("spec", spec),
    "persistentvolumes": storage.volume_spec,
    "resourcequotas": others.resource_quota,
    "limitranges": others.limit_range,
    "horizontalpodautoscalers.autoscaling": others.autoscaler,
    "poddisruptionbudgets.policy": others.disruption_budget,
    "leases.coordination.k8s.io": others.lease,
    "nodes": others.node,
    "namespaces": lambda spec: metadata.finalizers("spec.finalizers", spec.get("finalizers")),
}
_OF_OBJECT: dict[str, Callable[[Json], Iterable[Json]]] = {
    "configmaps": others.config_map,
    "secrets": others.secret,
    "storageclasses.storage.k8s.io": storage.storage_class,
    "priorityclasses.scheduling.k8s.io": others.priority_class,
    "apiservices.apiregistration.k8s.io": others.api_service,
    "runtimeclasses.node.k8s.io": placement.runtime_class,
    "endpoints": network.endpoints,
    "endpointslices.discovery.k8s.io": network.endpoint_slice,
}


def causes(kind: Kind, obj: Json) -> list[Json]:
    """What is wrong with an object."""
    found = list(metadata.check(kind, obj["metadata"]))
    if (check := _OF_SPEC.get(kind.resource)) is not None:
        found += check(inner(obj, "spec"))
    elif (check := _OF_OBJECT.get(kind.resource)) is not None:
        found += check(obj)
    return found


def warnings(kind: Kind, obj: Json) -> list[str]:
    """What its author is told besides."""
    if kind.custom:
        return []
    specs = workloads.templates(kind.resource, inner(obj, "spec"))
    return [text for path, spec in specs for text in unmeant.of(path, spec)]
