"""The number of replicas, set by the ``scale`` sub-resource: for every kind that has one, custom ones too."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from notebook_mux import errors
from notebook_mux.handles.changing.steps import MERGE, Json, Right, Seen, Spot, Step
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.refusals import OK
from notebook_mux.printing.outcome import UNCHANGED
from notebook_mux.wire import UNREADABLE

MOST = 2**31 - 1
"""Of an int32, as the API has it."""


def checked_replicas(replicas: Any) -> int:
    """A number of replicas.

    Raises:
        InvalidArgument: It cannot be one.
    """
    if not isinstance(replicas, int) or isinstance(replicas, bool) or not 0 <= replicas <= MOST:
        raise errors.InvalidArgument(f"{replicas!r} is no number of replicas", todo="give a whole number, 0 or more")
    return replicas


class Scale(Step):
    """See the module."""

    verb: ClassVar[str] = "scale"
    doing: ClassVar[str] = "scaling"
    subject: ClassVar[str] = "scale"

    def __init__(self, spot: Spot, replicas: int, uid: str = "") -> None:
        super().__init__(spot, uid)
        self.replicas = replicas

    def rights(self) -> list[Right]:
        """The scale is a sub-resource, with rights of its own."""
        return [self.spot.right("get", "scale"), self.spot.right("patch", "scale")]

    async def rehearse(self) -> Seen:
        """See `Step.rehearse`."""
        before = await self.read("scale")
        if before is None:
            if await self.read() is None:
                raise self.gone()
            raise errors.InvalidArgument(
                f"{self.spot.words} has no scale",
                cluster=self.spot.server.name,
                todo="deployments, stateful sets, replica sets and some custom kinds have one",
            )
        if replicas_of(before) == self.replicas:
            return Seen(before, before, UNCHANGED)
        seen = await self._send(before, {}, dry=True)
        return seen._replace(said=(*seen.said, *await self._autoscalers()))

    async def carry_out(self, seen: Seen, *, locked: bool) -> Seen:
        """See `Step.carry_out`."""
        assert seen.before is not None
        lock = {"metadata": {"resourceVersion": seen.version}} if locked else {}
        done = await self._send(seen.before, lock, dry=False)
        return done._replace(said=seen.said)

    async def _send(self, before: Json, lock: Json, *, dry: bool) -> Seen:
        body = {**lock, "spec": {"replicas": self.replicas}}
        reply = await self.send("PATCH", body, dry=dry, subresource="scale", content_type=MERGE)
        was, after = replicas_of(before), replicas_of(reply.content)
        said = [*reply.warnings, *(["it has no pods then"] if was and not after else [])]
        return Seen(_plain(before), _plain(reply.content), f"scaled {was} → {after}", tuple(said))

    async def _autoscalers(self) -> list[str]:
        """Those that will set the number again; none where they may not be listed."""
        spot = self.spot
        path = f"/apis/autoscaling/v2/namespaces/{spot.namespace}/horizontalpodautoscalers"
        try:
            status, body = await spot.server.request(path, "", JSON)
            items = msgspec.json.decode(body, type=dict[str, Any]).get("items") if status in OK else None
        except (errors.MuxError, *UNREADABLE):
            return []
        found = []
        for one in items or ():
            spec = one.get("spec") or {}
            target = spec.get("scaleTargetRef") or {}
            if (target.get("kind"), target.get("name")) == (spot.kind, spot.name):
                least, most = spec.get("minReplicas", 1), spec.get("maxReplicas")
                found.append(
                    f"the autoscaler {one['metadata'].get('name')} decides how many there are"
                    f" ({least} to {most}) and may set it again"
                )
        return found


def _plain(scale: Json) -> Json:
    """With its number, which is not written where it is 0."""
    return {**scale, "spec": {**(scale.get("spec") or {}), "replicas": replicas_of(scale)}}


def replicas_of(scale: Json) -> int:
    """How many are wanted; none is not written."""
    return int((scale.get("spec") or {}).get("replicas") or 0)
