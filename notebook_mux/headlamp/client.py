"""The client's half of ``/wsMultiplexer``: what to send, and what that which comes means. Sans-IO.

The server keeps one upstream for each (cluster, path, user id), for all clients together, whatever the query. So each
watch has a user id that was never used before and never will be again: ``<id>.<nonce>``. What carries a user id (DATA,
COMPLETE, ERROR) is told by it. A STATUS carries none; it is told by cluster and path, and where that leaves a choice
the watches in question are asked for again under their own ids: the server passes over a REQUEST for what it has, and
opens what it has not.

The caller sends `outgoing`, feeds `receive`, calls `heard` when a ping of its is answered, and `tick` now and then.
(kubernetes-sigs/headlamp, backend/cmd/multiplexer.go, 0.45.0)
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

import msgspec

from notebook_mux.errors import InvalidArgument, ProtocolError
from notebook_mux.wire import UNREADABLE, headlamp as wire

ACK_SECONDS = 15.0
"""From the moment the server must have read a REQUEST to its STATUS connected. It dials while it reads, so a pong says
that all before it has been dealt with; other servers of this protocol may dial beside."""

ACK_LIMIT = 60.0
"""The same from the REQUEST itself, where no pong says that it was read: the server's own dial takes up to 45 s."""

CLOSING_SECONDS = 60.0
"""How long the STATUS closed that answers a CLOSE is waited for; the server may be in a dial."""

NONCE_BYTES = 8

HELD_UP = ("i/o timeout", "context deadline exceeded")
"""In the words of a failed dial: it took its time, in which the server did nothing else for this socket."""

UNREACHED = (*HELD_UP, "connection refused", "no such host", "no route to host", "network is unreachable")
"""In the words of a failed dial: TCP's and the resolver's failures. All others are "bad handshake"."""

HEARTBEAT = "heartbeat"
"""In the words of a STATUS error: the server has given up an upstream and reads nothing from it any more."""


