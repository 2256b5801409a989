"""Claims, volumes and storage classes."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.checking import volumes
from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    bad,
    inner,
    one_of,
    required,
    subdomain,
    unsupported,
)

MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
RECLAIM = ("Delete", "Recycle", "Retain")
BINDING = ("Immediate", "WaitForFirstConsumer")
POSITIVE = "must be greater than zero"


def claim_spec(path: str, spec: Json) -> Causes:
    """What is wrong with a claim's spec."""
    if not spec.get("accessModes"):
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from _modes(f"{path}.accessModes", spec)
    asked = inner(spec, "resources", "requests").get("storage")
    if asked is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from _positive(f"{path}.resources[storage]", asked)
    if spec.get("storageClassName"):
        yield from subdomain(f"{path}.storageClassName", spec["storageClassName"])
    yield from one_of(f"{path}.volumeMode", spec.get("volumeMode"), VOLUME_MODES)


def _modes(path: str, spec: Json) -> Causes:
    for mode in spec.get("accessModes") or ():
        if mode not in MODES:
            yield unsupported(path, mode, MODES)


def _positive(path: str, amount: Any) -> Causes:
    found = quantities.known(amount)
    if found.nano <= 0:
        yield bad(path, str(found), POSITIVE)


def volume_spec(spec: Json) -> Causes:
    """What is wrong with a volume's spec."""
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    yield from _modes("spec.accessModes", spec)
    capacity = spec.get("capacity")
    if not capacity:
        yield required("spec.capacity")
    if not isinstance(capacity, dict) or "storage" not in capacity:
        yield unsupported("spec.capacity", capacity, ("storage",))
    else:
        yield from _positive("spec.capacity[storage]", capacity["storage"])
    yield from volumes.source("spec", spec)
    if not any(isinstance(spec.get(name), dict) for name in (*volumes.TYPES, "local")):
        yield required("spec", "must specify a volume type")
    yield from one_of("spec.persistentVolumeReclaimPolicy", spec.get("persistentVolumeReclaimPolicy"), RECLAIM)
    yield from one_of("spec.volumeMode", spec.get("volumeMode"), VOLUME_MODES)


def storage_class(obj: Json) -> Causes:
    """What is wrong with a storage class."""
    if not obj.get("provisioner"):
        yield required("provisioner")
    yield from one_of("reclaimPolicy", obj.get("reclaimPolicy"), ("Delete", "Retain"))
    yield from one_of("volumeBindingMode", obj.get("volumeBindingMode"), BINDING)
