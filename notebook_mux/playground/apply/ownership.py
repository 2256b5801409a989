"""The entries of ``metadata.managedFields``: who set which field, and what a change makes of that.

Implements the rules of KEP-555 and of the documentation, "Server-Side Apply": an update owns what it changed, an apply
owns what it says; what is owned by another and changed is a conflict for an apply, and lost to an update.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from notebook_mux.playground.apply import fields
from notebook_mux.playground.apply.fields import Fields
from notebook_mux.playground.apply.typed import (
    MISSING,
    Comparison,
    Mistyped,
    Schema,
    fields_of,
    merge,
    remove,
    with_structs,
)

Json = dict[str, Any]

APPLY, UPDATE = "Apply", "Update"
UPDATERS = 10
"""Entries of updates that are kept apart; the oldest above it go into one
(apimachinery, ``DefaultMaxUpdateManagers``)."""
ANCIENT = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"

NOBODYS = fields.of_paths(
    "apiVersion", "kind", "metadata", *(f"metadata.{name}" for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
        "resourceVersion")))  # fmt: skip
"""Fields that nobody owns."""


class Owner(NamedTuple):
    """Whose an entry is.

    Args:
        api_version: Empty for one who applies: that entry is the same in all versions.
    """

    manager: str
    operation: str
    api_version: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """What an owner has.

    Args:
        time: When it was last changed, as in JSON; empty if unknown.
    """

    fields: Fields
    api_version: str
    time: str = ""


Managers = dict[Owner, Owned]


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes an object, and how its fields are to be understood.

    Args:
        owner: Who changes.
        api_version: The version that the change is made in.
        time: Of the change, as in JSON.
        schema: The object's; None for one of which nothing is known.
        typed: Whether the server has a Go type for it, which custom objects have not.
        reset: Fields that the change cannot set.
    """

    owner: Owner
    api_version: str
    time: str
    schema: Schema | None
    typed: bool = True
    reset: Fields | None = None


class Conflicts(Exception):
    """Others own what an apply wants to change.

    Attributes:
        of: The fields, by owner.
    """

    def __init__(self, of: Mapping[Owner, Fields]):
        super().__init__(f"{len(of)} managers")
        self.of = {owner: of[owner] for owner in sorted(of)}


# ------------------------------------------------------------------------------------------------ on the wire


def decode(entries: Any) -> Managers:
    """The managers of an object's metadata.managedFields.

    Raises:
        ValueError: They are not what the server writes.
    """
    found: Managers = {}
    if not isinstance(entries or [], list) or not all(isinstance(one, dict) for one in entries or ()):
        raise ValueError("no list of entries")
    for one in entries or ():
        texts = [one.get(name) for name in ("manager", "operation", "apiVersion", "subresource", "time")]
        if not all(isinstance(text, str | None) for text in texts) or not isinstance(one.get("fieldsV1") or {}, dict):
            raise ValueError("an entry with another type than its field")
        operation, version = one.get("operation"), one.get("apiVersion", "")
        if operation not in (APPLY, UPDATE):
            raise ValueError(f"operation {operation!r}")
        owner = Owner(one.get("manager", ""), operation, version if operation == UPDATE else "",
                      one.get("subresource", ""))  # fmt: skip
        found[owner] = Owned(fields.read(one.get("fieldsV1", {})), version, one.get("time") or "")
    return found


def encode(managers: Managers) -> list[Json]:
    """The entries: applies before updates, then by time and name."""
    entries = []
    for owner, owned in managers.items():
        entry: Json = {"manager": owner.manager, "operation": owner.operation, "apiVersion": owned.api_version}
        if owned.time:
            entry["time"] = owned.time
        entry |= {"fieldsType": "FieldsV1", "fieldsV1": fields.write(owned.fields)}
        if owner.subresource:
            entry["subresource"] = owner.subresource
        entries.append(entry)
    return in_order(entries)


def in_order(entries: Iterable[Json]) -> list[Json]:
    """Entries in the server's order: in another, the next write would move them and so be a change."""
    return sorted(entries, key=lambda one: (one["operation"], one.get("time", ""), one["manager"], one["apiVersion"],
                                            one.get("subresource", "")))  # fmt: skip


def is_reset(entries: Any) -> bool:
    """Whether ``managedFields: [{}]`` or an empty list asks to forget all owners."""
    return isinstance(entries, list) and entries in ([], [{}])


def known(live: Json, said: Any, *, subresource: bool = False) -> Managers:
    """The managers that an update begins with: those of its object, where it says any, else those that are stored.

    Args:
        live: The stored object.
        said: The managedFields of the update's object; None if it has none.
        subresource: Whether it goes through a sub-resource, where managers cannot be changed by hand.
    """
    if not subresource:
        if is_reset(said):
            return {}
        try:
            if found := decode(said):
                return found
        except (ValueError, AttributeError):
            pass  # a client that does not understand them must not lose them
    try:
        return decode(live.get("metadata", {}).get("managedFields"))
    except (ValueError, AttributeError):
        return {}


