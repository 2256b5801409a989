"""Volumes of a pod."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.checking.base import (
    Causes,
    Json,
    bad,
    config_key_problems,
    duplicate,
    forbidden,
    is_number,
    label,
    names,
    objects,
    required,
    subdomain,
    unsupported,
)

TYPES = ("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
         "glusterfs", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "flocker", "downwardAPI", "fc", "configMap",
         "azureFile", "vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk", "projected", "portworxVolume",
         "scaleIO", "storageos", "csi", "ephemeral", "image")  # fmt: skip
HOST_PATHS = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
MODE_LIMIT = 0o777
MODE_SAID = "must be a number between 0 and 0777 (octal), both inclusive"


def check(path: str, spec: Json) -> tuple[list[Json], set[str]]:
    """What is wrong with a pod's volumes, and the names of those that are right."""
    causes: list[Json] = []
    right: set[str] = set()
    for number, volume in objects(spec, "volumes"):
        here = f"{path}[{number}]"
        name = volume.get("name") or ""
        found = list(source(here, volume))
        if not name:
            found.append(required(f"{here}.name"))
        else:
            found += label(f"{here}.name", name)
            if name in right:
                found.append(duplicate(f"{here}.name", name))
        if not found:
            right.add(name)
        causes += found
    return causes, right


def source(path: str, volume: Json) -> Causes:
    """What is wrong with what a volume is made of."""
    first = ""
    for name in TYPES:
        found = volume.get(name)
        if not isinstance(found, dict):
            continue
        if first:
            yield forbidden(f"{path}.{name}", "may not specify more than 1 volume type")
        else:
            first = name
            yield from _one(f"{path}.{name}", name, found)


def _one(path: str, name: str, found: Json) -> Causes:
    if name == "emptyDir":
        if quantities.known(found.get("sizeLimit", "0")).nano < 0:
            yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")
    elif name == "hostPath":
        yield from host_path(path, found)
    elif name == "secret":
        if not found.get("secretName"):
            yield required(f"{path}.secretName")
        yield from _files(path, found)
    elif name == "configMap":
        if not found.get("name"):
            yield required(f"{path}.name")
        yield from _files(path, found)
    elif name == "persistentVolumeClaim":
        if not found.get("claimName"):
            yield required(f"{path}.claimName")
        else:
            yield from subdomain(f"{path}.claimName", found["claimName"])
    elif name == "nfs":
        yield from nfs(path, found)


def host_path(path: str, found: Json) -> Causes:
    """A folder or file of the node."""
    place = found.get("path") or ""
    if not place:
        yield required(f"{path}.path")
    elif ".." in place.split("/"):
        yield bad(f"{path}.path", place, "must not contain '..'")
    if (kind := found.get("type")) is not None and kind not in HOST_PATHS:
        yield unsupported(f"{path}.type", kind, HOST_PATHS)


def nfs(path: str, found: Json) -> Causes:
    """A network file system."""
    if not found.get("server"):
        yield required(f"{path}.server")
    place = found.get("path") or ""
    if not place:
        yield required(f"{path}.path")
    elif not place.startswith("/"):
        yield bad(f"{path}.path", place, "must be an absolute path")


def _files(path: str, found: Json) -> Causes:
    yield from _mode(f"{path}.defaultMode", found.get("defaultMode"))
    for number, item in objects(found, "items"):
        here = f"{path}.items[{number}]"
        key, place = item.get("key") or "", item.get("path") or ""
        if not key:
            yield required(f"{here}.key")
        else:
            yield from names(f"{here}.key", key, config_key_problems(key))
        if not place:
            yield required(f"{here}.path")
        elif place.startswith("/"):
            yield bad(f"{here}.path", place, "must be a relative path")
        elif ".." in place.split("/"):
            yield bad(f"{here}.path", place, "must not contain '..'")
        yield from _mode(f"{here}.mode", item.get("mode"))


def _mode(path: str, value: Any) -> Causes:
    if is_number(value) and not 0 <= value <= MODE_LIMIT:
        yield bad(path, value, MODE_SAID)
