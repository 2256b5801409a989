"""What lets requests in: webhooks, policies and their bindings, flow schemas and priority levels."""

from __future__ import annotations

from typing import Any

from notebook_mux.printers.common import NONE, UNSET, Json, age, name, number, spec, status


def print_webhooks(obj: Json, now: float) -> list[Any]:
    """printers.go:1805 and 1825."""
    return [name(obj), len(obj.get("webhooks") or ()), age(obj, now)]


def print_policy(obj: Json, now: float) -> list[Any]:
    """printers.go:1845 and 1903: of its kind are either validations or mutations."""
    wanted = spec(obj)
    rules = wanted.get("validations") or wanted.get("mutations") or ()
    kind = wanted.get("paramKind")
    said = UNSET if kind is None else f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}"
    return [name(obj), len(rules), said, age(obj, now)]


def print_policy_binding(obj: Json, now: float) -> list[Any]:
    """printers.go:1869 and 1927.

    Raises:
        ValueError: It has parameters by a selector, which the server prints in Go's own form.
    """
    wanted = spec(obj)
    parameters = wanted.get("paramRef") or {}
    said = UNSET
    if parameters.get("name"):
        said = f"{parameters.get('namespace') or '*'}/{parameters['name']}"
    elif parameters.get("selector") is not None:
        raise ValueError("a selector in Go's own form")
    return [name(obj), wanted.get("policyName", ""), said, age(obj, now)]


def print_flow_schema(obj: Json, now: float) -> list[Any]:
    """printers.go:3077."""
    wanted = spec(obj)
    method = wanted.get("distinguisherMethod")
    conditions = status(obj).get("conditions") or ()
    dangling = next((one.get("status", "") for one in conditions if one.get("type") == "Dangling"), "?")
    return [
        name(obj),
        (wanted.get("priorityLevelConfiguration") or {}).get("name", ""),
        number(wanted.get("matchingPrecedence")),
        NONE if method is None else method.get("type", ""),
        age(obj, now),
        dangling,
    ]


def print_priority_level(obj: Json, now: float) -> list[Any]:
    """printers.go:3157."""
    wanted = spec(obj)
    limited = wanted.get("limited")
    queuing = None if limited is None else (limited.get("limitResponse") or {}).get("queuing")
    counts = ("queues", "handSize", "queueLengthLimit")
    return [
        name(obj),
        wanted.get("type", ""),
        NONE if limited is None else number(limited.get("nominalConcurrencyShares")),
        *(NONE if queuing is None else number(queuing.get(count)) for count in counts),
        age(obj, now),
    ]


_GROUP = "admissionregistration.k8s.io"

PRINTERS = {
    f"mutatingwebhookconfigurations.{_GROUP}": print_webhooks,
    f"validatingwebhookconfigurations.{_GROUP}": print_webhooks,
    f"validatingadmissionpolicies.{_GROUP}": print_policy,
    f"mutatingadmissionpolicies.{_GROUP}": print_policy,
    f"validatingadmissionpolicybindings.{_GROUP}": print_policy_binding,
    f"mutatingadmissionpolicybindings.{_GROUP}": print_policy_binding,
    "flowschemas.flowcontrol.apiserver.k8s.io": print_flow_schema,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": print_priority_level,
}
