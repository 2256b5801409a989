"""Fields that are set once, of the kinds that have such (``ValidateUpdate`` of each kind)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.strategies.metadata import forbidden, set_once

Json = dict[str, Any]

SEALED = "field is immutable when `immutable` is set"
CLAIM = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def check(kind: Kind, old: Json, new: Json) -> list[Json]:
    """What of a change touches fields that are set once."""
    found = _CHECKS.get(kind.resource)
    return found(old, new) if found is not None else []


def _config_map(old: Json, new: Json) -> list[Json]:
    return _sealed(old, new, ("data", "binaryData"))


def _secret(old: Json, new: Json) -> list[Json]:
    causes = []
    if old.get("type") != new.get("type"):
        causes.append(set_once("type", new.get("type")))
    return causes + _sealed(old, new, ("data",))


def _sealed(old: Json, new: Json, content: tuple[str, ...]) -> list[Json]:
    if not old.get("immutable"):
        return []
    causes = [] if new.get("immutable") else [forbidden("immutable", SEALED)]
    return causes + [forbidden(name, SEALED) for name in content if (old.get(name) or {}) != (new.get(name) or {})]


def _claim(old: Json, new: Json) -> list[Json]:
    """Only a bound claim can grow; a class and a volume are given once."""
    before, after = dict(old.get("spec") or {}), dict(new.get("spec") or {})
    for name in ("volumeName", "storageClassName"):
        if not before.get(name):
            before.pop(name, None)
            after.pop(name, None)
    if (old.get("status") or {}).get("phase") == "Bound":
        for spec in (before, after):
            spec.pop("volumeAttributesClassName", None)
            spec["resources"] = {
                key: value for key, value in (spec.get("resources") or {}).items() if key != "requests"
            }
    return [forbidden("spec", CLAIM)] if before != after else []


def _binding(old: Json, new: Json) -> list[Json]:
    if old.get("roleRef") == new.get("roleRef"):
        return []
    role = new.get("roleRef") or {}
    shown = {"APIGroup": role.get("apiGroup", ""), "Kind": role.get("kind", ""), "Name": role.get("name", "")}
    return [set_once("roleRef", shown)]


def _service(old: Json, new: Json) -> list[Json]:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if after.get("type") == "ExternalName":
        return [
            forbidden(f"spec.{name}", "may not be set for ExternalName services")
            for name in ("clusterIP", "clusterIPs")
            if after.get(name)
        ][-1:]
    if before.get("type") == "ExternalName" or not before.get("clusterIP"):
        return []
    causes = []
    given, kept = after.get("clusterIPs") or [], before.get("clusterIPs") or []
    if given[:1] != kept[:1]:
        causes.append(set_once("spec.clusterIPs[0]", given, "may not change once set"))
    return causes


def _storage_class(old: Json, new: Json) -> list[Json]:
    causes = []
    if (old.get("parameters") or {}) != (new.get("parameters") or {}):
        causes.append(forbidden("parameters", "updates to parameters are forbidden."))
    if old.get("provisioner") != new.get("provisioner"):
        causes.append(forbidden("provisioner", "updates to provisioner are forbidden."))
    causes += [
        set_once(name, new.get(name))
        for name in ("reclaimPolicy", "volumeBindingMode")
        if old.get(name) != new.get(name)
    ]
    return causes


def _priority_class(old: Json, new: Json) -> list[Json]:
    return [
        forbidden(name, "may not be changed in an update.")
        for name in ("value", "preemptionPolicy")
        if old.get(name) != new.get(name)
    ]


def _runtime_class(old: Json, new: Json) -> list[Json]:
    return [set_once("handler", None)] if old.get("handler") != new.get("handler") else []


def _revision(old: Json, new: Json) -> list[Json]:
    return [set_once("data", new.get("data"))] if old.get("data") != new.get("data") else []


_CHECKS: dict[str, Callable[[Json, Json], list[Json]]] = {
    "configmaps": _config_map,
    "secrets": _secret,
    "persistentvolumeclaims": _claim,
    "services": _service,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "storageclasses.storage.k8s.io": _storage_class,
    "controllerrevisions.apps": _revision,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "runtimeclasses.node.k8s.io": _runtime_class,
}
