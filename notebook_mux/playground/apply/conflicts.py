"""What an apply is told that would change what others own."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.apply import fields
from notebook_mux.playground.apply.ownership import UPDATE, Conflicts, Owner
from notebook_mux.playground.status import ApiError

Json = dict[str, Any]


def error(conflicts: Conflicts) -> ApiError:
    """409 with a cause for each field."""
    found = [(named(owner), list(fields.paths(own))) for owner, own in conflicts.of.items()]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {name}", "field": path}
        for name, paths in found
        for path in paths
    ]
    if len(causes) == 1:
        said = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = [line for name, paths in found
                 for line in (f"conflicts with {name}:", *(f"- {path}" for path in paths))]  # fmt: skip
        said = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", said, {"causes": causes})


def named(owner: Owner) -> str:
    """How a message names an owner."""
    name = f'"{owner.manager}"'
    if owner.subresource:
        name += f' with subresource "{owner.subresource}"'
    return f"{name} using {owner.api_version}" if owner.operation == UPDATE else name
