"""Users of a playground: one call for a person with a namespace of their own, or rights somewhere.

For a class: one cluster, and each student a namespace and a token. `User` needs no object in Kubernetes; what there is
to see of a person are the namespace and a RoleBinding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.access import Access, User
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.rbac.resolver import BINDINGS, CLUSTER_BINDINGS, GROUP

Json = dict[str, Any]

MANAGER = "notebook-mux"
ROLE = "admin"
"""What a person may in their own namespace: all but quotas and limits."""


def enrol(
    cluster: Cluster,
    access: Access,
    name: str,
    *,
    namespace: str = "",
    role: str = ROLE,
    groups: Iterable[str] = (),
    labels: Mapping[str, str] | None = None,
    token: str = "",
) -> str:
    """Make a user with a role in a namespace.

    Args:
        cluster: Where.
        access: Of its server.
        name: The user's.
        namespace: Where the role counts; it is made if it is not there. Empty is one of the user's name.
        role: A ClusterRole; empty for none at all.
        groups: Of the user.
        labels: More labels of a namespace that is made.
        token: One that was given to the user before; empty makes one.

    Returns:
        The user's bearer token. Who is enrolled again without one gets one more.
    """
    namespace = namespace or name
    if cluster.store.get("namespaces", "", namespace) is None:
        metadata = {"name": namespace, "labels": {"kubernetes.io/metadata.name": namespace, **(labels or {})}}
        spec, status = {"finalizers": ["kubernetes"]}, {"phase": "Active"}
        _make(cluster, {"kind": "Namespace", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": status})
    if role:
        grant(cluster, name, role, namespace)
    return access.add(User(name, tuple(groups)), token)


def grant(cluster: Cluster, name: str, role: str, namespace: str = "", *, group: bool = False) -> None:
    """Bind a ClusterRole to a user or a group, unless that is so already.

    Args:
        cluster: Where.
        name: The user's, or the group's.
        role: The ClusterRole.
        namespace: Where it counts; empty is everywhere.
        group: Whether a group is meant.
    """
    resource = BINDINGS if namespace else CLUSTER_BINDINGS
    binding = f"{name}:{role}"
    if cluster.store.get(resource, namespace, binding) is not None:
        return
    subject = {"kind": "Group" if group else "User", "apiGroup": GROUP, "name": name}
    obj: Json = {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"name": binding, **({"namespace": namespace} if namespace else {})},
        "subjects": [subject],
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
    }
    _make(cluster, obj)


def _make(cluster: Cluster, obj: Json) -> None:
    parts = {key: value for key, value in obj.items() if key != "status"}
    managed.record(obj, MANAGER, cluster.agenda.stamp(), parts)
    cluster.create(obj)
