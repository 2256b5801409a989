"""The files that volumes bring into a container: config maps, secrets, projections of them. Others bring none."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Iterator
from typing import Any

from notebook_mux.playground.cluster import Cluster

Json = dict[str, Any]
Files = dict[str, bytes]
"""By their path below a mount point."""


class Volumes:
    """The mounts of one container.

    Args:
        cluster: Whose.
        pod: The pod.
        container: Of its spec.
    """

    def __init__(self, cluster: Cluster, pod: Json, container: Json) -> None:
        self._cluster = cluster
        self._namespace: str = pod["metadata"]["namespace"]
        volumes = {one["name"]: one for one in pod["spec"].get("volumes") or ()}
        self._mounts = [(mount, volumes.get(mount["name"], {})) for mount in container.get("volumeMounts") or ()]

    def covers(self, path: str) -> bool:
        """Whether a path lies in a mount, so that what the image has there is not seen."""
        return any(_below(path, mount["mountPath"]) is not None for mount, _ in self._mounts)

    def read(self, path: str) -> bytes | None:
        """A file; None if no volume has it."""
        path = posixpath.normpath(path)
        for mount, volume in sorted(self._mounts, key=lambda one: -len(one[0]["mountPath"])):
            inner = _below(path, mount["mountPath"])
            if inner is not None:
                return self._files(mount, volume).get(inner)
        return None

    def names(self, folder: str) -> list[str]:
        """What is in a folder by volumes, sorted; folders end with a slash."""
        found = set()
        for mount, volume in self._mounts:
            for inner in self._files(mount, volume):
                path = posixpath.normpath(posixpath.join(mount["mountPath"], inner))
                if (rest := _below(path, folder)) is not None:
                    name, slash, _ = rest.partition("/")
                    found.add(name + slash)
        return sorted(found - {""})

    def _files(self, mount: Json, volume: Json) -> Files:
        """A mount's files; a single file (``subPath``) is at its own mount point."""
        files = dict(self._of(volume))
        sub = posixpath.normpath(mount.get("subPath") or ".")
        if sub == ".":
            return files
        if sub in files:
            return {"": files[sub]}
        return {rest: body for path, body in files.items() if (rest := _below(path, sub)) is not None}

    def _of(self, volume: Json) -> Iterator[tuple[str, bytes]]:
        if (source := volume.get("configMap")) is not None:
            yield from _picked(self._config_map(source.get("name", "")), source.get("items"))
        elif (source := volume.get("secret")) is not None:
            yield from _picked(self._secret(source.get("secretName", "")), source.get("items"))
        elif (source := volume.get("projected")) is not None:
            for one in source.get("sources") or ():
                if part := one.get("configMap"):
                    yield from _picked(self._config_map(part.get("name", "")), part.get("items"))
                elif part := one.get("secret"):
                    yield from _picked(self._secret(part.get("name", "")), part.get("items"))

    def _config_map(self, name: str) -> Files:
        found = self._cluster.get("configmaps", self._namespace, name) or {}
        texts = {key: str(value).encode() for key, value in (found.get("data") or {}).items()}
        return texts | _decoded(found.get("binaryData"))

    def _secret(self, name: str) -> Files:
        return _decoded((self._cluster.get("secrets", self._namespace, name) or {}).get("data"))


def _decoded(data: Json | None) -> Files:
    return {key: base64.b64decode(value) for key, value in (data or {}).items()}


def _picked(files: Files, items: list[Json] | None) -> Iterator[tuple[str, bytes]]:
    if not items:
        yield from files.items()
    for item in items or ():
        if item.get("key") in files:
            yield posixpath.normpath(item.get("path") or item["key"]), files[item["key"]]


def _below(path: str, folder: str) -> str | None:
    """A path's rest below a folder; None if it lies elsewhere."""
    path, folder = posixpath.normpath(path), posixpath.normpath(folder)
    if path == folder:
        return ""
    prefix = folder if folder.endswith("/") else f"{folder}/"
    return path.removeprefix(prefix) if path.startswith(prefix) else None
