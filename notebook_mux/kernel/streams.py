"""What a user holds: one kind in some namespaces of some clusters, read from as many subscriptions as that takes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from notebook_mux.kernel import kinds
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.feed import Feed, FeedChange
from notebook_mux.kernel.members import STANDING, Member, StreamSpec, StreamView
from notebook_mux.kernel.minute import together
from notebook_mux.kernel.store import Difference
from notebook_mux.kernel.subscription import FAILED, State, Subscription
from notebook_mux.wire.frames import Record

if TYPE_CHECKING:
    from notebook_mux.kernel.endpoint import Endpoint

LINGER_SECONDS = 10.0
"""Between a stream's last holder and its end: a re-run cell, or the next one, finds it still there."""

DISCOVERY_RETRY_SECONDS = 10.0
"""Between looks at a cluster that did not serve the kind, or did not answer."""


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
        allowed, _ = await self._allowed(member)
        names = allowed or (member.default_namespace,)
        words = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        self._release(member)
        with self._lock:
            member.namespaces = names
            member.note = f"{state.said or state.reason or 'all namespaces are forbidden'}; showing {words}"
        self._subscribe(member, list(names))

    async def _advise(self, member: Member) -> None:
        """A namespace is forbidden: find out which are not, so that it can be said what would work."""
        allowed, checked = await self._allowed(member)
        asked = tuple(name for name in member.namespaces or () if name in allowed)
        what = f"list and watch {(member.resource or {}).get('name', self.spec.kind)}"
        member.advice = kinds.elsewhere(asked or allowed, checked, len(checked), what)
        self._settle(member)
        self._moved()

    async def _allowed(self, member: Member) -> tuple[tuple[str, ...], tuple[str, ...]]:
        known = (*(name for name in member.namespaces or () if name != "*"), member.default_namespace, "default")
        return await self._endpoint.allowed_namespaces(member.ref, member.resource or {}, self.spec.user, known)

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
            if state.state == "forbidden" and member.namespaces is not None:
                everywhere = member.namespaces == ("*",)
                idle = member.task is None or member.task.done()
                if idle and (everywhere or member.advice is None):
                    steps = self._fall_back if everywhere else self._advise
                    member.task = asyncio.get_running_loop().create_task(steps(member))
                if everywhere:
                    return
            elif not any(s.state.state == "forbidden" for s in member.subscriptions):
                member.advice = None
            self._settle(member)
        self._moved()

    def _settle(self, member: Member) -> None:
        """Whether each subscription has synced or failed once; one that is forbidden, when it is known what is not."""
        done = [
            s.store.synced
            or (s.state.state in FAILED and (s.state.state != "forbidden" or member.advice is not None))
            or (s.state.state == "forbidden" and member.namespaces is None)
            for s in member.subscriptions
        ]
        member.settled = member.settled or (bool(done) and all(done))

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
            members = {m.alias: m.state() for m in self.members}
            minutes = [s.minute for m in self.members for s in m.subscriptions]
            holders = sorted(self._holders)
        now = time.monotonic()
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
                "memory",
                "requests",
                "seconds",
            )
        }
        return {
            "id": self.id,
            "kind": self.spec.kind,
            "namespaces": self.spec.namespaces,
            "selector": self.spec.selector,
            "field_selector": self.spec.field_selector,
            "states": {alias: at.state for alias, at in members.items()},
            "standing": {m.ref: {name: getattr(members[m.alias], name) for name in STANDING} for m in self.members},
            "lag": max((part["lag"] for part in parts), default=0.0),
            "last_change": max((part["last_change"] for part in parts), default=0.0),
            "holders": len(holders),
            "held": holders,
            "minute": together([minute.read(now) for minute in minutes]),
            "feeds": len(self._feeds),
            "subscriptions": parts,
            **total,
        }
