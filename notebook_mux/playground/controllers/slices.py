"""Endpoint slices of one author: which there are, and how they become what is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import MANAGER, owner_reference
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

SLICES = "endpointslices.discovery.k8s.io"
SERVICE = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS = "service.kubernetes.io/headless"


class Wanted(NamedTuple):
    """What a slice is to say."""

    ports: list[Json]
    endpoints: list[Json]
    family: str = "IPv4"

    @property
    def shape(self) -> str:
        """What slices of a service are told apart by."""
        return _shape(self.family, self.ports)


class Keeper:
    """Keeps the slices of one author.

    Args:
        cluster: Where.
        author: The value of their label `MANAGED_BY`.
        dated: Whether they say when they changed last.
    """

    def __init__(self, cluster: Cluster, author: str, *, dated: bool):
        self._cluster = cluster
        self._author = author
        self._dated = dated

    def of(self, namespace: str, service: str) -> list[Stored]:
        """A service's slices."""
        return [
            one
            for one in self._cluster.store.items(SLICES, namespace)
            if one.labels.get(SERVICE) == service and one.labels.get(MANAGED_BY) == self._author
        ]

    def services(self, change: Change) -> Iterable[Key]:
        """The service of a slice that somebody deleted: it is to be made again."""
        one = change.new
        ours = change.type == "DELETED" and one.labels.get(MANAGED_BY) == self._author
        return ((one.namespace, one.labels.get(SERVICE, "")),) if ours else ()

    def bring(self, owner: Stored, labels: Json, annotations: Json, wanted: list[Wanted]) -> None:
        """Bring a service's slices to what is wanted: those of the same shape are changed, others used again."""
        metadata = {"labels": {**labels, SERVICE: owner.name, MANAGED_BY: self._author}, "annotations": annotations}
        there = self.of(*owner.key)
        for one in list(there):
            obj = one.content
            shape = _shape(obj["addressType"], obj.get("ports") or [])
            match = next((want for want in wanted if want.shape == shape), None)
            if match is not None:
                wanted.remove(match)
                there.remove(one)
                self._change(one, metadata, match)
        for want in wanted:
            again = next((one for one in there if one.content["addressType"] == want.family), None)
            if again is not None:
                there.remove(again)
                self._change(again, metadata, want)
            else:
                self._cluster.create(self._make(owner, metadata, want))
        for one in there:
            self._cluster.remove(SLICES, *one.key)

    def clear(self, namespace: str, service: str) -> None:
        """Delete a service's slices."""
        for one in self.of(namespace, service):
            self._cluster.remove(SLICES, *one.key)

    def _change(self, stored: Stored, metadata: Json, want: Wanted) -> None:
        def change(one: Json) -> None:
            before = {key: one.get(key) for key in ("endpoints", "ports")}
            now = {"endpoints": want.endpoints or None, "ports": want.ports or None}
            own = one["metadata"]
            dates = {key: value for key, value in (own.get("annotations") or {}).items() if key == TRIGGERED}
            if before != now:
                one |= now
                own["generation"] = own.get("generation", 1) + 1
                dates = {TRIGGERED: self._cluster.agenda.stamp()} if self._dated else {}
            own["labels"] = metadata["labels"]
            own.pop("annotations", None)
            if annotations := {**metadata["annotations"], **dates}:
                own["annotations"] = annotations

        self._cluster.update(SLICES, *stored.key, change)

    def _make(self, owner: Stored, metadata: Json, want: Wanted) -> Json:
        stamp = self._cluster.agenda.stamp()
        dates = {TRIGGERED: stamp} if self._dated else {}
        made: Json = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {
                "generateName": f"{owner.name}-",
                "namespace": owner.namespace,
                "generation": 1,
                "labels": metadata["labels"],
                "annotations": {**metadata["annotations"], **dates},
                "ownerReferences": [owner_reference(owner)],
            },
            "addressType": want.family,
            "endpoints": want.endpoints or None,
            "ports": want.ports or None,
        }
        if not made["metadata"]["annotations"]:
            del made["metadata"]["annotations"]
        managed.record(made, MANAGER, stamp, made)
        return made


def _shape(family: str, ports: list[Json]) -> str:
    return str((family, sorted((one.get("name", ""), one.get("protocol", ""), one.get("port", 0)) for one in ports)))
