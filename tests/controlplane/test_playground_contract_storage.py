"""Claims and their volumes, on both sides: what is bound to what, what waits for what and says so, what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.controlplane.sides import Json
from tests.unit.playground.client import MERGE, Client
from tests.waiting import eventually

SECONDS = 90.0
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


class Storage:
    """Makes claims and volumes, and waits for what becomes of them."""

    def __init__(self, side: Client, place: str):
        self._side, self.place, self._made = side, place, list[str]()

    def _create(self, path: str, api: str, kind: str, name: str, **rest: Any) -> None:
        obj = {"apiVersion": api, "kind": kind, "metadata": {"name": name, **rest.pop("metadata", {})}, **rest}
        made = self._side.ask("POST", path, obj)
        assert made.status == 201, made.body
        if "/namespaces/" not in path:
            self._made.append(f"{path}/{name}")

    def storage_class(self, name: str, **rest: Any) -> None:
        self._create(CLASSES, "storage.k8s.io/v1", "StorageClass", name, **rest)

    def volume(self, name: str, size: str, storage_class: str = "", *, labels: Json | None = None, **spec: Any) -> None:
        spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": storage_class,
                "hostPath": {"path": f"/tmp/{name}"}, **spec}  # fmt: skip
        self._create(VOLUMES, "v1", "PersistentVolume", name, metadata={"labels": labels or {}}, spec=spec)

    def claim(self, name: str, size: str, storage_class: str = "", **spec: Any) -> None:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}},
                "storageClassName": storage_class, **spec}  # fmt: skip
        self._create(f"{self.place}/persistentvolumeclaims", "v1", "PersistentVolumeClaim", name, spec=spec)

    def pod(self, name: str, claim: str, **spec: Any) -> None:
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]
        spec = {"terminationGracePeriodSeconds": 1, "containers": [{"name": "a", "image": "nginx:1"}],
                "volumes": volumes, **spec}  # fmt: skip
        self._create(f"{self.place}/pods", "v1", "Pod", name, spec=spec)

    def get(self, kind: str, name: str) -> Json:
        path = f"{VOLUMES}/{name}" if kind == "volume" else f"{self.place}/{kind}/{name}"
        found: Json = self._side.get(path).json()
        return found

    def of(self, claim: str) -> Json:
        return self.get("persistentvolumeclaims", claim)

    def bound(self, claim: str) -> str:
        """The volume that a claim gets."""
        eventually(lambda: self.of(claim)["status"]["phase"] == "Bound", f"{claim} is not bound", seconds=SECONDS)
        return str(self.of(claim)["spec"]["volumeName"])

    def unused(self, claim: str, wanted: str) -> list[Json]:
        """A claim's conditions, when it says that it is unused, or not."""

        def conditions() -> list[Json]:
            found: list[Json] = self.of(claim)["status"].get("conditions", [])
            return [one for one in found if (one["type"], one["status"]) == ("Unused", wanted)]

        eventually(conditions, f"{claim} unused {wanted}", seconds=SECONDS)
        return conditions()

    def phase(self, volume: str, wanted: str) -> None:
        eventually(lambda: self.get("volume", volume)["status"]["phase"] == wanted, f"{volume} {wanted}",
                   seconds=SECONDS)  # fmt: skip

    def told(self, claim: str, reason: str) -> Json:
        query = {"fieldSelector": f"reason={reason},involvedObject.name={claim}"}
        eventually(lambda: self._side.get(f"{self.place}/events", **query).json()["items"], reason, seconds=SECONDS)
        found: Json = self._side.get(f"{self.place}/events", **query).json()["items"][0]
        assert found["source"]["component"] == "persistentvolume-controller"
        return found

    def delete(self, kind: str, name: str) -> None:
        path = f"{VOLUMES}/{name}" if kind == "volume" else f"{self.place}/{kind}/{name}"
        self._side.ask("DELETE", path, {"gracePeriodSeconds": 0} if kind == "pods" else None)

    def gone(self, kind: str, name: str) -> None:
        eventually(lambda: self.get(kind, name).get("reason") == "NotFound", f"{name} is there", seconds=SECONDS)

    def clear(self) -> None:
        for kind in ("pods", "persistentvolumeclaims"):
            for one in self._side.get(f"{self.place}/{kind}").json()["items"]:
                self.delete(kind, one["metadata"]["name"])
        for path in self._made:
            self._side.ask("DELETE", path)


@pytest.fixture
def storage(side: Client, place: str) -> Iterator[Storage]:
    eventually(lambda: side.get(f"{place}/serviceaccounts/default").status == 200, seconds=SECONDS)
    made = Storage(side, place)
    yield made
    made.clear()


