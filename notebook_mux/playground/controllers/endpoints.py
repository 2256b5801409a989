"""EndpointSlices: the pods behind each service, and what is known of them."""

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
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
OURS = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
ZONE = "topology.kubernetes.io/zone"
MOST = 100
"""Endpoints of one slice (--max-endpoints-per-slice)."""


class EndpointSlices(Controller):
    """The controller of endpoint slices: some for each set of ports that a service has on its pods."""

    watches = ("services", "pods")

    def start(self) -> None:
        """Begin with no selectors known."""
        self._selectors: dict[Key, Json] = {}
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A service's own key; for a pod those of its namespace's services that select it, or did."""
        new, old = change.new, change.old
        if new.kind.resource == "services":
            if change.type == "DELETED":
                self._selectors.pop(new.key, None)
            else:
                self._selectors[new.key] = new.decode()["spec"].get("selector") or {}
            return (new.key,)
        labels = [dict(new.labels), *([dict(old.labels)] if old is not None else [])]
        return [
            key
            for key, wanted in self._selectors.items()
            if key[0] == new.namespace and wanted and any(wanted.items() <= one.items() for one in labels)
        ]

    def sync(self, key: Key) -> None:
        """Bring a service's slices to what its pods are."""
        service = self.store.get("services", *key)
        if service is None or service.deleting:
            return
        obj = service.decode()
        selector = obj["spec"].get("selector")
        if not selector or obj["spec"].get("type") == "ExternalName":
            return  # whoever made it says what is behind it
        wanted = self._wanted(service, obj, selector)
        there = [
            one
            for one in self.store.items(SLICES, key[0])
            if one.labels.get(SERVICE) == key[1] and one.labels.get(MANAGED_BY) == OURS
        ]
        for one in list(there):
            shape = _as_key(one.decode().get("ports") or [])
            match = next((pair for pair in wanted if _as_key(pair[0]) == shape), None)
            if match is not None:
                wanted.remove(match)
                there.remove(one)
                self._change(one, service, obj, *match)
        for ports, endpoints in wanted:
            if there:
                self._change(there.pop(), service, obj, ports, endpoints)
            else:
                self.cluster.create(self._make(service, obj, ports, endpoints))
        for one in there:
            self.cluster.remove(SLICES, *one.key)

    def _wanted(self, service: Stored, obj: Json, selector: Json) -> list[tuple[list[Json], list[Json]]]:
        """Ports and endpoints of each slice; one without any where there is no pod."""
        by_ports: dict[str, tuple[list[Json], list[Json]]] = {}
        for pod in self.store.items("pods", service.namespace):
            if not selector.items() <= dict(pod.labels).items() or not pod.fields["status.podIP"]:
                continue
            if pod.fields["status.phase"] in ("Succeeded", "Failed"):
                continue
            decoded = pod.decode()
            ports = _ports(obj["spec"], decoded)
            entry = by_ports.setdefault(_as_key(ports), (ports, []))
            entry[1].append(self._endpoint(pod, decoded, service, obj["spec"]))
        found = list(by_ports.values()) or [([], [])]
        return [
            (ports, endpoints[at : at + MOST])
            for ports, endpoints in found
            for at in range(0, max(1, len(endpoints)), MOST)
        ]

    def _endpoint(self, pod: Stored, obj: Json, service: Stored, spec: Json) -> Json:
        ready = is_ready(obj)
        always = bool(spec.get("publishNotReadyAddresses"))
        endpoint: Json = {
            "addresses": [pod.fields["status.podIP"]],
            "conditions": {
                "ready": always or (ready and not pod.deleting),
                "serving": ready,
                "terminating": pod.deleting,
            },
        }
        if obj["spec"].get("hostname") and obj["spec"].get("subdomain") == service.name:
            endpoint["hostname"] = obj["spec"]["hostname"]
        endpoint["targetRef"] = {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}
        if node := pod.fields["spec.nodeName"]:
            endpoint["nodeName"] = node
            there = self.store.get("nodes", "", node)
            if there is not None and (zone := there.labels.get(ZONE)):
                endpoint["zone"] = zone
        return endpoint

    def _labels(self, service: Stored, obj: Json) -> Json:
        labels = {**(obj["metadata"].get("labels") or {}), SERVICE: service.name, MANAGED_BY: OURS}
        return {**labels, HEADLESS: ""} if obj["spec"].get("clusterIP") == "None" else labels

    def _change(self, stored: Stored, service: Stored, obj: Json, ports: list[Json], endpoints: list[Json]) -> None:
        def change(one: Json) -> None:
            before = {key: one.get(key) for key in ("endpoints", "ports")}
            now = {"endpoints": endpoints or None, "ports": ports or None}
            one["metadata"]["labels"] = self._labels(service, obj)
            if before != now:
                one |= now
                one["metadata"]["generation"] = one["metadata"].get("generation", 1) + 1
                one["metadata"].setdefault("annotations", {})[TRIGGERED] = self.agenda.stamp()

        self.cluster.update(SLICES, *stored.key, change)

    def _make(self, service: Stored, obj: Json, ports: list[Json], endpoints: list[Json]) -> Json:
        made: Json = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {
                "generateName": f"{service.name}-",
                "namespace": service.namespace,
                "generation": 1,
                "labels": self._labels(service, obj),
                "annotations": {TRIGGERED: self.agenda.stamp()},
                "ownerReferences": [owner_reference(service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints or None,
            "ports": ports or None,
        }
        managed.record(made, MANAGER, self.agenda.stamp(), made)
        return made


def _as_key(ports: list[Json]) -> str:
    return str(sorted((one.get("name", ""), one.get("protocol", ""), one.get("port", 0)) for one in ports))


def _ports(spec: Json, pod: Json) -> list[Json]:
    """A service's ports on a pod; one whose name no container of the pod has is left out."""
    found = []
    for port in spec.get("ports") or ():
        number = _number(port, pod)
        if number is None:
            continue
        one = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP"), "port": number}
        if port.get("appProtocol"):
            one["appProtocol"] = port["appProtocol"]
        found.append(one)
    return found


def _number(port: Json, pod: Json) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    containers = [*(pod["spec"].get("containers") or ())]
    containers += [one for one in pod["spec"].get("initContainers") or () if one.get("restartPolicy") == "Always"]
    for container in containers:
        for one in container.get("ports") or ():
            if one.get("name") == target and one.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(one["containerPort"])
    return int(str(target)) if str(target).isdigit() else None
