"""What a stream is of, and how each of its clusters stands: plain data that any thread may read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from notebook_mux.kernel.subscription import State, Subscription
from notebook_mux.wire.frames import Record


class StreamSpec(NamedTuple):
    """What makes two streams the same. A plain tuple with the same items is as good.

    Attributes:
        connection: The connection's id.
        clusters: (alias, ref, default namespace) of each cluster, in the order shown.
        kind: As the user wrote it; resolved on each cluster.
        namespaces: Names; ``("*",)`` for all; empty for each cluster's default.
        selector: Label selector, or "".
        field_selector: Field selector, or "".
        user: The user id tied to each request.
    """

    connection: str
    clusters: tuple[tuple[str, str, str], ...]
    kind: str
    namespaces: tuple[str, ...] = ()
    selector: str = ""
    field_selector: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One cluster of a stream. `code` names the error in `notebook_mux.errors`; times are Unix seconds."""

    state: str
    reason: str
    said: str | None
    code: str | None
    todo: str | None
    since: float
    retry_at: float | None
    synced: bool
    resource: dict[str, Any] | None
    namespaces: tuple[str, ...] | None
    fresh: float | None = None
    """Of when the rows are, where they are not live."""
    clock: tuple[float, float, float] | None = None
    """The cluster's, as `notebook_mux.clocks` has it in plain numbers; None where it goes as ours."""


STANDING = ("state", "reason", "said", "code", "todo", "since", "retry_at", "synced", "fresh", "clock")
"""What the status shows of a `ClusterState`."""


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream at one moment, never changed afterwards."""

    version: int
    records: dict[str, dict[str, Record]]
    columns: list[dict[str, Any]]
    states: dict[str, ClusterState]
    closed: bool


@dataclass
class Member:
    """One cluster of a stream."""

    alias: str
    ref: str
    default_namespace: str
    resource: dict[str, Any] | None = None
    namespaces: tuple[str, ...] | None = None
    subscriptions: list[Subscription] = field(default_factory=list)
    problem: State | None = None
    note: str = ""
    advice: str | None = None
    """What to do about a namespace that is forbidden; None until it was found out."""
    settled: bool = False
    task: asyncio.Task[None] | None = None

    def state(self) -> ClusterState:
        """The worst of its subscriptions, or its own problem."""
        at = self.problem
        if at is None:
            states = [s.state for s in self.subscriptions]
            broken = [s for s in states if s.state != "live"]
            at = broken[0] if broken else states[0] if states else State("connecting", "asking what it serves")
        synced = bool(self.subscriptions) and all(s.store.synced for s in self.subscriptions)
        reason = at.reason or (self.note if at.state == "live" else "")
        return ClusterState(
            at.state,
            reason,
            at.said,
            at.code,
            at.todo or (self.advice if at.state == "forbidden" else None),
            at.since,
            at.retry_at,
            synced,
            self.resource,
            self.namespaces,
            at.fresh,
            at.clock,
        )
