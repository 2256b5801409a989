"""What an object has to be before it is stored, and what the server adds to it."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import checking
from notebook_mux.playground.crds.objects import check_custom_type
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.status import ApiError, bad_request, cause, invalid

Json = dict[str, Any]


def check_type(kind: Kind, obj: Any) -> Json:
    """Refuse a body that is no object of the path's kind.

    Raises:
        ApiError: 400.
    """
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata", {}), dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind.kind})")
    if kind.custom:
        check_custom_type(kind, obj)
    said = obj.get("kind") or kind.kind
    version = obj.get("apiVersion") or kind.api_version
    if said != kind.kind or version != kind.api_version:
        raise bad_request(f'{said} in version "{version}" cannot be handled as a {kind.kind}')
    rest = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
    typed: Json = {"kind": kind.kind, "apiVersion": kind.api_version, **rest}
    typed.setdefault("metadata", {})
    if kind.custom:
        return typed
    without: Json = without_nulls(typed)
    return without


def without_nulls(value: Any) -> Any:
    """A value without the fields that are null: for a typed object these are not there."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def check_names(kind: Kind, obj: Json, namespace: str, name: str = "") -> None:
    """Refuse an object that says another name or namespace than its path.

    Raises:
        ApiError: 400.
    """
    metadata = obj["metadata"]
    if kind.namespaced:
        if metadata.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata.pop("namespace", None)
    if name and metadata.setdefault("name", name) != name:
        said = metadata["name"]
        raise bad_request(f"the name of the object ({said}) does not match the name on the URL ({name})")


def validate(kind: Kind, obj: Json, *more: Json) -> None:
    """Refuse what cannot be.

    Args:
        more: Causes that were found elsewhere.

    Raises:
        ApiError: 422 with its causes.
    """
    found = checking.causes(kind, obj)
    changed = [one for one in more if one not in found]
    # Of a daemon set the server asks first what changed, then what it is.
    causes = [*changed, *found] if kind.resource == "daemonsets.apps" else [*found, *changed]
    if causes:
        raise invalid(kind.group, kind.kind, str(obj["metadata"].get("name", "")), *causes)


def check_dry_run(values: list[str], options: str) -> bool:
    """Whether a change is only tried.

    Raises:
        ApiError: 422 for another value than All.
    """
    wrong = [value for value in values if value != "All"]
    if wrong:
        said = f'Unsupported value: ["{wrong[0]}"]: supported values: "All"'
        raise invalid("meta.k8s.io", options, "", cause("FieldValueNotSupported", "dryRun", said))
    return bool(values)


def unreadable(kind: Kind, body: bytes) -> ApiError:
    """400 for a body that is no JSON."""
    shown = body.decode("utf-8", "replace") or "<empty>"
    return bad_request(
        f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind; "
        f"json parse error: unexpected end of JSON input ({shown[:80]})"
    )
