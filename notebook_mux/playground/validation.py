"""What an object has to be before it is stored, and what the server adds to it."""

from __future__ import annotations

import re
from typing import Any

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.status import ApiError, bad_request, cause, invalid

Json = dict[str, Any]

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN_LIMIT = 253
LABEL_LIMIT = 63
AS_LABEL = frozenset({"namespaces", "services"})
"""Kinds whose names are DNS labels; the names of RBAC objects are free."""

SUBDOMAIN_SAID = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_SAID = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def check_type(kind: Kind, obj: Any) -> Json:
    """Refuse a body that is no object of the path's kind.

    Raises:
        ApiError: 400.
    """
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata", {}), dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind.kind})")
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


def validate(kind: Kind, obj: Json) -> None:
    """Refuse what cannot be.

    Raises:
        ApiError: 422 with its causes.
    """
    metadata = obj["metadata"]
    name = metadata.get("name", "")
    causes = []
    if not name:
        causes.append(cause("FieldValueRequired", "metadata.name", "Required value: name or generateName is required"))
    elif problem := _name_problem(kind, name):
        causes.append(cause("FieldValueInvalid", "metadata.name", f'Invalid value: "{name}": {problem}'))
    replicas = (obj.get("spec") or {}).get("replicas")
    if isinstance(replicas, int) and replicas < 0:
        causes.append(
            cause(
                "FieldValueInvalid",
                "spec.replicas",
                f"Invalid value: {replicas}: must be greater than or equal to 0",
            )
        )
    causes += _pod_causes(kind, obj)
    if causes:
        raise invalid(kind.group, kind.kind, str(name), *causes)


def _name_problem(kind: Kind, name: Any) -> str:
    if kind.group == "rbac.authorization.k8s.io":
        return ""
    if kind.resource in AS_LABEL:
        return "" if LABEL.fullmatch(str(name)) and len(name) <= LABEL_LIMIT else LABEL_SAID
    return "" if SUBDOMAIN.fullmatch(str(name)) and len(name) <= SUBDOMAIN_LIMIT else SUBDOMAIN_SAID


def _pod_causes(kind: Kind, obj: Json) -> list[Json]:
    if kind.resource == "pods":
        path, spec = "spec", obj.get("spec") or {}
    elif kind.group == "apps" and "template" in (obj.get("spec") or {}):
        path, spec = "spec.template.spec", (obj["spec"]["template"] or {}).get("spec") or {}
    else:
        return []
    if not spec.get("containers"):
        return [cause("FieldValueRequired", f"{path}.containers", "Required value")]
    return [
        cause("FieldValueRequired", f"{path}.containers[{index}].{field}", "Required value")
        for index, one in enumerate(spec["containers"])
        for field in ("name", "image")
        if not (isinstance(one, dict) and one.get(field))
    ]


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
