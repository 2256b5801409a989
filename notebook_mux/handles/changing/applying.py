"""Server-side apply: an object is to be as its manifest says, in the fields that this names."""

from __future__ import annotations

from typing import ClassVar

from notebook_mux.handles.changing.manifests import Document
from notebook_mux.handles.changing.running import TRIES
from notebook_mux.handles.changing.steps import APPLY, Json, Right, Seen, Spot, Step, version_of
from notebook_mux.printing.outcome import UNCHANGED

STRICT = "Strict"
"""A field that is not known is an error, as with kubectl; a server would drop it without a word."""

CREATED = 201


class Apply(Step):
    """See the module.

    Args:
        spot: The object.
        document: As it is to be.
        force: Whether fields that others own are taken over.
    """

    verb: ClassVar[str] = "apply"
    doing: ClassVar[str] = "applying"

    there = True
    """Whether the object is there; known after `look`."""

    def __init__(self, spot: Spot, document: Document, *, force: bool = False) -> None:
        super().__init__(spot)
        self.document = document
        self.source = document.source
        self.force = force
        self.body: Json = dict(document.content)
        metadata = {key: value for key, value in document.content["metadata"].items() if key != "namespace"}
        self.body["metadata"] = {**metadata, **({"namespace": spot.namespace} if spot.namespace else {})}

    def rights(self) -> list[Right]:
        """An apply is a patch; of what is not there yet, a creation too."""
        return [self.spot.right(verb) for verb in ("get", "patch", *([] if self.there else ["create"]))]

    async def look(self) -> None:
        """See `Step.look`."""
        self.there = await self.read() is not None

    async def rehearse(self) -> Seen:
        """See `Step.rehearse`."""
        for _ in range(TRIES):
            before = await self.read()
            seen = await self._send(before, self.body, dry=True)
            # A rehearsal keeps the version: with another one it was changed in between, perhaps in its status alone.
            if before is None or seen.version == version_of(seen.after):
                break
        return seen

    async def carry_out(self, seen: Seen, *, locked: bool) -> Seen:
        """See `Step.carry_out`."""
        body = self.body
        if seen.before is not None:
            lock = {"uid": seen.uid, **({"resourceVersion": seen.version} if locked else {})}
            body = {**body, "metadata": {**body["metadata"], **lock}}
        return await self._send(seen.before, body, dry=False)

    def promised(self) -> Seen:
        """What it would be where the server cannot rehearse it yet: what it needs is not there."""
        return Seen(None, self.body, "created", ("not rehearsed: what it needs is in the same manifest",))

    async def _send(self, before: Json | None, body: Json, *, dry: bool) -> Seen:
        force = {"force": "true"} if self.force else {}
        reply = await self.send("PATCH", body, dry=dry, content_type=APPLY, fieldValidation=STRICT, **force)
        after = reply.content
        if before is None:
            return Seen(None, after, "created" if dry or reply.status == CREATED else "configured", reply.warnings)
        if _same(before, after):
            # to be exactly this object is what `idle` asks for: then there is nothing to send
            return Seen(before, before if dry and _owned(before) == _owned(after) else after, UNCHANGED, reply.warnings)
        return Seen(before, after, "configured", reply.warnings)


def _same(before: Json, after: Json) -> bool:
    """Whether no value differs; who owns them may."""
    return _values(before) == _values(after)


def _values(content: Json) -> Json:
    ours = ("managedFields", "resourceVersion", "generation")
    metadata = {key: value for key, value in content["metadata"].items() if key not in ours}
    return {**content, "metadata": metadata}


def _owned(content: Json) -> list[Json]:
    """Who owns which fields, whenever that was."""
    fields = content["metadata"].get("managedFields") or ()
    return [{key: value for key, value in one.items() if key != "time"} for one in fields]
