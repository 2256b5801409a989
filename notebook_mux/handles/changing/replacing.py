"""An edited object put in the place of the one that was edited; whoever has changed it meanwhile is not overwritten.

What others have changed since the edit began stays, and the edit is made to that, unless both have changed one field.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from notebook_mux import errors
from notebook_mux.handles.changing.applying import STRICT
from notebook_mux.handles.changing.manifests import documents, read
from notebook_mux.handles.changing.merging import NONE, Clash, merged
from notebook_mux.handles.changing.running import TRIES
from notebook_mux.handles.changing.steps import Json, Right, Seen, Spot, Step, version_of
from notebook_mux.printing.differences import NOISE, substance
from notebook_mux.printing.outcome import UNCHANGED

SHOWN_FIELDS, SHOWN_WIDTH = 4, 60
"""Of those that both have changed, in an error: how many, and the characters of a value."""

STATUS = "status"

MERGED = "made to the newer state: others have changed it since the edit began"

FIXED = ("namespace", "name", "uid")
"""Of the metadata: what makes it another object."""


class Replace(Step):
    """See the module.

    Args:
        spot: The object.
        text: The edited YAML.
        base: The YAML that the edit began with; "" where it is not known.
        uid: Which one it must be.
        over: Whether it is to be as edited where others have changed the same since the edit began.
    """

    verb: ClassVar[str] = "apply"
    doing: ClassVar[str] = "changing"

    def __init__(self, spot: Spot, text: str, base: str = "", uid: str = "", *, over: bool = False) -> None:
        super().__init__(spot, uid)
        self.over = over
        self.edited = _one(text)
        self.base = _one(base, masked=True) if base.strip() else None
        self._check_place()

    def rights(self) -> list[Right]:
        """It is an update of the whole object."""
        return [self.spot.right("get"), self.spot.right("update")]

    async def rehearse(self) -> Seen:
        """See `Step.rehearse`.

        Raises:
            Conflict: Others have changed what the edit changes.
        """
        for left in reversed(range(TRIES)):
            before = await self.read()
            if before is None:
                raise self.gone()
            body = self._onto(before)
            try:
                return await self._send(before, body, dry=True)
            except errors.Conflict:
                if not left:
                    raise  # else it was changed in this very moment, perhaps in its status alone
        raise AssertionError("unreachable")

    async def carry_out(self, seen: Seen, *, locked: bool) -> Seen:
        """See `Step.carry_out`: an update always says which state it replaces."""
        assert seen.before is not None
        return await self._send(seen.before, self._onto(seen.before), dry=False)

    def _onto(self, before: Json) -> Json:
        """The edit made to the object as it is now.

        Raises:
            Conflict: That cannot be.
        """
        version, now = map(version_of, (self.edited, before))
        if version == now or (self.base is None and not version):
            self.base = before  # of this very state it is an edit, whatever is different
        if self.base is None:
            raise self._overtaken("")
        base, mine, theirs = map(_editable, (self.base, self.edited, before))
        content, clashes = merged(base, mine, theirs)
        clashes = [clash for clash in clashes if clash.path.partition(".")[0] != STATUS]  # which goes on by itself
        if clashes and self.over:
            content = {**merged(base, theirs, mine)[0], **{key: content[key] for key in (STATUS,) if key in content}}
        elif clashes:
            said = [_words(clash, hidden=self.spot.kind == "Secret") for clash in clashes[:SHOWN_FIELDS]]
            more = f" and {len(clashes) - SHOWN_FIELDS} more" if len(clashes) > SHOWN_FIELDS else ""
            raise self._overtaken(f", in what the edit changes: {'; '.join(said)}{more}")
        own = {key: before["metadata"].get(key) for key in ("resourceVersion", "uid")}
        return {**content, "metadata": {**content["metadata"], **own}}

    def _overtaken(self, words: str) -> errors.Conflict:
        return errors.Conflict(
            f"{self.spot.words} was changed by somebody else since the edit began{words}",
            cluster=self.spot.server.name,
            todo="leave that to them, or have it as edited all the same",
        )

    async def _send(self, before: Json, body: Json, *, dry: bool) -> Seen:
        reply = await self.send("PUT", body, dry=dry, fieldValidation=STRICT)
        if substance(before) == substance(reply.content):
            return Seen(before, before if dry else reply.content, UNCHANGED, reply.warnings)
        said = [MERGED] if self.base is not None and substance(self.base) != substance(before) else []
        return Seen(before, reply.content, "configured", (*said, *reply.warnings))

    def _check_place(self) -> None:
        spot, edited = self.spot, self.edited
        group, version = spot.resource["group"], spot.resource["version"]
        wanted = {
            "apiVersion": f"{group}/{version}" if group else version,
            "kind": spot.kind,
            "namespace": spot.namespace,
            "name": spot.name,
            "uid": self.uid,
        }
        for name, value in wanted.items():
            given = edited["metadata"].get(name) if name in FIXED else edited.get(name)
            if value and given and given != value:
                raise errors.InvalidArgument(
                    f"an edit cannot change {name} from {value} to {given}: that is another object",
                    cluster=spot.server.name,
                    todo="apply it as an object of its own: nm.apply(text)",
                )


def _editable(content: Json) -> Json:
    """Without what a server writes into the metadata."""
    return {**content, "metadata": {key: value for key, value in content["metadata"].items() if key not in NOISE}}


def _words(clash: Clash, *, hidden: bool) -> str:
    if hidden:
        return clash.path
    mine, theirs = (
        "none" if value is NONE else _short(msgspec.json.encode(value).decode()) for value in (clash.mine, clash.theirs)
    )
    return f"{clash.path} (yours: {mine}, theirs: {theirs})"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_WIDTH else f"{text[: SHOWN_WIDTH - 1]}…"


def _one(text: str, *, masked: bool = False) -> dict[str, Any]:
    """The one object in a text, as it stands there.

    Raises:
        InvalidArgument: It is no such thing.
    """
    found = [content for content, _ in read(text)]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise errors.InvalidArgument("an edit is one object as YAML", todo="for several use nm.apply(text)")
    if not masked:
        documents(found[0])  # which refuses what is no object, and a Secret whose values are hidden
    content = dict(found[0])
    content["metadata"] = dict(content.get("metadata") or {})
    return content
