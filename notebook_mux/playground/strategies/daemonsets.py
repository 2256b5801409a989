"""The number of a daemon set's template: a field of its API's first version, an annotation in v1."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ANNOTATION = "deprecated.daemonset.template.generation"


def number(old: Json | None, new: Json) -> None:
    """Write the number of the template into a daemon set: it goes up with each other template."""
    if old is None:
        count = 1
    else:
        said = str((old["metadata"].get("annotations") or {}).get(ANNOTATION, "0"))
        before = int(said) if said.isdigit() else 0
        changed = (old.get("spec") or {}).get("template") != (new.get("spec") or {}).get("template")
        count = before + changed
        if not count:
            return
    metadata = new["metadata"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: str(count)}
