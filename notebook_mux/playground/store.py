"""The objects of a cluster: encoded once a change, immutable, with a version each.

A stored object is bytes and the few fields that selectors and printers of lists need at once; decoding gives each
caller its own copy, so nobody can change the store by accident. For one thread, the loop's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from notebook_mux.playground import conversions
from notebook_mux.playground.crds.shapes import fill
from notebook_mux.playground.history import Change, History
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.selectors import fields_of

Json = dict[str, Any]
Key = tuple[str, str]
"""Namespace (empty for kinds of the whole cluster) and name: sorts as etcd's keys do."""

ANY = ""
"""In the place of a resource: all of them."""

KEPT = 100
"""Changes of a kind that do not age: on an idle cluster very old versions still work, as on a real one."""

CONTENTS = 256
"""Objects that are kept decoded too, of a process: those that controllers look at again and again; some megabytes."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_contents: deque[Stored] = deque()


class Stored:
    """One state of one object.

    Attributes:
        body: Its JSON without the opening brace, kind and apiVersion (lists leave these out).
        labels: Its labels.
        fields: What field selectors may ask for.
        owner: The uid of its controller; empty without one.
        owners: The uids of all its owners.
        deleting: Whether it is being deleted.
        ready: Whether it is a pod that is ready.
        cells: Its printed row and the second it was printed in, kept for the next who asks within it.
    """

    __slots__ = ("_content", "body", "cells", "deleting", "fields", "key", "kind", "labels", "owner", "owners",
                 "ready", "revision", "uid")  # fmt: skip

    def __init__(self, kind: Kind, obj: Json, revision: int):
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(revision)
        self.kind = kind
        self.key: Key = (metadata.get("namespace", ""), metadata["name"])
        self.uid: str = metadata["uid"]
        self.revision = revision
        self.labels: Mapping[str, str] = metadata.get("labels") or {}
        self.fields: Mapping[str, str] = fields_of(kind, obj)
        owners = metadata.get("ownerReferences") or ()
        self.owner: str = next((one["uid"] for one in owners if one.get("controller")), "")
        self.owners: tuple[str, ...] = tuple([one["uid"] for one in owners]) if owners else ()
        self.deleting = "deletionTimestamp" in metadata
        self.ready = kind.resource == "pods" and _is_ready(obj)
        rest = {name: value for name, value in obj.items() if name not in ("kind", "apiVersion", "metadata")}
        self.body = _encode({"metadata": metadata, **rest})[1:]
        self.cells: tuple[int, bytes] | None = None
        self._content: Json | None = None

    @property
    def namespace(self) -> str:
        """Its namespace; empty for kinds of the whole cluster."""
        return self.key[0]

    @property
    def name(self) -> str:
        """Its name."""
        return self.key[1]

    @property
    def encoded(self) -> bytes:
        """Its whole JSON."""
        return head_of(self.kind) + self.body

    @property
    def item(self) -> bytes:
        """Its JSON as an item of a list: only custom objects say there what they are."""
        return self.encoded if self.kind.custom else b"{" + self.body

    def seen_as(self, kind: Kind) -> Stored:
        """The object as a version of its kind shows it at this moment; itself where nothing changed.

        Built-in kinds of several versions are converted. Of custom ones nothing is but the name; what the definition of
        the version it is stored in fills in by now is filled in.
        """
        if kind is self.kind or (not kind.custom and kind.version == self.kind.version):
            return self
        if not kind.custom:
            return Stored(kind, conversions.convert(self.decode(), kind), self.revision)
        obj = self.decode()
        obj["apiVersion"] = kind.api_version
        if kind.definition is not None and kind.version == self.kind.version:
            fill(obj, kind.definition.schema)
        return Stored(kind, obj, self.revision)

    def changed(self, obj: Json) -> set[str]:
        """Which parts of an object are not as they are here, by their names."""
        here = self.content
        return {
            name
            for name in here.keys() | obj.keys()
            if name not in here
            or name not in obj
            or (here[name] != obj[name] and here[name] != _decode(_encode(obj[name])))
        }

    def part(self, name: str) -> Any:
        """A copy of one part, ``spec`` or ``status``; None without it. What is big is the metadata, with its owners."""
        found = _parts(self.encoded).get(name)
        return None if found is None else _decode(found)

    @property
    def content(self) -> Json:
        """What it says, to look at: all share it, and nobody may change it (`decode` gives a copy)."""
        if self._content is None:
            self._content = self.decode()
            _contents.append(self)
            if len(_contents) > CONTENTS:
                _contents.popleft()._content = None
        return self._content

    def decode(self) -> Json:
        """A copy of its own for the caller."""
        obj: Json = _decode(self.encoded)
        return obj


def _is_ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def head_of(kind: Kind) -> bytes:
    """How each object of a kind begins."""
    return f'{{"kind":"{kind.kind}","apiVersion":"{kind.api_version}",'.encode()


class Journal(Protocol):
    """What writes changes down before they are made; each may refuse, and then nothing is changed."""

    def put(self, stored: Stored) -> None:
        """An object is created or changed."""

    def remove(self, last: Stored) -> None:
        """An object is deleted."""

    def moved(self, revision: int) -> None:
        """A version is used up."""

    def goes_on_with(self, old: Iterable[Stored], new: Callable[[], tuple[list[Stored], int]]) -> None:
        """Other objects are in the place of all there were."""


class Store:
    """All objects of one cluster.

    Args:
        revision: The version to begin with.

    Attributes:
        journal: Where changes are written down first; None is nowhere.
    """

    def __init__(self, revision: int = 1):
        self.revision = revision
        self.journal: Journal | None = None
        self._begin = revision
        self._objects: dict[str, dict[Key, Stored]] = {}
        self._order: dict[str, list[Key] | None] = {}
        self._histories: dict[str, History] = {}
        self._listeners: dict[str, list[Callable[[Change], None]]] = {}

    def get(self, resource: str, namespace: str, name: str) -> Stored | None:
        """One object; None if it is not there."""
        return self._objects.get(resource, {}).get((namespace, name))

    def count(self, resource: str) -> int:
        """How many objects of a kind there are."""
        return len(self._objects.get(resource, ()))

    def items(self, resource: str, namespace: str = "") -> list[Stored]:
        """All objects of a kind, or those of a namespace, in the order of their keys."""
        objects = self._objects.get(resource, {})
        order = self._order.get(resource)
        if order is None:
            order = self._order[resource] = sorted(objects)
        if namespace:
            return [objects[key] for key in order if key[0] == namespace]
        return [objects[key] for key in order]

    def items_at(self, resource: str, revision: int, namespace: str = "") -> list[Stored] | None:
        """The objects of a kind as they were at a version; None if that is no longer known."""
        history = self.history(resource)
        if revision < history.floor:
            return None
        changes = history.after(revision)
        if not changes:
            return self.items(resource, namespace)
        objects = dict(self._objects.get(resource, {}))
        for change in reversed(changes):
            if change.old is None:
                objects.pop(change.new.key, None)
            else:
                objects[change.old.key] = change.old
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def history(self, resource: str) -> History:
        """What is known of a kind's past."""
        history = self._histories.get(resource)
        if history is None:
            history = self._histories[resource] = History(self._begin)
        return history

    def compact(self, resources: Iterable[str] | None = None) -> None:
        """Forget the past of some kinds, or of all: older versions are from now on too old.

        A version is used up, so that even the one before is too old.
        """
        if self.journal is not None:
            self.journal.moved(self.revision + 1)
        self.revision += 1
        if resources is None:
            self._begin = self.revision
        for resource in list(self._histories) if resources is None else resources:
            self.history(resource).compact(self.revision)

    def age(self, revision: int) -> None:
        """Forget what is older than a version, but never the last changes of a kind."""
        for history in self._histories.values():
            history.compact(revision, KEPT)

    def put(self, kind: Kind, obj: Json) -> Stored:
        """Create or replace an object, which has to have its name and uid; its version is set."""
        new = Stored(kind, obj, self.revision + 1)
        if self.journal is not None:
            self.journal.put(new)
        self.revision += 1
        objects = self._objects.setdefault(kind.resource, {})
        old = objects.get(new.key)
        objects[new.key] = new
        if old is None:
            self._order[kind.resource] = None
        self._tell(kind, Change(self.revision, "ADDED" if old is None else "MODIFIED", new, old))
        return new

    def remove(self, kind: Kind, key: Key) -> Stored:
        """Delete an object.

        Returns:
            Its last state, with the deletion's version.

        Raises:
            KeyError: It is not there.
        """
        old = self._objects[kind.resource][key]
        last = Stored(kind, old.decode(), self.revision + 1)
        if self.journal is not None:
            self.journal.remove(last)
        del self._objects[kind.resource][key]
        self._order[kind.resource] = None
        self.revision += 1
        self._tell(kind, Change(self.revision, "DELETED", last, old))
        return last

    def everything(self) -> tuple[list[Stored], int]:
        """All objects, and the newest version."""
        return [stored for objects in self._objects.values() for stored in objects.values()], self.revision

    def restore(self, kind: Kind, obj: Json, revision: int) -> None:
        """Put an object back as it was, with its version: listeners are told, the past begins with `begin_at`."""
        new = Stored(kind, obj, revision)
        self._objects.setdefault(kind.resource, {})[new.key] = new
        self._order[kind.resource] = None
        for listener in tuple(self._listeners.get(kind.resource, ())):
            listener(Change(revision, "ADDED", new, None))

    def begin_at(self, revision: int) -> None:
        """Go on from a version: every older one is too old."""
        self.revision = self._begin = revision
        self._histories.clear()

    def listen(self, resource: str, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Be told of each change of a kind, at once; of all kinds, where `ANY` is named.

        Returns:
            What ends it.
        """
        listeners = self._listeners.setdefault(resource, [])
        listeners.append(listener)

        def stop() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return stop

    def _tell(self, kind: Kind, change: Change) -> None:
        self.history(kind.resource).add(change)
        for listener in (*self._listeners.get(kind.resource, ()), *self._listeners.get(ANY, ())):
            listener(change)
