"""Changes: create, replace, patch, delete, with optimistic locking and the real server's refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from notebook_mux.playground import admission, checking, conversions, defaults, patches, resize, strategies, validation
from notebook_mux.playground.access import User
from notebook_mux.playground.apply import server_side, tracking
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.csr import objects as requests
from notebook_mux.playground.guards import Guard
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.options import DIGITS
from notebook_mux.playground.paths import Target
from notebook_mux.playground.schemas import structural
from notebook_mux.playground.schemas.fields import BODIES, FieldValidation
from notebook_mux.playground.status import (
    ApiError,
    already_exists,
    conflict,
    must_say_version,
    not_found,
    unsupported_body,
)
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

FINALIZE = "finalize"
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
        force: Whether an apply takes over what others own.
        user: Who; None is the cluster itself.
        fields: How the fields of a body are looked at.

    Attributes:
        warnings: What the client is told besides.
    """

    manager: str
    dry_run: bool = False
    force: bool = False
    user: User | None = None
    warnings: list[str] = field(default_factory=list)
    fields: FieldValidation = field(default_factory=FieldValidation)


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


def _kept(target: Target) -> Target:
    """The same object in the version that it is stored in."""
    kind = conversions.kept_as(target.kind)
    return target if kind is target.kind else replace(target, kind=kind)


