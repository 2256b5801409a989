"""Config maps, secrets, service accounts, quotas."""

from __future__ import annotations

from typing import Any

from notebook_mux.printers.common import Json, age, name, status


def print_config_map(obj: Json, now: float) -> list[Any]:
    """printers.go:2675."""
    return [name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def print_secret(obj: Json, now: float) -> list[Any]:
    """printers.go:1981."""
    return [name(obj), obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


def print_service_account(obj: Json, now: float) -> list[Any]:
    """printers.go:2001."""
    return [name(obj), age(obj, now)]


def print_resource_quota(obj: Json, now: float) -> list[Any]:
    """printers.go:2950."""
    state = status(obj)
    used, hard = state.get("used") or {}, state.get("hard") or {}
    texts: dict[bool, list[str]] = {False: [], True: []}
    for resource in sorted(hard):
        is_limit = resource.startswith("limits.")
        texts[is_limit].append(f"{resource}: {used.get(resource, '0')}/{hard[resource]}")
    return [name(obj), ", ".join(texts[False]), ", ".join(texts[True]), age(obj, now)]


PRINTERS = {
    "configmaps": print_config_map,
    "secrets": print_secret,
    "serviceaccounts": print_service_account,
    "resourcequotas": print_resource_quota,
}
