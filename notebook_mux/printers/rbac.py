"""Role bindings; and the kinds that have no printer: name and date of creation."""

from __future__ import annotations

from typing import Any

from notebook_mux.printers.common import Json, age, name


def print_binding(obj: Json, now: float) -> list[Any]:
    """printers.go:2296."""
    role = obj.get("roleRef") or {}
    texts: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        text = subject.get("name", "")
        if subject.get("kind") == "ServiceAccount":
            text = f"{subject.get('namespace', '')}/{text}"
        texts.setdefault(subject.get("kind", ""), []).append(text)
    return [
        name(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age(obj, now),
        *(", ".join(texts[kind]) for kind in ("User", "Group", "ServiceAccount")),
    ]


def print_plain(obj: Json, now: float) -> list[Any]:
    """apiserver/pkg/registry/rest/table.go:44: the date itself, not an age."""
    return [name(obj), obj["metadata"].get("creationTimestamp")]


PRINTERS = {
    "rolebindings.rbac.authorization.k8s.io": print_binding,
    "clusterrolebindings.rbac.authorization.k8s.io": print_binding,
    "roles.rbac.authorization.k8s.io": print_plain,
    "clusterroles.rbac.authorization.k8s.io": print_plain,
    "limitranges": print_plain,
    "csistoragecapacities.storage.k8s.io": print_plain,
}
