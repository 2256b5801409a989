"""Questions that are posted: who am I, may I, may somebody, what may I, whose token is this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.playground import causes
from notebook_mux.playground.access import Access, Asked, User
from notebook_mux.playground.accounts.tokens import ISSUER, Tokens
from notebook_mux.playground.paths import Target
from notebook_mux.playground.schemas.fields import check_types
from notebook_mux.playground.status import ApiError, bad_request, invalid
from notebook_mux.playground.validation import check_type

Json = dict[str, Any]

ATTRIBUTES = ("verb", "group", "resource", "subresource", "namespace", "name")
EITHER = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
NOT_OURS = "token audiences {found} is invalid for the target audiences {wanted}"


class Reviews:
    """Answers reviews.

    Args:
        access: Who may what.
        tokens: Whose service accounts' tokens are.
    """

    def __init__(self, access: Access, tokens: Tokens):
        self._access = access
        self._tokens = tokens

    def answer(self, user: User, target: Target, obj: Any, stamp: str) -> Json:
        """The answer to a review.

        Args:
            user: Who asks.
            target: The kind of review, and the namespace it was posted to.
            obj: The review.
            stamp: Now.

        Raises:
            ApiError: 400 or 422, no such question.
        """
        kind = target.kind
        check_types(kind.api_version, kind.kind, obj)
        review = check_type(kind, obj)
        spec = review.get("spec") or {}
        head: Json = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": _kept(review["metadata"])}
        match kind.kind:
            case "SelfSubjectReview":
                head["metadata"] = {**head["metadata"], "creationTimestamp": stamp}
                return {**head, "status": {"userInfo": _info(user)}}
            case "SelfSubjectRulesReview":
                if not spec.get("namespace"):
                    raise bad_request("no namespace on request")
                return {**head, "spec": {}, "status": self._rules(user, spec["namespace"])}
            case "TokenReview":
                if not spec.get("token"):
                    raise bad_request("token is required for TokenReview in authentication")
                return {**head, "spec": spec, "status": self._token(spec)}
        if kind.kind == "LocalSubjectAccessReview":
            head["metadata"].setdefault("namespace", target.namespace)
        problems = list(_problems(kind.kind, head["metadata"], spec))
        if problems:
            raise _invalid(kind.group, problems)
        if head["metadata"].get("namespace", "") != target.namespace:
            raise bad_request(f"spec.resourceAttributes.namespace must match namespace: {target.namespace}")
        about = user if kind.kind == "SelfSubjectAccessReview" else _subject(spec)
        return {**head, "spec": spec, "status": self._may(about, spec)}

    def _may(self, user: User, spec: Json) -> Json:
        path = spec.get("nonResourceAttributes")
        if path is not None:
            asked = Asked(path.get("verb", ""), path=path.get("path") or "/")
        else:
            wanted = spec["resourceAttributes"]
            asked = Asked(**{name: wanted.get(name, "") for name in ATTRIBUTES})
        decision = self._access.decide(user, asked)
        return {"allowed": decision.allowed} | ({"reason": decision.reason} if decision.reason else {})

    def _rules(self, user: User, namespace: str) -> Json:
        rules, errors = ([], list[str]()) if self._access.authorizer is None else self._access.authorizer.rules_for(
            user, namespace)  # fmt: skip
        found: Json = {
            "resourceRules": [rule.to_json() for rule in rules if rule.resources],
            "nonResourceRules": [rule.to_json() for rule in rules if rule.urls],
            "incomplete": False,
        }
        if errors:
            found["evaluationError"] = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        return found

    def _token(self, spec: Json) -> Json:
        token, wanted = spec["token"], list(spec.get("audiences") or [ISSUER])
        account = self._tokens.read(token)
        if account is not None:
            user, found = account
            common = [one for one in wanted if one in found]
            if not common:
                said = NOT_OURS.format(found=_list(found), wanted=_list(wanted))
                return {"user": {}, "error": f"[invalid bearer token, {said}]"}
            return {"authenticated": True, "user": _info(user), "audiences": common}
        known = self._access.user_of(token)
        if known is None or ISSUER not in wanted:
            return {"user": {}, "error": "invalid bearer token"}
        return {"authenticated": True, "user": _info(known), "audiences": [ISSUER]}


def _kept(metadata: Json) -> Json:
    """The metadata of a review that its answer has: managedFields were only recorded on the way."""
    return {key: value for key, value in metadata.items() if key != "managedFields"}


def _info(user: User) -> Json:
    found: Json = {"username": user.name}
    if user.uid:
        found["uid"] = user.uid
    found["groups"] = list(user.groups)
    if user.extra:
        found["extra"] = {key: list(values) for key, values in user.extra.items()}
    return found


def _subject(spec: Json) -> User:
    extra: Mapping[str, Any] = spec.get("extra") or {}
    return User(
        spec.get("user", ""),
        tuple(spec.get("groups") or ()),
        {key: tuple(values) for key, values in extra.items()},
        spec.get("uid", ""),
    )


def _invalid(group: str, problems: list[Json]) -> ApiError:
    """422 for a review; the server leaves out which kind."""
    error = invalid(group, "", "", *problems)
    error.details = {key: value for key, value in (error.details or {}).items() if key != "kind"}
    return error


def _problems(kind: str, metadata: Json, spec: Json) -> list[Json]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    found = []
    if (resource is None) == (path is None):
        value = None if path is None else {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
        found.append(causes.wrong("spec", value, EITHER))
    if kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        found.append(causes.wrong("spec.user", "", "at least one of user or group must be specified"))
    local = kind == "LocalSubjectAccessReview"
    if {key for key in metadata if not (local and key == "namespace")}:
        text = "must be empty except for namespace" if local else "must be empty"
        found.append(causes.wrong("metadata", metadata, text))
    if local and resource is not None and resource.get("namespace", "") != metadata.get("namespace", ""):
        value = resource.get("namespace", "")
        found.append(causes.wrong("spec.resourceAttributes.namespace", value, "must match metadata.namespace"))
    if local and path is not None:
        found.append(causes.wrong("spec.nonResourceAttributes", path, "disallowed on this kind of request"))
    return found


def _list(values: list[str]) -> str:
    """A list of texts as Go's %q prints it."""
    return "[" + " ".join(f'"{value}"' for value in values) + "]"
