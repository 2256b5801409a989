"""The simple JSON paths of a CRD's columns: ``.spec.size``, ``.status.conditions[?(@.type=="Ready")].status``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

MISSING: Any = object()
"""What `find` returns where there is nothing."""

_STEP = re.compile(
    r"""\.(?P<name>[\w-]+(?:\\\.[\w-]+)*)|\[(?P<index>-?\d+)\]|\[['"](?P<quoted>[^'"]+)['"]\]|(?P<all>\[\*\])"""
    r"""|\[\?\(@\.(?P<key>[\w.-]+)\s*==\s*['"](?P<value>[^'"]*)['"]\)\]"""
)


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[tuple[str, Any], ...] | None:
    steps: list[tuple[str, Any]] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return None
        position = match.end()
        if match["index"] is not None:
            steps.append(("index", int(match["index"])))
        elif match["key"] is not None:
            steps.append(("filter", (tuple(match["key"].split(".")), match["value"])))
        elif match["all"] is not None:
            steps.append(("all", None))
        else:
            steps.append(("name", (match["name"] or match["quoted"]).replace("\\.", ".")))
    return tuple(steps)


def find(obj: Any, path: str) -> Any:
    """The first value at a path, or `MISSING`; also for a path that cannot be read."""
    steps = _steps(path)
    if steps is None:
        return MISSING
    found = [obj]
    for step, detail in steps:
        found = [value for one in found for value in _go(one, step, detail)]
    return found[0] if found else MISSING


def _go(obj: Any, step: str, detail: Any) -> list[Any]:
    if step == "name":
        return [obj[detail]] if isinstance(obj, dict) and detail in obj else []
    if step == "all" and isinstance(obj, dict):
        return list(obj.values())
    if not isinstance(obj, list):
        return []
    if step == "all":
        return list(obj)
    if step == "index":
        return obj[detail : detail + 1 or None]
    path, value = detail
    return [one for one in obj if _at(one, path) == value]


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj
