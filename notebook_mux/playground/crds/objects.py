"""Custom objects on their way into the store: what is wrong with them, and what their writer is told."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from notebook_mux.playground import causes
from notebook_mux.playground.crds import checks
from notebook_mux.playground.crds.versions import Version
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.status import bad_request, invalid

Json = dict[str, Any]

BLOCKING = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)
"""Of these none may be there for rules to be evaluated: they could not rely on the shape of the object."""

NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)
HIGHEST_SCALE = (1 << 31) - 1
STANDARD_FINALIZERS = frozenset({"orphan", "foregroundDeletion", "kubernetes"})
_QUALIFIED = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def check_custom_type(kind: Kind, obj: Json) -> None:
    """Refuse an object that does not say what the path says: custom objects have to.

    Raises:
        ApiError: 400 or 422.
    """
    said, version = obj.get("kind"), obj.get("apiVersion")
    if not said or not version:
        text = msgspec.json.encode(obj).decode()
        missing = "Object 'Kind' is missing" if not said else "Object 'apiVersion' is missing"
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind}): {missing} in '{text}' ({text})"
        )
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({kind.api_version})"
        )
    if said != kind.kind:
        name = (obj.get("metadata") or {}).get("name", "")
        raise invalid(kind.group, said, name, causes.wrong("kind", said, f"must be {kind.kind}"))


def problems(kind: Kind, new: Json, old: Json | None, subresource: str = "") -> list[Json]:
    """The causes for which a custom object cannot be stored.

    Args:
        kind: Of the object.
        new: As it is to be.
        old: As it was; None for a new one. What did not change is not looked at again (KEP-4008).
        subresource: ``status`` where only that is written.
    """
    version = _version(kind)
    schema = version.schema
    if subresource == "status":
        found = _of_status(new, old, schema)
    else:
        found = checks.check(new, schema, old=checks.MISSING if old is None else old)
        found += _of_scale(new, version, ("specReplicasPath", "statusReplicasPath"))
    lists = list(checks.check_lists(new, schema))
    if lists and not (old is not None and list(checks.check_lists(old, schema))):
        found += lists
    if version.rules is not None:
        if any(one["reason"] in BLOCKING for one in found):
            found.append(causes.wrong(checks.NOWHERE, None, NOT_CHECKED))
        else:
            from notebook_mux.playground.crds.rules import MISSING  # and CEL with it

            found += version.rules.check(new, "", MISSING if old is None else old)
    return found


def warnings(new: Json, old: Json | None) -> list[str]:
    """What a writer is told of an object's finalizers."""
    before = ((old or {}).get("metadata") or {}).get("finalizers") or ()
    found = []
    for name in sorted(set(new["metadata"].get("finalizers") or ()) - set(before)):
        if "/" in name or name in STANDARD_FINALIZERS or not _QUALIFIED.fullmatch(name):
            continue
        how = " including a path (/)" if "." in name else ""
        found.append(
            f'metadata.finalizers: "{name}": prefer a domain-qualified finalizer name{how} to avoid accidental '
            "conflicts with other finalizer writers"
        )
    return found


def _version(kind: Kind) -> Version:
    assert kind.definition is not None, "a custom kind has its definition"
    return kind.definition


def _of_status(new: Json, old: Json | None, schema: Json) -> list[Json]:
    """What is wrong with a status: the validator sees it as a whole of its own."""
    below = (schema.get("properties") or {}).get("status")
    if below is None or "status" not in new:
        return []
    before = (old or {}).get("status", checks.MISSING)
    found = checks.check(new["status"], below, old=before)
    for one in found:
        one["field"] = "status" if one["field"] == checks.NOWHERE else f"status.{one['field']}"
    return found


def _of_scale(obj: Json, version: Version, names: tuple[str, ...]) -> list[Json]:
    found = []
    for name in names:
        path = (version.scale or {}).get(name, "")
        if not path:
            continue
        value, wrong = _number_at(obj, path)
        if wrong:
            found.append(causes.wrong(path, 0, f"{path} accessor error: {wrong}"))
        elif value < 0:
            found.append(causes.wrong(path, value, "should be a non-negative integer"))
        elif value > HIGHEST_SCALE:
            found.append(causes.wrong(path, value, f"should be less than or equal to {HIGHEST_SCALE}"))
    return found


def _number_at(obj: Json, path: str) -> tuple[int, str]:
    """The whole number at a path, 0 where there is none; and what stands in its way."""
    value: Any = obj
    for step in path.removeprefix(".").split("."):
        if not isinstance(value, dict):
            return 0, f"{_go(value)}, expected map[string]interface{{}}"
        if step not in value:
            return 0, ""
        value = value[step]
    if isinstance(value, int) and not isinstance(value, bool):
        return value, ""
    return 0, f"{_go(value)}, expected int64"


def _go(value: Any) -> str:
    """A value and its type as Go prints them."""
    match value:
        case None:
            return "<nil> is of the type <nil>"
        case bool():
            return f"{str(value).lower()} is of the type bool"
        case float():
            return f"{value:g} is of the type float64"
        case str():
            return f"{value} is of the type string"
        case list():
            return f"[{' '.join(map(str, value))}] is of the type []interface {{}}"
    return f"{value} is of the type map[string]interface {{}}"


def at(obj: Any, path: str) -> Any:
    """The value at a simple path, ``.spec.replicas``; None where there is none."""
    for step in path.removeprefix(".").split("."):
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj
