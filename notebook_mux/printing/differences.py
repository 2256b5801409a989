"""What changes in an object, as the lines of its YAML: without what a server keeps for itself, and without secrets."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from notebook_mux.handles.objects import LAST_APPLIED, SECRET_FIELDS, Object, veiled

Json = Mapping[str, Any]

NOISE = frozenset(
    ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink", "deletionTimestamp",
     "deletionGracePeriodSeconds")
)  # fmt: skip
"""Of the metadata: what the server writes, and no change is about."""

BOOKS = frozenset((LAST_APPLIED, "deployment.kubernetes.io/revision"))
"""Of the annotations: what kubectl and a controller keep books in."""

FIRST = ("apiVersion", "kind", "metadata")
"""As people write it; Go's encoder has another order for some."""

CONTEXT_LINES = 3
"""Around each change, as of ``diff -u`` and ``kubectl diff``."""


def substance(content: Json) -> dict[str, Any]:
    """An object without its status and what the server writes into its metadata."""
    kept = {key: value for key, value in content.items() if key != "status"}
    metadata = {key: value for key, value in (kept.get("metadata") or {}).items() if key not in NOISE}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in BOOKS}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    kept["metadata"] = metadata
    return {key: kept[key] for key in (*FIRST, *kept) if key in kept}


def difference(before: Json | None, after: Json | None, title: str) -> str:
    """A unified diff of two states of an object; "" where they are one.

    Args:
        before: The state before; None where it was not there.
        after: The state after; None where it is gone.
        title: What it is of, for the lines that begin it.
    """
    was = substance(before) if before is not None else None
    old, new = _veiled(was, _ordered(substance(after), was) if after is not None else None)
    lines = difflib.unified_diff(
        _lines(old),
        _lines(new),
        f"{title}{'' if old is not None else ' (not there)'}",
        f"{title}{'' if new is not None else ' (deleted)'}",
        lineterm="",
        n=CONTEXT_LINES,
    )
    return "\n".join(lines)


def _lines(content: Json | None) -> list[str]:
    return Object(content).yaml(show_secrets=True).splitlines() if content is not None else []


def _veiled(old: Json | None, new: Json | None) -> tuple[Json | None, Json | None]:
    """Both without a Secret's values; where one changes, that can still be seen."""
    shown = [None if one is None else veiled(one) for one in (old, new)]
    if old is None or new is None or new.get("kind") != "Secret":
        return shown[0], shown[1]
    for field in SECRET_FIELDS:
        first, second = old.get(field), new.get(field)
        if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
            continue
        for key in first.keys() & second.keys():
            if first[key] != second[key]:
                for one, when in zip(shown, ("before", "after"), strict=True):
                    assert one is not None
                    one[field][key] = one[field][key].replace(">", f", {when}>")
    return shown[0], shown[1]


def _ordered(new: Any, old: Any) -> Any:
    """The same with keys in the order of the earlier state: a server may send them in another one."""
    if isinstance(new, Mapping):
        known = old if isinstance(old, Mapping) else {}
        keys = [*(key for key in known if key in new), *(key for key in new if key not in known)]
        return {key: _ordered(new[key], known.get(key)) for key in keys}
    if isinstance(new, list):
        places = old if isinstance(old, list) else []
        return [_ordered(one, places[at] if at < len(places) else None) for at, one in enumerate(new)]
    return new
