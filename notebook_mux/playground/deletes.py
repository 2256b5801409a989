"""Deletion: at once, with a grace period, behind finalizers, of a whole collection."""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.playground.clock import rfc3339
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.crds.conditions import terminate
from notebook_mux.playground.crds.versions import CRDS
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.lists import Filter
from notebook_mux.playground.options import DIGITS, ListOptions
from notebook_mux.playground.paths import Target
from notebook_mux.playground.schemas.fields import check_types
from notebook_mux.playground.status import (
    ApiError,
    bad_request,
    cause,
    details_of,
    invalid,
    not_found,
    quoted,
    success,
)
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
POLICIES = ("Foreground", "Background", "Orphan")
FINALIZERS = {"Foreground": (FOREGROUND,), "Orphan": (ORPHAN,), "Background": ()}
"""What each policy has the garbage collector do before an object goes; the others' marks are taken away."""

ORPHANING = frozenset({"jobs.batch", "replicationcontrollers"})
"""Kinds whose dependents stay where nothing is said (``DefaultGarbageCollectionPolicy``)."""

RETURNED = frozenset({"pods", "services", "serviceaccounts", "persistentvolumeclaims", "persistentvolumes",
                      "resourcequotas", "storageclasses.storage.k8s.io"})  # fmt: skip
"""Kinds whose last state is the answer to a deletion, in the place of a Status (asked of a real server)."""

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
"""Namespaces that are not deleted (the admission plug-in NamespaceLifecycle)."""

HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)


def options_of(body: bytes, query: dict[str, str]) -> Json:
    """The DeleteOptions of a request: its body, or its query.

    Raises:
        ApiError: 400.
    """
    try:
        options = msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError:
        raise bad_request("couldn't get version/kind; json parse error: unexpected end of JSON input") from None
    if not isinstance(options, dict):
        kind = "array" if isinstance(options, list) else "string" if isinstance(options, str) else "number"
        raise bad_request(f"couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into Go value "
                          f"of type {HEAD}")  # fmt: skip
    check_types("v1", "DeleteOptions", options)
    grace = query.get("gracePeriodSeconds", "")
    if grace.isascii() and grace.isdigit() and len(grace) <= DIGITS:
        options.setdefault("gracePeriodSeconds", int(grace))
    if "propagationPolicy" in query:
        options.setdefault("propagationPolicy", query["propagationPolicy"])
    _check_policy(options)
    return options


def _check_policy(options: Json) -> None:
    policy = options.get("propagationPolicy")
    causes = []
    if policy is not None and options.get("orphanDependents") is not None:
        said = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        causes.append(cause("FieldValueInvalid", "propagationPolicy", said))
    if policy is not None and policy not in POLICIES:
        known = ", ".join(f'"{one}"' for one in (*POLICIES, "nil"))
        said = f'Unsupported value: "{policy}": supported values: {known}'
        causes.append(cause("FieldValueNotSupported", "propagationPolicy", said))
    if causes:
        raise invalid("meta.k8s.io", "DeleteOptions", "", *causes)
    if policy is None and options.get("orphanDependents") is not None:
        options["propagationPolicy"] = "Orphan" if options["orphanDependents"] else "Background"


def warnings(kind: Kind, options: Json) -> list[str]:
    """What a client is told whose deletion of a job leaves the pods because it said nothing."""
    return [WARNING] if kind.resource == "jobs.batch" and options.get("propagationPolicy") is None else []