def test_claims_get_the_smallest_volume_that_fits(side: Client, storage: Storage):
    storage.volume("fit-big", "10Gi")
    storage.volume("fit-small", "2Gi")
    storage.volume("fit-labelled", "20Gi", labels={"kind": "fast"})
    storage.volume("fit-shared", "5Gi", accessModes=["ReadWriteMany"], persistentVolumeReclaimPolicy="Delete")
    for name in ("fit-big", "fit-small", "fit-labelled", "fit-shared"):
        storage.phase(name, "Available")
    storage.claim("one", "1Gi")
    assert storage.bound("one") == "fit-small"
    volume = storage.get("volume", "fit-small")
    (unused,) = storage.unused("one", "True")
    assert (unused["reason"], unused["message"], unused["lastProbeTime"]) == (
        "NoPodsUsingPVC", "No pods are currently referencing this PVC", None,
    )  # fmt: skip
    claim = storage.of("one")
    assert {key: one for key, one in claim["status"].items() if key != "conditions"} == {
        "phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"},
    }  # fmt: skip
    assert claim["metadata"]["annotations"] == {
        "pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
    }  # fmt: skip
    assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert volume["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    assert volume["metadata"]["annotations"] == {"pv.kubernetes.io/bound-by-controller": "yes"}
    ref = volume["spec"]["claimRef"]
    assert (ref["kind"], ref["name"], ref["uid"], ref["apiVersion"]) == (
        "PersistentVolumeClaim", "one", claim["metadata"]["uid"], "v1",
    )  # fmt: skip
    storage.claim("two", "1Gi", selector={"matchLabels": {"kind": "fast"}})
    assert storage.bound("two") == "fit-labelled"
    storage.claim("shared", "1Gi", accessModes=["ReadWriteMany"])
    assert storage.bound("shared") == "fit-shared"
    storage.claim("too-much", "100Gi")
    event = storage.told("too-much", "FailedBinding")
    assert (event["message"], event["type"]) == (
        "no persistent volumes available for this claim and no storage class is set", "Normal",
    )  # fmt: skip
    assert storage.of("too-much")["status"] == {"phase": "Pending"}
    storage.claim("named", "1Gi", volumeName="fit-big")
    assert storage.bound("named") == "fit-big"
    assert "pv.kubernetes.io/bound-by-controller" not in storage.of("named")["metadata"]["annotations"]
    grown = side.ask("PATCH", f"{storage.place}/persistentvolumeclaims/one",
                     {"spec": {"resources": {"requests": {"storage": "5Gi"}}}}, media=MERGE)  # fmt: skip
    assert grown.status == 403
    assert grown.json()["message"] == (
        'persistentvolumeclaims "one" is forbidden: only dynamically provisioned pvc can be resized and the '
        "storageclass that provisions the pvc must support resize"
    )
    storage.pod("user", "one")
    eventually(lambda: storage.get("pods", "user")["spec"].get("nodeName"), seconds=SECONDS)
    assert storage.unused("one", "False")[0]["reason"] == "PodUsingPVC"
    storage.delete("persistentvolumeclaims", "one")
    assert "deletionTimestamp" in storage.of("one")["metadata"]
    storage.delete("volume", "fit-small")
    assert "deletionTimestamp" in storage.get("volume", "fit-small")["metadata"]
    storage.delete("pods", "user")
    storage.gone("persistentvolumeclaims", "one")
    storage.gone("volume", "fit-small")
    storage.delete("persistentvolumeclaims", "two")
    storage.phase("fit-labelled", "Released")
    storage.delete("persistentvolumeclaims", "shared")
    storage.gone("volume", "fit-shared")
    storage.delete("volume", "fit-big")
    eventually(lambda: "deletionTimestamp" in storage.get("volume", "fit-big")["metadata"], seconds=SECONDS)


def test_claims_that_wait(side: Client, storage: Storage):
    nodes = side.get("/api/v1/nodes").json()["items"]
    count, first = len(nodes), nodes[0]["metadata"]["name"]
    none = "kubernetes.io/no-provisioner"
    storage.storage_class("wait-local", provisioner=none, volumeBindingMode="WaitForFirstConsumer")
    storage.storage_class("wait-foreign", provisioner="x.example/driver")
    storage.claim("foreign", "1Gi", "wait-foreign")
    said = storage.told("foreign", "ExternalProvisioning")["message"]
    assert said == (
        "Waiting for a volume to be created either by the external provisioner 'x.example/driver' or manually by the "
        "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
        "correctly registered."
    )
    keys = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
    assert storage.of("foreign")["metadata"]["annotations"] == dict.fromkeys(keys, "x.example/driver")
    storage.claim("no-class", "1Gi", "no-such-class")
    event = storage.told("no-class", "ProvisioningFailed")
    assert (event["message"], event["type"]) == (
        'storageclass.storage.k8s.io "no-such-class" not found', "Warning",
    )  # fmt: skip

    def why(pod: str) -> str:
        def said() -> str:
            conditions = storage.get("pods", pod)["status"].get("conditions", ())
            return next(
                (one["message"] for one in conditions if one["type"] == "PodScheduled" and "message" in one), ""
            )

        eventually(said, f"{pod} is not told of", seconds=SECONDS)
        return said()

    helpless = f"preemption: 0/{count} nodes are available: {count} Preemption is not helpful for scheduling."
    storage.pod("of-foreign", "foreign")
    unbound = "pod has unbound immediate PersistentVolumeClaims"
    assert why("of-foreign") == f"0/{count} nodes are available: {unbound}. not found"
    storage.claim("local", "1Gi", "wait-local")
    said = storage.told("local", "WaitForFirstConsumer")["message"]
    assert said == "waiting for first consumer to be created before binding"
    storage.pod("of-local", "local")
    assert why("of-local") == (
        f"0/{count} nodes are available: {count} node(s) didn't find available persistent volumes to bind. {helpless}"
    )
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [first]}]}]
    storage.volume("wait-volume", "3Gi", "wait-local", nodeAffinity={"required": {"nodeSelectorTerms": terms}})
    assert storage.bound("local") == "wait-volume"
    eventually(lambda: storage.get("pods", "of-local")["spec"].get("nodeName"), seconds=SECONDS)
    assert storage.get("pods", "of-local")["spec"]["nodeName"] == first
    storage.pod("elsewhere", "local", nodeSelector={"no": "such"})
    assert f"{count} node(s) didn't match Pod's node affinity/selector" in why("elsewhere")
    storage.delete("pods", "of-local")
    assert storage.bound("local") == "wait-volume"
