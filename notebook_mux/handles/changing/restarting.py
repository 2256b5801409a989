"""A rolling restart, as ``kubectl rollout restart``: a moment in the pod template, whose controller makes new pods."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from notebook_mux import errors
from notebook_mux.handles.changing.steps import MERGE, Json, Right, Seen, Spot, Step, controller_of
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.refusals import OK
from notebook_mux.printing.outcome import UNCHANGED

ANNOTATION = "kubectl.kubernetes.io/restartedAt"

RESTARTED = {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")}
"""Kinds whose controllers replace their pods one after another."""


MOST_OWNERS = 8
"""Above one another; a server lets objects own each other in a circle, too."""


class Restart(Step):
    """See the module."""

    verb: ClassVar[str] = "restart"
    doing: ClassVar[str] = "restarting"

    def __init__(self, spot: Spot, uid: str = "") -> None:
        super().__init__(spot, uid)
        self.at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def rights(self) -> list[Right]:
        """It is a patch of the object itself."""
        return [self.spot.right("get"), self.spot.right("patch")]

    async def rehearse(self) -> Seen:
        """See `Step.rehearse`."""
        before = await self.read()
        if before is None:
            raise self.gone()
        if (self.spot.resource["group"], self.spot.kind) not in RESTARTED:
            raise await self._not_restarted(before)
        if before["spec"].get("paused"):
            raise errors.InvalidArgument(
                f"{self.spot.words} is paused, so it would not restart",
                cluster=self.spot.server.name,
                todo="resume it first: kubectl rollout resume",
            )
        if _restarted(before) == self.at:
            return Seen(before, before, UNCHANGED, ("it was restarted within this second",))
        return await self._send(before, {}, dry=True)

    async def carry_out(self, seen: Seen, *, locked: bool) -> Seen:
        """See `Step.carry_out`."""
        assert seen.before is not None
        lock = {"uid": seen.uid, **({"resourceVersion": seen.version} if locked else {})}
        return await self._send(seen.before, {"metadata": lock}, dry=False)

    async def _send(self, before: Json, lock: Json, *, dry: bool) -> Seen:
        body = {**lock, "spec": {"template": {"metadata": {"annotations": {ANNOTATION: self.at}}}}}
        reply = await self.send("PATCH", body, dry=dry, content_type=MERGE)
        said = [*reply.warnings]
        if before["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
            said.append("its update strategy is OnDelete: the pods are replaced as you delete them")
        if before["spec"].get("replicas", 1) == 0:
            said.append("it is scaled to zero: there is no pod to replace")
        return Seen(before, reply.content, "restarted", tuple(said))

    async def _not_restarted(self, content: Json) -> errors.InvalidArgument:
        """The error for what is not restarted itself: its owner, where it has one that is."""
        owner = await self._owner(content)
        words, cluster = self.spot.words, self.spot.server.name
        if owner is not None:
            kind, name = str(owner["kind"]).lower(), owner["name"]
            return errors.InvalidArgument(
                f"{words} is not restarted by itself: it is kept by {kind} {name}",
                cluster=cluster,
                todo=f"nm.restart('{kind}/{name}', namespace='{self.spot.namespace}')",
            )
        if self.spot.kind == "Pod":
            return errors.InvalidArgument(
                f"{words} has no controller that would make it anew",
                cluster=cluster,
                todo="keep its YAML, delete it, and apply it again",
            )
        return errors.InvalidArgument(
            f"{words} cannot be restarted", cluster=cluster, todo="deployments, stateful sets and daemon sets can"
        )

    async def _owner(self, content: Json) -> dict[str, Any] | None:
        """The controller on top; None where there is none, or it may not be read."""
        owner = controller_of(content)
        seen = owner
        for _ in range(MOST_OWNERS):
            if owner is None:
                break
            seen = owner
            try:
                resource = await self.spot.server.resource(f"{owner['apiVersion']}/{owner['kind']}")
                above = replace(self.spot, resource=resource, name=str(owner["name"]))
                status, body = await above.server.request(above.path(), "", JSON)
            except errors.MuxError:
                break
            if status not in OK:
                break
            owner = controller_of(msgspec.json.decode(body, type=dict[str, Any]))
        return seen


def _restarted(content: Json) -> str:
    template = content["spec"].get("template") or {}
    return str(((template.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION) or "")
