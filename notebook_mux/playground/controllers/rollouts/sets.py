"""The replica sets of a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.controllers.parts import template_hash
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

PREFIX = "deployment.kubernetes.io/"
REVISION, DESIRED, MAX = f"{PREFIX}revision", f"{PREFIX}desired-replicas", f"{PREFIX}max-replicas"
HASH = "pod-template-hash"
NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        f"{PREFIX}revision-history",
        DESIRED,
        MAX,
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations of a deployment that its replica sets do not get."""


@dataclass
class Set:
    """One replica set.

    Attributes:
        obj: Its content, which is shared: what the controller has changed meanwhile is in the other two.
        replicas: How many pods it is to have.
        revision: The number of its template.
    """

    stored: Stored
    obj: Json = field(repr=False)
    replicas: int
    revision: int

    @classmethod
    def read(cls, stored: Stored) -> Set:
        """Look at one."""
        obj = stored.content
        return cls(stored, obj, int(obj["spec"].get("replicas", 1)), revision_of(obj))

    @property
    def name(self) -> str:
        """Its name."""
        return self.stored.name

    def count(self, name: str) -> int:
        """A number of its status."""
        return int((self.obj.get("status") or {}).get(name, 0))

    def annotation(self, name: str) -> str | None:
        """One of its annotations."""
        found: str | None = (self.obj["metadata"].get("annotations") or {}).get(name)
        return found

    @property
    def desired(self) -> int | None:
        """How many replicas the deployment wanted when this set got its size."""
        found = self.annotation(DESIRED)
        return int(found) if found is not None and found.isdigit() else None

    @property
    def made(self) -> str:
        """When it was made."""
        return str(self.obj["metadata"]["creationTimestamp"])


def revision_of(obj: Json) -> int:
    """The revision that an object is annotated with; 0 without one."""
    found = (obj["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(found) if str(found).isdigit() else 0


def digest_of(template: Json, collisions: Any) -> str:
    """The hash in a set's name: of the template, and of how often that name was taken."""
    return template_hash({"template": template, "collisions": collisions} if collisions else template)


def is_of_template(one: Set, template: Json) -> bool:
    """Whether a set has a template, but for the label that sets add."""
    own = one.obj["spec"]["template"]
    labels = {key: value for key, value in ((own.get("metadata") or {}).get("labels") or {}).items() if key != HASH}
    wanted = (template.get("metadata") or {}).get("labels") or {}
    if labels != wanted or own.get("spec") != template.get("spec"):
        return False
    mine, theirs = ((of.get("metadata") or {}).get("annotations") or {} for of in (own, template))
    return bool(mine == theirs)
