"""Keeps ``metadata.managedFields`` of the objects that the API changes, and carries out applies."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.apply import checks, conflicts, fields, last_applied, ownership, typed
from notebook_mux.playground.apply.fields import Fields
from notebook_mux.playground.apply.ownership import APPLY, UPDATE, Change, Conflicts, Managers, Owner
from notebook_mux.playground.apply.typed import Mistyped, Schema
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import ApiError
from notebook_mux.playground.strategies.resets import STATUS_KEEPS_LABELS

Json = dict[str, Any]

UNTRACKED = frozenset({"certificatesigningrequests.certificates.k8s.io"})
"""Kinds of whose fields the real server does not note whose they are."""

STATUS = fields.of_paths("status")
NOT_STATUS = fields.of_paths("spec")
NOT_STATUS_NOR_LABELS = fields.of_paths("spec", "metadata.labels")
ONLY_STATUS = fields.of_paths("spec", "metadata")
"""What a change of a status cannot set."""


class Tracker:
    """Knows who owns what in one cluster's objects."""

    def __init__(self, cluster: Cluster):
        self._cluster = cluster

    def schema(self, kind: Kind) -> Schema | None:
        """The schema of a kind; None if nothing is known of it."""
        return self._cluster.schemas.of(kind)

    def created(self, kind: Kind, obj: Json, manager: str) -> None:
        """Note whose a new object's fields are: all that it says, with its defaults."""
        if kind.resource in UNTRACKED:
            obj["metadata"].pop("managedFields", None)
            return
        change = self._change(Target(kind), manager, UPDATE)
        managers = ownership.known({}, obj["metadata"].pop("managedFields", None))
        _write(obj, ownership.update({}, obj, managers, change))

    def updated(self, target: Target, old: Json, new: Json, manager: str) -> None:
        """Note who changed what of an object; its new state has its defaults."""
        if target.kind.resource in UNTRACKED:
            new["metadata"].pop("managedFields", None)
            return
        said = new["metadata"].pop("managedFields", None)
        managers = ownership.known(old, said, subresource=bool(target.subresource))
        change = self._change(target, manager, UPDATE)
        _write(new, ownership.update(_bare(old), new, managers, change))

    def applied(self, target: Target, live: Json | None, applied: Json, manager: str, *, force: bool) -> Json:
        """An object with what somebody applies to it, without its defaults.

        Args:
            live: The stored object; None for one that is created.
            applied: What is wanted, in full.

        Raises:
            ApiError: 409, others own what would change; 500, it does not fit its schema.
        """
        old = live or {}
        managers = ownership.known(old, None)
        change = self._change(target, manager, APPLY)
        bare = _bare(old)
        try:
            checks.check(applied, change.schema)
            new, managers = self._apply(bare, applied, managers, change, force)
        except Mistyped as error:
            raise _mistyped(target, applied, error) from None
        except Conflicts as found:
            raise conflicts.error(found) from None
        new = {name: _whole(inner, typed.below(change.schema, name)) for name, inner in new.items()}
        if manager == last_applied.KUBECTL and live is not None:
            last_applied.follow(new, applied)
        _write(new, managers)
        return new

    @staticmethod
    def _apply(live: Json, applied: Json, managers: Managers, change: Change, force: bool) -> tuple[Json, Managers]:
        try:
            return ownership.apply(live, applied, managers, change, force=force)
        except Conflicts as found:
            if change.owner.manager != last_applied.KUBECTL:
                raise
            own = last_applied.kept(live, change.schema)
            left = {owner: rest for owner, theirs in found.of.items() if (rest := fields.difference(theirs, own))}
            if left:
                raise Conflicts(left) from None
            return ownership.apply(live, applied, managers, change, force=True)

    def _change(self, target: Target, manager: str, operation: str) -> Change:
        kind = target.kind
        owner = Owner(manager, operation, kind.api_version if operation == UPDATE else "", target.subresource)
        # What goes through the scale sub-resource is noted without its time.
        stamp = self._cluster.agenda.stamp() if target.subresource != "scale" else ""
        return Change(owner, kind.api_version, stamp, self.schema(kind), not kind.custom, _reset(target))


def _reset(target: Target) -> Fields | None:
    """The fields that a change through a path cannot set."""
    if target.subresource == "status":
        if target.kind.custom:
            return ONLY_STATUS
        return NOT_STATUS_NOR_LABELS if target.kind.resource in STATUS_KEEPS_LABELS else NOT_STATUS
    return STATUS if "status" in target.kind.subresources and target.subresource in ("", "finalize") else None


def _bare(obj: Json) -> Json:
    """An object without its managers, which are nobody's field and cost time to compare."""
    if not obj:
        return {}
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _whole(value: Any, schema: Schema | None) -> Any:
    """A copy in which an item that is null is what Go's decoder makes of it where a struct is meant: an empty one."""
    if isinstance(value, dict):
        return {name: _whole(inner, typed.below(schema, name)) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    inner = schema.items if schema is not None else None
    struct = inner is not None and bool(inner.properties)
    return [{} if one is None and struct else _whole(one, inner) for one in value]


def _write(obj: Json, managers: Managers) -> None:
    entries = ownership.encode(managers)
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def keep_reset(wanted: Any, new: Json) -> None:
    """Keep an empty list of managers, which forgets them all, through a reading that leaves empty lists out."""
    metadata = wanted.get("metadata") if isinstance(wanted, dict) else None
    if isinstance(metadata, dict) and metadata.get("managedFields") == []:
        new["metadata"]["managedFields"] = []


def _mistyped(target: Target, applied: Json, error: Mistyped) -> ApiError:
    kind = target.kind
    metadata = applied.get("metadata")
    said = metadata if isinstance(metadata, dict) else {}
    name = f"{said.get('namespace', '')}/{said.get('name', '')}"
    of = f"{kind.group}/{kind.version}" if kind.group else f"/{kind.version}"
    return ApiError(500, "", f"failed to create typed patch object ({name}; {of}, Kind={kind.kind}): {error}")


def settle(old: Json, new: Json) -> bool:
    """Take the old times where nothing but these differs.

    Returns:
        Whether the objects are then the same.
    """
    if new == old:
        return True
    mine, theirs = (one["metadata"].get("managedFields") or [] for one in (new, old))
    if len(mine) != len(theirs) or ownership.without_times(mine) != ownership.without_times(theirs):
        return False
    bare = {**new, "metadata": {**new["metadata"], "managedFields": theirs}}
    if not theirs:
        del bare["metadata"]["managedFields"]
    if bare != old:
        return False
    new["metadata"] = bare["metadata"]
    return True
