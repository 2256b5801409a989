"""Questions about oneself: who am I, may I, what may I."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.access import Access, Asked, User
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.validation import check_type

Json = dict[str, Any]

PUBLIC_RULE = {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]}


def answer(access: Access, user: User, kind: Kind, obj: Any, stamp: str) -> Json:
    """The answer to a review.

    Raises:
        ApiError: 400, not the kind that the path says.
    """
    review = check_type(kind, obj)
    spec = review.get("spec") or {}
    head: Json = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {}}
    if kind.kind == "SelfSubjectReview":
        info: Json = {"username": user.name, "groups": list(user.groups)}
        if user.extra:
            info["extra"] = {key: list(values) for key, values in user.extra.items()}
        return {**head, "metadata": {"creationTimestamp": stamp}, "status": {"userInfo": info}}
    if kind.kind == "SelfSubjectRulesReview":
        return {**head, "spec": {}, "status": _rules()}
    return {**head, "spec": spec, "status": _may(access, user, spec)}


def _may(access: Access, user: User, spec: Json) -> Json:
    path = spec.get("nonResourceAttributes")
    if path is not None:
        asked = Asked(path.get("verb", ""), path=path.get("path", ""))
    else:
        wanted = spec.get("resourceAttributes") or {}
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        asked = Asked(**{name: wanted.get(name, "") for name in names})
    return {"allowed": access.may(user, asked)}


def _rules() -> Json:
    return {
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}, PUBLIC_RULE],
        "incomplete": False,
    }
