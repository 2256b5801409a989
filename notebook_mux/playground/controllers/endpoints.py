"""EndpointSlices and Endpoints: the pods behind each service, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.controllers import older_endpoints
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import news_of
from notebook_mux.playground.controllers.slices import HEADLESS, SLICES, Keeper, Wanted
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

OURS = "endpointslice-controller.k8s.io"
ZONE = "topology.kubernetes.io/zone"
MOST = 100
"""Endpoints of one slice (--max-endpoints-per-slice)."""


class EndpointSlices(Controller):
    """The controller of endpoint slices: some for each set of ports that a service has on its pods.

    It keeps the services' Endpoints too, since both come from the same pods.
    """

    watches = ("services", "pods", SLICES, older_endpoints.ENDPOINTS)

    def start(self) -> None:
        """Begin with no selectors known."""
        self._selectors: dict[Key, Json] = {}
        self._slices = Keeper(self.cluster, OURS, dated=True)
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A service's own key; for a pod those of its namespace's services that select it, or did.

        Of slices and Endpoints those of services that lost one.
        """
        new, old = change.new, change.old
        if new.kind.resource == SLICES:
            return self._slices.services(change)
        if new.kind.resource == older_endpoints.ENDPOINTS:
            return (new.key,) if change.type == "DELETED" else ()
        if new.kind.resource == "services":
            if change.type == "DELETED":
                self._selectors.pop(new.key, None)
            else:
                self._selectors[new.key] = new.content["spec"].get("selector") or {}
            return (new.key,)
        if not news_of(change):
            return ()
        labels = [dict(new.labels), *([dict(old.labels)] if old is not None else [])]
        return [
            key
            for key, wanted in self._selectors.items()
            if key[0] == new.namespace and wanted and any(wanted.items() <= one.items() for one in labels)
        ]

    def sync(self, key: Key) -> None:
        """Bring a service's slices to what its pods are."""
        service = self.store.get("services", *key)
        if service is None:
            self.cluster.remove(older_endpoints.ENDPOINTS, *key)
            return
        if service.deleting:
            return
        obj = service.content
        selector = obj["spec"].get("selector")
        if not selector or obj["spec"].get("type") == "ExternalName":
            return  # whoever made it says what is behind it
        found = self._pods(service, obj, selector)
        labels = obj["metadata"].get("labels") or {}
        if obj["spec"].get("clusterIP") == "None":
            labels = {**labels, HEADLESS: ""}
        wanted = [
            Wanted(ports, endpoints[at : at + MOST])
            for ports, endpoints in found or [([], [])]
            for at in range(0, max(1, len(endpoints)), MOST)
        ]
        self._slices.bring(service, labels, {}, wanted)
        older_endpoints.bring(self.cluster, service, obj, found)

    def _pods(self, service: Stored, obj: Json, selector: Json) -> list[tuple[list[Json], list[Json]]]:
        """The endpoints that a service's pods are, by the ports they have."""
        by_ports: dict[str, tuple[list[Json], list[Json]]] = {}
        for pod in self.store.items("pods", service.namespace):
            if not selector.items() <= dict(pod.labels).items() or not pod.fields["status.podIP"]:
                continue
            if pod.fields["status.phase"] in ("Succeeded", "Failed"):
                continue
            content = pod.content
            ports = _ports(obj["spec"], content)
            entry = by_ports.setdefault(str(ports), (ports, []))
            entry[1].append(self._endpoint(pod, content, service, obj["spec"]))
        return list(by_ports.values())

    def _endpoint(self, pod: Stored, obj: Json, service: Stored, spec: Json) -> Json:
        ready = pod.ready
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
