"""What an object's bytes say of its labels and of whom it belongs to, without the rest being decoded."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from notebook_mux.handles.kin import Owner, chosen


class Lineage(NamedTuple):
    """The labels of an object and its controller.

    Attributes:
        labels: None where it has none.
        owner: The controller, else the first owner, as in ``ReplicaSet/web-5d``; None where there is none.
    """

    labels: dict[str, str] | None = None
    owner: str | None = None


class Metadata(msgspec.Struct):
    """Of an object's metadata what a row needs."""

    labels: dict[str, str] | None = None
    ownerReferences: list[Owner] | None = None  # noqa: N815 - the API's name


class Seen(msgspec.Struct):
    """What a row needs of any object. Kinds whose rows need more add it, for an object is long: it is read once."""

    metadata: Metadata | None = None


_decode = msgspec.json.Decoder(Seen).decode

NONE = Lineage()


def lineage(data: bytes) -> Lineage:
    """What an object's JSON says of it; nothing where it cannot be read."""
    try:
        return lineage_of(_decode(data)) if data else NONE
    except (msgspec.MsgspecError, UnicodeError):
        return NONE


def lineage_of(seen: Seen | None) -> Lineage:
    """The same of an object that was read; nothing of one that could not be."""
    if seen is None or seen.metadata is None:
        return NONE
    owner = chosen(seen.metadata.ownerReferences)
    return Lineage(seen.metadata.labels or None, f"{owner.kind}/{owner.name}" if owner is not None else None)
