"""What a page is told of a table beside its rows."""

from __future__ import annotations

from typing import Any

from notebook_mux.handles.readers import scopes


def lead_titles(view: Any) -> list[str]:
    """Cluster and Namespace, where there are several."""
    several_clusters, several_namespaces = scopes(view)
    return [*(["Cluster"] if several_clusters else []), *(["Namespace"] if several_namespaces else [])]


def standings(view: Any) -> list[dict[str, Any]]:
    """How a stream's clusters stand; times are Unix seconds."""
    return [
        {
            "name": name,
            "state": state.state,
            "reason": state.reason or "",
            "said": state.said or "",
            "todo": state.todo or "",
            "since": state.since,
            "retryAt": state.retry_at,
            "fresh": state.fresh,
            "synced": state.synced,
            "clock": getattr(state, "clock", None),
        }
        for name, state in view.states.items()
    ]


def kind_of(view: Any) -> dict[str, Any] | None:
    """Which kind the rows are of; None while that is not known."""
    resource = next((state.resource for state in view.states.values() if state.resource), None)
    if resource is None:
        return None
    return {
        "kind": resource["kind"],
        "resource": resource["name"],
        "group": resource["group"],
        "namespaced": bool(resource["namespaced"]),
    }


def question_of(stream: Any, manager: Any) -> dict[str, Any]:
    """What was asked: the stream's kind, namespaces (none: each context's own), clusters (None: all), selectors.

    Beside it is what can be chosen from: all clusters, and the namespaces that are meant where none was named.
    """
    spec = getattr(getattr(stream, "_source", None), "spec", None)
    if spec is None:  # a stream of no manager
        nothing: dict[str, Any] = {"kind": "", "namespaces": [], "clusters": None, "selector": "", "fieldSelector": ""}
        return {**nothing, "all": [], "own": []}
    _, clusters, kind, namespaces, selector, field_selector, _ = spec
    names = [name for name, *_ in clusters]
    identity = getattr(manager, "_identity", None)
    usable = [context.alias for context in identity.contexts if context.ref] if identity is not None else []
    return {
        "kind": kind,
        "namespaces": list(namespaces),
        "clusters": None if set(names) >= set(usable) else names,
        "selector": selector,
        "fieldSelector": field_selector,
        "all": usable,
        "own": list(dict.fromkeys(own for _, _, own in clusters)),
    }


def writes_of(view: Any, manager: Any) -> list[bool]:
    """For each cluster, whether it may be changed from here."""
    may = manager._may_write() if manager is not None else ()
    return [name in may for name in view.states]


def described(view: Any, manager: Any) -> dict[str, Any]:
    """What is known of what is shown, whatever the table is set to."""
    return {
        "kind": kind_of(view),
        "clusters": standings(view),
        "write": writes_of(view, manager),
        "several": list(scopes(view)),
        "closed": view.closed,
        "looks": manager is not None,
    }


def kind_named(state: Any) -> str:
    """Such as ``Pod``; "" where it is not known."""
    return str((state.resource or {}).get("kind", ""))
