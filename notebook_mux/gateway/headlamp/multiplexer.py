"""One client of ``/wsMultiplexer``: its subscriptions, from its upgrade to its end.

Nothing is shared between clients, so none can hear, end or hold up what is another's. The query is part of a
subscription's key; a REQUEST that comes twice is answered twice and asked once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import quote
from weakref import WeakValueDictionary

from notebook_mux.errors import InvalidArgument, MuxError, ProtocolError
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.headlamp import refusals
from notebook_mux.gateway.headlamp.answers import Frames, Why
from notebook_mux.gateway.headlamp.exec_feed import ExecFeed
from notebook_mux.gateway.headlamp.feeds import Feed, Gone, HttpFeed, Subscription
from notebook_mux.gateway.headlamp.targets import is_set
from notebook_mux.kube.scope import checked_path, checked_query, needs_write
from notebook_mux.wire import headlamp as wire

MAX_SUBSCRIPTIONS = 5000
"""Of one client: five times the most that a page of Headlamp with forty clusters was seen to have."""

DIALS = 64
"""Upstreams of one client and one cluster that are being opened at once."""

MAX_NAMES = 16 * 1024
"""Characters of cluster, path, query and user id together: they are kept, and go back with each frame. An API server's
own longest queries, label selectors, have some hundreds."""

MAX_ERRANDS = 256
"""Answers that wait for a client to read before nothing more is read from it."""

QUIET_SECONDS, TICK_SECONDS, MISSES = 30.0, 10.0, 2
"""A cluster that was silent for so long is asked for a sign of life, each tick; after so many misses its subscriptions
end; see `gateway.watching`."""

SAFE = "/:@!$&'()*+,;=~-._"
"""What stays as it is in a path (RFC 3986, 3.3); all else is escaped, as Go's URL.EscapedPath does."""

CONNECTING = frozenset({"exec", "attach", "portforward"})

Key = tuple[str, str, str, str]
"""Cluster, path, query, user."""

FindCluster = Callable[[str], Awaitable[Cluster]]

log = logging.getLogger(__name__)


class Link(Protocol):
    """The socket; see `links.Link`."""

    async def send(self, frame: bytes) -> None:
        """Write a text frame."""

    async def receive(self) -> str | bytes | None:
        """The next frame, None at the end."""

    def progressed(self) -> None:
        """The client has just taken something."""

    async def watch_over(self) -> None:
        """Return when nobody is there."""

    async def close(self, code: int, reason: str) -> None:
        """The closing handshake."""


