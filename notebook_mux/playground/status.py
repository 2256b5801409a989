"""Kubernetes' own errors: a Status with the words of the real server.

Texts are those of k8s.io/apimachinery/pkg/api/errors/errors.go.
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.kinds import Kind

Json = dict[str, Any]


class ApiError(Exception):
    """An answer that is a failure.

    Args:
        code: The HTTP status.
        reason: The machine's word for it; empty is left out.
        message: What a person reads.
        details: Name, group, kind, causes ...; None leaves the field out.
        metadata: The Status's own metadata.
        retry_after: Seconds, sent as a header too.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Json | None = None,
        *,
        metadata: Json | None = None,
        retry_after: int | None = None,
    ):
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}
        self.retry_after = retry_after

    def status(self) -> Json:
        """The Status object."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def details_of(kind: Kind, name: str, *, by_kind: bool = False, **more: Any) -> Json:
    """The details of a Status about one object, in the server's order."""
    details: Json = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.kind if by_kind else kind.plural
    return details | more


def quoted(kind: Kind, name: str) -> str:
    """``pods "web-0"``, as errors name an object."""
    return f'{kind.resource} "{name}"'


def not_found(kind: Kind, name: str) -> ApiError:
    """404 for an object."""
    return ApiError(404, "NotFound", f"{quoted(kind, name)} not found", details_of(kind, name))


def no_such_path() -> ApiError:
    """404 for a resource that is not served."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def not_allowed() -> ApiError:
    """405 for a verb the path does not have."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def already_exists(kind: Kind, name: str) -> ApiError:
    """409 for a name that is taken."""
    return ApiError(409, "AlreadyExists", f"{quoted(kind, name)} already exists", details_of(kind, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(kind: Kind, name: str, why: str = MODIFIED) -> ApiError:
    """409 for a change that was made to another state of the object."""
    return ApiError(
        409, "Conflict", f"Operation cannot be fulfilled on {quoted(kind, name)}: {why}", details_of(kind, name)
    )


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def cause(reason: str, field: str, message: str) -> Json:
    """One cause of a 422."""
    return {"reason": reason, "message": message, "field": field}


def invalid(group: str, kind: str, name: str, *causes: Json) -> ApiError:
    """422 with its causes."""
    full = f"{kind}.{group}" if group else kind
    texts = list(dict.fromkeys(f"{one['field']}: {one['message']}" for one in causes))
    said = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: Json = {"name": name} if name else {}
    if group:
        details["group"] = group
    details |= {"kind": kind, "causes": list(causes)}
    return ApiError(422, "Invalid", f'{full} "{name}" is invalid: {said}', details)


def must_say_version(kind: Kind, name: str) -> ApiError:
    """422 for an update without a version, of a kind that needs one."""
    said = "Invalid value: 0: must be specified for an update"
    field = "metadata.resourceVersion"
    return ApiError(
        422,
        "Invalid",
        f'{kind.resource} "{name}" is invalid: {field}: {said}',
        details_of(kind, name, causes=[cause("FieldValueInvalid", field, said)]),
    )


def expired(message: str, metadata: Json | None = None) -> ApiError:
    """410: the version asked for is no longer kept."""
    return ApiError(410, "Expired", message, metadata=metadata)


def too_large(version: int, current: int) -> ApiError:
    """504: a version that is not there yet."""
    return ApiError(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {version}, current: {current}",
        {
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        },
        retry_after=1,
    )


def unsupported_body() -> ApiError:
    """415 for a body that cannot be read."""
    return ApiError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf",
    )


def success(kind: Kind, name: str, uid: str) -> Json:
    """What a delete answers where it does not answer the object."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details_of(kind, name, uid=uid),
    }
