"""One upstream of one client of the multiplexer, and the subscriptions that hear it.

All frames of a feed are written under one lock, so a subscription that joins later hears everything from the beginning
and nothing twice. Nothing is read ahead: the next piece is asked for when the last one was written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import aiohttp

from notebook_mux.errors import MuxError
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.headlamp import refusals
from notebook_mux.gateway.headlamp.answers import Frames, Why, binary_text, event_text
from notebook_mux.gateway.lines import LineSplitter
from notebook_mux.kube.answers import Answer, plain
from notebook_mux.remote import keepalive

READ_AHEAD = 16 * 1024
"""Bytes of one upstream taken before its client has taken those before them, in each of the buffers on the way. With
the usual ones a thousand subscriptions of a slow client held 300 MiB."""

PAST_BYTES = 64 * 1024
"""Of a feed's beginning that is kept for those who join; a feed that has said more is joined by nobody."""

BATCH_FRAMES, BATCH_BYTES = 16, 64 * 1024
"""Written before other feeds have their turn."""

REFUSAL_BYTES = 64 * 1024
"""Of the body of a refusal."""

OK = 200

Pieces = Iterable[tuple[bytes, bool]]
"""Texts of DATA frames as JSON, and whether they are base64."""

Send = Callable[[Sequence[bytes]], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Subscription:
    """What a client asked for by one REQUEST."""

    frames: Frames
    feed: Feed


class Feed:
    """One upstream. On the gateway's loop.

    Args:
        send: Writes frames, in this order and with nothing in between; returns when the client has taken them, and
            raises `Gone` if it has gone.
        gate: Bounds the dials of one client to one cluster.
        ended: Called with each subscription when it has been told of its end.
    """

    shareable = False

    def __init__(self, send: Send, gate: asyncio.Semaphore, ended: Callable[[Subscription], None]) -> None:
        self.members: set[Subscription] = set()
        """Those who want it, told or not."""
        self.cluster: Cluster | None = None
        self._send = send
        self._gate = gate
        self._on_end = ended
        self._lock = asyncio.Lock()
        self._hearing: list[Subscription] = []
        self._open = False
        self._end: list[Callable[[Frames], bytes]] | None = None
        self._past: list[tuple[bytes, bool]] | None = []
        self._past_bytes = 0
        self._limit: asyncio.Timeout | None = None
        self._cut = Why()

    @property
    def can_be_joined(self) -> bool:
        """Whether a new subscription would hear all of it."""
        return self.shareable and self._past is not None and self._end is None

    # --- who hears it ---------------------------------------------------------------------------------------------

    async def join(self, subscription: Subscription) -> None:
        """Tell a member all that was said so far, and from now on what comes."""
        async with self._lock:
            if subscription not in self.members:
                return
            frames = subscription.frames
            if self._open:
                await self._send([frames.status("connected")])
                for text, binary in self._past or ():
                    await self._send([frames.data(text, binary=binary)])
            if self._end is None:
                self._hearing.append(subscription)
            else:
                await self._tell_end([subscription])

    async def remind(self, subscription: Subscription) -> None:
        """Tell a member again that it hears it, if it does."""
        async with self._lock:
            if self._open and subscription in self._hearing:
                await self._send([subscription.frames.status("connected")])

    async def leave(self, subscription: Subscription) -> None:
        """Tell one who is no member any more that it hears nothing after this."""
        async with self._lock:
            if subscription in self._hearing:
                self._hearing.remove(subscription)
            await self._send([subscription.frames.status("closed")])

    # --- its life -------------------------------------------------------------------------------------------------

    def begin(self, subscription: Subscription) -> None:
        """Make the first member hear it, before `run`."""
        self.members.add(subscription)
        self._hearing.append(subscription)

    async def run(self, cluster: Callable[[], Awaitable[Cluster]]) -> None:
        """Serve until the upstream ends or the client has gone; only cancelling it raises.

        Args:
            cluster: Finds the cluster to ask.
        """
        try:
            await self._ended(await self._serve(cluster))
        except Gone:
            pass

    async def _serve(self, find: Callable[[], Awaitable[Cluster]]) -> Why | None:
        upstream: AsyncGenerator[Pieces | None] | None = None
        try:
            async with self._gate:
                self.cluster = await find()
                upstream = self._dial(self.cluster)
                await anext(upstream)
            await self._opened()
            async with asyncio.timeout(None) as self._limit:
                async for pieces in upstream:
                    await self._deliver(pieces or ())
        except Refusal as refusal:
            return refusal.why
        except MuxError as error:
            return Why(refusals.full(error), refusals.code_of(error), error.code)
        except TimeoutError:
            return self._cut
        except (aiohttp.ClientError, OSError) as error:
            if self.cluster is None:
                return Why(f"the kubeconfig cannot be read: {error}", 500, "InternalError")
            failed = self.cluster.failed(error)
            return Why(refusals.full(failed), refusals.code_of(failed), failed.code)
        finally:
            self._limit = None
            if upstream is not None:
                await upstream.aclose()
        return None

    def cut(self, words: str) -> None:
        """Give the upstream up."""
        if self._limit is not None and not self._cut.words:
            self._cut = Why(words, 504, "Timeout")
            self._limit.reschedule(asyncio.get_running_loop().time())

    def write(self, data: str) -> bool:
        """Send to the upstream; False if it takes nothing more."""
        return True

    def _dial(self, cluster: Cluster) -> AsyncGenerator[Pieces | None]:
        """None when it is open, then what comes."""
        raise NotImplementedError

    async def _opened(self) -> None:
        async with self._lock:
            self._open = True
            for subscription in self._hearing:
                await self._send([subscription.frames.status("connected")])

    async def _deliver(self, pieces: Pieces) -> None:
        async with self._lock:
            batch: list[bytes] = []
            size = 0
            for text, binary in pieces:
                self._remember(text, binary)
                for subscription in self._hearing:
                    frame = subscription.frames.data(text, binary=binary)
                    batch.append(frame)
                    size += len(frame)
                    if len(batch) >= BATCH_FRAMES or size >= BATCH_BYTES:
                        await self._send(batch)
                        batch, size = [], 0
            if batch:
                await self._send(batch)

    def _remember(self, text: bytes, binary: bool) -> None:
        if self._past is None or not self.shareable:
            return
        self._past_bytes += len(text)
        if self._past_bytes > PAST_BYTES:
            self._past = None
        else:
            self._past.append((text, binary))

    async def _ended(self, why: Why | None) -> None:
        async with self._lock:
            if why is None:
                self._end = [Frames.complete, lambda frames: frames.status("closed")]
            elif self._open:
                self._end = [lambda frames: frames.status("closed", why)]
            else:
                self._end = [lambda frames: frames.status("error", why), lambda frames: frames.error(why)]
            hearing, self._hearing = self._hearing, []
            await self._tell_end(hearing)

    async def _tell_end(self, hearing: Iterable[Subscription]) -> None:
        for subscription in hearing:
            if subscription in self.members:
                # Before it is told: whoever is told may ask for the same again at once.
                self.members.discard(subscription)
                self._on_end(subscription)
                await self._send([make(subscription.frames) for make in self._end or ()])


class Gone(Exception):
    """The client has gone: nobody hears anything any more."""


class Refusal(Exception):
    """An upstream that was refused by the API server."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.words)
        self.why = why


class HttpFeed(Feed):
    """A watch, by lines, or a log, by pieces of bytes; over HTTP, which every API server and proxy passes on.

    Args:
        send: See `Feed`.
        gate: See `Feed`.
        ended: See `Feed`.
        path: Encoded.
        query: Encoded.
        watch: Whether it is a watch.
    """

    def __init__(
        self,
        send: Send,
        gate: asyncio.Semaphore,
        ended: Callable[[Subscription], None],
        path: str,
        query: str,
        *,
        watch: bool,
    ) -> None:
        super().__init__(send, gate, ended)
        self.shareable = watch
        self._path, self._query, self._watch = path, query, watch

    async def _dial(self, cluster: Cluster) -> AsyncGenerator[Pieces | None]:
        headers = {"Accept": "application/json" if self._watch else "*/*"}
        async with cluster.stream(self._path, self._query, headers=headers, read_ahead=READ_AHEAD) as response:
            if response.status != OK:
                body = await response.content.read(REFUSAL_BYTES)
                raise Refusal(Why(*refusals.told(Answer(response.status, plain(response.headers), body))))
            keepalive.tune(response, READ_AHEAD)
            yield None
            splitter = LineSplitter()
            while data := await response.content.readany():
                cluster.last_contact = time.monotonic()
                if self._watch:
                    yield [(event_text(line), False) for line in splitter.feed(data)]
                else:
                    yield [(binary_text(data), True)]
