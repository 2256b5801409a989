"""Acting as another: the Impersonate headers and who may send them.

Since 1.36 narrower permissions are tried before ``impersonate`` (KEP-5284, constrained impersonation): to act as a
kind of user *on* what is asked, and to be that user. The error told is that of the first that was tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from notebook_mux.playground.access import (
    ANONYMOUS,
    AUTHENTICATED,
    MASTERS,
    UNAUTHENTICATED,
    Access,
    Asked,
    User,
    forbidden,
)
from notebook_mux.playground.status import ApiError, bad_request

USER, GROUP, UID, EXTRA = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-"
ACCOUNT, NODE = "system:serviceaccount:", "system:node:"
AUTHENTICATION = "authentication.k8s.io"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom the headers of a request name."""

    name: str
    groups: tuple[str, ...]
    uid: str
    extra: Mapping[str, tuple[str, ...]]

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name, where it is a service account."""
        namespace, colon, name = self.name.removeprefix(ACCOUNT).partition(":")
        return (namespace, name) if self.name.startswith(ACCOUNT) and colon and namespace and name else None

    @property
    def mode(self) -> str:
        """Which narrower permission would be for it; empty where none is."""
        alone = not (self.groups or self.uid or self.extra)
        if self.name.startswith(NODE):
            return "arbitrary-node" if alone else ""
        if self.account:
            return "serviceaccount" if alone else ""
        return "user-info"


def wanted(headers: Mapping[str, str]) -> Wanted | None:
    """Whom a request wants to act as; None for nobody but its sender.

    Args:
        headers: With their values one by one (``items`` of a multi-dictionary).

    Raises:
        ApiError: 400, groups, uid or extra without a user.
    """
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower == GROUP.lower():
            groups.append(value)
        elif lower.startswith(EXTRA.lower()):
            extra.setdefault(unquote(lower[len(EXTRA) :]), []).append(value)
    name, uid = headers.get(USER, ""), headers.get(UID, "")
    found = Wanted(name, tuple(groups), uid, {key: tuple(values) for key, values in extra.items()})
    if name:
        return found
    if groups or uid or extra:
        raise bad_request(f"requested {_go(found)} without impersonating a user name")
    return None


def _go(found: Wanted) -> str:
    """How Go prints the user."""
    groups = "{" + ", ".join(f'"{one}"' for one in found.groups) + "}" if found.groups else "(nil)"
    pairs = ", ".join(
        f'"{key}":[]string{{{", ".join(f"{chr(34)}{value}{chr(34)}" for value in values)}}}'
        for key, values in sorted(found.extra.items())
    )
    extra = "{" + pairs + "}" if found.extra else "(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:"{found.uid}", Groups:[]string{groups}, Extra:map[string][]string{extra}}}'


def act(access: Access, user: User, headers: Mapping[str, str], asked: Asked) -> User:
    """Whom a request counts for: its sender, or whom the sender acts as.

    Raises:
        ApiError: 400, or 403 if the sender may not.
    """
    other = wanted(headers)
    if other is None:
        return user
    first: ApiError | None = None
    for verb, checks in _ways(other, asked):
        try:
            for one in checks:
                decision = access.decide(user, one)
                if not decision.allowed:
                    raise forbidden(user, one, decision.reason)
            if verb != "impersonate":
                _refuse_masters(user, verb, other)
            return _become(other, constrained=verb != "impersonate")
        except ApiError as error:
            first = first or error
    assert first is not None
    raise first


def _ways(other: Wanted, asked: Asked) -> Iterator[tuple[str, list[Asked]]]:
    """Each way of being allowed: its verb, and all that has to be allowed."""
    if other.mode:
        verb = f"impersonate:{other.mode}"
        on = replace(asked, verb=f"impersonate-on:{other.mode}:{asked.verb}")
        yield verb, [on, *_parts(other, verb, AUTHENTICATION)]
    yield "impersonate", list(_parts(other, "impersonate", ""))


def _parts(other: Wanted, verb: str, group: str) -> Iterator[Asked]:
    if other.account:
        namespace, name = other.account
        yield Asked(verb, group, "serviceaccounts", namespace=namespace, name=name)
    elif group and other.name.startswith(NODE):
        yield Asked(verb, group, "nodes", name=other.name.removeprefix(NODE))
    else:
        yield Asked(verb, group, "users", name=other.name)
    if other.uid:
        yield Asked(verb, AUTHENTICATION, "uids", name=other.uid)
    for one in other.groups:
        yield Asked(verb, group, "groups", name=one)
    for key, values in other.extra.items():
        for value in values:
            yield Asked(verb, AUTHENTICATION, "userextras", key, name=value)


def _refuse_masters(user: User, verb: str, other: Wanted) -> None:
    if MASTERS in other.groups:
        asked = Asked(verb, AUTHENTICATION, "groups", name=MASTERS)
        raise forbidden(user, asked, "impersonating the system:masters group is not allowed")


def _become(other: Wanted, *, constrained: bool) -> User:
    groups = list(other.groups)
    if other.account and not groups:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{other.account[0]}"]
    elif constrained and other.name.startswith(NODE):
        groups = ["system:nodes"]
    nobody = other.name == ANONYMOUS.name or UNAUTHENTICATED in groups
    added = UNAUTHENTICATED if nobody else AUTHENTICATED
    if added not in groups:
        groups.append(added)
    return User(other.name, tuple(groups), other.extra, other.uid)
