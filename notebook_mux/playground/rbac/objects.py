"""What may be written of roles and bindings, and by whom: defaults, validation, and the checks against escalation.

Who writes a role must have what it allows, or the verb ``escalate``; who binds one must have what it allows, or the
verb ``bind`` on it (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from notebook_mux.playground import causes
from notebook_mux.playground.access import MASTERS, Access, Asked, User, not_for
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.rbac.resolver import GROUP, NoRole, Resolver
from notebook_mux.playground.rbac.rules import PolicyRule, not_covered, quoted
from notebook_mux.playground.status import not_found

Json = dict[str, Any]

NOT_IN_NAMES = ("/", "%")
NO_NAMES = (".", "..")
EVERYTHING = (PolicyRule(("*",), ("*",), ("*",)), PolicyRule(("*",), urls=("*",)))
OF_GARBAGE = frozenset({"ownerReferences", "finalizers", "managedFields", "resourceVersion", "generation"})
"""Of the metadata: a change of these alone needs no rights on the role."""


class Escalation:
    """Who may write a role or a binding.

    Args:
        access: Who may what.
        resolver: The roles and bindings there are.
    """

    def __init__(self, access: Access, resolver: Resolver):
        self._access = access
        self._resolver = resolver

    def check(self, kind: Kind, new: Json, old: Json | None, user: User | None) -> None:
        """Refuse what its writer may not.

        Args:
            kind: Of the object.
            new: The object as it is to be stored.
            old: As it was; None for a new one.
            user: Who writes; None is the cluster itself, which may anything.

        Raises:
            ApiError: 403, or 404 (the role of a binding).
        """
        if user is None or MASTERS in user.groups or _same_but_garbage(new, old):
            return
        if "roleRef" in new:
            self._check_binding(kind, new, user)
        else:
            self._check_role(kind, new, old, user)

    def _check_role(self, kind: Kind, new: Json, old: Json | None, user: User) -> None:
        metadata = new["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata.get("name", "")
        if self._access.may(user, Asked("escalate", GROUP, kind.plural, "", namespace, name)):
            return
        self._confirm(kind, new, user, [PolicyRule.of(one) for one in new.get("rules") or ()])
        if new.get("aggregationRule") or (old or {}).get("aggregationRule"):  # it can gather any rules
            own, _ = self._resolver.rules_and_missed(user, namespace)
            if not_covered(own, EVERYTHING):
                raise not_for(GROUP, kind.plural, name, "must have cluster-admin privileges to use the aggregationRule")

    def _check_binding(self, kind: Kind, new: Json, user: User) -> None:
        role, namespace = new.get("roleRef") or {}, new["metadata"].get("namespace", "")
        if role.get("kind") not in ("Role", "ClusterRole"):
            return  # which is refused in any case
        resource = "clusterroles" if role["kind"] == "ClusterRole" else "roles"
        if self._access.may(user, Asked("bind", role.get("apiGroup", ""), resource, "", namespace, role["name"])):
            return
        try:
            rules = self._resolver.rules_of(role["kind"], role["name"], namespace)
        except NoRole as error:
            raise not_found(kind, error.name) from None
        self._confirm(kind, new, user, rules)

    def _confirm(self, kind: Kind, new: Json, user: User, wanted: Iterable[PolicyRule]) -> None:
        metadata = new["metadata"]
        own, missed = self._resolver.rules_and_missed(user, metadata.get("namespace", ""))
        missing = not_covered(own, wanted)
        if not missing:
            return
        lines = "\n".join(sorted({str(one) for one in missing}))
        said = (
            f'user "{user.name}" (groups={quoted(user.groups)}) is attempting to grant RBAC permissions not currently '
            f"held:\n{lines}"
        )
        if missed:
            # The registry calls a role by what is written at this moment.
            texts = [f'{kind.resource} "{one.name}" not found' for one in missed]
            said += f"; resolution errors: [{', '.join(texts)}]"
        raise not_for(GROUP, kind.plural, metadata.get("name", ""), said)


def _same_but_garbage(new: Json, old: Json | None) -> bool:
    if old is None:
        return False

    def rest(obj: Json) -> Json:
        kept = {key: value for key, value in obj["metadata"].items() if key not in OF_GARBAGE}
        return {**obj, "metadata": kept}

    return rest(new) == rest(old)


def complete(kind: Kind, obj: Json) -> None:
    """Fill in defaults: the group of the role and of users and groups, and an empty list of rules."""
    if kind.plural in ("roles", "clusterroles"):
        obj["rules"] = obj.get("rules") or None
        return
    role = obj.get("roleRef") or {}
    if not role.get("apiGroup"):
        obj["roleRef"] = {"apiGroup": GROUP, **{key: value for key, value in role.items() if key != "apiGroup"}}
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group") and not subject.get("apiGroup"):
            subject["apiGroup"] = GROUP


def problems(kind: Kind, new: Json) -> Iterator[Json]:
    """The causes for which an object cannot be stored, in the server's order: what its types declare comes last.

    That the role of a binding stays is told elsewhere, with the other fields that are set once.
    """
    name = new["metadata"].get("name", "")
    yield from (causes.wrong("metadata.name", name, text) for text in _of_name(name))
    if kind.plural in ("roles", "clusterroles"):
        for index, rule in enumerate(new.get("rules") or ()):
            yield from _of_rule(rule, f"rules[{index}]", namespaced=kind.namespaced)
        aggregation = new.get("aggregationRule")
        if aggregation is not None and not aggregation.get("clusterRoleSelectors"):
            yield causes.required(
                "aggregationRule.clusterRoleSelectors",
                "at least one clusterRoleSelector required if aggregationRule is non-nil",
            )
        for index, rule in enumerate(new.get("rules") or ()):
            if not rule.get("verbs"):
                yield causes.required(f"rules[{index}].verbs")
        return
    subjects = new.get("subjects") or ()
    yield from _of_role(kind, new["roleRef"])
    for index, subject in enumerate(subjects):
        yield from _of_subject(subject, f"subjects[{index}]", namespaced=kind.namespaced)
    for index, subject in enumerate(subjects):
        if not subject.get("name"):
            yield causes.required(f"subjects[{index}].name")
    if not new["roleRef"].get("name"):
        yield causes.required("roleRef.name")


def _of_name(name: str) -> Iterator[str]:
    if name in NO_NAMES:
        yield f"may not be '{name}'"
        return
    yield from (f"may not contain '{one}'" for one in NOT_IN_NAMES if one in name)


def _of_rule(rule: Json, path: str, *, namespaced: bool) -> Iterator[Json]:
    if urls := rule.get("nonResourceURLs"):
        if namespaced:
            yield causes.wrong(f"{path}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            yield causes.wrong(
                f"{path}.nonResourceURLs",
                urls,
                "rules cannot apply to both regular resources and non-resource URLs",
            )
        return
    if not rule.get("apiGroups"):
        yield causes.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield causes.required(f"{path}.resources", "resource rules must supply at least one resource")


def _of_role(kind: Kind, role: Json) -> Iterator[Json]:
    if role.get("apiGroup") != GROUP:
        yield causes.unsupported("roleRef.apiGroup", role.get("apiGroup", ""), [GROUP])
    known = ["Role", "ClusterRole"] if kind.namespaced else ["ClusterRole"]
    if role.get("kind", "") not in known:
        yield causes.unsupported("roleRef.kind", role.get("kind", ""), known)
    name = role.get("name", "")
    yield from (causes.wrong("roleRef.name", name, text) for text in _of_name(name))


def _of_subject(subject: Json, path: str, *, namespaced: bool) -> Iterator[Json]:
    kind, group = subject.get("kind", ""), subject.get("apiGroup", "")
    if kind == "ServiceAccount":
        if group:
            yield causes.unsupported(f"{path}.apiGroup", group, [""])
        if not namespaced and not subject.get("namespace"):
            yield causes.required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        if group != GROUP:
            yield causes.unsupported(f"{path}.apiGroup", group, [GROUP])
    else:
        yield causes.unsupported(f"{path}.kind", kind, ["ServiceAccount", "User", "Group"])
