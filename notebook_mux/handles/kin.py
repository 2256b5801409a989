"""What belongs to what: pods to their replica set, that to its deployment; by what objects say, else by their names.

A pod that has gone says nothing any more, and its events are the ones one looks for. Its name is its owner's, with a
hyphen and what the controller put behind it, so that is enough to know its owner by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec


class Thing(NamedTuple):
    """An object of a cluster, as events name it. The kind is as in ``Pod``; the namespace is "" for what is in none."""

    kind: str
    namespace: str
    name: str

    @property
    def words(self) -> str:
        """As in ``pod/web-0``."""
        return f"{self.kind.lower()}/{self.name}"


Way = tuple[Thing, ...]
"""What something belongs to, the nearest first."""

_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""What controllers make names of (apimachinery/pkg/util/rand)."""

_POD = re.compile(rf"(.+)-{_RANDOM}{{5}}")
_ORDINAL = re.compile(r"(.+)-\d+")
_HASH = re.compile(rf"(.+)-{_RANDOM}{{1,10}}")
_INDEXED = re.compile(rf"(.+)-\d+-{_RANDOM}{{5}}")
_RUN = re.compile(r"(.+)-\d{8,}")

BY_NAME: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "Pod": (
        ("ReplicaSet", _POD),
        ("StatefulSet", _ORDINAL),
        ("DaemonSet", _POD),
        ("Job", _POD),
        ("Job", _INDEXED),
        ("ReplicationController", _POD),
    ),
    "ReplicaSet": (("Deployment", _HASH),),
    "Job": (("CronJob", _RUN),),
}
"""Kind → what may own it, and how its name is made of the owner's (kubernetes/pkg/controller)."""

LONGEST = 8
"""Steps up from an object: three are usual; owners that own each other must not turn in a ring."""


BY_NAME_KEPT = 20_000
"""Objects that were found to belong by their names alone and are remembered: more are looked at anew."""


class Owner(msgspec.Struct, gc=False):
    """One of an object's owners, by its JSON."""

    kind: str = ""
    name: str = ""
    controller: bool | None = None


class _Metadata(msgspec.Struct):
    ownerReferences: list[Owner] | None = None  # noqa: N815 - the API's name


class _Owned(msgspec.Struct):
    metadata: _Metadata | None = None


_decode = msgspec.json.Decoder(_Owned).decode


def owner_in(data: bytes, namespace: str) -> Thing | None:
    """The controller that an object's JSON names as its owner, else the first owner; None where there is none."""
    try:
        metadata = _decode(data).metadata
    except (msgspec.MsgspecError, UnicodeError):
        return None
    found = chosen(metadata.ownerReferences if metadata is not None else None)
    return Thing(found.kind, namespace, found.name) if found is not None else None


def chosen(owners: Sequence[Owner] | None) -> Owner | None:
    """The controller among an object's owners, else the first of them; None where there is none."""
    return next((one for one in owners or () if one.controller), owners[0] if owners else None)


class Kin:
    """What belongs to some objects of one cluster; what has ended stays until it is forgotten. Not thread-safe.

    Args:
        roots: The objects; None: all there is belongs to it.
    """

    def __init__(self, roots: Iterable[Thing] | None = None) -> None:
        self.everything = roots is None
        self.roots = frozenset(roots or ())
        self.version = 0
        self._owners: dict[Thing, Thing | None] = {}
        self._members: set[Thing] = set(self.roots)

    def learn(self, thing: Thing, owner: Thing | None, *, chosen: bool = False) -> None:
        """Take in whom something says it belongs to.

        Args:
            thing: An object.
            owner: What it names as its owner.
            chosen: It belongs here whoever owns it: a selector chose it.
        """
        if chosen and thing not in self._members:
            self._members.add(thing)
            self.version += 1
        if self._owners.get(thing, thing) != owner:
            self._owners[thing] = owner
            self.version += 1

    def forget(self, thing: Thing) -> None:
        """It has gone, long ago: nothing is known of it any more but what its name says."""
        self._owners.pop(thing, None)
        if thing not in self.roots:
            self._members.discard(thing)

    def has(self, thing: Thing) -> bool:
        """Whether it is one of the objects, or belongs to one."""
        return self.everything or self._has(thing, LONGEST)

    def _has(self, thing: Thing, steps: int) -> bool:
        if thing in self._members:
            return True
        if steps and any(self._has(owner, steps - 1) for owner in self._above(thing)):
            self._members.add(thing)
            if len(self._members) > len(self._owners) + BY_NAME_KEPT:
                self._members = {one for one in self._members if one in self.roots or one in self._owners}
            return True
        return False

    def _above(self, thing: Thing) -> Iterator[Thing]:
        """The owner, where it is known; else those it could have by its name."""
        if thing in self._owners:
            owner = self._owners[thing]
            if owner is not None:
                yield owner
            return
        for kind, shape in BY_NAME.get(thing.kind, ()):
            match = shape.fullmatch(thing.name)
            if match is not None:
                yield Thing(kind, thing.namespace, match[1])

    def way(self, thing: Thing) -> Way:
        """What it belongs to, the nearest first, as far as that is known; by name only where that leads to a root."""
        found: list[Thing] = []
        while len(found) < LONGEST:
            owner = self._owner_of(thing)
            if owner is None or owner in found:
                break
            found.append(owner)
            thing = owner
        return tuple(found)

    def _owner_of(self, thing: Thing) -> Thing | None:
        if thing in self._owners or thing in self.roots:
            return self._owners.get(thing)
        if not self.roots:
            return None
        return next((owner for owner in self._above(thing) if self.has(owner)), None)
