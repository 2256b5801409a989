"""Who asks, and whether they may: authentication by tokens, authorization by RBAC, and what a test forbids."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from notebook_mux.playground.status import ApiError

if TYPE_CHECKING:
    from notebook_mux.playground.rbac.rules import PolicyRule

ALWAYS = frozenset({"/healthz", "/readyz", "/livez"})
"""Paths that no authorizer is asked about (kube-apiserver --authorization-always-allow-paths)."""

MASTERS = "system:masters"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
TOKEN_BYTES = 24
WEBSOCKET_TOKEN = "base64url.bearer.authorization.k8s.io."
"""A page's WebSocket cannot have headers: its token comes as a sub-protocol that begins so."""


@dataclass(frozen=True, slots=True)
class User:
    """A user as authenticators know them."""

    name: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uid: str = ""


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))


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
class Decision:
    """Whether somebody may, and what an authorizer says for a reason."""

    allowed: bool
    reason: str = ""


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


class Authorizer(Protocol):
    """What decides for everybody but system:masters."""

    def decide(self, user: User, asked: Asked) -> Decision:
        """Whether the user may."""

    def rules_for(self, user: User, namespace: str) -> tuple[list[PolicyRule], list[str]]:
        """All of a user's rules in a namespace, and what was wrong in finding them."""


class Issuer(Protocol):
    """What knows the tokens of service accounts."""

    def user_of(self, token: str) -> User | None:
        """Whose token it is; None if it is no one's, or no longer."""


class Access:
    """A cluster's authenticator and authorizer.

    Args:
        tokens: User by bearer token.
        authorizer: Decides for all but system:masters; without one nobody else may anything.
        issuer: Knows further tokens.

    Attributes:
        rules: What a test forbids, whoever asks.
    """

    def __init__(
        self, tokens: Mapping[str, User], authorizer: Authorizer | None = None, issuer: Issuer | None = None
    ) -> None:
        self._users = {_digest(token): user for token, user in tokens.items()}
        self.authorizer = authorizer
        self.issuer = issuer
        self.rules: list[Rule] = []

    # --------------------------------------------------------------------------------------------- who asks

    def add(self, user: User, token: str = "") -> str:
        """Know one more user.

        Args:
            user: Who; system:authenticated is added to the groups.
            token: The bearer token; empty makes one.

        Returns:
            The token.
        """
        token = token or secrets.token_urlsafe(TOKEN_BYTES)
        groups = user.groups if AUTHENTICATED in user.groups else (*user.groups, AUTHENTICATED)
        self._users[_digest(token)] = User(user.name, groups, user.extra, user.uid)
        return token

    def remove(self, name: str) -> None:
        """Forget a user: their tokens are no one's from now on."""
        self._users = {digest: user for digest, user in self._users.items() if user.name != name}

    def user(self, headers: Mapping[str, str]) -> User:
        """Who sends these headers, whoever they act as.

        Raises:
            ApiError: 401 for a token that is no one's.
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if not scheme:
            token = _token_of_protocols(headers.get("Sec-WebSocket-Protocol", ""))
            if not token:
                return ANONYMOUS
        elif scheme.lower() != "bearer":
            raise unauthorized()
        user = self.user_of(token.strip())
        if user is None:
            raise unauthorized()
        return user

    def user_of(self, token: str) -> User | None:
        """Whose token it is; None if it is no one's."""
        known = self._users.get(_digest(token))
        if known is not None or self.issuer is None:
            return known
        return self.issuer.user_of(token)

    # ---------------------------------------------------------------------------------------- what they may

    def decide(self, user: User, asked: Asked) -> Decision:
        """Whether the user may, and why."""
        if any(rule.forbids(user, asked) for rule in self.rules):
            return Decision(False)
        if MASTERS in user.groups:
            return Decision(True)
        return Decision(False) if self.authorizer is None else self.authorizer.decide(user, asked)

    def may(self, user: User, asked: Asked) -> bool:
        """Whether the user may."""
        return self.decide(user, asked).allowed

    def check(self, user: User, asked: Asked) -> None:
        """Refuse what the user may not.

        Raises:
            ApiError: 403, in the real server's words.
        """
        decision = self.decide(user, asked)
        if not decision.allowed and asked.path not in ALWAYS:
            raise forbidden(user, asked, decision.reason)


def _digest(token: str) -> bytes:
    """What a token is looked up by: the time of the look-up says nothing of the token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _token_of_protocols(offered: str) -> str:
    """The token among the sub-protocols that a WebSocket offers; it counts beside a real one only."""
    protocols = [one.strip() for one in offered.split(",") if one.strip()]
    found = [one.removeprefix(WEBSOCKET_TOKEN) for one in protocols if one.startswith(WEBSOCKET_TOKEN)]
    if len(found) != 1 or len(protocols) < 2:
        return ""
    try:
        return base64.urlsafe_b64decode(found[0] + "=" * (-len(found[0]) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def unauthorized() -> ApiError:
    """401."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(user: User, asked: Asked, reason: str = "") -> ApiError:
    """403 for what a user asks, in the real server's words."""
    more = f": {reason}" if reason else ""
    if asked.path:
        said = f'User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        return ApiError(403, "Forbidden", f"forbidden: {_safe(said)}{more}", {})
    resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    said = f'User "{user.name}" cannot {asked.verb} resource "{resource}" in API group "{asked.group}" {where}'
    return not_for(asked.group, asked.resource, asked.name, _safe(said) + more)


def not_for(group: str, resource: str, name: str, why: str) -> ApiError:
    """403 about an object."""
    about = f"{resource}.{group}" if group else resource
    if name:
        about += f' "{name}"'
    details = {"name": name} if name else {}
    if group:
        details["group"] = group
    return ApiError(403, "Forbidden", f"{about} is forbidden: {why}", details | {"kind": resource})


def _safe(text: str) -> str:
    """A text that no browser takes for HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
