"""What provisioners do: make a volume for a claim, on the disk of the node that was chosen."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.admission.storage import FINALIZERS, VOLUMES
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.scheduling.binding import reference
from notebook_mux.playground.controllers.volumes.matching import SELECTED_NODE
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

LOCAL_PATH, MINIKUBE = "rancher.io/local-path", "k8s.io/minikube-hostpath"
KNOWN = frozenset({LOCAL_PATH, MINIKUBE})
"""Provisioners that run in the playground: those of kind, k3s and minikube. Claims of all others wait for ever, as in
a cluster where a driver was not installed."""

BY = "pv.kubernetes.io/provisioned-by"
FOLDERS = {LOCAL_PATH: "/var/local-path-provisioner", MINIKUBE: "/tmp/hostpath-provisioner"}  # noqa: S108 (told only)
TAKES_S = (0.5, 2.0)
_PODS = {LOCAL_PATH: "local-path-provisioner-7dc846544d-x5n2c", MINIKUBE: "minikube"}


def component(provisioner: str) -> str:
    """How a provisioner names itself in events: with its pod."""
    return f"{provisioner}_{_PODS.get(provisioner, provisioner)}"


def make(cluster: Cluster, claim: Json, storage_class: Json) -> Stored:
    """A volume for a claim."""
    metadata, spec = claim["metadata"], claim["spec"]
    provisioner, name = storage_class["provisioner"], f"pvc-{metadata['uid']}"
    folder = f"{FOLDERS[provisioner]}/{name}_{metadata['namespace']}_{metadata['name']}"
    volume: Json = {
        "kind": "PersistentVolume",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "annotations": {BY: provisioner},
            "finalizers": [FINALIZERS[VOLUMES]],
        },
        "spec": {
            "accessModes": spec.get("accessModes"),
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": reference(claim),
            "hostPath": {"path": folder, "type": "DirectoryOrCreate"},
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
        "status": {"phase": "Pending", "lastPhaseTransitionTime": cluster.agenda.stamp()},
    }
    if storage_class.get("mountOptions"):
        volume["spec"]["mountOptions"] = storage_class["mountOptions"]
    if node := (metadata.get("annotations") or {}).get(SELECTED_NODE):
        expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        terms = [{"matchExpressions": [expression]}]
        volume["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    managed.record(volume, provisioner.rpartition("/")[2], cluster.agenda.stamp(),
                   {key: value for key, value in volume.items() if key != "status"})  # fmt: skip
    return cluster.create(volume)
