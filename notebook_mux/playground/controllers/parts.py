"""Parts of objects that several controllers make: references, conditions, pods from a template."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import msgspec

from notebook_mux.playground import defaults, managed
from notebook_mux.playground.admission.service_accounts import mount_token
from notebook_mux.playground.cluster import NAME_LETTERS, Cluster
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

MANAGER = "kube-controller-manager"


def owner_reference(owner: Stored) -> Json:
    """A reference to the controller of an object."""
    return {
        "apiVersion": owner.kind.api_version,
        "kind": owner.kind.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(conditions: Iterable[Json] | None, kind: str) -> Json:
    """The condition of a type, or nothing."""
    return next((one for one in conditions or () if one.get("type") == kind), {})


def set_condition(status: Json, kind: str, value: bool, stamp: str, **more: Any) -> None:
    """Set a condition; its transition's time moves only with its value."""
    conditions = status.setdefault("conditions", [])
    new = {"type": kind, "status": str(value), **more}
    for index, old in enumerate(conditions):
        if old["type"] == kind:
            same = old["status"] == new["status"]
            new["lastTransitionTime"] = old["lastTransitionTime"] if same else stamp
            conditions[index] = new
            return
    new["lastTransitionTime"] = stamp
    conditions.append(new)


def template_hash(template: Json) -> str:
    """A short name for a pod template; another template has another one."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(NAME_LETTERS[byte % len(NAME_LETTERS)] for byte in digest[:10])


def pod(cluster: Cluster, owner: Stored, template: Json, *, name: str = "", labels: Json | None = None) -> Json:
    """A pod as `draft` makes it, filled in without admission; to be given to `Cluster.create`."""
    obj = draft(cluster, owner, template, name=name, labels=labels)
    defaults.apply("pods", obj)
    mount_token(cluster, obj["spec"])
    return obj


def draft(cluster: Cluster, owner: Stored, template: Json, *, name: str = "", labels: Json | None = None) -> Json:
    """A pod of a template, owned by the template's owner; to be given to `creating.create`."""
    metadata = _copied(template.get("metadata") or {})
    metadata["labels"] = {**(metadata.get("labels") or {}), **(labels or {})}
    metadata["namespace"] = owner.namespace
    metadata["ownerReferences"] = [owner_reference(owner)]
    metadata |= {"name": name} if name else {"generateName": f"{owner.name}-"}
    obj: Json = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": _copied(template.get("spec") or {}),
    }
    stamp = cluster.agenda.stamp()
    managed.record(obj, MANAGER, stamp, obj)
    return obj


def _copied(part: Json) -> Json:
    """A copy; by way of JSON it takes an eighth of what `copy.deepcopy` takes."""
    found: Json = msgspec.json.decode(msgspec.json.encode(part))
    return found


def is_ready(obj: Json) -> bool:
    """Whether a pod is ready."""
    return condition((obj.get("status") or {}).get("conditions"), "Ready").get("status") == "True"


def is_active(stored: Stored) -> bool:
    """Whether a pod still counts as a replica."""
    return not stored.deleting and stored.fields["status.phase"] not in ("Succeeded", "Failed")


def news_of(change: Change) -> bool:
    """Whether a change of a pod is one to those who count pods: most are only of what its containers are at."""
    new, old = change.new, change.old
    if change.type != "MODIFIED" or old is None:
        return True
    return (
        (new.ready, new.deleting, new.owner) != (old.ready, old.deleting, old.owner)
        or any(new.fields[name] != old.fields[name] for name in ("status.phase", "status.podIP", "spec.nodeName"))
        or new.labels != old.labels
    )


def begin_deletion(cluster: Cluster, stored: Stored) -> None:
    """Delete an object as the API does: with its grace."""
    from notebook_mux.playground.deletes import Deleter

    Deleter(cluster).begin(stored, {})


def set_status(obj: Json, manager: str, stamp: str, status: Json) -> None:
    """Set an object's status, and whose it is since when, unless it is the same."""
    if status != obj.get("status"):
        obj["status"] = status
        managed.record(obj, manager, stamp, {"status": status}, subresource="status")


def add_to_status(obj: Json, manager: str, stamp: str, parts: Json) -> None:
    """Set some of an object's status, as `set_status` does."""
    set_status(obj, manager, stamp, {**(obj.get("status") or {}), **parts})
