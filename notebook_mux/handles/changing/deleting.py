"""Deletion, of the very object that was meant: its uid is a precondition."""

from __future__ import annotations

from typing import Any, ClassVar

from notebook_mux import errors
from notebook_mux.handles.changing.steps import Json, Right, Seen, Spot, Step, controller_of

CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
"""What becomes of what an object owns: deleted after it, deleted before it, or left."""


def checked_cascade(cascade: Any) -> str:
    """The API's word for it.

    Raises:
        InvalidArgument: It is none of `CASCADES`.
    """
    if not isinstance(cascade, str) or cascade not in CASCADES:
        raise errors.InvalidArgument(
            f"cascade={cascade!r} is no way to delete", todo=f"one of: {', '.join(map(repr, CASCADES))}"
        )
    return CASCADES[cascade]


def checked_grace(grace: Any) -> int | None:
    """Seconds, or None for the object's own.

    Raises:
        InvalidArgument: It cannot be that.
    """
    if grace is None:
        return None
    if not isinstance(grace, int) or isinstance(grace, bool) or grace < 0:
        raise errors.InvalidArgument(f"grace={grace!r} is no number of seconds", todo="give 0 or more; None is its own")
    return grace


class Delete(Step):
    """See the module.

    Args:
        spot: The object.
        policy: What becomes of what it owns; one of `CASCADES`' values.
        grace: Seconds; None is the object's own.
        uid: Which one it must be.
    """

    verb: ClassVar[str] = "delete"
    doing: ClassVar[str] = "deleting"

    def __init__(self, spot: Spot, policy: str, grace: int | None, uid: str = "") -> None:
        super().__init__(spot, uid)
        self.policy = policy
        self.grace = grace

    def rights(self) -> list[Right]:
        """It is read first, for what is deleted is shown."""
        return [self.spot.right("get"), self.spot.right("delete")]

    async def rehearse(self) -> Seen:
        """See `Step.rehearse`."""
        before = await self.read()
        if before is None:
            raise self.gone()
        reply = await self.send("DELETE", self._options(before, dry=True), dry=True)
        return Seen(before, None, "deleted", (*reply.warnings, *self._besides(before)))

    async def carry_out(self, seen: Seen, *, locked: bool) -> Seen:
        """See `Step.carry_out`; the uid is enough: another state of the same object is deleted all the same."""
        assert seen.before is not None
        reply = await self.send("DELETE", self._options(seen.before, dry=False), dry=False)
        left = reply.content.get("metadata") or {}
        if not left.get("deletionTimestamp"):
            return seen
        waits = ", ".join(map(str, left.get("finalizers") or ()))
        grace = left.get("deletionGracePeriodSeconds")
        if waits:
            why = f"it waits for {waits}"
        elif seen.before.get("kind") == "Namespace":
            why = "what is in it is deleted first"
        elif grace:
            why = f"it has {grace} s to end"
        else:
            return seen
        return seen._replace(result="deleting", said=(*seen.said, why))

    def _options(self, before: Json, *, dry: bool) -> Json:
        options: Json = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": self.policy,
            "preconditions": {"uid": before["metadata"].get("uid")},
        }
        if self.grace is not None:
            options["gracePeriodSeconds"] = self.grace
        if dry:
            options["dryRun"] = ["All"]
        return options

    def _besides(self, before: Json) -> list[str]:
        """What a person should know who does not know the object."""
        said = []
        if before.get("kind") == "Namespace":
            said.append("everything in this namespace is deleted too")
        if before.get("kind") == "CustomResourceDefinition":
            said.append("all objects of this kind are deleted too")
        owner = controller_of(before)
        if owner is not None:
            said.append(f"{owner.get('kind')} {owner.get('name')} keeps it, and may make another one")
        if before["metadata"].get("deletionTimestamp"):
            said.append("it is being deleted already")
        if self.grace == 0:
            said.append("without grace the cluster forgets it at once, though it may still run on its node")
        return said
