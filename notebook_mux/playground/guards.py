"""What is filled in and refused by kind, beyond admission: roles, bindings, definitions and their objects, tokens."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import causes
from notebook_mux.playground.access import Access, User, not_for
from notebook_mux.playground.accounts.tokens import ACCOUNT_NAME, TOKEN_SECRET
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.crds import conditions, objects, shapes
from notebook_mux.playground.crds.versions import CRDS
from notebook_mux.playground.csr import objects as requests
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.rbac import objects as roles
from notebook_mux.playground.rbac.resolver import GROUP, Resolver

Json = dict[str, Any]


class Guard:
    """Looks at each object before it is stored.

    Args:
        cluster: Whose objects.
        access: Who may what; None lets everybody write every role.
    """

    def __init__(self, cluster: Cluster, access: Access | None = None):
        self._cluster = cluster
        self._access = access
        resolver = access.authorizer if access is not None else None
        self._escalation = (
            roles.Escalation(access, resolver) if access is not None and isinstance(resolver, Resolver) else None
        )

    def fill(self, kind: Kind, obj: Json) -> None:
        """Fill in the defaults of an object that was read."""
        if kind.definition is not None:
            shapes.fill(obj, kind.definition.schema)
        elif kind.group == GROUP:
            roles.complete(kind, obj)
        elif kind.resource == CRDS:
            from notebook_mux.playground.crds import definitions  # and all that checks one

            definitions.complete(obj)

    def check(
        self, kind: Kind, new: Json, old: Json | None, user: User | None, subresource: str = "",
        warnings: list[str] | None = None,
    ) -> list[Json]:  # fmt: skip
        """Refuse what a writer may not, and say what cannot be.

        Args:
            kind: Of the object.
            new: As it is to be stored.
            old: As it was; None for a new one.
            user: Who writes; None is the cluster itself, which may anything.
            subresource: Which is written.
            warnings: Where to add what the writer is told.

        Returns:
            The causes of a 422; none if all is well.

        Raises:
            ApiError: 403 (also where the definition of the kind is being deleted), 404 (the role of a binding).
        """
        told = warnings if warnings is not None else []
        if kind.definition is not None:
            if old is None:
                self._check_definition(kind, new["metadata"].get("name", ""))
            told += objects.warnings(new, old)
            return objects.problems(kind, new, old, subresource)
        if kind.group == GROUP:
            if self._escalation is not None:
                self._escalation.check(kind, new, old, user)
            return list(roles.problems(kind, new))
        if kind.resource == CRDS and not subresource:
            from notebook_mux.playground.crds import definitions

            if old is None:
                definitions.begin(new)
            else:
                definitions.follow(new, old)
            told += definitions.warnings(new, old)
            return definitions.problems(new, old)
        if kind.resource == requests.CSRS:
            wrong = list(requests.problems(new, old, subresource))
            if not wrong and self._access is not None and user is not None:
                requests.confirm(self._access, kind, new, old, user, subresource)
            return wrong
        if kind.resource == "secrets" and new.get("type") == TOKEN_SECRET:
            annotations = new["metadata"].get("annotations") or {}
            path = f"metadata.annotations[{ACCOUNT_NAME}]"
            return [] if annotations.get(ACCOUNT_NAME) else [causes.required(path)]
        return []

    def _check_definition(self, kind: Kind, name: str) -> None:
        crd = self._cluster.get(CRDS, "", kind.resource)
        if crd is not None and conditions.is_true(crd, "Terminating"):
            said = "create not allowed while custom resource definition is terminating"
            raise not_for(kind.group, kind.plural, name, said)
