"""Which rules a user has in a namespace, and by which binding. Kept parsed; each change of an object is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.access import Asked, Decision, User
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.history import Change
from notebook_mux.playground.rbac.rules import PolicyRule
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{GROUP}", f"clusterroles.{GROUP}"
BINDINGS, CLUSTER_BINDINGS = f"rolebindings.{GROUP}", f"clusterrolebindings.{GROUP}"
ACCOUNT = "system:serviceaccount:"


class NoRole(Exception):
    """A binding names a role that there is not; the message is the real server's."""

    def __init__(self, kind: str, name: str):
        self.resource = "clusterroles" if kind == "ClusterRole" else "roles"
        self.name = name
        # An informer's cache says the kind in the singular here.
        super().__init__(f'{self.resource.removesuffix("s")}.{GROUP} "{name}" not found')


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding as it is looked at: whom it names, and which role."""

    kind: str
    namespace: str
    name: str
    role_kind: str
    role: str
    subjects: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, stored: Stored) -> Binding:
        """A RoleBinding or ClusterRoleBinding."""
        obj = stored.decode()
        role = obj.get("roleRef") or {}
        subjects = tuple(
            (one.get("kind", ""), one.get("namespace", ""), one.get("name", "")) for one in obj.get("subjects") or ()
        )
        return cls(stored.kind.kind, *stored.key, role.get("kind", ""), role.get("name", ""), subjects)

    def subject(self, user: User) -> tuple[str, str, str] | None:
        """The first subject that is this user; None if none is."""
        for subject in self.subjects:
            kind, namespace, name = subject
            if kind == "User":
                found = name == user.name
            elif kind == "Group":
                found = name in user.groups
            else:
                found = kind == "ServiceAccount" and user.name == f"{ACCOUNT}{namespace or self.namespace}:{name}"
            if found:
                return subject
        return None

    def says(self, subject: tuple[str, str, str]) -> str:
        """``RoleBinding "b/ns" of Role "r" to User "jane"``, as reviews give it for a reason."""
        kind, namespace, name = subject
        own = f"{self.name}/{self.namespace}" if self.namespace else self.name
        whom = f"{name}/{namespace or self.namespace}" if kind == "ServiceAccount" else name
        return f'{self.kind} "{own}" of {self.role_kind} "{self.role}" to {kind} "{whom}"'


class Resolver:
    """A cluster's roles and bindings, as the authorizer sees them.

    Args:
        cluster: Whose.
    """

    def __init__(self, cluster: Cluster):
        self._store = cluster.store
        self._roles: dict[tuple[str, Key], tuple[PolicyRule, ...]] = {}
        self._bindings: dict[str, dict[str, Binding]] = {"": {}}
        for resource in (ROLES, CLUSTER_ROLES):
            self._store.listen(resource, self._role_changed)
        for resource in (BINDINGS, CLUSTER_BINDINGS):
            self._store.listen(resource, self._binding_changed)
            for stored in self._store.items(resource):
                self._bind(stored)

    def rules_of(self, kind: str, name: str, namespace: str) -> tuple[PolicyRule, ...]:
        """The rules of a role.

        Raises:
            NoRole: There is none of that name.
        """
        resource, key = (CLUSTER_ROLES, ("", name)) if kind == "ClusterRole" else (ROLES, (namespace, name))
        known = self._roles.get((resource, key))
        if known is not None:
            return known
        stored = self._store.get(resource, *key)
        if stored is None:
            raise NoRole(kind, name)
        rules = tuple(PolicyRule.of(one) for one in stored.decode().get("rules") or ())
        self._roles[resource, key] = rules
        return rules

    def visit(self, user: User, namespace: str) -> Iterator[tuple[PolicyRule, str] | NoRole]:
        """A user's rules, each with the binding that gives it, and the bindings' roles that are missing."""
        for where in ("", namespace) if namespace else ("",):
            for binding in list(self._bindings.get(where, {}).values()):
                subject = binding.subject(user)
                if subject is None:
                    continue
                try:
                    rules = self.rules_of(binding.role_kind, binding.role, where)
                except NoRole as error:
                    yield error
                    continue
                said = binding.says(subject)
                yield from ((rule, said) for rule in rules)

    def decide(self, user: User, asked: Asked) -> Decision:
        """Whether the user may, and why; why not only where a role is missing."""
        missing: dict[str, None] = {}
        for found in self.visit(user, asked.namespace):
            if isinstance(found, NoRole):
                missing[str(found)] = None
            elif found[0].allows(asked):
                return Decision(True, f"RBAC: allowed by {found[1]}")
        if not missing:
            return Decision(False)
        texts = list(missing)
        return Decision(False, f"rbac: RBAC: {texts[0] if len(texts) == 1 else '[' + ', '.join(texts) + ']'}")

    def rules_for(self, user: User, namespace: str) -> tuple[list[PolicyRule], list[str]]:
        """All of a user's rules in a namespace, and what was wrong in finding them."""
        rules, missed = self.rules_and_missed(user, namespace)
        return rules, [str(one) for one in missed]

    def rules_and_missed(self, user: User, namespace: str) -> tuple[list[PolicyRule], list[NoRole]]:
        """All of a user's rules in a namespace, and the roles that are bound and not there."""
        rules, missed = [], []
        for found in self.visit(user, namespace):
            if isinstance(found, NoRole):
                missed.append(found)
            else:
                rules.append(found[0])
        return rules, missed

    def _role_changed(self, change: Change) -> None:
        self._roles.pop((change.new.kind.resource, change.new.key), None)

    def _binding_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self._bindings.get(change.new.namespace, {}).pop(change.new.name, None)
        else:
            self._bind(change.new)

    def _bind(self, stored: Stored) -> None:
        self._bindings.setdefault(stored.namespace, {})[stored.name] = Binding.of(stored)
