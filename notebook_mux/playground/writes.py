"""Changes: create, replace, patch, delete, with optimistic locking and the real server's refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from notebook_mux.playground import defaults, managed, patches, validation
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import (
    ApiError,
    already_exists,
    bad_request,
    conflict,
    not_found,
    unsupported_body,
)
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

BODIES = ("application/json", "")
STATUS_KEPT = frozenset({"kind", "apiVersion", "metadata", "status"})
SERVER_OWNS = ("uid", "creationTimestamp", "resourceVersion", "generation", "namespace", "name", "deletionTimestamp",
               "deletionGracePeriodSeconds")  # fmt: skip
"""Of the metadata: an update cannot change these."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who changes, and how.

    Args:
        manager: The field manager.
        dry_run: Whether nothing is stored.
    """

    manager: str
    dry_run: bool = False


def manager_of(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The field manager: what is said, else the program's name."""
    said = query.get("fieldManager") or headers.get("User-Agent", "").partition("/")[0]
    return said[:128] or "unknown"


def body_of(kind: Kind, content_type: str, body: bytes) -> Any:
    """The decoded body of a create or replace.

    Raises:
        ApiError: 400 or 415.
    """
    if content_type not in BODIES:
        raise unsupported_body()
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise validation.unreadable(kind, body) from None


class Writer:
    """Carries out changes to one cluster."""

    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        self._store = cluster.store

    def create(self, target: Target, obj: Any, asking: Asking) -> Stored:
        """Add an object.

        Raises:
            ApiError: 400, 404 (no such namespace), 409, 422.
        """
        kind = target.kind
        obj = validation.check_type(kind, obj)
        validation.check_names(kind, obj, target.namespace)
        metadata = obj["metadata"]
        self._check_namespace(kind, target.namespace, metadata.get("name", ""))
        for name in SERVER_OWNS:
            if name not in ("name", "namespace"):
                metadata.pop(name, None)
        if "status" in kind.subresources:
            obj.pop("status", None)
        self._cluster.complete(kind, obj)
        validation.validate(kind, obj)
        defaults.apply(kind.resource, obj)
        if self._store.get(kind.resource, metadata.get("namespace", ""), metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        if kind.resource == "services":
            self._give_address(obj)
        managed.record(obj, asking.manager, self._cluster.agenda.stamp(),
                       {key: value for key, value in obj.items() if key != "status"})  # fmt: skip
        if asking.dry_run:
            return Stored(kind, obj, 0)
        return self._store.put(kind, obj)

    def replace(self, target: Target, obj: Any, asking: Asking) -> Stored:
        """Put another state in an object's place.

        Raises:
            ApiError: 400, 404, 409, 422.
        """
        obj = validation.check_type(target.kind, obj)
        validation.check_names(target.kind, obj, target.namespace, target.name)
        return self._update(target, lambda _: obj, obj, asking)

    def patch(self, target: Target, media: str, body: bytes, asking: Asking) -> Stored:
        """Change some of an object.

        Raises:
            ApiError: 400, 404, 409, 415, 422.
        """
        apply = self._patcher(target.kind, media)
        try:
            patch = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise bad_request(f"error decoding patch: {error}") from None

        def change(old: Json) -> Json:
            new = validation.check_type(target.kind, apply(old, patch))
            validation.check_names(target.kind, new, target.namespace, target.name)
            return new

        said = patch if isinstance(patch, dict) else None
        return self._update(target, change, said, asking)

    @staticmethod
    def _patcher(kind: Kind, media: str) -> Callable[[Any, Any], Any]:
        if media == patches.MERGE:
            return patches.merge
        if media == patches.JSON:
            return patches.json_patch
        if media == patches.STRATEGIC and not kind.custom:
            return patches.strategic
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})

    def _update(self, target: Target, change: Callable[[Json], Json], said: Json | None, asking: Asking) -> Stored:
        kind = target.kind
        stored = self.find(target)
        old = stored.decode()
        new = change(stored.decode())
        version = new["metadata"].get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise conflict(kind, target.name)
        self._check_uid(kind, stored, new["metadata"].get("uid"))
        if target.subresource == "status":
            new = {**old, "status": new.get("status", {})}
        elif "status" in kind.subresources and "status" in old:
            new["status"] = old["status"]
        for name in SERVER_OWNS:
            if name in old["metadata"]:
                new["metadata"][name] = old["metadata"][name]
            else:
                new["metadata"].pop(name, None)
        new["metadata"].setdefault("managedFields", old["metadata"].get("managedFields", []))
        validation.validate(kind, new)
        if new == old:
            return stored
        managed.record(new, asking.manager, self._cluster.agenda.stamp(), said or {}, subresource=target.subresource)
        if asking.dry_run:
            return Stored(kind, new, stored.revision)
        if self._is_gone(new):
            return self._store.remove(kind, stored.key)
        return self._cluster.put(stored, new)

    def find(self, target: Target) -> Stored:
        """The object at a path.

        Raises:
            ApiError: 404.
        """
        stored = self._store.get(target.kind.resource, target.namespace, target.name)
        if stored is None:
            raise not_found(target.kind, target.name)
        return stored

    def _check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        found = self._store.get("namespaces", "", namespace)
        if found is None:
            raise not_found(self._cluster.kind("namespaces"), namespace)
        if found.fields["status.phase"] == "Terminating":
            raise ApiError(
                403,
                "Forbidden",
                f'{kind.resource} "{name}" is forbidden: unable to create new content in namespace {namespace} '
                "because it is being terminated",
                {"name": name, "kind": kind.plural,
                 "causes": [{"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated",
                             "field": "metadata.namespace"}]},
            )  # fmt: skip

    @staticmethod
    def _check_uid(kind: Kind, stored: Stored, uid: Any) -> None:
        if uid and uid != stored.uid:
            raise conflict(
                kind,
                stored.name,
                f"StorageError: invalid object, Code: 4, Key: /registry/{kind.plural}/"
                f"{'/'.join(part for part in stored.key if part)}, ResourceVersion: 0, AdditionalErrorMsg: "
                f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored.uid}",
            )

    @staticmethod
    def _is_gone(obj: Json) -> bool:
        """Whether the last finalizer of an object that is being deleted has been taken away."""
        metadata = obj["metadata"]
        waits = metadata.get("finalizers") or (obj["kind"] == "Pod" and metadata.get("deletionGracePeriodSeconds"))
        return bool(metadata.get("deletionTimestamp")) and not waits and obj["kind"] != "Namespace"

    def _give_address(self, obj: Json) -> None:
        spec = obj["spec"]
        if spec["type"] == "ExternalName":
            return
        address = spec.setdefault("clusterIP", f"10.96.{self._cluster.random.randint(1, 250)}."
                                               f"{self._cluster.random.randint(1, 250)}")  # fmt: skip
        spec["clusterIPs"] = [address]
        if spec["type"] in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports") or ():
                port.setdefault("nodePort", self._cluster.random.randint(30000, 32767))
