"""Endpoints, the older form of endpoint slices: kept beside them, and mirrored into them where somebody made one.

As the real controllers do (docs: "Service", "Endpoints", "EndpointSlice mirroring"): each service with a selector has
an Endpoints of its name; the Endpoints of one without a selector, which people write, gets slices.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER
from notebook_mux.playground.controllers.slices import HEADLESS, SLICES, TRIGGERED, Keeper, Wanted
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

ENDPOINTS = "endpoints"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OURS = "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MOST = 1000
"""Addresses of one Endpoints; what is above is left out, and an annotation says so (docs: "Over-capacity
endpoints")."""

MIRRORING = "endpointslicemirroring-controller.k8s.io"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
NOT_MIRRORED = frozenset({"kubectl.kubernetes.io/last-applied-configuration", TRIGGERED})
"""Annotations that slices do not get."""


def bring(cluster: Cluster, service: Stored, obj: Json, found: list[tuple[list[Json], list[Json]]]) -> None:
    """Bring a service's Endpoints to what its pods are.

    Args:
        cluster: Where.
        service: The service.
        obj: The same, decoded.
        found: Its pods as `endpoints` of slices, by the ports they have.
    """
    subsets, cut = _subsets(obj["spec"], found)
    labels = {key: value for key, value in (obj["metadata"].get("labels") or {}).items() if key != HEADLESS}
    labels[MANAGED_BY] = OURS
    if obj["spec"].get("clusterIP") == "None":
        labels[HEADLESS] = ""
    stamp = cluster.agenda.stamp()

    def change(one: Json) -> None:
        metadata = one["metadata"]
        capacity = {OVER_CAPACITY: "truncated"} if cut else {}
        before = metadata.get("annotations") or {}
        had = {key: value for key, value in before.items() if key == OVER_CAPACITY}
        if (one.get("subsets") or [], metadata.get("labels"), had) == (subsets, labels, capacity):
            return
        one.pop("subsets", None)
        if subsets:
            one["subsets"] = subsets
        metadata["labels"] = labels
        kept = {key: value for key, value in before.items() if key != OVER_CAPACITY}
        metadata["annotations"] = {**kept, **capacity, TRIGGERED: stamp}
        own = {"metadata": {"labels": labels, "annotations": {**capacity, TRIGGERED: stamp}}, "subsets": subsets}
        managed.record(one, MANAGER, stamp, own if subsets else {"metadata": own["metadata"]})

    if cluster.update(ENDPOINTS, *service.key, change) is None:
        made: Json = {"kind": "Endpoints", "apiVersion": "v1",
                      "metadata": {"name": service.name, "namespace": service.namespace}}  # fmt: skip
        change(made)
        with cluster.apart(ENDPOINTS):
            cluster.create(made)


def _subsets(spec: Json, found: list[tuple[list[Json], list[Json]]]) -> tuple[list[Json], bool]:
    """The subsets, and whether there are more addresses than one Endpoints may have."""
    unready_too = bool(spec.get("publishNotReadyAddresses"))
    left, cut = MOST, False
    subsets: list[Json] = []
    for ports, endpoints in found:
        if spec.get("ports") and not ports:
            continue  # of its pods none has the ports
        addresses: dict[bool, list[Json]] = {True: [], False: []}
        for endpoint in sorted(endpoints, key=_is_unready):
            if endpoint["conditions"]["terminating"] and not unready_too:
                continue
            if not left:
                cut = True
                break
            left -= 1
            addresses[not _is_unready(endpoint)].append(_address(endpoint))
        subset: Json = {}
        for name, ready in (("addresses", True), ("notReadyAddresses", False)):
            if addresses[ready]:
                subset[name] = sorted(addresses[ready], key=_by_address)
        if subset:
            subsets.append({**subset, **({"ports": [_port(one) for one in ports]} if ports else {})})
    return subsets, cut


def _is_unready(endpoint: Json) -> bool:
    return not endpoint["conditions"]["ready"]


def _address(endpoint: Json) -> Json:
    more: Json = {name: endpoint[name] for name in ("hostname", "nodeName", "targetRef") if name in endpoint}
    return {"ip": endpoint["addresses"][0], **more}


def _by_address(address: Json) -> tuple[Any, ...]:
    return tuple(address["ip"].split(".")), (address.get("targetRef") or {}).get("uid", "")


def _port(port: Json) -> Json:
    return {name: value for name, value in port.items() if value != "" or name != "name"}


class EndpointsMirroring(Controller):
    """The controller that makes slices of the Endpoints that people write."""

    watches = (ENDPOINTS, "services", SLICES)

    def start(self) -> None:
        """Begin with the slices that are there."""
        self._slices = Keeper(self.cluster, MIRRORING, dated=False)
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """An Endpoints' and its service's key is one; of slices only what somebody deleted."""
        if change.new.kind.resource != SLICES:
            return (change.new.key,)
        return self._slices.services(change)

    def sync(self, key: Key) -> None:
        """Bring the slices to what an Endpoints says."""
        stored, service = self.store.get(ENDPOINTS, *key), self.store.get("services", *key)
        if stored is None or service is None or service.part("spec").get("selector"):
            self._slices.clear(*key)
            return
        obj = stored.decode()
        metadata = obj["metadata"]
        annotations = metadata.get("annotations") or {}
        if stored.labels.get(SKIP_MIRROR) == "true" or LEADER in annotations:
            self._slices.clear(*key)
            return
        kept = {name: value for name, value in annotations.items() if name not in NOT_MIRRORED}
        self._slices.bring(stored, metadata.get("labels") or {}, kept, _mirrored(obj.get("subsets") or ()))


def _mirrored(subsets: Iterable[Json]) -> list[Wanted]:
    """What slices say of subsets: one for each family of addresses and set of ports."""
    found: dict[str, Wanted] = {}
    for subset in subsets:
        ports = [{"name": "", **port} for port in subset.get("ports") or ()]
        for name, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in (subset.get(name) or ())[:MOST]:
                want = Wanted(ports, [], "IPv6" if ":" in address["ip"] else "IPv4")
                more: Json = {part: address[part] for part in ("hostname", "targetRef", "nodeName") if part in address}
                endpoint = {"addresses": [address["ip"]], "conditions": {"ready": ready}, **more}
                found.setdefault(want.shape, want).endpoints.append(endpoint)
    for want in found.values():
        want.endpoints.sort(key=lambda one: one["addresses"][0])
    return list(found.values())