@dataclass(eq=False)
class Asked:
    """One watch on this socket, from its REQUEST to its end; never used again."""

    cluster: str
    path: str
    query: str
    user: str
    at: float
    read_at: float | None = None
    connected: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has opened it."""

    watch: Asked


@dataclass(frozen=True, slots=True)
class Data:
    """One frame of the upstream."""

    watch: Asked
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The upstream has ended, for a reason nobody tells; `said` where there are words. Nothing more comes."""

    watch: Asked
    said: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """It could not be opened; `said` is "bad handshake" for every HTTP status. Nothing more comes."""

    watch: Asked
    said: str

    @property
    def unreached(self) -> bool:
        """Whether the cluster did not even answer."""
        return any(word in self.said for word in UNREACHED)

    @property
    def held_up(self) -> bool:
        """Whether the server waited for it, and all else with it."""
        return any(word in self.said for word in HELD_UP)


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer to its REQUEST. Nothing more comes."""

    watch: Asked


@dataclass(frozen=True, slots=True)
class InDoubt:
    """One of these has ended, or one that was closed has; call `Multiplexer.again` for each after a moment."""

    watches: tuple[Asked, ...]


Event = Connected | Data | Ended | Refused | Silent | InDoubt


@dataclass
class _Place:
    """All watches of one (cluster, path)."""

    waiting: list[Asked] = field(default_factory=list)
    open: list[Asked] = field(default_factory=list)
    closing: deque[float] = field(default_factory=deque)

    def expire(self, now: float) -> None:
        """Wait no more for the answers to what was closed long ago: older servers give none."""
        while self.closing and self.closing[0] < now:
            self.closing.popleft()


class Multiplexer:
    """The state of one socket; a new socket needs a new one.

    Args:
        clock: Monotonic seconds.
        nonce: Gives a text that was never given before.
        ack_seconds: See `ACK_SECONDS`.

    Attributes:
        unknown: Frames for watches that are not there (any more).
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        nonce: Callable[[], str] = lambda: secrets.token_hex(NONCE_BYTES),
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        self.unknown = 0
        self._clock = clock
        self._nonce = nonce
        self._ack_seconds = ack_seconds
        self._outgoing: list[str] = []
        self._watches: dict[str, Asked] = {}
        self._places: defaultdict[tuple[str, str], _Place] = defaultdict(_Place)

    # --- what the caller wants ------------------------------------------------------------------------------------

    def watch(self, cluster: str, path: str, query: str, user: str) -> Asked:
        """Ask for a watch.

        Args:
            cluster: Its name on the server.
            path: Below the API server's own; escapes in it are undone, for the server escapes.
            query: Encoded, without a question mark; goes upstream as it is.
            user: Who asks; made unique here.

        Raises:
            InvalidArgument: The server would drop it without a word: an empty cluster, path or user.
        """
        if not (cluster and user and path.startswith("/") and "?" not in path):
            raise InvalidArgument("a Headlamp server drops a request without cluster, path or user", cluster=cluster)
        asked = Asked(cluster, unquote(path), query.lstrip("?"), f"{user}.{self._nonce()}", self._clock())
        self._watches[asked.user] = asked
        self._places[asked.cluster, asked.path].waiting.append(asked)
        self._send(wire.REQUEST, asked)
        return asked

    def close(self, watch: Asked) -> None:
        """It is not wanted any more; nothing more comes of it. Twice is fine."""
        if watch.over:
            return
        # Also for one that is not open yet: its STATUS connected may be under way, and then closed follows.
        place, now = self._places[watch.cluster, watch.path], self._clock()
        place.expire(now)
        place.closing.append(now + CLOSING_SECONDS)
        self._forget(watch)
        self._send(wire.CLOSE, watch)

    def again(self, watch: Asked, query: str) -> None:
        """Ask again for one that is in doubt, from where it stands now; at least 50 ms after the doubt arose."""
        if not watch.over:
            watch.query = query
            self._send(wire.REQUEST, watch)

    def outgoing(self) -> list[str]:
        """The frames to send, each once."""
        frames, self._outgoing = self._outgoing, []
        return frames

    @property
    def watches(self) -> list[Asked]:
        """Those that are not over."""
        return list(self._watches.values())

    # --- what the server says -------------------------------------------------------------------------------------

    def receive(self, frame: str | bytes) -> list[Event]:
        """What a frame means.

        Raises:
            ProtocolError: It is no envelope, or one that a server does not send.
        """
        envelope = wire.decode(frame)
        if envelope.type == wire.STATUS:
            return self._status(envelope)
        if envelope.type not in (wire.DATA, wire.COMPLETE, wire.ERROR):
            raise ProtocolError(f"an envelope of the type {envelope.type[:40]!r} from a Headlamp server")
        watch = self._watches.get(envelope.user_id)
        if watch is None or watch.cluster != envelope.cluster_id:
            self.unknown += 1
            return []
        if envelope.type == wire.COMPLETE:  # before each DATA of a new version; means nothing
            return []
        if envelope.type == wire.DATA:
            return [Data(watch, envelope.payload())]
        if watch.connected:
            self.close(watch)
        else:
            self._forget(watch)
        return [Refused(watch, _words(envelope.data))]

    def now(self) -> float:
        """The clock's time, for `heard`."""
        return self._clock()

    def heard(self, sent: float) -> None:
        """A ping was answered that went out at `sent`, after all frames so far: the server has read those."""
        now = self._clock()
        for watch in self._watches.values():
            if not watch.connected and watch.read_at is None and watch.at <= sent:
                watch.read_at = now

    def tick(self) -> list[Event]:
        """Those that were not answered in time."""
        now = self._clock()
        late = [
            watch
            for watch in self._watches.values()
            if not watch.connected
            and (now - watch.at > ACK_LIMIT or (watch.read_at is not None and now - watch.read_at > self._ack_seconds))
        ]
        for watch in late:
            self.close(watch)
        return [Silent(watch) for watch in late]

    # --- inside ---------------------------------------------------------------------------------------------------

    def _status(self, envelope: wire.Envelope) -> list[Event]:
        state = wire.state_of(envelope)
        key = envelope.cluster_id, envelope.path
        place = self._places.get(key)
        if place is None:
            self.unknown += 1
            return []
        if state.state == "connected":
            if not place.waiting:
                return []  # one that was in doubt
            watch = place.waiting.pop(0)  # the server opens them in the order they were asked for
            place.open.append(watch)
            watch.connected = True
            return [Connected(watch)]
        if state.state == "closed":
            return self._closed(key, place)
        if state.state == "error" and (HEARTBEAT in state.error or not place.waiting):
            # Whichever it was, the server may go on to hold its key without reading: all go, under new keys.
            gone = list(place.open)
            for watch in gone:
                self.close(watch)
            return [Ended(watch, state.error) for watch in gone]
        return []  # an ERROR with the user's id follows

    def _closed(self, key: tuple[str, str], place: _Place) -> list[Event]:
        place.expire(self._clock())
        expected = bool(place.closing)
        if expected:
            place.closing.popleft()
        if not place.open:
            self._tidy(key)
            return []
        if not expected and len(place.open) == 1:
            watch = place.open[0]
            self._forget(watch)
            return [Ended(watch)]
        return [InDoubt(tuple(place.open))]

    def _forget(self, watch: Asked) -> None:
        watch.over = True
        self._watches.pop(watch.user, None)
        key = watch.cluster, watch.path
        place = self._places[key]
        for listed in (place.waiting, place.open):
            if watch in listed:
                listed.remove(watch)
        self._tidy(key)

    def _tidy(self, key: tuple[str, str]) -> None:
        place = self._places.get(key)
        if place is not None and not (place.waiting or place.open or place.closing):
            del self._places[key]

    def _send(self, kind: str, watch: Asked) -> None:
        self._outgoing.append(wire.encode(wire.Envelope(watch.cluster, watch.path, watch.user, kind, watch.query)))


class _Error(msgspec.Struct):
    error: str


def _words(data: str) -> str:
    """What an ERROR says: Headlamp writes JSON with one field, others may write plain text."""
    try:
        return msgspec.json.decode(data, type=_Error).error
    except UNREADABLE:
        return data
