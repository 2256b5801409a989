"""EndpointSlices: the ready pods behind each service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, is_ready, owner_reference
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

SLICES = "endpointslices.discovery.k8s.io"
SERVICE = "kubernetes.io/service-name"


class EndpointSlices(Controller):
    """The controller of endpoint slices; one slice a service."""

    watches = ("services", "pods")

    def keys(self, change: Change) -> Iterable[Key]:
        """A service's own key; for a pod those of its namespace's services that select it."""
        if change.new.kind.resource == "services":
            return (change.new.key,)
        return [
            one.key
            for one in self.store.items("services", change.new.namespace)
            if (wanted := one.decode()["spec"].get("selector")) and wanted.items() <= dict(change.new.labels).items()
        ]

    def sync(self, key: Key) -> None:
        """Write a service's slice anew."""
        service = self.store.get("services", *key)
        there = [one for one in self.store.items(SLICES, key[0]) if one.labels.get(SERVICE) == key[1]]
        if service is None or service.deleting:
            return
        obj = service.decode()
        selector = obj["spec"].get("selector")
        if not selector:
            return
        endpoints = self._endpoints(key[0], selector)
        ports = [
            {"name": port.get("name", ""), "protocol": port["protocol"], "port": _number(port)}
            for port in obj["spec"].get("ports") or ()
        ]
        if not there:
            self.cluster.create(self._make(service, obj, endpoints, ports))
            return

        def change(one: Json) -> None:
            one["endpoints"], one["ports"] = endpoints, ports

        self.cluster.update(SLICES, *there[0].key, change)

    def _endpoints(self, namespace: str, selector: Json) -> list[Json]:
        found = []
        for pod in self.store.items("pods", namespace):
            if not selector.items() <= dict(pod.labels).items() or not pod.fields["status.podIP"]:
                continue
            if pod.fields["status.phase"] in ("Succeeded", "Failed"):
                continue
            ready = is_ready(pod.decode())
            found.append(
                {
                    "addresses": [pod.fields["status.podIP"]],
                    "conditions": {
                        "ready": ready and not pod.deleting,
                        "serving": ready,
                        "terminating": pod.deleting,
                    },
                    "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod.name, "uid": pod.uid},
                    "nodeName": pod.fields["spec.nodeName"],
                }
            )
        return found

    def _make(self, service: Stored, obj: Json, endpoints: list[Json], ports: list[Json]) -> Json:
        labels = {SERVICE: service.name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
        made: Json = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {
                "generateName": f"{service.name}-",
                "namespace": service.namespace,
                "labels": {**(obj["metadata"].get("labels") or {}), **labels},
                "ownerReferences": [owner_reference(service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }
        managed.record(made, MANAGER, self.agenda.stamp(), made)
        return made


def _number(port: Json) -> int:
    target = port.get("targetPort", port["port"])
    return int(target) if isinstance(target, int) else int(port["port"])
