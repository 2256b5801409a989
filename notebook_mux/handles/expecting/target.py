"""What an `expect` looks at: one object, a list, or nobody's object but somebody who may do things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notebook_mux import errors
from notebook_mux.handles.events import about
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector, field_selector, label_selector

HOW = "write 'deploy/web', 'pods' with selector= or count=, 'svc/web', 'sa/reader', or give an object or a row"

SERVICES = ("service", "services", "svc")
ACCOUNTS = ("serviceaccount", "serviceaccounts", "sa")
PEOPLE = ("user", "users", "group", "groups")
"""Who has rights and is no object of a cluster."""


@dataclass(frozen=True)
class Target:
    """What is looked at.

    Args:
        words: As it was asked for.
        kind: Such as ``deploy``.
        name: Of one object; "" is all of the kind.
        namespace: As for `watch`.
        cluster: As for `watch`.
        selector: Labels; of a list.
    """

    words: str
    kind: str
    name: str = ""
    namespace: Names = None
    cluster: Names = None
    selector: str = ""

    @classmethod
    def read(cls, target: Any, selector: Selector, namespace: Names, cluster: Names) -> Target:
        """A target as a person gives it; a bare word is a kind.

        Raises:
            InvalidArgument: It is none.
        """
        labels = label_selector(selector)
        where = f" in {namespace}" if isinstance(namespace, str) and namespace != "*" else ""
        if isinstance(target, str) and "=" not in target and "/" not in target.strip("/"):
            kind = target.strip()
            if not kind.strip("/"):
                raise errors.InvalidArgument(f"{target!r} names nothing", todo=HOW)
            return cls(f"{kind}{f' with {labels}' if labels else ''}{where}", kind, "", namespace, cluster, labels)
        try:
            named = about(target, namespace, cluster)
        except errors.InvalidArgument as error:
            raise errors.InvalidArgument(error.what.replace("could have events", "can be checked"), todo=HOW) from None
        if not named.kind:
            both = ",".join(filter(None, (named.name, labels)))
            return cls(f"pods with {both}{where}", "pods", "", named.namespace, named.cluster, both)
        if labels:
            raise errors.InvalidArgument("a name and a selector exclude each other", todo="leave one of them out")
        kind = named.kind if isinstance(target, str) else named.kind.partition(".")[0].lower()
        return cls(f"{kind}/{named.name}{where}", named.kind, named.name, named.namespace, named.cluster)

    @property
    def several(self) -> bool:
        """Whether it is a list."""
        return not self.name

    @property
    def is_service(self) -> bool:
        """Whether it is one service."""
        return bool(self.name) and self.kind.lower() in SERVICES

    @property
    def is_account(self) -> bool:
        """Whether it is one service account."""
        return bool(self.name) and self.kind.lower() in ACCOUNTS

    @property
    def is_person(self) -> bool:
        """Whether it is a user or a group."""
        return bool(self.name) and self.kind.lower() in PEOPLE

    @property
    def fields(self) -> str:
        """The field selector that finds it."""
        return field_selector({"metadata.name": self.name}) if self.name else ""
