"""What a user holds: one kind in some namespaces of some clusters, read from as many subscriptions as that takes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from notebook_mux.kernel import kinds
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.feed import Feed, FeedChange
from notebook_mux.kernel.store import Difference
from notebook_mux.kernel.subscription import FAILED, State, Subscription
from notebook_mux.wire.frames import Record

if TYPE_CHECKING:
    from notebook_mux.kernel.endpoint import Endpoint

LINGER_SECONDS = 10.0
"""Between a stream's last holder and its end: a re-run cell, or the next one, finds it still there."""

DISCOVERY_RETRY_SECONDS = 10.0
"""Between looks at a cluster that did not serve the kind, or did not answer."""


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
            at.todo,
            at.since,
            at.retry_at,
            synced,
            self.resource,
            self.namespaces,
        )


class Stream:
    """Joins the subscriptions of its clusters. Lives on the loop's thread; `read`, `feed` and `hold` from any."""

    def __init__(self, id_: str, spec: StreamSpec, endpoint: Endpoint, ended: Callable[[Stream], None]) -> None:
        self.id = id_
        self.spec = spec
        self.closed = False
        self.members = [Member(*cluster) for cluster in spec.clusters]
        self.version = 0
        self._endpoint = endpoint
        self._lock = endpoint.lock
        self._ended = ended
        self._feeds: list[Feed] = []
        self._holders: set[str] = set()
        self._linger: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()
        self._view: StreamView | None = None
        self._by_subscription: dict[Subscription, list[Member]] = {}

    def start(self) -> None:
        """Find out what to subscribe to on each cluster; on the loop."""
        loop = asyncio.get_running_loop()
        for member in self.members:
            member.task = loop.create_task(self._run(member))
        self._schedule_end()

    # --- each cluster ---------------------------------------------------------------------------------------------

    async def _run(self, member: Member) -> None:
        while True:
            try:
                member.resource = await self._resource(member)
                break
            except Failure as failure:
                state = {"login": "login", "forbidden": "forbidden", "invalid": "closed"}.get(
                    failure.code, "unreachable"
                )
                retry_at = None if state == "closed" else time.time() + DISCOVERY_RETRY_SECONDS
                fields = failure.fields
                self._problem(
                    member,
                    State(
                        state,
                        fields["what"],
                        fields.get("said"),
                        failure.code,
                        fields.get("todo"),
                        time.time(),
                        retry_at,
                    ),
                )
                if retry_at is None:
                    return
                await self._endpoint.pause(DISCOVERY_RETRY_SECONDS)
        if member.resource["namespaced"]:
            member.namespaces = self.spec.namespaces or (member.default_namespace,)
        else:
            member.namespaces = None
        with self._lock:
            member.problem = None
        self._subscribe(member, [None] if member.namespaces in (None, ("*",)) else list(member.namespaces or ()))

    async def _resource(self, member: Member) -> kinds.Resource:
        """The kind on this cluster; one that is not known yet may have come since the last look."""
        try:
            return kinds.find(await self._endpoint.discover(member.ref), self.spec.kind)
        except Failure as failure:
            if failure.code != "unknown-kind":
                raise
        return kinds.find(await self._endpoint.discover(member.ref, refresh=True), self.spec.kind)

    def _subscribe(self, member: Member, namespaces: list[str | None]) -> None:
        assert member.resource is not None
        query = self._endpoint.query(self.spec.selector, self.spec.field_selector)
        for namespace in namespaces:
            path = kinds.path(member.resource, namespace)
            subscription = self._endpoint.subscription((member.ref, path, query, self.spec.user))
            with self._lock:
                member.subscriptions.append(subscription)
                self._by_subscription.setdefault(subscription, []).append(member)
                if self not in subscription.readers:
                    subscription.readers.append(self)
                held = subscription.store.objects
                if held:  # another stream has it already
                    self._push(member.alias, [("ADDED", record, None) for record in held.values()])
            if subscription.state.state in FAILED and not subscription.store.synced:
                self._endpoint.connection.again(subscription)  # who asks anew wants it tried anew
                subscription.lost("asking again", None)
            self.woken(subscription)

    def _problem(self, member: Member, state: State) -> None:
        with self._lock:
            if member.problem is not None and member.problem.state == state.state:
                state = State(
                    state.state,
                    state.reason,
                    state.said,
                    state.code,
                    state.todo,
                    member.problem.since,
                    state.retry_at,
                )
            member.problem = state
        member.settled = True
        self._moved()

    async def _fall_back(self, member: Member) -> None:
        """The whole cluster is forbidden: one watch a namespace that the user may list, else the context's."""
        state = member.subscriptions[0].state
        allowed = await self._endpoint.allowed_namespaces(member.ref, member.resource or {}, self.spec.user)
        names = allowed or (member.default_namespace,)
        words = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        self._release(member)
        with self._lock:
            member.namespaces = names
            member.note = f"{state.said or state.reason or 'all namespaces are forbidden'}; showing {words}"
        self._subscribe(member, list(names))

    # --- what the subscriptions tell ------------------------------------------------------------------------------

    def changed(self, subscription: Subscription, differences: list[Difference]) -> None:
        """Hand changes on to the feeds; under the lock."""
        if self._feeds:
            for member in self._by_subscription.get(subscription, ()):
                self._push(member.alias, differences)

    def _push(self, alias: str, differences: list[Difference]) -> None:
        if self._feeds:
            changes: list[FeedChange] = [(kind, alias, new, old) for kind, new, old in differences]
            for feed in self._feeds:
                feed.push(changes)

    def woken(self, subscription: Subscription) -> None:
        """Look at the states, then wake the readers."""
        state = subscription.state
        for member in self._by_subscription.get(subscription, ()):
            if state.state == "forbidden" and member.namespaces == ("*",) and member.resource is not None:
                if member.task is None or member.task.done():
                    member.task = asyncio.get_running_loop().create_task(self._fall_back(member))
                return
            done = [s.store.synced or s.state.state in FAILED for s in member.subscriptions]
            member.settled = member.settled or (bool(done) and all(done))
        self._moved()

    def _moved(self) -> None:
        if all(member.settled for member in self.members):
            self._settled.set()
        with self._lock:
            self.version += 1
            feeds = list(self._feeds)
        for feed in feeds:
            feed.nudge()

    async def settled(self) -> None:
        """Until each cluster has synced or failed once."""
        await self._settled.wait()

    # --- readers, from any thread -----------------------------------------------------------------------------------

    def read(self) -> StreamView:
        """The stream now; the same object as long as nothing changes."""
        with self._lock:
            view = self._view
            if view is not None and view.version == self.version:
                return view
            records: dict[str, dict[str, Record]] = {}
            columns: list[dict[str, Any]] = []
            for member in self.members:
                stores = [s.store for s in member.subscriptions]
                merged = dict(stores[0].objects) if stores else {}
                for store in stores[1:]:
                    merged.update(store.objects)
                records[member.alias] = merged
                for store in stores:
                    if len(store.columns) > len(columns):
                        columns = store.columns
            states = {member.alias: member.state() for member in self.members}
            self._view = StreamView(self.version, records, columns, states, self.closed)
            return self._view

    def feed(self, wake: Callable[[], None], *, initial: bool) -> Feed:
        """A queue of all changes from now on; with `initial`, after an ADDED for each object there is."""
        feed = Feed(wake, self._forget_feed)
        with self._lock:
            if initial:
                feed.push(
                    ("ADDED", member.alias, record, None)
                    for member in self.members
                    for subscription in member.subscriptions
                    for record in subscription.store.objects.values()
                )
            self._feeds.append(feed)
        if initial:
            self._endpoint.thread.call(feed.nudge)
        return feed

    def _forget_feed(self, feed: Feed) -> None:
        with self._lock:
            if feed in self._feeds:
                self._feeds.remove(feed)

    def hold(self, holder: str) -> None:
        """Keep the stream while this holder has it."""
        with self._lock:
            self._holders.add(holder)

    def release(self, holder: str) -> None:
        """This holder has gone; the stream lingers a little after the last."""
        with self._lock:
            self._holders.discard(holder)
            last = not self._holders
        if last:
            self._endpoint.thread.call(self._schedule_end)

    @property
    def forsaken(self) -> bool:
        """Whether nobody holds it and it failed everywhere: who asks for it anew gets a new one."""
        with self._lock:
            return not self._holders and all(m.settled and not m.state().synced for m in self.members)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _schedule_end(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
        self._linger = asyncio.get_running_loop().call_later(self._endpoint.linger_seconds, self._end_if_unheld)

    def _end_if_unheld(self) -> None:
        if not self._holders and not self.closed:
            self.close("nobody held it any more")

    def close(self, reason: str) -> None:
        """Unsubscribe and tell the readers; on the loop; idempotent."""
        if self.closed:
            return
        self.closed = True
        if self._linger is not None:
            self._linger.cancel()
        for member in self.members:
            if member.task is not None:
                member.task.cancel()
            with self._lock:
                member.problem = State("closed", reason, since=time.time())
                member.settled = True
        self._moved()
        for member in self.members:
            self._release(member)
        self._ended(self)

    def _release(self, member: Member) -> None:
        for subscription in member.subscriptions:
            with self._lock:
                if not self.closed:
                    self._push(member.alias, [("DELETED", r, r) for r in subscription.store.objects.values()])
                sharing = self._by_subscription.pop(subscription, [])
                sharing = [m for m in sharing if m is not member]
                if sharing:
                    self._by_subscription[subscription] = sharing
                elif self in subscription.readers:
                    subscription.readers.remove(self)
            if not subscription.readers:
                self._endpoint.drop(subscription)
        with self._lock:
            member.subscriptions = []

    def unlock(self, lock: threading.RLock) -> None:
        """In a forked child: the parent's lock may have been held at the fork."""
        self._lock = lock

    def stats(self) -> dict[str, Any]:
        """Counts for the status; any thread may call."""
        with self._lock:
            parts = [s.stats() | {"cluster": m.alias} for m in self.members for s in m.subscriptions]
            states = {m.alias: m.state().state for m in self.members}
        total = {
            name: sum(part[name] for part in parts)
            for name in (
                "objects",
                "changes",
                "skipped",
                "repeated",
                "relists",
                "snapshots",
                "bytes",
                "frames",
            )
        }
        return {
            "id": self.id,
            "kind": self.spec.kind,
            "namespaces": self.spec.namespaces,
            "selector": self.spec.selector,
            "field_selector": self.spec.field_selector,
            "states": states,
            "lag": max((part["lag"] for part in parts), default=0.0),
            "last_change": max((part["last_change"] for part in parts), default=0.0),
            "holders": len(self._holders),
            "feeds": len(self._feeds),
            "subscriptions": parts,
            **total,
        }
