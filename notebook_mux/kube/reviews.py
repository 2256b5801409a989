"""Access reviews as they are sent and answered: questions about oneself that every authenticated user may ask.

(kubernetes.io, "Authorization: checking API access", authorization.k8s.io/v1.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from notebook_mux.wire import UNREADABLE

PATH = "/apis/authorization.k8s.io/v1"
ACCESS = "SelfSubjectAccessReview"
RULES = "SelfSubjectRulesReview"
SUBJECT = "SubjectAccessReview"
HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}


def path_of(kind: str) -> str:
    """Where a review is posted to."""
    return f"{PATH}/{kind.lower()}s"


def review(kind: str, spec: Mapping[str, Any]) -> str:
    """The body of a review."""
    return json.dumps({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec})


def access(verb: str, group: str, resource: str, namespace: str, **more: str) -> str:
    """The body of an access review: whether we may, in one namespace or, for "", in all of them.

    Args:
        verb: ``list``, ``watch`` ...
        group: "" for the core group.
        resource: Such as ``pods``.
        namespace: One, or "" for all of them and for what is in none.
        more: Further attributes: ``version``, ``subresource``, ``name``; those that are empty are left out.
    """
    attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
    return review(ACCESS, {"resourceAttributes": attributes | {name: text for name, text in more.items() if text}})


def status_of(content: bytes) -> dict[str, Any] | None:
    """What an answer says, None for one that is no review."""
    try:
        found = msgspec.json.decode(content, type=dict[str, Any]).get("status")
    except UNREADABLE:
        return None
    return found if isinstance(found, dict) else None


def allowed(content: bytes) -> bool | None:
    """What an access review's answer says, None where that is not known."""
    found = (status_of(content) or {}).get("allowed")
    return found if isinstance(found, bool) else None
