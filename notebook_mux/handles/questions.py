"""What is asked of a manager's clusters, checked and put into the core's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from notebook_mux import errors
from notebook_mux.handles.entries import Described
from notebook_mux.handles.fetching import EVERYWHERE
from notebook_mux.handles.identity import Context, Identity, problem_of
from notebook_mux.handles.readers import NEAR_NAMES
from notebook_mux.handles.selectors import Selector, field_selector as field_text, label_selector as label_text

NAMESPACE_LENGTH = 63
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")

Names = str | Sequence[str] | None


def question(
    identity: Identity, kind: Any, namespace: Names, cluster: Names, selector: Selector, field_selector: Selector
) -> tuple[tuple[Any, ...], Described]:
    """What is asked as the core's `StreamSpec`, and for people.

    Raises:
        InvalidArgument: What was asked cannot be asked.
        UnknownContext: There is no such cluster here.
    """
    if not isinstance(kind, str) or not kind.strip():
        raise errors.InvalidArgument(f"{kind!r} is no kind", todo="write 'pods' or 'apps/v1/deployments'")
    namespaces = checked_namespaces(namespace)
    contexts = chosen_contexts(identity, cluster)
    labels, field_labels = label_text(selector), field_text(field_selector)
    clusters = tuple((c.alias, c.ref, c.namespace) for c in contexts)
    kind = kind.strip()
    spec = (identity.connection, clusters, kind, namespaces, labels, field_labels, identity.user)
    where = namespaces or tuple(dict.fromkeys(c.namespace for c in contexts))
    places = "all namespaces" if where == EVERYWHERE else ", ".join(where)
    chosen = f" with {' and '.join(filter(None, (labels, field_labels)))}" if labels or field_labels else ""
    names = f" of {', '.join(c.alias for c in contexts)}" if len(identity.contexts) > 1 else ""
    return spec, Described(kind, places, names + chosen)


def chosen_contexts(identity: Identity, cluster: Names) -> list[Context]:
    """The contexts of the clusters named; those without a usable entry are left out if others are there."""
    contexts = {context.alias: context for context in identity.contexts}
    names = list(contexts) if cluster is None else _several(cluster)
    for name in names:
        if name not in contexts:
            near = difflib.get_close_matches(str(name), contexts, NEAR_NAMES) or list(contexts)
            raise errors.UnknownContext(
                f"there is no cluster {name!r} among those connected", todo=f"one of: {', '.join(near)}"
            )
    if not names:
        raise errors.InvalidArgument("no cluster was named", todo="leave cluster= out to mean all")
    chosen = [contexts[name] for name in dict.fromkeys(names)]
    usable = [context for context in chosen if context.ref]
    if not usable:
        raise problem_of(chosen[0])
    return usable


def _several(names: Any) -> list[Any]:
    """What was named, one or several; whether it can be a name is for the caller to say."""
    return list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]


def checked_namespaces(namespace: Names) -> tuple[str, ...]:
    """Namespaces as the core takes them: () for each context's own, ``("*",)`` for all.

    Raises:
        InvalidArgument: One cannot be a namespace's name.
    """
    if namespace is None:
        return ()
    names = _several(namespace)
    if not names:
        raise errors.InvalidArgument("no namespace was named", todo="leave namespace= out, or give '*' for all")
    for name in names:
        if name == "*":
            return EVERYWHERE
        if not isinstance(name, str) or len(name) > NAMESPACE_LENGTH or not _NAMESPACE.fullmatch(name):
            raise errors.InvalidArgument(
                f"{name!r} cannot be a namespace's name", todo="small letters, digits and '-'; '*' for all"
            )
    return tuple(sorted(set(names)))


DEFINITE = ("login", "forbidden", "closed")
"""States of a cluster that do not pass by themselves in a moment."""

DEFINITE_CODES = ("unknown-kind", "invalid", "bad-selector", "forbidden", "login")


NEXT = {
    "forbidden": "ask for another namespace=, or for the right to list and watch",
    "login": "log in to the cluster again, then run the cell again",
    "bad-selector": "correct the selector",
}
"""What to do about an error that does not say it itself."""


def failure_of(name: str, state: Any, kind: str) -> errors.MuxError | None:
    """The error for a cluster that has failed for good at the call; None for one that may yet come."""
    if state.synced or (state.state not in DEFINITE and state.code not in DEFINITE_CODES):
        return None
    code = state.code or {"login": "login", "forbidden": "forbidden"}.get(state.state, "closed")
    reason = state.reason or "failed"
    what = reason if kind in reason else f"watching {kind}: {reason}"
    todo = state.todo or NEXT.get(code)
    return errors.from_code(code, {"what": what, "cluster": name, "said": state.said, "todo": todo})