class Deleter:
    """Carries out deletions in one cluster."""

    def __init__(self, cluster: Cluster):
        self._cluster = cluster

    def delete(self, target: Target, options: Json, *, dry_run: bool = False) -> bytes:
        """Delete one object.

        Returns:
            The answer's body: the object where it lives on for a while, else a Status.

        Raises:
            ApiError: 403, 404, 409.
        """
        stored = self._cluster.store.get(target.kind.resource, target.namespace, target.name)
        if stored is None:
            raise not_found(target.kind, target.name)
        if target.kind.resource == "namespaces" and target.name in IMMORTAL:
            said = f"{quoted(target.kind, target.name)} is forbidden: this namespace may not be deleted"
            raise ApiError(403, "Forbidden", said, details_of(target.kind, target.name))
        self.check(target.kind, stored, options)
        if target.kind.resource in ORPHANING:
            options = {"propagationPolicy": "Orphan", **options}
        left = self.begin(stored, options, dry_run=dry_run)
        if left is not None:
            return left.seen_as(target.kind).encoded
        if target.kind.resource == "pods":
            return self._ended(stored).encoded
        if target.kind.resource in RETURNED:
            return stored.encoded
        return msgspec.json.encode(success(target.kind, stored.name, stored.uid))

    def delete_all(
        self, target: Target, options: Json, selection: ListOptions, *, dry_run: bool = False
    ) -> list[Stored]:
        """Delete all of a collection that is selected; the objects as they were."""
        wanted = Filter(target, selection)
        found = [one for one in self._cluster.store.items(target.kind.resource, target.namespace) if wanted(one)]
        return [self.begin(one, options, dry_run=dry_run) or one for one in found]

    def begin(self, stored: Stored, options: Json, *, dry_run: bool = False) -> Stored | None:
        """Delete an object, or mark it as being deleted.

        Returns:
            The object that lives on; None if it is gone.
        """
        obj = stored.decode()
        metadata = obj["metadata"]
        if stored.kind.resource == CRDS:
            terminate(obj, self._cluster.agenda.stamp())
        grace = self._grace(stored, obj, options)
        marked = self._mark(metadata, options.get("propagationPolicy"))
        lives = bool(grace or metadata.get("finalizers") or stored.kind.resource == "namespaces")
        if not lives:
            if not dry_run:
                self._cluster.store.remove(stored.kind, stored.key)
            return None
        if "deletionTimestamp" in metadata and metadata.get("deletionGracePeriodSeconds", 0) <= grace:
            return stored if dry_run or not marked else self._cluster.store.put(stored.kind, obj)
        metadata["deletionTimestamp"] = rfc3339(self._cluster.agenda.now() + grace)
        if stored.kind.resource == CRDS:
            return stored if dry_run else self._cluster.store.put(stored.kind, obj)
        if stored.kind.resource == "namespaces":
            obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        else:
            metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            metadata["generation"] += 1
        return stored if dry_run else self._cluster.store.put(stored.kind, obj)

    @staticmethod
    def _mark(metadata: Json, policy: str | None) -> bool:
        """Write down what is to happen to dependents; whether that changed anything."""
        if policy is None:
            return False
        before = metadata.get("finalizers") or []
        wanted = [*(one for one in before if one not in (FOREGROUND, ORPHAN)), *FINALIZERS[policy]]
        if wanted == before:
            return False
        metadata["finalizers"] = wanted
        if not wanted:
            del metadata["finalizers"]
        return True

    def _ended(self, stored: Stored) -> Stored:
        """A pod that is gone at once, as its deletion answers it."""
        obj = stored.decode()
        metadata = obj["metadata"]
        metadata["deletionTimestamp"] = rfc3339(self._cluster.agenda.now())
        metadata["deletionGracePeriodSeconds"] = 0
        if "generation" in metadata:
            metadata["generation"] += 1
        return Stored(stored.kind, obj, stored.revision)

    @staticmethod
    def _grace(stored: Stored, obj: Json, options: Json) -> int:
        if stored.kind.resource != "pods":
            return 0
        spec = obj.get("spec") or {}
        phase = (obj.get("status") or {}).get("phase")
        if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
            return 0  # nobody has to stop anything
        asked = options.get("gracePeriodSeconds")
        return int(spec.get("terminationGracePeriodSeconds", 30) if asked is None else asked)

    @staticmethod
    def check(kind: Kind, stored: Stored, options: Json) -> None:
        """Refuse where preconditions are not met.

        Raises:
            ApiError: 409.
        """
        wanted = options.get("preconditions") or {}
        uid, version = wanted.get("uid"), wanted.get("resourceVersion")
        if uid and uid != stored.uid:
            said = (
                f"the UID in the precondition ({uid}) does not match the UID in record ({stored.uid}). "
                "The object might have been deleted and then recreated"
            )
        elif version and version != str(stored.revision):
            said = (
                f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record "
                f"({stored.revision}). The object might have been modified"
            )
        else:
            return
        raise ApiError(
            409,
            "Conflict",
            f'Operation cannot be fulfilled on {kind.kind} "{stored.name}": {said}',
            details_of(kind, stored.name, by_kind=True),
        )
