"""Deletion: at once, with a grace period, behind finalizers, of a whole collection."""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.playground.clock import rfc3339
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.lists import Filter
from notebook_mux.playground.options import ListOptions
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import ApiError, bad_request, details_of, not_found, success
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


def options_of(body: bytes, query: dict[str, str]) -> Json:
    """The DeleteOptions of a request: its body, or its query.

    Raises:
        ApiError: 400.
    """
    try:
        options = msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError as error:
        raise bad_request(f"json parse error: {error}") from None
    if not isinstance(options, dict):
        raise bad_request("the object provided is unrecognized (must be of type DeleteOptions)")
    if "gracePeriodSeconds" in query and query["gracePeriodSeconds"].isdigit():
        options.setdefault("gracePeriodSeconds", int(query["gracePeriodSeconds"]))
    if "propagationPolicy" in query:
        options.setdefault("propagationPolicy", query["propagationPolicy"])
    return options


class Deleter:
    """Carries out deletions in one cluster."""

    def __init__(self, cluster: Cluster):
        self._cluster = cluster

    def delete(self, target: Target, options: Json, *, dry_run: bool = False) -> bytes:
        """Delete one object.

        Returns:
            The answer's body: the object where it lives on for a while, else a Status.

        Raises:
            ApiError: 404, 409.
        """
        stored = self._cluster.store.get(target.kind.resource, target.namespace, target.name)
        if stored is None:
            raise not_found(target.kind, target.name)
        self._check(target.kind, stored, options)
        left = self.begin(stored, options, dry_run=dry_run)
        if left is not None:
            return left.encoded
        if target.kind.resource == "pods":
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
        grace = self._grace(stored, obj, options)
        policy = options.get("propagationPolicy")
        if policy in ("Foreground", "Orphan"):
            added = FOREGROUND if policy == "Foreground" else ORPHAN
            if stored.kind.group in ("apps", "batch"):
                metadata["finalizers"] = [*(metadata.get("finalizers") or ()), added]
        lives = bool(grace or metadata.get("finalizers") or stored.kind.resource == "namespaces")
        if not lives:
            if not dry_run:
                self._cluster.store.remove(stored.kind, stored.key)
            return None
        if "deletionTimestamp" in metadata and metadata.get("deletionGracePeriodSeconds", 0) <= grace:
            return stored
        metadata["deletionTimestamp"] = rfc3339(self._cluster.agenda.now() + grace)
        if stored.kind.resource == "namespaces":
            obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        else:
            metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            metadata["generation"] += 1
        return stored if dry_run else self._cluster.store.put(stored.kind, obj)

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
    def _check(kind: Kind, stored: Stored, options: Json) -> None:
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