class Multiplexer:
    """Serves one client. On the gateway's loop.

    Args:
        link: Its socket, open.
        cluster: Finds a cluster by its name, with this client's cookies.
        write: Whether exec, attach and port-forward are allowed.
        room: Whether the gateway has room for another upstream.
    """

    def __init__(
        self, link: Link, cluster: FindCluster, *, write: bool, room: Callable[[], bool] = lambda: True
    ) -> None:
        self.since = time.time()
        self.subscriptions: dict[Key, Subscription] = {}
        self.feeds: dict[Feed, asyncio.Task[None]] = {}
        self._link = link
        self._cluster = cluster
        self._write = write
        self._room = room
        self._shared: dict[tuple[str, str, str], Feed] = {}
        # Held by the feeds: a client may name any number of clusters that are not there.
        self._gates: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._errands: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._leaving: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()

    # --- its life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until the client goes or the gateway ends; never raises but when cancelled."""
        own: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._read(), name="headlamp reader"),
            asyncio.create_task(self._link.watch_over(), name="headlamp pings"),
            asyncio.create_task(self._watch_clusters(), name="headlamp watchdog"),
        ]
        reason = ""
        try:
            await asyncio.wait([*own, self._leaving], return_when=asyncio.FIRST_COMPLETED)
            reason = self._leaving.result() if self._leaving.done() else ""
            for task in own:
                if task.done() and (error := task.exception()) is not None:
                    log.error("a client of the multiplexer failed", exc_info=error)
        finally:
            self._leaving.cancel()
            every = [*own, *self.feeds.values(), *self._errands]
            for task in every:
                task.cancel()
            await asyncio.gather(*every, return_exceptions=True)
            self.subscriptions.clear()
            await self._link.close(1001 if reason else 1000, reason)
            self.ended.set()

    def end(self, reason: str) -> None:
        """Close the socket; `run` returns soon."""
        if not self._leaving.done():
            self._leaving.set_result(reason)

    async def _send(self, frames: Sequence[bytes]) -> None:
        async with self._turn:
            try:
                for frame in frames:
                    await self._link.send(frame)
            except OSError:
                self.end("")
                raise Gone from None

    def _errand(self, work: Awaitable[None]) -> None:
        """Do what waits for the client to read beside its reader."""

        async def run() -> None:
            try:
                await work
            except Gone:
                pass

        task = asyncio.create_task(run())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # --- reading --------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while (frame := await self._link.receive()) is not None:
            try:
                message = wire.decode(frame)
            except ProtocolError as error:
                self._refuse(wire.names_in(frame), f"parsing message: {error.said}")
            else:
                self._handle(message)
            while len(self._errands) > MAX_ERRANDS:
                await asyncio.wait(self._errands, return_when=asyncio.FIRST_COMPLETED)
                self._link.progressed()  # its pongs are not read meanwhile

    def _handle(self, message: wire.Envelope) -> None:
        missing = [
            name
            for name, value in (
                ("clusterId", message.cluster_id), ("path", message.path), ("userId", message.user_id),
                ("type", message.type),
            )
            if not value
        ]  # fmt: skip
        if sum(map(len, _key(message))) > MAX_NAMES:
            self._refuse(message, f"parsing message: names of more than {MAX_NAMES} characters")
        elif missing:
            self._refuse(message, f"parsing message: {', '.join(missing)} must not be empty")
        elif message.type == wire.REQUEST:
            self._request(message)
        elif message.type == wire.CLOSE:
            self._close(message)
        else:
            self._refuse(message, f"unsupported message type: {message.type[:40]}")

    def _refuse(self, message: wire.Envelope, words: str, code: int = 0, reason: str = "") -> None:
        frames = Frames(*(name[:MAX_NAMES] for name in _key(message)))
        self._errand(self._send([frames.error(Why(words, code, reason))]))

    # --- subscriptions --------------------------------------------------------------------------------------------

    def _request(self, message: wire.Envelope) -> None:
        key = _key(message)
        there = self.subscriptions.get(key)
        if there is not None:
            if not message.data:
                self._errand(there.feed.remind(there))
            elif not there.feed.write(message.data):
                # What would come after a hole in the input is another command than what was typed.
                self._refuse(message, "more input than the command reads; it is ended", 429, "TooManyRequests")
                self._close(message)
            return
        if len(self.subscriptions) >= MAX_SUBSCRIPTIONS:
            self._refuse(message, f"more than {MAX_SUBSCRIPTIONS} subscriptions of one client", 429, "TooManyRequests")
            return
        shared = self._shared.get(key[:3])
        if shared is not None and shared.can_be_joined:
            there = self.subscriptions[key] = Subscription(Frames(*key), shared)
            shared.members.add(there)
            self._errand(shared.join(there))
            return
        if not self._room():
            self._refuse(message, "the gateway has no room for more upstreams", 429, "TooManyRequests")
            return
        try:
            feed = self._feed(message)
        except MuxError as error:
            self._refuse(message, refusals.full(error), refusals.code_of(error), error.code)
            return
        there = self.subscriptions[key] = Subscription(Frames(*key), feed)
        feed.begin(there)
        if message.data:
            feed.write(message.data)
        if feed.shareable:
            self._shared[key[:3]] = feed
        task = asyncio.create_task(feed.run(lambda: self._cluster(message.cluster_id)))
        self.feeds[feed] = task
        task.add_done_callback(lambda task: self._over(feed, key[:3], task))

    def _close(self, message: wire.Envelope) -> None:
        key = _key(message)
        keys = [key] if key in self.subscriptions else []
        if not keys and not message.query:
            # Headlamp's own server has no query in its key, so a client may well leave it out here.
            keys = [k for k in self.subscriptions if (*k[:2], k[3]) == (*key[:2], key[3])]
        for one in keys:
            there = self.subscriptions.pop(one)
            feed = there.feed
            feed.members.discard(there)
            if not feed.members and (task := self.feeds.get(feed)) is not None:
                self._forget(feed, one[:3])
                task.cancel()
            self._errand(feed.leave(there))

    def _feed(self, message: wire.Envelope) -> Feed:
        """The upstream for a REQUEST.

        Raises:
            InvalidArgument: It is none for a multiplexer.
            WriteRefused: It would change something.
        """
        path, query = quote(message.path, safe=SAFE), checked_query(message.query)
        segments = checked_path(path)
        gate = self._gates.setdefault(message.cluster_id, asyncio.Semaphore(DIALS))
        if needs_write("GET", path):
            refusals.check_write(self._write, f"GET {path}", message.cluster_id)
            if segments[-1] not in CONNECTING:
                raise InvalidArgument("what a pod or a service serves itself has no place in a multiplexer")
            return ExecFeed(self._send, gate, self._told, path, query)
        is_watch = is_set(query, "watch") or path.startswith("/api/v1/watch/")
        if not is_watch and segments[-1] != "log":
            raise InvalidArgument(
                "only watches (watch=1), logs, exec, attach and portforward have a place in a multiplexer",
                todo="ask for it by GET below /clusters/",
            )
        return HttpFeed(self._send, gate, self._told, path, query, watch=is_watch)

    def _told(self, subscription: Subscription) -> None:
        """The upstream has ended."""
        frames = subscription.frames
        key = (frames.cluster, frames.path, frames.query, frames.user)
        if self.subscriptions.get(key) is subscription:
            del self.subscriptions[key]

    def _over(self, feed: Feed, key: tuple[str, str, str], task: asyncio.Task[None]) -> None:
        self.feeds.pop(feed, None)
        self._forget(feed, key)
        error = None if task.cancelled() else task.exception()
        if error is None and not feed.members:
            return
        if not self._leaving.done():
            # Whoever waits for it would wait for ever.
            log.error("a subscription ended without a word", exc_info=error)
            self.end("the gateway failed; its log has more")

    def _forget(self, feed: Feed, key: tuple[str, str, str]) -> None:
        if self._shared.get(key) is feed:
            del self._shared[key]

    # --- silent clusters ------------------------------------------------------------------------------------------

    async def _watch_clusters(self) -> None:
        missed: dict[Cluster, int] = {}
        while True:
            await asyncio.sleep(TICK_SECONDS)
            clusters = {feed.cluster for feed in self.feeds if feed.cluster is not None}
            quiet = [one for one in clusters if time.monotonic() - one.last_contact > QUIET_SECONDS]
            alive = await asyncio.gather(*(one.is_alive() for one in quiet))
            missed = {one: missed.get(one, 0) + 1 for one, is_alive in zip(quiet, alive, strict=True) if not is_alive}
            for feed in list(self.feeds):
                if feed.cluster is not None and missed.get(feed.cluster, 0) >= MISSES:
                    silent = round(time.monotonic() - feed.cluster.last_contact)
                    feed.cut(f"no sign of life from the cluster for {silent} s")


def _key(message: wire.Envelope) -> Key:
    return message.cluster_id, message.path, message.query, message.user_id
