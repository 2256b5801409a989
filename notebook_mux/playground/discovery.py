"""What is served: in one document (apidiscovery.k8s.io/v2) and in the old form, group by group."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.kinds import Kind, Kinds

Json = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
SUBRESOURCE_VERBS = ("get", "patch", "update")
VERBS_OF = {"log": ("get",)}
"""Of the sub-resources that are no part of an object."""

VERSION: Json = {
    "major": "1",
    "minor": "37",
    "emulationMajor": "1",
    "emulationMinor": "37",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "36",
    "gitVersion": "v1.37.2",
    "gitCommit": "notebook-mux",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "python",
    "compiler": "cpython",
    "platform": "linux/amd64",
}
"""A release that the playground answers like."""


def aggregated(kinds: Kinds, *, core: bool) -> Json:
    """The one document for ``/api`` or ``/apis``."""
    items = []
    for group, found in kinds.groups().items():
        if (group == "") != core:
            continue
        versions: dict[str, list[Json]] = {}
        for kind in sorted(found, key=lambda one: one.plural):
            versions.setdefault(kind.version, []).append(_resource(kind))
        items.append(
            {
                "metadata": {"name": group} if group else {},
                "versions": [
                    {"version": version, "resources": resources, "freshness": "Current"}
                    for version, resources in versions.items()
                ],
            }
        )
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _resource(kind: Kind) -> Json:
    own = {"group": "", "version": "", "kind": kind.kind}
    found: Json = {
        "resource": kind.plural,
        "responseKind": {**own, "group": kind.group, "version": kind.version} if kind.custom else own,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    if kind.categories:
        found["categories"] = list(kind.categories)
    if kind.subresources:
        found["subresources"] = [
            {
                "subresource": name,
                "responseKind": SCALE if name == "scale" else found["responseKind"],
                "verbs": verbs_of(name),
            }
            for name in sorted(kind.subresources)
        ]
    return found


def verbs_of(subresource: str) -> tuple[str, ...]:
    """What can be done with a sub-resource."""
    return VERBS_OF.get(subresource, SUBRESOURCE_VERBS)


def versions(address: str) -> Json:
    """``/api`` in the old form."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def groups(kinds: Kinds) -> Json:
    """``/apis`` in the old form."""
    found = [_group(group, of_group) for group, of_group in kinds.groups().items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(kinds: Kinds, name: str) -> Json | None:
    """``/apis/<group>``; None if there is no such group."""
    found = kinds.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, found)} if name and found else None


def _group(name: str, kinds: list[Kind]) -> Json:
    served = list(dict.fromkeys(kind.version for kind in kinds))
    found = [{"groupVersion": f"{name}/{version}", "version": version} for version in served]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def resources(kinds: Kinds, group: str, version: str) -> Json | None:
    """The resources of a group's version in the old form; None if it is not served."""
    found = [kind for kind in kinds if kind.group == group and kind.version == version]
    if not found:
        return None
    listed: list[Json] = []
    for kind in sorted(found, key=lambda one: one.plural):
        entry: Json = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": list(kind.verbs),
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        listed.append(entry)
        for name in sorted(kind.subresources):
            other = dict(SCALE) if name == "scale" else {"kind": kind.kind}
            listed.append(
                {
                    "name": f"{kind.plural}/{name}",
                    "singularName": "",
                    "namespaced": kind.namespaced,
                    **other,
                    "verbs": verbs_of(name),
                }
            )
    api_version = {"apiVersion": "v1"} if group else {}
    return {
        "kind": "APIResourceList",
        **api_version,
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": listed,
    }
