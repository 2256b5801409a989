"""The metadata that does not change (apimachinery, ``ValidateObjectMetaUpdate``)."""

from __future__ import annotations

import json
from typing import Any

from notebook_mux.playground.status import cause

Json = dict[str, Any]

IMMUTABLE = ("uid", "deletionTimestamp", "deletionGracePeriodSeconds")
OWNER = ("apiVersion", "kind", "name", "uid")
"""What a reference to an owner has to say."""


def check(old: Json, new: Json) -> list[Json]:
    """What is wrong with changed metadata."""
    before, after = old["metadata"], new["metadata"]
    causes = [
        set_once(f"metadata.{name}", after.get(name))
        for name in IMMUTABLE
        if after.get(name) is not None and after.get(name) != before.get(name)
    ]
    if before.get("deletionTimestamp"):
        added = [one for one in after.get("finalizers") or () if one not in (before.get("finalizers") or ())]
        if added:
            said = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            causes.append(cause("FieldValueForbidden", "metadata.finalizers", f"{said}[]string{{{_quoted(added)}}}"))
    return causes + owners(after)


def owners(metadata: Json) -> list[Json]:
    """What is wrong with references to owners."""
    causes = []
    controllers = []
    for number, one in enumerate(metadata.get("ownerReferences") or ()):
        path = f"metadata.ownerReferences[{number}]"
        causes += [cause("FieldValueRequired", f"{path}.{name}", "Required value: must not be empty")
                   for name in OWNER if not one.get(name)]  # fmt: skip
        if one.get("controller"):
            controllers.append(one)
    if len(controllers) > 1:
        first, second = (f"{one.get('kind')}/{one.get('name')}" for one in controllers[:2])
        shown = json.dumps(metadata["ownerReferences"], separators=(",", ":"))
        said = "Only one reference can have Controller set to true. Found"
        said = f'Invalid value: {shown}: {said} "true" in references for {first} and {second}'
        causes.append(cause("FieldValueInvalid", "metadata.ownerReferences", said))
    return causes


def set_once(path: str, value: Any, why: str = "field is immutable") -> Json:
    """The cause that tells of a field that cannot be changed."""
    shown = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return cause("FieldValueInvalid", path, f"Invalid value: {shown}: {why}")


def forbidden(path: str, why: str) -> Json:
    """The cause that tells of a field that may not be."""
    return cause("FieldValueForbidden", path, f"Forbidden: {why}")


def _quoted(names: list[str]) -> str:
    return ", ".join(json.dumps(one) for one in names)
