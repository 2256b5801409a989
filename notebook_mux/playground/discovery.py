"""What is served: in one document (apidiscovery.k8s.io/v2) and in the old form, group by group."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.kinds import Kind, Kinds

Json = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
SUBRESOURCE_VERBS = ("get", "patch", "update")
VERBS_OF = {
    "attach": ("create", "get"),
    "eviction": ("create",),
    "exec": ("create", "get"),
    "finalize": ("update",),
    "log": ("get",),
    "portforward": ("create", "get"),
    "proxy": ("create", "delete", "get", "patch", "update"),
    "token": ("create",),
}
"""Of the sub-resources that are no part of an object."""

KIND_OF = {
    "eviction": {"group": "policy", "version": "v1", "kind": "Eviction"},
    "scale": SCALE,
    "token": {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"},
}
"""Of the sub-resources that are of another kind."""

OPTIONS_OF = {
    "attach": "PodAttachOptions",
    "exec": "PodExecOptions",
    "portforward": "PodPortForwardOptions",
    "proxy": "{kind}ProxyOptions",
}
"""The kinds that sub-resources say they have, which are none but their queries."""

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
        versions: dict[str, list[Json]] = {kind.version: [] for kind in found}
        for kind in sorted(found, key=lambda one: one.plural):
            versions[kind.version].append(_resource(kind))
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
                "responseKind": KIND_OF.get(name) or found["responseKind"] | _options_of(kind, name),
                "verbs": verbs_of(name),
            }
            for name in _ordered(kind)
        ]
    return found


def _options_of(kind: Kind, name: str) -> Json:
    return {"kind": OPTIONS_OF[name].format(kind=kind.kind)} if name in OPTIONS_OF else {}


def _ordered(kind: Kind) -> list[str]:
    """A kind's sub-resources in the server's order."""
    return list(kind.subresources) if kind.custom else sorted(kind.subresources)


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
        for name in _ordered(kind):
            other = KIND_OF.get(name) or {"kind": kind.kind} | _options_of(kind, name)
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
