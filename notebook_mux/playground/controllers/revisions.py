"""Controller revisions: the states that the template of a stateful set or daemon set has been in."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import MANAGER, owner_reference, template_hash
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

REVISIONS = "controllerrevisions.apps"
HASH = "controller-revision-hash"


def _own(cluster: Cluster, owner: Stored) -> list[tuple[Stored, Json]]:
    found = [(one, one.decode()) for one in cluster.store.items(REVISIONS, owner.namespace) if one.owner == owner.uid]
    return sorted(found, key=lambda pair: int(pair[1].get("revision", 0)))


def current(cluster: Cluster, owner: Stored, template: Json) -> str:
    """The name of the revision of a template; it is made, or becomes the newest again."""
    digest = template_hash(template)
    name = f"{owner.name}-{digest}"
    own = _own(cluster, owner)
    newest = own[-1][1].get("revision", 0) if own else 0
    there = next((obj for one, obj in own if one.name == name), None)
    if there is None:
        obj: Json = {
            "kind": "ControllerRevision",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": name,
                "namespace": owner.namespace,
                "labels": {
                    **(template.get("metadata") or {}).get("labels", {}),
                    HASH: name.removeprefix(f"{owner.name}-"),
                },
                "ownerReferences": [owner_reference(owner)],
            },
            "data": {"spec": {"template": {**template, "$patch": "replace"}}},
            "revision": newest + 1,
        }
        managed.record(obj, MANAGER, cluster.agenda.stamp(), obj)
        cluster.create(obj)
    elif there.get("revision", 0) < newest:
        cluster.update(REVISIONS, owner.namespace, name, lambda obj: obj.update(revision=newest + 1))
    return name


def template_of(cluster: Cluster, owner: Stored, name: str) -> Json | None:
    """The template of a revision."""
    obj = cluster.get(REVISIONS, owner.namespace, name)
    if obj is None:
        return None
    template = dict(obj["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


def forget(cluster: Cluster, owner: Stored, used: set[str], limit: int) -> None:
    """Remove the oldest revisions that nothing uses, beyond a limit."""
    unused = [one for one, _ in _own(cluster, owner) if one.name not in used]
    for one in unused[: max(0, len(unused) - limit)]:
        cluster.remove(REVISIONS, *one.key)
