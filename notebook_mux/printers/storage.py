"""Volumes, claims and storage classes."""

from __future__ import annotations

from typing import Any

from notebook_mux.printers.common import NONE, UNSET, Json, age, name, spec, status

SHORT_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def _modes(modes: Any) -> str:
    found = [mode for mode in SHORT_MODES if mode in (modes or ())]
    return ",".join(SHORT_MODES[mode] for mode in found)


def _class(obj: Json) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get(CLASS) or spec(obj).get("storageClassName") or "")


def _phase(obj: Json) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(status(obj).get("phase", ""))


def print_claim(obj: Json, now: float) -> list[Any]:
    """printers.go:2180."""
    wanted, state = spec(obj), status(obj)
    bound = bool(wanted.get("volumeName"))
    return [
        name(obj),
        _phase(obj),
        wanted.get("volumeName", ""),
        (state.get("capacity") or {}).get("storage", "0") if bound else "",
        _modes(state.get("accessModes")) if bound else "",
        _class(obj),
        wanted.get("volumeAttributesClassName", UNSET),
        age(obj, now),
        wanted.get("volumeMode", UNSET),
    ]


def print_volume(obj: Json, now: float) -> list[Any]:
    """printers.go:2130."""
    wanted = spec(obj)
    claim = wanted.get("claimRef")
    return [
        name(obj),
        (wanted.get("capacity") or {}).get("storage", "0"),
        _modes(wanted.get("accessModes")),
        wanted.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class(obj),
        wanted.get("volumeAttributesClassName", UNSET),
        status(obj).get("reason", ""),
        age(obj, now),
        wanted.get("volumeMode", UNSET),
    ]


def print_storage_class(obj: Json, now: float) -> list[Any]:
    """printers.go:2719. The mark of the default class is in lists only, see `default_class`."""
    return [
        name(obj),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


def default_class(objects: list[Json]) -> str:
    """The name of the class that is the default: the newest that says so, the first by name of equals."""

    def says_so(obj: Json) -> bool:
        annotations = obj["metadata"].get("annotations") or {}
        return any(annotations.get(key) == "true" for key in DEFAULT_CLASS)

    found = sorted((obj for obj in objects if says_so(obj)), key=name)
    found.sort(key=lambda obj: str(obj["metadata"].get("creationTimestamp", "")), reverse=True)
    return name(found[0]) if found else ""


def print_attachment(obj: Json, now: float) -> list[Any]:
    """printers.go:3050."""
    wanted = spec(obj)
    volume = (wanted.get("source") or {}).get("persistentVolumeName", "")
    attached = bool(status(obj).get("attached"))
    return [name(obj), wanted.get("attacher", ""), volume, wanted.get("nodeName", ""), attached, age(obj, now)]


def print_attributes_class(obj: Json, now: float) -> list[Any]:
    """printers.go:2788."""
    return [name(obj), obj.get("driverName", ""), age(obj, now)]


def print_driver(obj: Json, now: float) -> list[Any]:
    """printers.go:1721."""
    wanted = spec(obj)
    requests = wanted.get("tokenRequests")
    return [
        name(obj),
        bool(wanted.get("attachRequired", True)),
        bool(wanted.get("podInfoOnMount")),
        bool(wanted.get("storageCapacity")),
        UNSET if requests is None else ",".join(one.get("audience", "") for one in requests),
        bool(wanted.get("requiresRepublish")),
        ",".join(wanted.get("volumeLifecycleModes") or ()) or NONE,
        age(obj, now),
    ]


def print_driver_node(obj: Json, now: float) -> list[Any]:
    """printers.go:1701."""
    return [name(obj), len(spec(obj).get("drivers") or ()), age(obj, now)]


PRINTERS = {
    "volumeattachments.storage.k8s.io": print_attachment,
    "volumeattributesclasses.storage.k8s.io": print_attributes_class,
    "csidrivers.storage.k8s.io": print_driver,
    "csinodes.storage.k8s.io": print_driver_node,
    "persistentvolumeclaims": print_claim,
    "persistentvolumes": print_volume,
    "storageclasses.storage.k8s.io": print_storage_class,
}
