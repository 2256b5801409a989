"""One request as admission sees it, and how admission refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.status import ApiError, details_of, quoted

Json = dict[str, Any]

CREATE, UPDATE = "CREATE", "UPDATE"


@dataclass(slots=True)
class Request:
    """A change that is about to be made.

    Args:
        cluster: Where.
        kind: Of what.
        operation: `CREATE` or `UPDATE`.
        namespace: Empty for kinds of the whole cluster.
        obj: The object as it is to be; mutating steps change it.
        old: As it is; None for a new one.
        subresource: What of it; empty is the object itself.
        dry_run: Whether nothing is kept, so that nothing may be counted either.

    Attributes:
        warnings: What the client is told, with an answer that is no failure.
    """

    cluster: Cluster
    kind: Kind
    operation: str
    namespace: str
    obj: Json
    old: Json | None = None
    subresource: str = ""
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The object's name; before it is generated, what it begins with."""
        metadata = self.obj.get("metadata") or {}
        return str(metadata.get("name") or metadata.get("generateName") or "Unknown")

    def is_new(self, resource: str) -> bool:
        """Whether it is a new object of a resource."""
        return self.operation == CREATE and self.kind.resource == resource and not self.subresource

    def changes(self, resource: str) -> bool:
        """Whether it changes an object of a resource, and not only a part of it."""
        return self.operation == UPDATE and self.kind.resource == resource and not self.subresource

    def refusal(self, why: str) -> ApiError:
        """403 with admission's reason."""
        said = f"{quoted(self.kind, self.name)} is forbidden: {why}"
        return ApiError(403, "Forbidden", said, details_of(self.kind, self.name))


Step = Callable[[Request], None]
"""Something done to each request: it changes the object, refuses it with an `ApiError`, or warns."""