# ----------------------------------------------------------------------------------------------------- changes


def update(live: Json, new: Json, managers: Managers, change: Change, *, track: bool = False) -> Managers:
    """The managers after an update.

    Args:
        live: The object before; empty for a creation.
        new: The object after, with its defaults.
        track: Whether to begin with an object that has no managers; else only a creation does.
    """
    if not managers and live and not track:
        return managers
    try:
        compared = Comparison(live, new, change.schema, typed=change.typed)
    except Mistyped:
        return managers  # the object is refused, or was stored before its schema; nobody's fields change
    compared.leave_out(change.reset)
    managers = _lose(managers, compared, {})
    taken = fields.difference(compared.changed, NOBODYS)
    if taken:
        before = managers.get(change.owner)
        kept = fields.union(before.fields, taken) if before else taken
        managers = {**managers, change.owner: Owned(kept, change.api_version, change.time)}
    return _capped(managers)


def _lose(managers: Managers, compared: Comparison, kept: Managers) -> Managers:
    """The managers without what is no longer theirs; owners in ``kept`` keep all."""
    gone = fields.union(compared.changed, compared.removed)
    found: Managers = {}
    for owner, owned in managers.items():
        left = owned.fields if owner in kept else fields.difference(owned.fields, gone)
        if left:
            found[owner] = owned if left == owned.fields else replace(owned, fields=left)
    return found


def apply(live: Json, applied: Json, managers: Managers, change: Change, *, force: bool) -> tuple[Json, Managers]:
    """An object with what is applied to it.

    Args:
        live: The object before; empty for a creation.
        applied: What the owner wants, in full.
        managers: Of the live object.
        force: Whether the fields of others are taken over.

    Returns:
        The object, without defaults, and its managers.

    Raises:
        Conflicts: Others own what would change.
        Mistyped: The applied object does not fit its schema.
    """
    if not managers and live:
        first = replace(change, owner=Owner(BEFORE_FIRST_APPLY, UPDATE, change.api_version))
        managers = update({}, live, managers, first, track=True)
    own = fields_of(applied, change.schema)
    if change.reset:
        own = fields.without(own, change.reset)
    last = managers.get(change.owner)
    managers = {**managers, change.owner: Owned(own, change.api_version, change.time)}
    new = merge(live or MISSING, applied, change.schema)
    if last is not None:
        new = _prune(new, managers, last.fields, change.schema)
    compared = Comparison(live, new, change.schema, typed=change.typed)
    compared.leave_out(change.reset)
    others = {owner: owned for owner, owned in managers.items() if owner != change.owner}
    conflicts = {
        owner: shared
        for owner, owned in others.items()
        if (shared := fields.intersection(owned.fields, compared.changed))
    }
    if conflicts and not force:
        raise Conflicts(conflicts)
    left = _lose(managers, compared, {change.owner: managers[change.owner]})
    own = fields.difference(own, NOBODYS)
    left.pop(change.owner)
    if own:
        same = last is not None and last.fields == own and not compared
        left[change.owner] = last if same and last is not None else Owned(own, change.api_version, change.time)
    return new, left


def _prune(merged: Json, managers: Managers, last: Fields, schema: Schema | None) -> Json:
    """Take away what the owner applied before and does not now, unless somebody else has it."""
    last = with_structs(last, schema)
    left = remove(merged, last, schema)
    owned: Fields = {}
    for one in managers.values():
        owned = fields.union(owned, one.fields)
    whole = with_structs(fields_of(merged, schema), schema)
    kept = with_structs(fields_of(left, schema) if left is not None else {}, schema)
    kept = fields.union(kept, with_structs(owned, schema))
    left = remove(merged, fields.difference(whole, kept), schema)
    # Nobody's items stay: only what was the owner's own goes.
    kept = with_structs(fields_of(left, schema) if left is not None else {}, schema)
    return remove(merged, fields.intersection(fields.difference(whole, kept), last), schema) or {}


def _capped(managers: Managers) -> Managers:
    """The managers with the oldest updates in one entry for each version, where there are too many."""
    updaters = sorted((owner for owner in managers if owner.operation == UPDATE),
                      key=lambda owner: (managers[owner].time, owner))  # fmt: skip
    over = len(updaters) - UPDATERS
    if over <= 0:
        return managers
    found = dict(managers)
    first: dict[str, Owner] = {}
    for owner in updaters:
        if over <= 0:
            break
        owned = managers[owner]
        version = owned.api_version
        if version not in first:
            first[version] = owner
            continue
        bucket = Owner(ANCIENT, UPDATE, version)
        if bucket not in found:
            found[bucket] = found.pop(first[version])
        found[bucket] = Owned(fields.union(found[bucket].fields, owned.fields), version, owned.time)
        if owner != bucket:
            del found[owner]
        over -= 1
    return found


def without_times(entries: Iterable[Json]) -> list[Json]:
    """Entries without their times: by these alone an object is not another one."""
    return [{key: value for key, value in one.items() if key != "time"} for one in entries]
