"""The query of a change: its field manager, and whether an apply takes over.

Rules: apimachinery, ``ValidatePatchOptions`` and ``ValidateFieldManager``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from notebook_mux.playground.apply.server_side import APPLY
from notebook_mux.playground.options import boolean
from notebook_mux.playground.status import cause, invalid

MANAGER_LIMIT = 128
"""Bytes of a field manager's name (apimachinery, ``FieldManagerMaxLength``)."""


def check(query: Mapping[str, str], verb: str, media: str) -> bool:
    """Whether an apply takes over the fields of others.

    Args:
        verb: ``create``, ``update`` or ``patch``.
        media: The media type of the body.

    Raises:
        ApiError: 422.
    """
    said = query.get("fieldManager", "")
    applies = verb == "patch" and media == APPLY
    causes = []
    if verb == "patch" and not applies and "force" in query:
        causes.append(cause("FieldValueForbidden", "force", "Forbidden: may not be specified for non-apply patch"))
    if applies and not said:
        causes.append(cause("FieldValueRequired", "fieldManager", "Required value: is required for apply patch"))
    if len(said.encode()) > MANAGER_LIMIT:
        text = f"Too long: may not be more than {MANAGER_LIMIT} bytes"
        causes.append(cause("FieldValueTooLong", "fieldManager", text))
    strange = next((n for n, letter in enumerate(said) if not letter.isprintable()), None)
    if strange is not None:
        shown = json.dumps(said, ensure_ascii=False)
        text = f"Invalid value: {shown}: invalid character U+{ord(said[strange]):04X} (at position {strange})"
        causes.append(cause("FieldValueInvalid", "fieldManager", text))
    if causes:
        raise invalid("meta.k8s.io", f"{verb.title()}Options", "", *causes)
    return applies and boolean(query.get("force"))
