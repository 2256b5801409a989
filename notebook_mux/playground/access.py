"""Who asks, and whether they may.

Every token's user is an administrator, but for what a test forbids. RBAC has its place here.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from notebook_mux.playground.status import ApiError

PUBLIC = frozenset({"/version", "/readyz", "/livez", "/healthz"})
"""What anybody may read (system:public-info-viewer)."""


@dataclass(frozen=True, slots=True)
class User:
    """A user as authenticators know them."""

    name: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asks to do.

    Args:
        verb: ``get``, ``list``, ``watch``, ``create`` ...
        path: For what is no resource.
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is forbidden; an empty field is any. ``pods`` are their sub-resources too, ``pods/log`` is one."""

    verb: str = ""
    resource: str = ""
    namespace: str | None = None
    user: str = ""

    def forbids(self, user: User, asked: Asked) -> bool:
        """Whether it speaks of this."""
        if asked.path or (self.user and self.user != user.name):
            return False
        if self.verb and self.verb != asked.verb:
            return False
        if self.resource and self.resource not in (asked.resource, f"{asked.resource}/{asked.subresource}"):
            return False
        return self.namespace is None or self.namespace == asked.namespace


class Access:
    """A cluster's authenticator and authorizer.

    Args:
        tokens: User by bearer token.
    """

    def __init__(self, tokens: Mapping[str, User]):
        self.tokens = dict(tokens)
        self.rules: list[Rule] = []

    def user(self, headers: Mapping[str, str]) -> User:
        """Who sends these headers, or whom they impersonate.

        Raises:
            ApiError: 401 for a token that is no one's.
        """
        said = headers.get("Authorization", "")
        if not said:
            return ANONYMOUS
        scheme, _, token = said.partition(" ")
        user = self._of_token(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if name := headers.get("Impersonate-User"):
            groups = headers.getall("Impersonate-Group", []) if hasattr(headers, "getall") else []
            return User(name, (*groups, "system:authenticated"))
        return user

    def _of_token(self, token: str) -> User | None:
        found = None
        for known, user in self.tokens.items():
            if hmac.compare_digest(known.encode(), token.encode("utf-8", "replace")):
                found = user
        return found

    def may(self, user: User, asked: Asked) -> bool:
        """Whether the user may."""
        if user is ANONYMOUS:
            return asked.verb == "get" and asked.path in PUBLIC
        return not any(rule.forbids(user, asked) for rule in self.rules)

    def check(self, user: User, asked: Asked) -> None:
        """Refuse what the user may not.

        Raises:
            ApiError: 403, in the real server's words.
        """
        if not self.may(user, asked):
            raise _forbidden(user, asked)


def _forbidden(user: User, asked: Asked) -> ApiError:
    if asked.path:
        said = f'User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        return ApiError(403, "Forbidden", f"forbidden: {said}", {})
    resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    said = f'User "{user.name}" cannot {asked.verb} resource "{resource}" in API group "{asked.group}" {where}'
    about = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    if asked.name:
        about += f' "{asked.name}"'
    details = {"name": asked.name} if asked.name else {}
    if asked.group:
        details["group"] = asked.group
    return ApiError(403, "Forbidden", f"{about} is forbidden: {said}", details | {"kind": asked.resource})
