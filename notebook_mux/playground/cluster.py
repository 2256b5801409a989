"""One cluster: its objects, kinds, time and chance. What the API and the controllers both work on."""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from notebook_mux.playground.accounts.signing import Signer
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.history import Change
from notebook_mux.playground.kinds import Kind, Kinds
from notebook_mux.playground.schemas import Schemas
from notebook_mux.playground.store import Store, Stored
from notebook_mux.playground.strategies import generations

Json = dict[str, Any]

NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Of generated names (apimachinery/pkg/util/rand): no vowels, so no words."""

COMPACT_S = 300.0
"""etcd's history is compacted every 5 minutes, so a version can be asked for 5 to 10 minutes long."""

NAME_LENGTH = 5
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
VERSION = "v1.37.2"


class Cluster:
    """One cluster.

    Args:
        name: Of the context that reaches it.
        seed: Of all that is random in it.
        agenda: Its time; None is the wall clock's.
        after: A version that its own come after.

    Attributes:
        signer: The key of its service accounts' tokens.
        authority: The PEM of the authority of its server's certificate; empty where nothing serves it.
        client_authority: What signs its clients' certificates, of `certificates.make_authority`; empty signs none.
        address: Where its server listens; None where nothing serves it.
        shell: Which shell its containers have: one of `sandbox.modes.SHELLS`.
        being_built: Whether a scenario's past is being made: time is moved, and nothing real runs yet.
    """

    def __init__(self, name: str = "demo", seed: int = 0, agenda: Agenda | None = None, after: int = 0):
        self.name = name
        self.seed = seed
        self.random = random.Random(f"{seed}/{name}")
        # No uid comes a second time in one place: who knows objects by it would take new ones for those of before.
        self._other_uids = random.Random(f"uids/{after}").getrandbits(128) if after else 0
        self.agenda = agenda or Agenda()
        self.kinds = Kinds()
        self.signer = Signer()
        self.authority = b""
        self.client_authority = ""
        self.address: tuple[str, int] | None = None
        self.shell = "emulated"
        self.being_built = False
        self.schemas = Schemas()
        self.store = Store(max(self.random.randint(1000, 9000), after + 1))
        self.store.listen(CRDS, self._crd_changed)
        self.story: Any = None
        """What tells when the next thing happens by itself, `scenarios.stories.Told`; None where nothing does."""
        self.programs: Any = None
        """What runs in its containers where somebody looks: `shell.worlds.of`."""
        self.sandboxes: Any = None
        """Where real programs run in them: `sandbox.pool.of`."""
        self._aged = self.store.revision
        self.agenda.every(COMPACT_S, self._age)

    def uid(self) -> str:
        """A fresh uid, from the seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128) ^ self._other_uids, version=4))

    @contextlib.contextmanager
    def apart(self, what: str) -> Iterator[None]:
        """Draw apart for a while: a seed's world is the same with what is made then and without."""
        own, self.random = self.random, random.Random(f"{what}/{self.name}/{self.store.revision}")
        try:
            yield
        finally:
            self.random = own

    def suffix(self) -> str:
        """What ``generateName`` adds."""
        return "".join(self.random.choice(NAME_LETTERS) for _ in range(NAME_LENGTH))

    def kind(self, resource: str) -> Kind:
        """The kind of ``pods`` or ``deployments.apps``; KeyError if there is none."""
        return self.kinds.of(resource)

    def get(self, resource: str, namespace: str, name: str) -> Json | None:
        """A copy of an object."""
        stored = self.store.get(resource, namespace, name)
        return stored.decode() if stored is not None else None

    def create(self, obj: Json) -> Stored:
        """Add an object with all that the server adds: uid, times, a generated name.

        Raises:
            KeyError: Its kind is not served.
        """
        kind = self.kinds.of_object(obj["apiVersion"], obj["kind"])
        if kind is None:
            raise KeyError(f"{obj['apiVersion']} {obj['kind']}")
        self.complete(kind, obj)
        return self.store.put(kind, obj)

    def complete(self, kind: Kind, obj: Json) -> None:
        """Fill in what the server fills in at creation."""
        metadata = obj.setdefault("metadata", {})
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + self.suffix()
        if kind.namespaced:
            metadata.setdefault("namespace", "default")
        metadata["uid"] = self.uid()
        metadata["creationTimestamp"] = metadata.get("creationTimestamp") or self.agenda.stamp()
        if generations.counted(kind):
            metadata.setdefault("generation", 1)

    def update(self, resource: str, namespace: str, name: str, change: Callable[[Json], object]) -> Stored | None:
        """Change a copy of an object and put it back, unless nothing changed; None if it is not there."""
        stored = self.store.get(resource, namespace, name)
        if stored is None:
            return None
        obj = stored.decode()
        change(obj)
        return self.put(stored, obj)

    def put(self, stored: Stored, obj: Json) -> Stored:
        """Put back a changed copy of an object, unless nothing changed."""
        changed = stored.changed(obj)
        if not changed:
            return stored
        if "spec" in changed and "generation" in obj["metadata"] and not _is_binding(stored, obj):
            obj["metadata"]["generation"] += 1
        return self.store.put(stored.kind, obj)

    def remove(self, resource: str, namespace: str, name: str) -> None:
        """Take an object away at once, if it is there."""
        stored = self.store.get(resource, namespace, name)
        if stored is not None:
            self.store.remove(stored.kind, stored.key)

    def _age(self) -> None:
        self.store.age(self._aged)
        self._aged = self.store.revision

    def _crd_changed(self, change: Change) -> None:
        if change.old is not None:
            self.schemas.forget(change.old.decode())
        crd = change.new.decode()
        if change.type == "DELETED":
            self.kinds.forget(crd)
            return
        self.kinds.define(crd)
        if self.kinds.conflict(crd) is None:
            self.schemas.define(crd)


def _is_binding(stored: Stored, obj: Json) -> bool:
    """Whether a pod gets its node, which the server does not count as a new generation (registry/core/pod/storage)."""
    return obj["kind"] == "Pod" and not stored.decode()["spec"].get("nodeName") and "nodeName" in obj["spec"]
