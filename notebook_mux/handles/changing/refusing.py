"""A server's refusal of a change as an error of our tree: who refused it, why, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from notebook_mux import errors
from notebook_mux.handles.objects import SECRET_FIELDS
from notebook_mux.handles.refusals import BAD_REQUEST, FORBIDDEN, NOT_FOUND, UNPROCESSABLE, message_of, refused
from notebook_mux.wire import UNREADABLE

NOT_ALLOWED, CONFLICT, UNSUPPORTED = 405, 409, 415

SHOWN_FIELDS = 4
"""Of each owner, in an error; `Conflict.owners` has all."""

_OWNER = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"(?: with subresource "([^"]*)")?')
_OTHER_UID = "metadata.uid: Invalid value"
_UNTYPED = ("failed to create typed patch object", "failed to convert new object")
"""In the words of a server, with HTTP 500, for an apply with a field or a value that is none."""

_NO_NAMESPACE = re.compile(r'namespaces "([^"]+)" not found')


def refusal(status: int, body: bytes, *, what: str, cluster: str, tried: str = "") -> errors.MuxError:
    """The error for an answer to a change that is none of the 200s.

    Args:
        status: The HTTP status.
        body: The answer's body.
        what: What was tried, such as "scaling deployment web".
        cluster: The cluster's name.
        tried: ``apply`` where it was one: then its conflicts are about fields.
    """
    said, reason = message_of(body)
    given: dict[str, Any] = {"cluster": cluster, "said": said or f"HTTP {status} {reason}".strip()}
    if status == CONFLICT:
        owners = _owners(body)
        return _owned(owners, what, given) if owners else _changed(what, given)
    if status == FORBIDDEN and reason != "WriteRefused":
        return errors.Forbidden(f"{what} is refused by {_who(said)}", todo=_todo(said), **given)
    if status == NOT_FOUND:
        namespace = _NO_NAMESPACE.search(said)
        if namespace is not None:
            return errors.NotFound(
                f"{what}: there is no namespace {namespace[1]!r}", todo="create it first, or apply it too", **given
            )
        return errors.NotFound(f"{what}: it is not there", todo="look again: it may be gone", **given)
    if status == NOT_ALLOWED:
        given["todo"] = "what it does with which kind: kubectl api-resources -o wide"
        return errors.InvalidArgument(f"{what}: the cluster does no such thing with this kind", **given)
    if status == UNSUPPORTED and tried == "apply":
        given["todo"] = "server-side apply came with Kubernetes 1.16, and not every aggregated API has it"
        return errors.ServerError(f"{what}: this API knows no server-side apply", **given)
    if _OTHER_UID in said and "immutable" in said:
        return _changed(what, given)  # which is how a patch's precondition is refused
    if status in (BAD_REQUEST, UNPROCESSABLE) or any(words in said for words in _UNTYPED):
        return errors.InvalidArgument(f"{what} was refused", todo="correct what the server names", **given)
    return refused(status, body, what=what, cluster=cluster)


def without_secrets(error: errors.MuxError, content: Any) -> errors.MuxError:
    """The same error without the values of the Secret that was sent: a server repeats what it cannot take."""
    texts = {text for field in SECRET_FIELDS for text in _texts(content.get(field))} - {""}
    for text in sorted(texts, key=len, reverse=True):
        said = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)")
        error.what = said.sub("<hidden>", error.what)
        error.said = said.sub("<hidden>", error.said) if error.said else error.said
    return error


def _texts(value: Any) -> Iterator[str]:
    """All that stands in a value, as texts."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def _who(said: str) -> str:
    """Who says no: the rights, a webhook, a policy, a quota."""
    words = said.lower()
    if "admission webhook" in words:
        hook = re.search(r'admission webhook "([^"]+)"', said)
        return f"the admission webhook {hook[1]}" if hook else "an admission webhook"
    if "validatingadmissionpolicy" in words:
        return "an admission policy"
    if "violates podsecurity" in words:
        return "the namespace's pod security level"
    if "exceeded quota" in words or "failed quota" in words:
        return "a resource quota"
    if "being terminated" in words:
        return "its namespace, which is being deleted"
    return "the cluster's authorizer" if " cannot " in words else "the cluster"


def _todo(said: str) -> str:
    words = said.lower()
    if "admission webhook" in words or "validatingadmissionpolicy" in words:
        return "a rule of this cluster refuses it: change what its words name, or ask those who run it"
    if "quota" in words:
        return "ask for less, free something, or have the quota raised"
    if "violates podsecurity" in words:
        return "the namespace's label pod-security.kubernetes.io/enforce decides: change the pod, or use another one"
    if "being terminated" in words:
        return "wait until it is gone, then create it anew"
    return "ask for that right"


def _changed(what: str, given: dict[str, Any]) -> errors.Conflict:
    return errors.Conflict(
        f"{what}: it was changed by somebody else meanwhile", todo="look at it again, then repeat the change", **given
    )


def _owned(owners: Mapping[str, list[str]], what: str, given: dict[str, Any]) -> errors.Conflict:
    parts = []
    for owner, fields in owners.items():
        more = f" and {len(fields) - SHOWN_FIELDS} more" if len(fields) > SHOWN_FIELDS else ""
        parts.append(f"{owner} owns {', '.join(fields[:SHOWN_FIELDS])}{more}")
    error = errors.Conflict(
        f"{what}: {'; '.join(parts)}",
        todo="leave these fields out, or take them over with force=True",
        **{**given, "said": None},
    )
    error.owners = {owner: list(fields) for owner, fields in owners.items()}
    return error


def _owners(body: bytes) -> dict[str, list[str]]:
    """Field managers to the fields that they own, of an apply's conflict."""
    try:
        details = msgspec.json.decode(body, type=dict[str, Any]).get("details")
    except UNREADABLE:
        return {}
    found: dict[str, list[str]] = {}
    for cause in (details or {}).get("causes") or () if isinstance(details, Mapping) else ():
        if isinstance(cause, Mapping) and cause.get("reason") == "FieldManagerConflict":
            owner = _OWNER.search(str(cause.get("message") or ""))
            name = owner[1] + (f" ({owner[2]})" if owner[2] else "") if owner else "another"
            fields = found.setdefault(name, [])
            field = str(cause.get("field") or "").lstrip(".")
            if field and field not in fields:
                fields.append(field)
    return found