class Writer:
    """Carries out changes to one cluster.

    Args:
        cluster: The cluster.
        guard: Looks at each object before it is stored.
    """

    def __init__(self, cluster: Cluster, guard: Guard | None = None):
        self._cluster = cluster
        self._guard = guard or Guard(cluster)
        self._store = cluster.store
        self.tracker = tracking.Tracker(cluster)

    def create(self, target: Target, obj: Any, asking: Asking) -> Stored:
        """Add an object.

        Raises:
            ApiError: 400, 404 (no such namespace), 409, 422.
        """
        kind = target.kind
        obj = validation.check_type(kind, obj)
        validation.check_names(kind, obj, target.namespace)
        kept = _kept(target)
        return self._add(kept, conversions.convert(obj, kept.kind), asking).seen_as(kind)

    def _add(self, target: Target, obj: Json, asking: Asking, *, owned: bool = False) -> Stored:
        """Add an object; ``owned`` is one that says already whose its fields are."""
        kind = target.kind
        metadata = obj["metadata"]
        if kind.resource == "nodes" and not obj.get("spec"):
            obj["spec"] = {}  # which Go writes though it is empty
        self._check_namespace(kind, target.namespace, metadata.get("name", ""))
        for name in SERVER_OWNS:
            if name not in ("name", "namespace"):
                metadata.pop(name, None)
        defaults.fill(kind.resource, obj)
        self._guard.fill(kind, obj)
        strategies.complete(kind, None, obj)
        if kind.resource == requests.CSRS:
            requests.begin(obj, asking.user)
        if not owned:
            self.tracker.created(kind, obj, asking.manager)
        if "status" in kind.subresources and kind.resource != "nodes":  # a kubelet brings its node's status along
            obj.pop("status", None)
        request = admission.Request(self._cluster, kind, admission.CREATE, target.namespace, obj,
                                    dry_run=asking.dry_run, warnings=asking.warnings)  # fmt: skip
        admission.change(request)
        self._cluster.complete(kind, obj)
        defaults.new(kind.resource, obj)
        found = self._guard.check(kind, obj, None, asking.user, "", asking.warnings)
        validation.validate(kind, obj, *strategies.check_new(kind, obj), *found)
        asking.warnings.extend(checking.warnings(kind, obj))
        admission.look(request)
        if self._store.get(kind.resource, metadata.get("namespace", ""), metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        if kind.resource == "services":
            self._give_address(obj)
        if asking.dry_run:
            return Stored(kind, obj, 0)
        return self._put(kind, obj)

    def replace(self, target: Target, obj: Any, asking: Asking) -> Stored:
        """Put another state in an object's place.

        Raises:
            ApiError: 400, 404, 409, 422.
        """
        kind = target.kind
        obj = validation.check_type(kind, obj)
        validation.check_names(kind, obj, target.namespace, target.name)
        kept = _kept(target)
        stored = self.find(kept)
        self._check_uid(kind, stored, obj["metadata"].get("uid"))
        if not obj["metadata"].get("resourceVersion") and strategies.is_versioned(kind):
            raise must_say_version(kind, target.name)
        new = conversions.convert(obj, kept.kind)
        return self._update(kept, stored, lambda _: new, asking).seen_as(kind)

    def patch(self, target: Target, media: str, body: bytes, asking: Asking) -> Stored:
        """Change some of an object, or (an apply) create it.

        Raises:
            ApiError: 400, 404, 409, 415, 422.
        """
        kind = target.kind
        if media == patches.APPLY:
            applied = server_side.read(body)
            asking.fields.applied(body)
            return self._apply(target, applied, asking)
        apply = patches.patcher(kind, self.tracker.schema(kind), media)
        patch = patches.decode(media, body)
        asking.fields.patch(media, body)
        kept = _kept(target)

        def change(old: Json) -> Json:
            wanted = apply(conversions.convert(old, kind), patch)
            new = validation.check_type(kind, asking.fields.patched(kind, wanted, patch, media))
            server_side.check_name(target.name, new["metadata"])
            tracking.keep_reset(wanted, new)
            validation.check_names(kind, new, target.namespace, target.name)
            return conversions.convert(new, kept.kind)

        return self._update(kept, self.find(kept), change, asking).seen_as(kind)

    def creates(self, target: Target, media: str) -> bool:
        """Whether a patch makes a new object, as an apply may."""
        return media == patches.APPLY and self._store.get(target.kind.resource, target.namespace, target.name) is None

    def _apply(self, target: Target, applied: Json, asking: Asking) -> Stored:
        kind = target.kind
        stored = self._store.get(kind.resource, target.namespace, target.name)
        stored = stored.seen_as(kind) if stored is not None else None
        server_side.check(kind, applied, target.name, exists=stored is not None)
        if (kept := _kept(target)) is not target:
            return self._apply(kept, conversions.convert(applied, kept.kind), asking).seen_as(kind)
        if stored is None and target.subresource:
            raise not_found(kind, target.name)

        def change(old: Json | None) -> Json:
            new = self.tracker.applied(target, old, applied, asking.manager, force=asking.force)
            new = validation.check_type(kind, new)
            server_side.check_name(target.name, new["metadata"])
            validation.check_names(kind, new, target.namespace, target.name)
            return new

        if stored is None:
            return self._add(target, change(None), asking, owned=True)
        return self._update(target, stored, change, asking, owned=True)

    def _update(
        self, target: Target, stored: Stored, change: Callable[[Json], Json], asking: Asking, *, owned: bool = False
    ) -> Stored:
        kind = target.kind
        old = stored.decode()
        defaults.fill(kind.resource, old)
        new = change(msgspec.json.decode(msgspec.json.encode(old)))
        for part in () if kind.custom else ("spec", "status"):
            if isinstance(old.get(part), dict) and new.get(part) is None:
                new[part] = {}  # of a kind that has it, it is there even if it is empty
        defaults.fill(kind.resource, new)
        self._guard.fill(kind, new)
        strategies.complete(kind, old, new, target.subresource)
        if not owned:
            self.tracker.updated(target, old, new, asking.manager)
        self._check_version(kind, stored, new["metadata"].pop("resourceVersion", None))
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        resizing = target.subresource == "resize"
        new = resize.resized(old, new) if resizing else strategies.prepare(kind, old, new, target.subresource)
        if kind.resource == requests.CSRS:
            requests.keep(old, new, target.subresource, self._cluster.agenda.stamp())
        request = admission.Request(self._cluster, kind, admission.UPDATE, target.namespace, new, old,
                                    target.subresource, asking.dry_run, asking.warnings)  # fmt: skip
        admission.change(request)
        if kind.resource == "services":
            self._give_address(new)
        found = self._guard.check(kind, new, old, asking.user, target.subresource, asking.warnings)
        wrong = [] if resizing else strategies.check(kind, old, new, target.subresource)
        validation.validate(kind, new, *wrong, *found)
        if old.get("spec") != new.get("spec"):
            asking.warnings.extend(checking.warnings(kind, new))
        strategies.generations.follow(kind, old, new, target.subresource)
        if tracking.settle(old, new):
            return stored
        admission.look(request)
        if asking.dry_run:
            return Stored(kind, new, stored.revision)
        if self._is_gone(new, target.subresource):
            return Stored(kind, new, self._store.remove(kind, stored.key).revision)
        return self._put(kind, new)

    def _put(self, kind: Kind, obj: Json) -> Stored:
        """Store an object, of a custom kind in the version for that; returns it in the version it was written in."""
        if not kind.custom:
            return self._store.put(kind, obj)
        stored_as = self._cluster.kinds.of(kind.resource)
        schema = self._cluster.schemas.of(stored_as)
        if stored_as is not kind and schema is not None:
            structural.prune(schema, obj)  # what the version for storing does not name is lost
        return self._store.put(stored_as, obj).seen_as(kind)

    def find(self, target: Target) -> Stored:
        """The object at a path.

        Raises:
            ApiError: 404.
        """
        stored = self._store.get(target.kind.resource, target.namespace, target.name)
        if stored is None:
            raise not_found(target.kind, target.name)
        return stored.seen_as(target.kind)

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
    def _check_version(kind: Kind, stored: Stored, version: Any) -> None:
        if not version:
            return
        if not (str(version).isascii() and str(version).isdigit() and len(str(version)) <= DIGITS):
            raise ApiError(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
        if int(version) not in (0, stored.revision):
            raise conflict(kind, stored.name)

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
    def _is_gone(obj: Json, subresource: str) -> bool:
        """Whether the last finalizer of an object that is being deleted has been taken away."""
        metadata = obj["metadata"]
        waits = metadata.get("finalizers") or (obj["kind"] == "Pod" and metadata.get("deletionGracePeriodSeconds"))
        if obj["kind"] == "Namespace":  # its controller takes the last away, or somebody by force
            waits = waits or subresource != FINALIZE or obj["spec"].get("finalizers")
        return bool(metadata.get("deletionTimestamp")) and not waits

    def _give_address(self, obj: Json) -> None:
        """Give a service what it has not yet: an address, and ports on the nodes."""
        spec = obj["spec"]
        if spec["type"] == "ExternalName":
            return
        if not spec.get("clusterIP"):
            spec["clusterIP"] = f"10.96.{self._cluster.random.randint(1, 250)}.{self._cluster.random.randint(1, 250)}"
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        if spec["type"] in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports") or ():
                if not port.get("nodePort"):
                    port["nodePort"] = self._cluster.random.randint(30000, 32767)
