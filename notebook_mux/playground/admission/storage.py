"""Storage: the default class of claims, finalizers that protect what is in use, and who may grow."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.admission.base import Request
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.quantities import known

Json = dict[str, Any]

CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
FINALIZERS = {CLAIMS: "kubernetes.io/pvc-protection", VOLUMES: "kubernetes.io/pv-protection"}
DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def protect(request: Request) -> None:
    """Give a new claim or volume the finalizer that keeps it while it is in use."""
    finalizer = FINALIZERS.get(request.kind.resource)
    if finalizer is None or not request.is_new(request.kind.resource):
        return
    metadata = request.obj["metadata"]
    if finalizer not in (metadata.get("finalizers") or ()):
        metadata["finalizers"] = [*(metadata.get("finalizers") or ()), finalizer]


def class_of(obj: Json) -> str | None:
    """The class that a claim or volume names; None where it says nothing."""
    annotations = obj["metadata"].get("annotations") or {}
    named: str | None = annotations.get(CLASS_ANNOTATION, (obj.get("spec") or {}).get("storageClassName"))
    return named


def default_class(cluster: Cluster) -> str | None:
    """The default class: of several the newest, and of these the first by name."""
    found = []
    for stored in cluster.store.items(CLASSES):
        metadata = stored.decode()["metadata"]
        if any((metadata.get("annotations") or {}).get(key) == "true" for key in DEFAULT):
            found.append(metadata)
    return str(max(found, key=lambda one: str(one.get("creationTimestamp")))["name"]) if found else None


def give_default_class(request: Request) -> None:
    """Name the default class in a new claim that names none; an empty name is a wish for none."""
    if not request.is_new(CLAIMS) or class_of(request.obj) is not None:
        return
    name = default_class(request.cluster)
    if name is not None and isinstance(spec := request.obj.get("spec"), dict):
        spec["storageClassName"] = name


def check_resize(request: Request) -> None:
    """Refuse to let a claim grow whose class does not allow it.

    Raises:
        ApiError: 403.
    """
    if not request.changes(CLAIMS) or request.old is None:
        return
    size, before = (
        known(((one.get("spec") or {}).get("resources") or {}).get("requests", {}).get("storage"))
        for one in (request.obj, request.old)
    )
    if size.nano <= before.nano:
        return
    if (request.old.get("status") or {}).get("phase") != "Bound":
        raise request.refusal("Only bound persistent volume claims can be expanded")
    found = request.cluster.get(CLASSES, "", class_of(request.obj) or "")
    if found is None or not found.get("allowVolumeExpansion"):
        raise request.refusal(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
            "support resize"
        )
